"""
Returns of an account from what it was worth, its transfers taken out.

From one point to the next the gain is what the value rose by less what was paid in. Money that came
in between counts as invested from the first of the two points, money that went out until the
second, so that neither of them stands in for capital that was not there. Where nothing is
transferred these returns link to (V1 - V0) / V0.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal
from itertools import groupby
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ledger.money_weighted import money_weighted
from ledger.periods import STALE_AFTER, day_at, start_of
from positions.decimal_text import to_six_decimals
from positions.pnl import ZERO

ONE = Decimal(1)
LEAST_DAYS = 30

RETURNS = ("time_weighted_return", "money_weighted_return", "sharpe", "max_drawdown")
NO_MARK = "At the end of this period a position has no price that had one before."
TOO_FEW_POINTS = "The account's value is known at fewer than two moments of this period."
NOTHING_INVESTED = "Something was earned or lost while nothing was invested."
TOO_FEW_DAYS = f"Fewer than {LEAST_DAYS} days with a value at both their ends are known."
ALL_ALIKE = "The days do not differ."

_WIDE = Context(prec=60)
_QUARTER = timedelta(minutes=15)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# So that two ways to the same index end in the same digits.
_NARROW = Context(prec=40)


class Point(NamedTuple):
    """What the account was worth at an instant; `paid_in` is all that had come to it by then."""

    at: datetime
    value: Decimal
    paid_in: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that came to the account, or below 0 went."""

    at: datetime
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Drawdown:
    """
    The deepest falls.

    Attributes:
        amount: dollars, of the value less net transfers.
        percent: of the index of returns; None where that can't be said.
        since, until: from the peak to the lowest point, of the percentage, or if that can't be said
            of the amount; None if there was no fall.
        recovered_at: the first point that was as high as the peak again; None if none was.
    """

    amount: Decimal
    percent: Decimal | None
    since: datetime | None
    until: datetime | None
    recovered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Returns:
    """Fractions, six decimals; `reasons` says by field why one is None."""

    time_weighted_return: Decimal | None = None
    money_weighted_return: Decimal | None = None
    sharpe: Decimal | None = None
    max_drawdown: Drawdown | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)


def returns_of(points: Iterable[Point], payments: Sequence[Payment], zone: ZoneInfo) -> Returns:
    """
    The returns from the first point to the last.

    Args:
        points: oldest first, read once; `with_payments` gives them what was paid in.
        payments: those not between the first and the last point are left out.
        zone: where days begin.
    """
    course = _Course(zone)
    for point in points:
        course.take(point)
    return course.returns(payments)


def with_payments(points: Iterable[Point], payments: Sequence[Payment]) -> Iterator[Point]:
    """Points with what was paid in by then; both oldest first."""
    paid_in, number = ZERO, 0
    for point in points:
        while number < len(payments) and payments[number].at <= point.at:
            paid_in += payments[number].amount
            number += 1
        yield Point(point.at, point.value, paid_in)


