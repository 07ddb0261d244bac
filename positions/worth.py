"""
What one account is worth in all, kept as its holdings change.

A holding that changes has moved cash by the law of every flow: by its realized P&L, less what more
is tied up in it, less its fees; and by the collateral that came back with it, or was taken back. So
a fill or a settlement moves the total only by its fee and by the spread that it crossed, whichever
of the exchange's messages tells of it first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from positions.cash import UNTOLD_AGE, CashBook, Flow
from positions.collateral_book import CollateralBook, PaidMarket
from positions.day import Baseline
from positions.pnl import ZERO, Holding
from positions.portfolio import Cash, MarketFacts, Worth

# A frame is sent after the change that it tells of, but hardly ever by more.
FRAME_LATENCY = timedelta(milliseconds=250)
# How exact REST's time of a payout is.
NEAR = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Span:
    """A change happened after `after` and not after `by`, by the exchange's clock."""

    after: datetime
    by: datetime

    @classmethod
    def told(cls, sent_at: datetime) -> "Span":
        """Of what a frame tells."""
        return cls(sent_at - FRAME_LATENCY, sent_at)

    @classmethod
    def untold(cls, now: datetime) -> "Span":
        """Of what is told now, without a time."""
        return cls(now - UNTOLD_AGE, now + NEAR)


class Valuation:
    """
    Cash, collateral and the day's baseline of one account.

    Args:
        locked_in: of the markets traded before in which nothing is held, realized P&L less fees.

    Attributes:
        collateral: what of the cash came back early.
        baseline: None until the day has one.
    """

    def __init__(
        self, cash: Cash | None = None, locked_in: Mapping[str, Decimal] | None = None
    ) -> None:
        self.cash = CashBook(cash)
        self.baseline: Baseline | None = None
        self.collateral = CollateralBook()
        self._locked_in = dict(locked_in or {})
        # Since `remember`: markets whose holdings changed; those that began, with their P&L then.
        self._changed: set[str] = set()
        self._begun: dict[str, Decimal | None] = {}

    def paid(self, market: PaidMarket, span: Span | None) -> None:
        """
        A market has paid; `span` is None where it moved no cash that is not in the balance.

        What it paid for what was held in it is told by `held`.
        """
        moved = self.collateral.paid([market])
        if span and moved:
            self.cash.flowed(Flow(moved, span.after, span.by))

    def decided(self, market: PaidMarket, at: datetime) -> None:
        """
        A market has paid in which nothing was held.

        Nothing but the cash told of it, perhaps before this.
        """
        moved = self.collateral.paid([market])
        if moved:
            self.cash.transferred(Flow(moved, at - NEAR, at + NEAR))

    def begin_anew(self) -> None:
        """All that is past was of another world."""
        self.collateral.begin_anew()
        self._locked_in.clear()

    def remember(self) -> None:
        """What becomes of holdings from here on is newer than what is read of the ledger now."""
        self._changed.clear()
        self._begun.clear()

    def learn(self, locked_in: Mapping[str, Decimal]) -> None:
        """What is known of markets in which nothing is held, as of `remember`."""
        self._locked_in |= {
            ticker: amount for ticker, amount in locked_in.items() if ticker not in self._changed
        }

    def lies_flat(self, ticker: str, holding: Holding) -> None:
        """
        The exchange says what a market has made in which nothing is held.

        It counts at once, as the market may be bought again before the records are read.
        """
        amount = _cash_effect(holding)
        if self._locked_in.get(ticker) != amount:
            self._locked_in[ticker] = amount
            self._changed.add(ticker)

    def begin_day(self, baseline: Baseline | None) -> None:
        """Reckon the day from another baseline, as of `remember`."""
        self.baseline = baseline
        if baseline:
            for ticker, known_before in self._begun.items():
                baseline.begin(ticker, known_before)

    def held(
        self,
        ticker: str,
        facts: MarketFacts,
        before: Holding | None,
        after: Holding | None,
        span: Span | None,
    ) -> None:
        """
        A market's holding changed.

        Args:
            before: None where nothing was held.
            after: None where nothing is held and the exchange does not say what came of it.
            span: None where it moved no cash that is not in the balance.
        """
        returned = self.collateral.hold(ticker, facts, after.quantity if after else ZERO)
        known_before = self._locked_in.get(ticker) if before is None else _cash_effect(before)
        self._changed.add(ticker)
        if before is None:
            self._begun.setdefault(ticker, known_before)
            if self.baseline:
                self.baseline.begin(ticker, known_before)
        if after is None:
            self._locked_in.pop(ticker, None)
            return
        if not after.quantity:
            self._locked_in[ticker] = after.realized_pnl - after.fees_paid
        if span:
            amount = _cash_effect(after) - (known_before or ZERO) + (returned or ZERO)
            self.cash.flowed(Flow(amount, span.after, span.by))

    def worth(self, positions_value: Decimal, unpriced: Iterable[str]) -> Worth:
        """
        Everything added up.

        Args:
            positions_value: of the open positions.
            unpriced: tickers of those that have no mark.
        """
        collateral = self.collateral.dollars
        cash = self.cash.cash
        total = None
        if cash is not None:
            total = cash.balance + positions_value - (collateral or ZERO)
        if self.baseline is None:
            return Worth(total, collateral)
        day_pnl = self.baseline.day_pnl_of_all(total, unpriced)
        return Worth(total, collateral, day_pnl, self.baseline.at)


def _cash_effect(holding: Holding) -> Decimal:
    return holding.realized_pnl - holding.exposure - holding.fees_paid
