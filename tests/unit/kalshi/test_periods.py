from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kalshi.periods import bounds

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
times = st.timedeltas(timedelta(), timedelta(days=30_000)).map(lambda later: NOON + later)


@given(st.tuples(times, times, times).map(sorted))
def test_nothing_of_the_period_is_left_out(drawn):
    since, at, until = drawn

    asked = bounds(since, until)

    # By the second, with bounds that do not count: the strictest of all readings.
    assert asked["min_ts"] < int(at.timestamp()) < asked["max_ts"]


@given(times)
def test_no_more_than_two_seconds_come_along(time):
    asked = bounds(time, time)

    earliest, latest = (datetime.fromtimestamp(asked[name], UTC) for name in ("min_ts", "max_ts"))
    assert time - earliest <= timedelta(seconds=2)
    assert latest - time <= timedelta(seconds=1)


def test_time_just_before_a_second_is_not_rounded_into_it():
    before = NOON - timedelta(microseconds=1)

    assert bounds(before, None)["min_ts"] == int(NOON.timestamp()) - 2


def test_what_is_not_bounded_is_not_asked_for():
    assert bounds(None, None) == {}
