"""
The markets' own time, which can run ahead of the world's.
"""

from collections.abc import Callable
from datetime import datetime, timedelta


class MarketClock:
    """
    When markets open, close and settle, and what fills and prices are dated with.

    It starts with the world's clock, and leaves it behind when it is made faster or skips ahead. It
    can be told to wait at a moment until it is told of a later one, so that what has to happen then
    happens exactly then, however slow the world is.
    Signatures and the `Date` header stay with the world's: clients live there.

    Args:
        world: the time elsewhere.
        speed: seconds here for a second there, 1 or more.
    """

    def __init__(self, world: Callable[[], datetime], *, speed: float = 1.0) -> None:
        self._world = world
        self._since = self._base = world()
        self._speed = 1.0
        self._waits_at: datetime | None = None
        self.set_speed(speed)

    @property
    def speed(self) -> float:
        return self._speed

    def now(self) -> datetime:
        """The time in the markets."""
        now = self._base + (self._world() - self._since) * self._speed
        return now if self._waits_at is None else min(now, self._waits_at)

    def set_speed(self, speed: float) -> None:
        """Go on at another speed from here; ValueError for one that would fall behind."""
        if speed < 1:
            raise ValueError("the markets' clock cannot fall behind the world's")
        self._go_on_from(self.now())
        self._speed = speed

    def skip(self, ahead: timedelta) -> None:
        """Jump ahead, past what it would wait for; ValueError for a jump back."""
        if ahead < timedelta():
            raise ValueError("time does not go back")
        landing = self.now() + ahead
        if self._waits_at is not None and landing > self._waits_at:
            self._waits_at = None
        self._go_on_from(landing)

    def wait_at(self, moment: datetime | None) -> None:
        """Go on from here, but no further than a moment; ValueError when that has passed."""
        now = self.now()
        if moment is not None and moment < now:
            raise ValueError("time does not go back")
        self._go_on_from(now)
        self._waits_at = moment

    def stop(self) -> datetime:
        """
        Wait here until it is told of a later moment; the moment that it is here.

        Which moment is the next can be said only of a clock that stands: one that is read and told
        to wait afterwards has gone on in between.
        """
        now = self.now()
        self._go_on_from(now)
        self._waits_at = now
        return now

    def go_to(self, moment: datetime) -> None:
        """Jump to a moment and wait there; ValueError when it has passed."""
        self.wait_at(moment)
        self._go_on_from(moment)

    def _go_on_from(self, moment: datetime) -> None:
        self._since, self._base = self._world(), moment