def summed(accounts: Sequence[Iterable[Point]]) -> Iterator[Point]:
    """
    The points of several accounts added up, of each quarter of an hour in which each has one.

    The last of each counts: older points are thinned to one a quarter, at minutes of their own.
    """
    numbered = [_numbered(number, points) for number, points in enumerate(accounts)]
    merged = heapq.merge(*numbered, key=lambda each: each[1].at)
    for _, together in groupby(merged, key=lambda each: (each[1].at - _EPOCH) // _QUARTER):
        last = dict(together)
        if len(last) == len(accounts):
            yield Point(
                at=max(point.at for point in last.values()),
                value=sum((point.value for point in last.values()), ZERO),
                paid_in=sum((point.paid_in for point in last.values()), ZERO),
            )


def _numbered(number: int, points: Iterable[Point]) -> Iterator[tuple[int, Point]]:
    for point in points:
        yield number, point


class _Fall:
    """The deepest fall of a series so far."""

    def __init__(self, measure: Callable[[Decimal, Decimal], Decimal]) -> None:
        self._measure = measure
        self._peak: tuple[datetime, Decimal] | None = None
        self.depth = ZERO
        self.since: datetime | None = None
        self.until: datetime | None = None
        self.recovered_at: datetime | None = None
        self._height = ZERO

    def take(self, at: datetime, value: Decimal) -> None:
        if self.since and self.recovered_at is None and value >= self._height:
            self.recovered_at = at
        if self._peak is None or value >= self._peak[1]:
            self._peak = (at, value)
            return
        depth = self._measure(self._peak[1], value)
        if depth > self.depth:
            self.depth = depth
            self.since, self._height = self._peak
            self.until, self.recovered_at = at, None


class _Course:
    """The points so far."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._days = _Days(zone)
        self._zone = zone
        self._first: Point | None = None
        self._last: Point | None = None
        self._count = 0
        self._index = self._base = ONE
        self._base_value = ZERO
        # How often the index had to begin anew.
        self._breaks = 0
        self._in_percent = _Fall(lambda peak, value: _WIDE.divide(peak - value, peak) * 100)
        self._in_dollars = _Fall(lambda peak, value: peak - value)

    def take(self, point: Point) -> None:
        before = self._last
        if before is None:
            self._first = point
            self._begin(point.value)
        else:
            self._link(before.value, point.value, point.paid_in - before.paid_in)
        self._last = point
        self._count += 1
        if not self._breaks:
            self._in_percent.take(point.at, self._index)
        self._in_dollars.take(point.at, point.value - point.paid_in)
        self._days.take(point.at, self._index, self._breaks)

    def _link(self, before: Decimal, value: Decimal, paid: Decimal) -> None:
        """Go on from one point's value to the next one's, while so much was paid in."""
        if paid > 0:
            self._begin(before + paid)
        invested, brought = before + max(paid, ZERO), value - min(paid, ZERO)
        if brought != invested:
            if min(invested, self._base_value, self._index) > 0:
                # From the base, so that within a sub-period the same value is the same index.
                grown = _WIDE.multiply(self._base, brought)
                self._index = _NARROW.divide(grown, self._base_value)
            else:
                # What was before says nothing in percent of what comes now.
                self._breaks += 1
                self._index = ONE
                self._begin(brought)
        if paid < 0:
            self._begin(value)

    def _begin(self, value: Decimal) -> None:
        """A sub-period begins, of the index there is and this value."""
        self._base, self._base_value = self._index, value

    def returns(self, payments: Sequence[Payment]) -> Returns:
        first, last = self._first, self._last
        if first is None or last is None or self._count < 2:
            return Returns(reasons=dict.fromkeys(RETURNS, TOO_FEW_POINTS))
        reasons = {}
        weighted = None
        if self._breaks:
            reasons["time_weighted_return"] = NOTHING_INVESTED
        else:
            weighted = to_six_decimals(self._index - ONE)
        between = [each for each in payments if first.at < each.at <= last.at]
        # In a sum an account's own point may be older by some minutes than the sum's: what came
        # after it is in neither its value nor what it says was paid in.
        late = sum((each.amount for each in between), ZERO) - (last.paid_in - first.paid_in)
        money = money_weighted(
            [
                (self._day(first.at), -first.value),
                *((self._day(each.at), -each.amount) for each in between),
                (self._day(last.at), last.value + late),
            ]
        )
        if money.reason:
            reasons["money_weighted_return"] = money.reason
        sharpe, reason = sharpe_of(self._days.returns())
        if reason:
            reasons["sharpe"] = reason
        if self._breaks:
            reasons["max_drawdown.percent"] = NOTHING_INVESTED
        return Returns(weighted, money.rate, sharpe, self._drawdown(), reasons)

    def _drawdown(self) -> Drawdown:
        dated = self._in_dollars if self._breaks else self._in_percent
        percent = None if self._breaks else to_six_decimals(self._in_percent.depth)
        return Drawdown(
            self._in_dollars.depth, percent, dated.since, dated.until, dated.recovered_at
        )

    def _day(self, at: datetime) -> int:
        return day_at(at, self._zone).toordinal()


class _Days:
    """
    The index of returns at each midnight.

    A midnight's is that of the last point before it if that is at most 15 minutes old, else that of
    the first after it if that came as soon; else it is not known.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._last: tuple[datetime, Decimal, int] | None = None
        self._next_start: datetime | None = None
        # By day, the index at its beginning, and how often it had begun anew by then.
        self._at_start: dict[date, tuple[Decimal, int]] = {}

    def take(self, at: datetime, index: Decimal, breaks: int) -> None:
        if self._next_start is None or at >= self._next_start:
            day = day_at(at, self._zone)
            start = start_of(day, self._zone)
            if self._last and start - self._last[0] <= STALE_AFTER:
                self._at_start[day] = self._last[1:]
            elif at - start <= STALE_AFTER:
                self._at_start[day] = (index, breaks)
            self._next_start = start_of(day + timedelta(days=1), self._zone)
        self._last = (at, index, breaks)

    def returns(self) -> list[Decimal]:
        """Of each day that has both ends."""
        found = []
        for day, (index, breaks) in self._at_start.items():
            after = self._at_start.get(day + timedelta(days=1))
            if after is not None and after[1] == breaks and index > 0:
                found.append(_WIDE.divide(after[0], index) - ONE)
        return found


def sharpe_of(daily: Sequence[Decimal]) -> tuple[Decimal | None, str | None]:
    """Mean / standard deviation (ddof 1) of daily returns, times the root of 365; or why not."""
    if len(daily) < LEAST_DAYS:
        return None, TOO_FEW_DAYS
    mean = _WIDE.divide(sum(daily, ZERO), Decimal(len(daily)))
    squares = sum((_WIDE.power(each - mean, 2) for each in daily), ZERO)
    variance = _WIDE.divide(squares, Decimal(len(daily) - 1))
    if not variance:
        return None, ALL_ALIKE
    ratio = _WIDE.divide(mean, _WIDE.sqrt(variance))
    return to_six_decimals(_WIDE.multiply(ratio, _WIDE.sqrt(Decimal(365)))), None
