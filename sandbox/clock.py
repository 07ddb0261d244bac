"""
The markets' own time, which can run ahead of the world's.
"""

from collections.abc import Callable
from datetime import datetime, timedelta


class MarketClock:
    """
    When markets open, close and settle, and what fills and prices are dated with.

    It starts with the world's clock, and leaves it behind when it is made faster or skips ahead.
    Signatures and the `Date` header stay with the world's: clients live there.

    Args:
        world: the time elsewhere.
        speed: seconds here for a second there, 1 or more.
    """

    def __init__(self, world: Callable[[], datetime], *, speed: float = 1.0) -> None:
        self._world = world
        self._lead = timedelta()
        self._since = world()
        self._speed = 1.0
        self.set_speed(speed)

    @property
    def speed(self) -> float:
        return self._speed

    def now(self) -> datetime:
        """The time in the markets."""
        world = self._world()
        return world + self._lead + (world - self._since) * (self._speed - 1)

    def set_speed(self, speed: float) -> None:
        """Go on at another speed from here; ValueError for one that would fall behind."""
        if speed < 1:
            raise ValueError("the markets' clock cannot fall behind the world's")
        world = self._world()
        self._lead += (world - self._since) * (self._speed - 1)
        self._since = world
        self._speed = speed

    def skip(self, ahead: timedelta) -> None:
        """Jump ahead; ValueError for a jump back."""
        if ahead < timedelta():
            raise ValueError("time does not go back")
        self._lead += ahead
