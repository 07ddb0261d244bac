"""
How our holdings and the exchange's differ, as a value.

REST is the authority but lags: a read may still show the holding of some hundred milliseconds ago.
What always holds:

1. A difference once applied leaves none.
2. The stream's word counts against a read only while it is younger than the read can be trusted to
   know, never for longer than `TRUST_AFTER_SECONDS`; the next read decides.
3. Where both sides agree nothing is to be done, whatever the stream said in between.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from kalshi.resources import PositionRow
from positions.pnl import Holding

# REST was recorded to lag by 0.36 s; after this long it has had every chance to catch up.
TRUST_AFTER_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Heard:
    """
    The stream's last word on a holding.

    Attributes:
        received_at: seconds of the caller's monotonic clock.
        sent_at: the exchange's time of sending, when it said so.
    """

    holding: Holding
    received_at: float
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Difference:
    """
    What to change so that ours equals the exchange's.

    Attributes:
        changed: holdings that are new or not the same, by ticker.
        gone: tickers no longer held, with the realized P&L the exchange gives, if it does.
        unconfirmed: tickers on which the stream was believed against the read; read again soon.
    """

    changed: dict[str, Holding] = field(default_factory=dict)
    gone: dict[str, Decimal | None] = field(default_factory=dict)
    unconfirmed: frozenset[str] = frozenset()


def difference(
    ours: Mapping[str, Holding],
    rows: Mapping[str, PositionRow],
    heard: Mapping[str, Heard],
    requested_at: float,
) -> Difference:
    """
    Compare our holdings with a complete read of the exchange's.

    Args:
        ours: open holdings by ticker.
        rows: every position the exchange lists, flat ones included, by ticker.
        heard: the stream's last word on tickers, where it lately had one.
        requested_at: when the read was sent, seconds of the same clock as `Heard.received_at`.
    """
    changed: dict[str, Holding] = {}
    gone: dict[str, Decimal | None] = {}
    unconfirmed = set()
    for ticker in ours.keys() | rows.keys() | heard.keys():
        row = rows.get(ticker)
        theirs = holding_of(row) if row else None
        word = heard.get(ticker)
        if word and word.holding != theirs and _stream_knows_better(word, row, requested_at):
            theirs = word.holding
            unconfirmed.add(ticker)
        if theirs is None or not theirs.quantity:
            if ticker in ours:
                gone[ticker] = theirs.realized_pnl if theirs else None
        elif theirs != ours.get(ticker):
            changed[ticker] = theirs
    return Difference(changed, gone, frozenset(unconfirmed))


def holding_of(row: PositionRow) -> Holding:
    """A row of the exchange's as a holding."""
    return Holding(row.quantity, row.exposure, row.realized_pnl, row.fees_paid)


def _stream_knows_better(word: Heard, row: PositionRow | None, requested_at: float) -> bool:
    if word.received_at < requested_at - TRUST_AFTER_SECONDS:
        return False
    if word.received_at >= requested_at:
        return True
    # Both are recent: the row may have been read before the change that the stream told of.
    known_until = row.last_updated_at if row else None
    return word.sent_at is None or known_until is None or known_until < word.sent_at
