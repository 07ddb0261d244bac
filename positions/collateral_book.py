"""
Collateral that came back early on the events of one account, kept as its holdings change.

A change costs what is held in its event, however much is held in others.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from positions.collateral import returned
from positions.pnl import ZERO
from positions.portfolio import MarketFacts


class PaidMarket(NamedTuple):
    """A market that has paid, as was said of it last: whether its YES was worth the dollar."""

    ticker: str
    event_ticker: str
    is_yes: bool


@dataclass(slots=True)
class _Event:
    return_type: str | None = None
    quantities: dict[str, Decimal] = field(default_factory=dict)
    dollars: Decimal | None = ZERO


class CollateralBook:
    """What came back on each event in which something is held."""

    def __init__(self) -> None:
        self._is_netting: bool | None = None
        self._events: dict[str, _Event] = {}
        # Where each market is, as its event may be guessed at first.
        self._event_of: dict[str, str] = {}
        # By event, its markets that have paid their YES.
        self._won: dict[str, set[str]] = {}
        # Of the events in all: what is known, and of how many it is not.
        self._known = ZERO
        self._unknown_count = 0

    @property
    def dollars(self) -> Decimal | None:
        """In all; None while it can't be said of an event."""
        return None if self._unknown_count else self._known

    def set_netting(self, is_netting: bool | None) -> None:
        """Whether the exchange gives collateral back; None if it does not say."""
        self._is_netting = is_netting
        for event_ticker in list(self._events):
            self._reckon(event_ticker)

    def hold(self, ticker: str, facts: MarketFacts, quantity: Decimal) -> Decimal | None:
        """
        So many signed contracts are held in a market now.

        Returns:
            By how much what came back is more for it; None where that can't be said.
        """
        moved = self._leave(ticker) if self._event_of.get(ticker) != facts.event_ticker else ZERO
        event = self._events.setdefault(facts.event_ticker, _Event())
        if facts.collateral_return_type is not None:
            # Of a market that was just met it may not be known yet.
            event.return_type = facts.collateral_return_type
        if quantity:
            self._event_of[ticker] = facts.event_ticker
            event.quantities[ticker] = quantity
        else:
            self._event_of.pop(ticker, None)
            event.quantities.pop(ticker, None)
        return _sum(moved, self._reckon(facts.event_ticker))

    def describe(self, ticker: str, facts: MarketFacts) -> None:
        """What is known of a market that is held has changed."""
        event = self._events.get(self._event_of.get(ticker, ""))
        if event:
            self.hold(ticker, facts, event.quantities[ticker])

    def paid(self, markets: Iterable[PaidMarket]) -> Decimal | None:
        """
        These markets have paid, those whose outcome was corrected anew; returns as `hold`.
        """
        moved: Decimal | None = ZERO
        for market in markets:
            won = self._won.get(market.event_ticker, set()) - {market.ticker}
            if market.is_yes:
                won.add(market.ticker)
            if won:
                self._won[market.event_ticker] = won
            else:
                self._won.pop(market.event_ticker, None)
            if market.event_ticker in self._events:
                moved = _sum(moved, self._reckon(market.event_ticker))
        return moved

    def begin_anew(self) -> None:
        """No market has paid."""
        self._won.clear()
        for event_ticker in list(self._events):
            self._reckon(event_ticker)

    def _leave(self, ticker: str) -> Decimal | None:
        event_ticker = self._event_of.pop(ticker, None)
        if event_ticker is None:
            return ZERO
        self._events[event_ticker].quantities.pop(ticker)
        return self._reckon(event_ticker)

    def _reckon(self, event_ticker: str) -> Decimal | None:
        event = self._events[event_ticker]
        before = event.dollars
        event.dollars = after = returned(
            event.return_type,
            event.quantities.values(),
            is_netting=self._is_netting,
            has_yes_won=bool(self._won.get(event_ticker)),
        )
        self._known += (after or ZERO) - (before or ZERO)
        self._unknown_count += (after is None) - (before is None)
        if not event.quantities:
            del self._events[event_ticker]
        return None if after is None or before is None else after - before


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other
