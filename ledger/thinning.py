"""
Which of many equity points are shown, and which are kept for long.

A gap is more than three minutes without a point, as they were when they were stored. Where points
are thinned away the distances grow, so the point after those that went says that there was none
(`is_after_thinned`), and both points at a gap's edges stay: a gap is found again for as long as its
account is there.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Protocol, TypeVar

GAP = timedelta(minutes=3)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stored:
    """A point as far as it matters whether it stays; `is_needed`: a day begins or ends with it."""

    id: int
    at: datetime
    is_needed: bool = False
    is_after_thinned: bool = False


@dataclass(frozen=True, slots=True)
class Thinned:
    """The points that go, and those that stay right after some that go, by id."""

    dropped: tuple[int, ...]
    after_dropped: tuple[int, ...]


class _Valued(Protocol):
    @property
    def at(self) -> datetime: ...

    @property
    def total_value(self) -> Decimal: ...


_V = TypeVar("_V", bound=_Valued)


def is_gap(before: Stored, after: Stored) -> bool:
    """Whether between two points that follow each other there was none for too long."""
    return after.at - before.at > GAP and not after.is_after_thinned


def thinned(points: Sequence[Stored], grain: timedelta) -> Thinned:
    """
    Thin points to the first in each `grain` of time, and those that are needed or edge a gap.

    Args:
        points: by time; the first and the last stay, whatever they are.
    """
    dropped: list[int] = []
    after_dropped: list[int] = []
    is_after_dropped = False
    for number, point in enumerate(points):
        if 0 < number < len(points) - 1 and _may_go(points, number, grain):
            dropped.append(point.id)
            is_after_dropped = True
            continue
        # Those dropped edge no gap: between the points on both of their sides there was none.
        if is_after_dropped and not point.is_after_thinned:
            after_dropped.append(point.id)
        is_after_dropped = False
    return Thinned(tuple(dropped), tuple(after_dropped))


def _may_go(points: Sequence[Stored], number: int, grain: timedelta) -> bool:
    before, point, after = points[number - 1 : number + 2]
    return (
        not point.is_needed
        and (before.at - _EPOCH) // grain == (point.at - _EPOCH) // grain
        and not is_gap(before, point)
        and not is_gap(point, after)
    )


def shown(points: Sequence[_V], most: int) -> list[_V]:
    """
    At most so many points, by time: the first, the last, the lowest, the highest, and of as many
    equal stretches of time as there is room for the last one each.
    """
    if len(points) <= most:
        return list(points)
    values = [point.total_value for point in points]
    must = [0, len(points) - 1, values.index(min(values)), values.index(max(values))]
    chosen = dict.fromkeys(must[:most])
    for end in stretches(points[0].at, points[-1].at, most - len(chosen)):
        chosen[bisect_left(points, end, key=_at) - 1] = None
    return [points[number] for number in sorted(chosen) if number >= 0]


def stretches(first: datetime, last: datetime, count: int) -> list[datetime]:
    """The ends of so many equal stretches of time, without the very last: that point is there."""
    step = (last - first) / (count + 1) if count > 0 else timedelta(0)
    return [first + (number + 1) * step for number in range(count)]


def _at(point: _Valued) -> datetime:
    return point.at
