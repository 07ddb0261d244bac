"""
Executions that the stream told, until the position that each changed is here too.

A fill does not say the new cost, so the position frame that goes with it, before or after, is what
counts; only then is the fill recorded, beside that position.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from kalshi.messages import Fill


@dataclass(frozen=True, slots=True)
class _Expected:
    """A quantity that a fill announced and no position frame has confirmed."""

    quantity: Decimal
    received_at: float
    at: datetime


@dataclass(frozen=True, slots=True)
class _Priced:
    """A price that we traded at, the exchange's time of it, and when we heard of it."""

    price: Decimal
    at: datetime
    received_at: float


class Executions:
    """Of one account; instants as in `positions.tracker`."""

    def __init__(self) -> None:
        self._fills: dict[str, Fill] = {}
        self._expected: dict[str, _Expected] = {}
        # For markets that nobody quotes or trades otherwise.
        self._prices: dict[str, _Priced] = {}

    def told(self, fill: Fill) -> None:
        """Keep an execution until it is taken; one that is told twice is one."""
        self._fills.setdefault(fill.trade_id, fill)

    def expect(self, fill: Fill, quantity: Decimal, received_at: float) -> None:
        """A position frame with this quantity is still to come."""
        at = fill.sent_at or fill.at
        self._expected[fill.market_ticker] = _Expected(quantity, received_at, at)

    def met(self, ticker: str, quantity: Decimal) -> bool:
        """Whether a frame with this quantity was expected; then it is no more."""
        expected = self._expected.get(ticker)
        if expected is None or expected.quantity != quantity:
            return False
        del self._expected[ticker]
        return True

    def forget(self, ticker: str) -> None:
        """Nothing is expected of this market any more."""
        self._expected.pop(ticker, None)

    def missing(self, before: float) -> list[str]:
        """Markets whose fill came before this instant and is not in the position yet."""
        return [ticker for ticker, each in self._expected.items() if each.received_at < before]

    def read(
        self, requested_at: float, as_of: datetime | None, unconfirmed: Collection[str]
    ) -> None:
        """
        A read of the positions has settled what it may know of.

        Args:
            as_of: how old it is by the exchange's own account.
            unconfirmed: tickers on which the stream was believed against it.
        """
        self._expected = {
            ticker: expected
            for ticker, expected in self._expected.items()
            if ticker in unconfirmed
            or expected.received_at >= requested_at
            or (as_of is not None and as_of < expected.at)
        }

    def priced(self, ticker: str, price: Decimal, at: datetime, received_at: float) -> None:
        """A market that shows no trade of others was traded by us at this price."""
        self._prices[ticker] = _Priced(price, at, received_at)

    def price_of(self, ticker: str) -> tuple[Decimal, datetime] | None:
        """What it was last traded at by us, and when, if that is the only trade known."""
        priced = self._prices.get(ticker)
        return None if priced is None else (priced.price, priced.at)

    def keep_prices(self, held: Collection[str], requested_at: float) -> None:
        """Forget those of markets in which a read has found nothing, as far as it may know."""
        self._prices = {
            ticker: priced
            for ticker, priced in self._prices.items()
            if ticker in held or ticker in self._expected or priced.received_at >= requested_at
        }

    def closed(self, ticker: str) -> None:
        """Nothing is held of a market any more."""
        self._prices.pop(ticker, None)

    def take(self) -> tuple[Fill, ...]:
        """Those whose position is here, and those whose position is not waited for any more."""
        ready = [fill for fill in self._fills.values() if fill.market_ticker not in self._expected]
        for fill in ready:
            del self._fills[fill.trade_id]
        return tuple(ready)

    def put_back(self, fills: Iterable[Fill]) -> None:
        """These could not be recorded: they count as not taken."""
        self._fills = {fill.trade_id: fill for fill in fills} | self._fills
