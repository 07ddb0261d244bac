"""
What REST tells of markets, waited for a while only: nothing of it is needed to go live.

An answer that takes longer is taken when it comes. Meanwhile what is new is known by its ticker,
and what was known stays.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from time import monotonic

from kalshi.rest import Client
from positions.portfolio import MarketFacts
from streaming.together import Errand
from streaming.worker.reads import HELP_SECONDS, MarketsRead, read_markets, untold


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What was told of markets that were asked for at that instant.

    Attributes:
        is_first: whether nothing was told of any market of this connection before.
    """

    read: MarketsRead
    requested_at: float
    is_first: bool


class MarketAnswers:
    """
    Asks for markets, one request after the other.

    Args:
        on_late: called when an answer is there that nobody waited for any more; `take_late` has it.
    """

    def __init__(self, rest: Client, on_late: Callable[[], None]) -> None:
        self._rest = rest
        self._on_late = on_late
        self._errand = Errand(self._came_late)
        self._late: list[Answer] = []
        self._is_first = True

    async def read(self, tickers: Iterable[str], known: Mapping[str, MarketFacts]) -> Answer:
        """
        What REST tells of these markets, if it does soon; as `read_markets` does.

        An older answer is to be taken first, so that it can't undo a newer one.
        """
        requested_at, wanted, is_first = monotonic(), set(tickers), self._is_first
        if not (self._errand.is_under_way or self._late):
            self._is_first = False
            read = await self._errand.wait(
                self._ask(wanted, dict(known), requested_at, is_first), HELP_SECONDS
            )
            if read:
                return read
        return Answer(untold(wanted, known), requested_at, is_first=False)

    def take_late(self) -> list[Answer]:
        """Answers that came late, each once."""
        late, self._late = self._late, []
        return late

    def stop(self) -> None:
        """Ask no more."""
        self._errand.stop()

    async def _ask(
        self,
        tickers: set[str],
        known: Mapping[str, MarketFacts],
        requested_at: float,
        is_first: bool,
    ) -> Answer:
        return Answer(await read_markets(self._rest, tickers, known), requested_at, is_first)

    def _came_late(self, answer: Answer) -> None:
        self._late.append(answer)
        self._on_late()
