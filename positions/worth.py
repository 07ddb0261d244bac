"""
What one account is worth in all, kept as its holdings change.

A holding that changes has moved cash by the law of every flow: by its realized P&L, less what more
is tied up in it, less its fees. So a fill or a settlement moves the total only by its fee and by
the spread that it crossed, whichever of the exchange's messages tells of it first.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from positions.cash import CashBook, Flow
from positions.collateral import returned
from positions.day import Baseline
from positions.pnl import ZERO, Holding
from positions.portfolio import Cash, MarketFacts, Worth

# A frame is sent after the change that it tells of, but hardly ever by more.
FRAME_LATENCY = timedelta(milliseconds=250)


class PaidMarket(NamedTuple):
    """A market that has paid, as was said of it last: whether its YES was worth the dollar."""

    ticker: str
    event_ticker: str
    is_yes: bool


@dataclass(frozen=True, slots=True)
class Span:
    """A change happened after `after` and not after `by`, by the exchange's clock."""

    after: datetime
    by: datetime

    @classmethod
    def told(cls, sent_at: datetime) -> "Span":
        """Of what a frame tells."""
        return cls(sent_at - FRAME_LATENCY, sent_at)


class Valuation:
    """
    Cash, collateral and the day's baseline of one account.

    Args:
        locked_in: of the markets traded before in which nothing is held, realized P&L less fees.

    Attributes:
        baseline: None until the day has one.
    """

    def __init__(
        self, cash: Cash | None = None, locked_in: Mapping[str, Decimal] | None = None
    ) -> None:
        self.cash = CashBook(cash)
        self.baseline: Baseline | None = None
        self._locked_in = dict(locked_in or {})
        self._is_netting: bool | None = None
        # Since `remember`: markets whose holdings changed; those that began, with their P&L then.
        self._changed: set[str] = set()
        self._begun: dict[str, Decimal | None] = {}
        # Markets that have paid their YES, with their events.
        self._won: dict[str, str] = {}
        # Computed anew only when something that it rests on has changed.
        self._collateral: Decimal | None = None
        self._is_collateral_known = False

    def set_netting(self, is_netting: bool | None) -> None:
        """Whether the exchange gives collateral back; None if it does not say."""
        self._is_netting = is_netting
        self._is_collateral_known = False

    def paid(self, markets: Iterable[PaidMarket]) -> None:
        """These markets have paid, those whose outcome was corrected anew."""
        for market in markets:
            if market.is_yes:
                self._won[market.ticker] = market.event_ticker
            else:
                self._won.pop(market.ticker, None)
        self._is_collateral_known = False

    def describe(self) -> None:
        """What is known of the markets held has changed."""
        self._is_collateral_known = False

    def remember(self) -> None:
        """What becomes of holdings from here on is newer than what is read of the ledger now."""
        self._changed.clear()
        self._begun.clear()

    def learn(self, locked_in: Mapping[str, Decimal]) -> None:
        """What is known of markets in which nothing is held, as of `remember`."""
        self._locked_in |= {
            ticker: amount for ticker, amount in locked_in.items() if ticker not in self._changed
        }

    def begin_day(self, baseline: Baseline | None) -> None:
        """Reckon the day from another baseline, as of `remember`."""
        self.baseline = baseline
        if baseline:
            for ticker, known_before in self._begun.items():
                baseline.begin(ticker, known_before)

    def held(
        self, ticker: str, before: Holding | None, after: Holding | None, span: Span | None
    ) -> None:
        """
        A market's holding changed.

        Args:
            before: None where nothing was held.
            after: None where nothing is held and the exchange does not say what came of it.
            span: None where it moved no cash that is not in the balance.
        """
        self._is_collateral_known = False
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
            amount = _cash_effect(after) - (known_before or ZERO)
            self.cash.flowed(Flow(amount, span.after, span.by))

    def worth(
        self,
        positions_value: Decimal,
        positions: Callable[[], Iterable[tuple[MarketFacts, Holding]]],
        unpriced: Iterable[str],
    ) -> Worth:
        """
        Everything added up.

        Args:
            positions_value: of the open positions.
            positions: those, asked for only after a change of what is held.
            unpriced: tickers of those that have no mark.
        """
        if not self._is_collateral_known:
            self._collateral = self._collateral_of(positions())
            self._is_collateral_known = True
        cash = self.cash.cash
        total = None
        if cash is not None:
            total = cash.balance + positions_value - (self._collateral or ZERO)
        if self.baseline is None:
            return Worth(total, self._collateral)
        day_pnl = self.baseline.day_pnl_of_all(total, unpriced)
        return Worth(total, self._collateral, day_pnl, self.baseline.at)

    def _collateral_of(self, positions: Iterable[tuple[MarketFacts, Holding]]) -> Decimal | None:
        events: dict[str, tuple[str | None, list[Decimal]]] = {}
        for facts, holding in positions:
            of = events.setdefault(facts.event_ticker, (facts.collateral_return_type, []))
            of[1].append(holding.quantity)
        total = ZERO
        decided = frozenset(self._won.values())
        for event_ticker, (return_type, quantities) in events.items():
            dollars = returned(
                return_type,
                quantities,
                is_netting=self._is_netting,
                has_yes_won=event_ticker in decided,
            )
            if dollars is None:
                return None
            total += dollars
        return total


def _cash_effect(holding: Holding) -> Decimal:
    return holding.realized_pnl - holding.exposure - holding.fees_paid
