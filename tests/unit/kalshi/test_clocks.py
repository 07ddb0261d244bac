from datetime import UTC, datetime, timedelta

import pytest

from kalshi.clocks import AHEAD, reached, server_time, skew

DATE = "Thu, 11 Jun 2026 06:29:08 GMT"
AT_THAT_TIME = datetime(2026, 6, 11, 6, 29, 8, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("date", [DATE, "Thu, 11 Jun 2026 06:29:08 -0000"])
def test_date_is_read_as_utc(date):
    assert server_time(date) == datetime(2026, 6, 11, 6, 29, 8, tzinfo=UTC)


@pytest.mark.parametrize("date", [None, "", "soon", "Thu, 99 Jun 2026 06:29:08 GMT"])
def test_no_date_is_no_time(date):
    assert server_time(date) is None
    assert skew(date, AT_THAT_TIME, 0.0) is None


@pytest.mark.parametrize(
    ("sent_at", "round_trip", "seconds"),
    [
        # The header's second is half over on average.
        (0.5, 0.0, 0.0),
        # Half of the round trip had passed when the exchange looked at its clock.
        (0.0, 1.0, 0.0),
        (20.5, 0.0, 20.0),
        (-9.6, 0.2, -10.0),
    ],
)
def test_skew_is_how_far_our_clock_is_ahead(sent_at, round_trip, seconds):
    measured = skew(DATE, AT_THAT_TIME + sent_at, round_trip)

    assert abs(measured - timedelta(seconds=seconds)) < timedelta(milliseconds=1)


def test_time_that_has_yet_to_come_is_none():
    now = datetime(2026, 6, 11, 6, 29, 8, tzinfo=UTC)

    assert reached(None, now) is None
    assert reached(now - timedelta(days=1), now) == now - timedelta(days=1)
    # The exchange's clock is known to a second only.
    assert reached(now + AHEAD, now) == now + AHEAD
    assert reached(now + AHEAD + timedelta(milliseconds=1), now) is None
