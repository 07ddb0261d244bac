"""
Marks, values and profit or loss of positions, by the formulas of finance's textbooks.

Pure `Decimal` arithmetic that never rounds, quotients excepted. All money is in dollars, prices in
dollars for one contract, counts in contracts. A market is quoted for its YES side; a NO contract is
worth what is left of the dollar that one winning contract pays.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

from kalshi.resources import UNKNOWN_STATUS
from positions.decimal_text import quotient

Side = Literal["yes", "no"]
MarkPrice = Literal["bid", "mid", "last"]
MarkSource = Literal["bid", "mid", "last", "settlement"]
ClosedReason = Literal["closed", "settled"]

PAYOUT = Decimal(1)  # of one winning contract
CENT = Decimal("0.01")  # payouts are whole ones
ZERO = Decimal(0)

# The exchange's words for a market without an outcome. In all others a value counts, even if it may
# still change, also in words that are to come.
_UNDECIDED = frozenset({"initialized", "inactive", "active", "closed"})


@dataclass(frozen=True, slots=True)
class Holding:
    """
    What the account holds in one market.

    Attributes:
        quantity: signed contracts; positive holds YES, negative holds NO.
        exposure: cost of what is held now, never negative, without fees.
        realized_pnl: locked in by closing trades.
        fees_paid: all fees in this market so far.
    """

    quantity: Decimal
    exposure: Decimal
    realized_pnl: Decimal
    fees_paid: Decimal

    @property
    def side(self) -> Side:
        """The held side; a flat holding counts as YES, and nothing is computed from it."""
        return "no" if self.quantity < 0 else "yes"

    @property
    def count(self) -> Decimal:
        """Contracts held, whatever the side."""
        return abs(self.quantity)


FLAT = Holding(ZERO, ZERO, ZERO, ZERO)


@dataclass(frozen=True, slots=True)
class Quote:
    """
    A market's prices for YES; None where no such order or trade exists.

    Attributes:
        priced_at: the exchange's time of the last change, when the exchange said it.
        yes_bid_size, yes_ask_size: contracts. Two quotes that differ in them alone are the same:
            REST is behind the stream in them nearly always.
    """

    yes_bid: Decimal | None = None
    yes_ask: Decimal | None = None
    last_price: Decimal | None = None
    priced_at: datetime | None = None
    yes_bid_size: Decimal | None = field(default=None, compare=False)
    yes_ask_size: Decimal | None = field(default=None, compare=False)

    @property
    def sizes(self) -> tuple[Decimal | None, Decimal | None]:
        """What bid and ask are good for."""
        return self.yes_bid_size, self.yes_ask_size


@dataclass(frozen=True, slots=True)
class MarketState:
    """
    Where a market stands in its life.

    Attributes:
        settlement_value: that of one YES contract.
        since: by the exchange, where it says so.
    """

    status: str
    settlement_value: Decimal | None = None
    since: datetime | None = field(default=None, compare=False)

    @property
    def determined_value(self) -> Decimal | None:
        """What one YES contract pays, once that is determined."""
        return None if self.status in _UNDECIDED else self.settlement_value


@dataclass(frozen=True, slots=True)
class Mark:
    """Value of one contract of the held side, and where it comes from."""

    value: Decimal
    source: MarkSource


@dataclass(frozen=True, slots=True)
class Figures:
    """What follows from a holding and its mark; None where the mark, or a divisor, is missing."""

    average_price: Decimal | None
    mark: Mark | None
    market_value: Decimal | None
    unrealized_pnl: Decimal | None
    unrealized_pnl_percent: Decimal | None
    net_pnl: Decimal | None
    break_even_price: Decimal | None
    payout: Decimal


def mark_of(side: Side, quote: Quote, state: MarketState, mark_price: MarkPrice) -> Mark | None:
    """
    The mark of one contract of the held side, or None when nothing is known of its price.

    While the market is active: the held side's bid, the middle of bid and ask or the last trade, as
    asked for, with the next best where that is missing. In a market that is not active nothing can
    be closed: its settlement value once there is one, the last trade before. Of a market whose
    status nobody has told yet, as of one just listed, the stream's quote counts.
    """
    determined_value = state.determined_value
    if determined_value is not None:
        return Mark(_of_side(side, determined_value), "settlement")
    last = None if quote.last_price is None else Mark(_of_side(side, quote.last_price), "last")
    if state.status not in ("active", UNKNOWN_STATUS):
        return last
    if mark_price == "last" and last:
        return last
    if mark_price in ("mid", "last") and quote.yes_bid is not None and quote.yes_ask is not None:
        return Mark(_of_side(side, (quote.yes_bid + quote.yes_ask) / 2), "mid")
    # NO is sold to whoever buys NO, and that is whoever offers YES.
    bid = quote.yes_bid if side == "yes" else quote.yes_ask
    return last if bid is None else Mark(_of_side(side, bid), "bid")


def _of_side(side: Side, yes_price: Decimal) -> Decimal:
    return yes_price if side == "yes" else PAYOUT - yes_price


def figures_of(
    holding: Holding, quote: Quote, state: MarketState, mark_price: MarkPrice
) -> Figures:
    """Everything that is shown of one open position; unrealized P&L is before fees."""
    count = holding.count
    mark = mark_of(holding.side, quote, state, mark_price)
    market_value = unrealized = net = None
    if mark is not None:
        market_value = count * mark.value
        unrealized = market_value - holding.exposure
        net = holding.realized_pnl + unrealized - holding.fees_paid
    return Figures(
        average_price=quotient(holding.exposure, count) if count else None,
        mark=mark,
        market_value=market_value,
        unrealized_pnl=unrealized,
        unrealized_pnl_percent=percent(unrealized, holding.exposure),
        net_pnl=net,
        break_even_price=quotient(
            holding.exposure + holding.fees_paid - holding.realized_pnl, count
        )
        if count
        else None,
        payout=count * PAYOUT,
    )


def figures_of_unreadable(holding: Holding) -> Figures:
    """Of a position whose row can't be read: what it was worth last says nothing of now."""
    return figures_of(holding, Quote(), MarketState(UNKNOWN_STATUS), "bid")


