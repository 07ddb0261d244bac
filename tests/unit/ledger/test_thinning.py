from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ledger.thinning import Stored, is_gap, shown, thinned

START = datetime(2025, 6, 2, 4, tzinfo=UTC)
MINUTE, QUARTER = timedelta(minutes=1), timedelta(minutes=15)


def stored(*minutes: float) -> list[Stored]:
    return [
        Stored(number, START + timedelta(minutes=minute)) for number, minute in enumerate(minutes)
    ]


def applied(points: list[Stored], grain: timedelta) -> list[Stored]:
    """What is left once the points are thinned."""
    result = thinned(points, grain)
    return [
        replace(point, is_after_thinned=True) if point.id in result.after_dropped else point
        for point in points
        if point.id not in result.dropped
    ]


def gaps(points: list[Stored]) -> list[tuple[datetime, datetime]]:
    return [(before.at, after.at) for before, after in pairwise(points) if is_gap(before, after)]


def minutes(points: list[Stored]) -> list[float]:
    return [(point.at - START) / MINUTE for point in points]


def test_an_hour_of_a_point_a_minute_becomes_four_and_its_last():
    left = applied(stored(*range(61)), QUARTER)

    assert minutes(left) == [0, 15, 30, 45, 60]
    assert gaps(left) == []


def test_edges_of_a_gap_stay_and_so_does_the_gap():
    points = stored(*range(8), *range(12, 31))

    left = applied(points, QUARTER)

    assert minutes(left) == [0, 7, 12, 15, 30]
    assert gaps(left) == gaps(points) == [(points[7].at, points[8].at)]


def test_a_point_that_a_day_begins_with_stays():
    points = stored(*range(31))
    points[14] = replace(points[14], is_needed=True)

    assert minutes(applied(points, QUARTER)) == [0, 14, 15, 30]


def test_what_is_thinned_twice_is_as_thinned_once():
    once = applied(stored(*range(50), *range(60, 100)), QUARTER)

    assert applied(once, QUARTER) == once


histories = st.lists(st.integers(1, 400), min_size=2, max_size=200).map(
    lambda steps: stored(*(sum(steps[:number]) / 60 for number in range(len(steps))))
)


@given(histories, st.sets(st.integers(0, 199)))
def test_thinning_in_steps_loses_no_gap_and_makes_none(points, needed):
    points = [replace(point, is_needed=point.id in needed) for point in points]

    finely = applied(points, MINUTE)
    coarsely = applied(finely, QUARTER)

    assert gaps(points) == gaps(finely) == gaps(coarsely) == gaps(applied(points, QUARTER))
    assert {point.at for point in points if point.is_needed} <= {point.at for point in coarsely}


@dataclass(frozen=True)
class Value:
    at: datetime
    total_value: Decimal


values = st.dictionaries(st.integers(0, 100_000), st.integers(-50, 50), max_size=120).map(
    lambda found: [
        Value(START + timedelta(seconds=second), Decimal(found[second])) for second in sorted(found)
    ]
)


@given(values, st.integers(4, 60))
def test_what_is_shown_has_both_ends_and_both_extremes(points, most):
    left = shown(points, most)

    assert len(left) <= most
    assert [point.at for point in left] == sorted({point.at for point in left})
    if points:
        assert (left[0], left[-1]) == (points[0], points[-1])
        amounts = [point.total_value for point in points]
        assert {min(amounts), max(amounts)} <= {point.total_value for point in left}


def test_what_is_shown_is_spread_over_time():
    points = [Value(START + number * MINUTE, Decimal(0)) for number in range(1000)]

    left = shown(points, 12)

    assert len(left) >= 11
    assert max(after.at - before.at for before, after in pairwise(left)) <= 101 * MINUTE
