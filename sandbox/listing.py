"""
What is traded: series, their events, and the markets of those with their life.

A market is `initialized` until its open time, `active` until its close time (`inactive` while
paused), then `closed` until somebody knows the outcome; once `determined` it can be `disputed` and
`amended`, and after the settlement timer it is `finalized`.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from sandbox.candles import Candles
from sandbox.fees import FeeType
from sandbox.grid import ONE, ZERO, PriceGrid
from sandbox.market import Quote, Tape

MarketStatus = Literal[
    "initialized",
    "inactive",
    "active",
    "closed",
    "determined",
    "disputed",
    "amended",
    "finalized",
]
Result = Literal["", "yes", "no", "scalar"]

# What the tickers of combos begin with, from the series' to the market's.
_COMBOS = "KXMVE"
_DAY = timedelta(days=1)
_SETTLEMENT_TIMER = timedelta(minutes=5)
_DETERMINATION_DELAY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Series:
    """A family of events with the same rules and the same fees."""

    ticker: str
    title: str
    category: str
    fee_multiplier: Decimal
    exchange_index: int
    settlement_source: tuple[str, str]
    fee_type: FeeType = "quadratic"

    @property
    def terms(self) -> tuple[str, FeeType, Decimal]:
        """What all its events have in common, whatever each is called."""
        return self.category, self.fee_type, self.fee_multiplier


@dataclass(frozen=True, slots=True)
class Event:
    """
    One occurrence with one market for each outcome.

    Args:
        fee_override: a fee type and multiplier that stand before the series'.
        starts_at: when what it asks for begins, such as a game; None when that is not known.
    """

    ticker: str
    series_ticker: str
    title: str
    sub_title: str
    mutually_exclusive: bool
    created_at: datetime
    fee_override: tuple[FeeType, Decimal] | None = None
    starts_at: datetime | None = None

    @property
    def collateral_return_type(self) -> str:
        """How collateral is returned early on its NO holdings; empty when it is not."""
        return "MECNET" if self.mutually_exclusive else ""

    @property
    def is_multivariate(self) -> bool:
        """A combo, which the exchange lists apart from other events."""
        return self.series_ticker.startswith(_COMBOS)


@dataclass(slots=True)
class Market:
    """One outcome: its terms, which stay, then the state, which does not."""

    ticker: str
    market_id: str
    event_ticker: str
    title: str
    yes_sub_title: str
    no_sub_title: str
    rules: str
    grid: PriceGrid
    exchange_index: int
    created_at: datetime
    open_time: datetime
    close_time: datetime
    previous: Tape
    tape: Tape
    updated_at: datetime
    opening_quote: Quote | None = None
    determination_delay: timedelta = _DETERMINATION_DELAY
    settlement_timer: timedelta = _SETTLEMENT_TIMER
    status: MarketStatus = "active"
    result: Result = ""
    settlement_value: Decimal | None = None
    determined_at: datetime | None = None
    settled_at: datetime | None = None
    next_previous: Tape | None = None
    candles: Candles = field(default_factory=Candles, compare=False, repr=False)

    @property
    def is_multivariate(self) -> bool:
        """Whether its event is a combo."""
        return self.event_ticker.startswith(_COMBOS)

    def remember(self, tape: Tape) -> None:
        """Keep what the market shows as that of a day ago, once it is."""
        if self.next_previous is None:
            self.next_previous = tape
        elif tape.at - self.next_previous.at >= _DAY:
            self.previous, self.next_previous = self.next_previous, tape

    @property
    def yes_value(self) -> Decimal | None:
        """What the exchange values a YES contract at in dollars; None before the first trade."""
        if self.settlement_value is not None:
            return self.settlement_value
        return self.tape.last_price or None

    @property
    def next_step_at(self) -> datetime | None:
        """When time alone takes the market further; None when only a command does."""
        match self.status:
            case "initialized":
                return self.open_time
            case "active" | "inactive":
                return self.close_time
            case "closed":
                return self.close_time + self.determination_delay
            case "determined" | "amended" if self.determined_at is not None:
                return self.determined_at + self.settlement_timer
        return None


def result_of(yes_value: Decimal) -> Result:
    """The word for what a YES contract pays: 1, 0, or between for a scalar result."""
    return "yes" if yes_value == ONE else "no" if yes_value == ZERO else "scalar"
