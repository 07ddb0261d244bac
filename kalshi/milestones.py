"""The happenings that events are about, such as a game, as REST answers them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from kalshi.fields import Fields


@dataclass(frozen=True, slots=True)
class Milestone:
    """
    A happening with a time of its own.

    Args:
        start_at: when it begins: until then nobody can know its outcome.
        event_tickers: the events that have to do with it.
        primary_event_tickers: those of them that its outcome decides.
    """

    id: str
    start_at: datetime
    event_tickers: tuple[str, ...]
    primary_event_tickers: tuple[str, ...]

    @classmethod
    def decode(cls, value: object) -> Self:
        fields = Fields(value, "milestone")
        return cls(
            id=fields.identifier("id"),
            start_at=fields.time("start_date"),
            event_tickers=fields.readable(fields.tickers, "related_event_tickers") or (),
            primary_event_tickers=fields.readable(fields.tickers, "primary_event_tickers") or (),
        )
