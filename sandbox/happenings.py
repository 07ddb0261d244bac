"""
What can happen on the exchange, as values, for those who tell members of it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sandbox.account import Fill
from sandbox.listing import Event, Market
from sandbox.position import Position

LifecycleType = Literal[
    "created", "activated", "deactivated", "close_date_updated", "determined", "settled"
]


@dataclass(frozen=True, slots=True)
class TickerChanged:
    """A quote or the last trade changed."""

    market: Market


@dataclass(frozen=True, slots=True)
class Filled:
    """A member's order traded; `position` is the holding after it."""

    user_id: str
    subaccount: int
    market: Market
    fill: Fill
    position: Position


@dataclass(frozen=True, slots=True)
class PaidOut:
    """A member's holding was settled; `position` is what is left of it: nothing."""

    user_id: str
    subaccount: int
    market: Market
    position: Position


@dataclass(frozen=True, slots=True)
class LifecycleChanged:
    """A market got further in its life. That it opened or closed is announced to nobody."""

    market: Market
    type: LifecycleType
    at: datetime


@dataclass(frozen=True, slots=True)
class FeesChanged:
    """The fees of one event were set apart from its series', or no longer are."""

    event: Event


@dataclass(frozen=True, slots=True)
class EventListed:
    """There is a new event; its markets follow."""

    event: Event
    exchange_index: int


Happening = TickerChanged | Filled | PaidOut | LifecycleChanged | FeesChanged | EventListed
