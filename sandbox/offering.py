"""
A new event as somebody describes it: a few words and first prices become a listing.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sandbox.exchange import Listing
from sandbox.fees import FeeType
from sandbox.grid import (
    CENTER_DECI_EDGE_CENTI_CENT,
    DECI_CENT,
    LINEAR_CENT,
    ONE,
    TAPERED_DECI_CENT,
    ZERO,
    PriceGrid,
)
from sandbox.listing import Event, Market, Series
from sandbox.market import Quote, Tape

GRIDS = {
    grid.structure: grid
    for grid in (LINEAR_CENT, DECI_CENT, TAPERED_DECI_CENT, CENTER_DECI_EDGE_CENTI_CENT)
}
_SIZE = Decimal(250)


@dataclass(frozen=True, slots=True)
class Offering:
    """
    An event to be listed, and traded at once.

    Args:
        outcomes: what each market's ticker ends in, and the YES price it is first bid at.
        closes_in, starts_in, determined_in: from now, from now, and from its close.
    """

    event_ticker: str
    series_ticker: str
    title: str
    outcomes: Sequence[tuple[str, Decimal]]
    closes_in: timedelta
    mutually_exclusive: bool = False
    grid: PriceGrid = LINEAR_CENT
    category: str = "Sports"
    fee_type: FeeType = "quadratic"
    fee_multiplier: Decimal = ONE
    starts_in: timedelta | None = None
    determined_in: timedelta = timedelta(minutes=10)

    def listing(self, at: datetime) -> Listing:
        """
        What the exchange lists at a moment.

        Raises:
            ValueError: there is no outcome, two are the same, a price is none of the grid, or it
                ends before it begins.
        """
        suffixes = {suffix for suffix, _ in self.outcomes}
        if not suffixes or len(suffixes) < len(self.outcomes):
            raise ValueError("an event has outcomes, each of a name of its own")
        if self.closes_in <= timedelta() or self.determined_in < timedelta():
            raise ValueError("an event closes after now, and is determined after that")
        series = Series(
            self.series_ticker,
            self.title,
            self.category,
            self.fee_multiplier,
            0,
            ("Sandbox", "https://sandbox.invalid"),
            self.fee_type,
        )
        event = Event(
            self.event_ticker,
            self.series_ticker,
            self.title,
            f"Listed {at:%b} {at.day}, {at:%Y}",
            self.mutually_exclusive,
            at,
            starts_at=None if self.starts_in is None else at + self.starts_in,
        )
        markets = (self._market(suffix, price, at) for suffix, price in self.outcomes)
        return series, event, tuple(markets)

    def _market(self, suffix: str, price: Decimal, at: datetime) -> Market:
        bid = self.grid.index(price)
        if bid + 1 == len(self.grid.prices):
            raise ValueError("the highest price leaves no room for an ask")
        quote = Quote(price, _SIZE, self.grid.prices[bid + 1], _SIZE)
        tape = Tape(quote, ZERO, ZERO, ZERO, ZERO, at)
        ticker = f"{self.event_ticker}-{suffix}"
        return Market(
            ticker=ticker,
            market_id=str(uuid.uuid5(uuid.NAMESPACE_URL, ticker)),
            event_ticker=self.event_ticker,
            title=self.title,
            yes_sub_title=suffix,
            no_sub_title=suffix,
            rules=f"If the outcome is {suffix}, then the market resolves to Yes.",
            grid=self.grid,
            exchange_index=0,
            created_at=at,
            open_time=at,
            close_time=at + self.closes_in,
            previous=tape,
            tape=tape,
            updated_at=at,
            determination_delay=self.determined_in,
        )
