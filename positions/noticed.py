"""
What is noticed of an account and told once: what became of the markets held, and what reading the
exchange showed to be otherwise than here.

Positions are states, of which only the newest is written. These are steps: kept until they are
taken, each one.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, get_args

from kalshi.resources import UNKNOWN_STATUS
from positions.pnl import FLAT, Holding, MarketState
from positions.reconciliation import Difference

Figure = Literal["quantity", "exposure", "realized_pnl", "fees_paid"]

# The exchange's words for a market that has a result, and for one that has paid.
_DETERMINED = frozenset({"determined", "amended"})
_PAID = "finalized"
# A time later than that of our own clock by more is not one of the past.
_CLOCK_ERROR = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class MarketChange:
    """
    A market that was held came to stand otherwise.

    Attributes:
        settlement_value: what one YES contract pays, once that is determined.
        at: by the exchange, where it says when; else when it was noticed, None until it is taken.
    """

    ticker: str
    status: str
    settlement_value: Decimal | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Differing:
    """A figure of a holding that was one thing here and another there."""

    ticker: str
    figure: Figure
    ours: Decimal
    theirs: Decimal


@dataclass(frozen=True, slots=True)
class Reconciled:
    """
    What a read of the exchange showed to be otherwise than here.

    `is_first` is whether it was the first of its connection: what happened before it was missed.
    """

    at: datetime
    is_first: bool
    differing: tuple[Differing, ...]


Notice = MarketChange | Reconciled


@dataclass(slots=True)
class Noticed:
    """What has been noticed and not been taken."""

    _notices: list[Notice] = field(default_factory=list)
    # The exchange's times of results that REST has not shown yet.
    _determined_at: dict[str, datetime] = field(default_factory=dict)
    _is_first: bool = False

    def connected(self) -> None:
        """The next read is the first of a connection."""
        self._is_first = True

    def determined(self, ticker: str, at: datetime | None) -> None:
        """The exchange says that a market's result is known; which, REST will show."""
        if at:
            self._determined_at[ticker] = at

    def changed(self, ticker: str, before: MarketState, after: MarketState) -> None:
        """A market stands otherwise, as REST says."""
        # What could not be read of it is no change of the market.
        if UNKNOWN_STATUS in (before.status, after.status):
            return
        if (before.status, before.determined_value) == (after.status, after.determined_value):
            return
        at = after.since
        if after.status in _DETERMINED:
            at = self._determined_at.pop(ticker, at)
        self._notices.append(MarketChange(ticker, after.status, after.determined_value, at))

    def paid(self, ticker: str, state: MarketState, at: datetime | None) -> None:
        """A market has paid, whether REST has shown that already or not."""
        self._determined_at.pop(ticker, None)
        if state.status != _PAID:
            self._notices.append(MarketChange(ticker, _PAID, state.determined_value, at))

    def reconciled(self, at: datetime, differing: tuple[Differing, ...], *, is_new: bool) -> None:
        """
        The account was read whole.

        Args:
            is_new: nothing was known of it before.
        """
        # Not each one that finds nothing: there is one a minute, and a year of them would bury
        # what happened. After a break it is worth knowing that nothing was missed.
        if not is_new and (differing or self._is_first):
            self._notices.append(Reconciled(at, self._is_first, differing))
        self._is_first = False

    def take(self, at: datetime | None) -> tuple[Notice, ...]:
        """Everything, for good unless it is put back; what has no time gets this one."""
        if not self._notices:
            return ()
        taken = tuple(_dated(each, at) for each in self._notices)
        self._notices.clear()
        return taken

    def put_back(self, notices: Iterable[Notice]) -> None:
        """These could not be recorded: they count as not taken."""
        self._notices[:0] = notices


def differing(
    difference: Difference,
    ours: Mapping[str, Holding],
    told: Mapping[str, Holding],
    settled: Collection[str],
) -> tuple[Differing, ...]:
    """
    What a reconciliation found that nobody had told.

    Args:
        ours: holdings before it.
        told: the stream's last word on holdings; a market that is new here is told by it, and
            shown by REST.
        settled: markets that have paid, which is told by itself.
    """
    theirs = {ticker: left or FLAT for ticker, left in difference.gone.items()}
    theirs |= difference.changed
    return tuple(
        each
        for ticker in sorted(theirs)
        if ticker not in settled and told.get(ticker) != theirs[ticker]
        for each in _differing(ticker, ours.get(ticker, FLAT), theirs[ticker])
    )


def _differing(ticker: str, ours: Holding, theirs: Holding) -> list[Differing]:
    found = [
        Differing(ticker, figure, one, other)
        for figure in get_args(Figure)
        if (one := getattr(ours, figure)) != (other := getattr(theirs, figure))
    ]
    # With another quantity all the rest is another.
    return found[:1] if ours.quantity != theirs.quantity else found


def _dated(notice: Notice, at: datetime | None) -> Notice:
    if isinstance(notice, Reconciled) or at is None:
        return notice
    is_past = notice.at is not None and notice.at <= at + _CLOCK_ERROR
    return notice if is_past else replace(notice, at=at)
