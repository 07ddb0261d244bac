"""How long something took, over and over: counted in buckets, at the cost of an addition."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

# Seconds: what a tick takes, what people notice, what is broken.
BOUNDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Histogram:
    """
    So many observations up to each bound, in seconds.

    prometheus-client has one that takes three times as long, for a lock that one thread needs not.
    """

    __slots__ = ("_bounds", "_counts", "total")

    def __init__(self, bounds: Sequence[float] = BOUNDS) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        """Count one; between two clocks it may be less than nothing, which is told as nothing."""
        seconds = max(seconds, 0.0)
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self.total += seconds

    def cumulative(self) -> list[tuple[float, int]]:
        """How many took up to each bound, the last without one."""
        return list(zip((*self._bounds, float("inf")), accumulate(self._counts), strict=True))