def settled_pnl(holding: Holding, settlement_value: Decimal) -> Decimal:
    """What a settled holding realized in all, before fees: earlier gains, payout, less its cost."""
    payout = holding.count * _of_side(holding.side, settlement_value)
    return holding.realized_pnl + payout - holding.exposure


def percent(part: Decimal | None, whole: Decimal) -> Decimal | None:
    """`part` in percent of `whole`; None when either says nothing."""
    return quotient(part * 100, whole) if part is not None and whole else None


@dataclass(frozen=True, slots=True)
class Sums:
    """
    The open positions of an account added up.

    Exposure, realized P&L and fees count every position. Values and unrealized P&L leave out those
    without a mark, and the percentage is of the exposure that has one: what is unknown is counted
    apart, not taken for zero.
    """

    positions_value: Decimal = ZERO
    exposure: Decimal = ZERO
    unrealized_pnl: Decimal = ZERO
    unrealized_pnl_percent: Decimal | None = None
    realized_pnl: Decimal = ZERO
    fees_paid: Decimal = ZERO
    position_count: int = 0
    unpriced_count: int = 0
    estimated_count: int = 0
    estimated_value: Decimal = ZERO


class RunningSums:
    """
    The sums of open positions, kept as these change: a tick costs one position, not all.

    Exact, so that what is taken off again leaves nothing behind. `estimated` are those on a last
    trade where more was asked for.
    """

    def __init__(self, mark_price: MarkPrice) -> None:
        self._mark_price = mark_price
        self._counted: dict[str, tuple[Holding, Figures]] = {}
        self._value = self._exposure = self._priced_exposure = self._estimated_value = ZERO
        self._realized_pnl = self._fees_paid = ZERO
        self._unpriced_count = self._estimated_count = 0

    def count(self, ticker: str, holding: Holding, figures: Figures) -> None:
        """Count a position, in place of what was counted of it before."""
        self.drop(ticker)
        self._counted[ticker] = (holding, figures)
        self._add(1, holding, figures)

    def drop(self, ticker: str) -> None:
        """Count a position no more."""
        if counted := self._counted.pop(ticker, None):
            self._add(-1, *counted)

    @property
    def sums(self) -> Sums:
        """Of all that is counted."""
        unrealized_pnl = self._value - self._priced_exposure
        return Sums(
            positions_value=self._value,
            exposure=self._exposure,
            unrealized_pnl=unrealized_pnl,
            unrealized_pnl_percent=percent(unrealized_pnl, self._priced_exposure),
            realized_pnl=self._realized_pnl,
            fees_paid=self._fees_paid,
            position_count=len(self._counted),
            unpriced_count=self._unpriced_count,
            estimated_count=self._estimated_count,
            estimated_value=self._estimated_value,
        )

    def _add(self, times: Literal[1, -1], holding: Holding, figures: Figures) -> None:
        self._exposure += times * holding.exposure
        self._realized_pnl += times * holding.realized_pnl
        self._fees_paid += times * holding.fees_paid
        if figures.mark is None or figures.market_value is None:
            self._unpriced_count += times
            return
        self._value += times * figures.market_value
        self._priced_exposure += times * holding.exposure
        if figures.mark.source == "last" and self._mark_price != "last":
            self._estimated_count += times
            self._estimated_value += times * figures.market_value


def sums_of(positions: Iterable[tuple[Holding, Figures]], mark_price: MarkPrice) -> Sums:
    """Add up open positions, each in a market of its own."""
    running = RunningSums(mark_price)
    for number, (holding, figures) in enumerate(positions):
        running.count(str(number), holding, figures)
    return running.sums
