from datetime import UTC, datetime, time

import pytest

from kalshi.errors import DecodeError
from kalshi.schedule import Hours, Maintenance, Schedule

ALL_DAY = (Hours(time(0), time(0)),)


def test_week_is_decoded_from_monday_on_with_the_pause_of_thursday(answers):
    (week,) = Schedule.decode(answers["schedule"]).weeks

    thursday = (Hours(time(0), time(3)), Hours(time(5), time(0)))
    assert week.days == (ALL_DAY, ALL_DAY, ALL_DAY, thursday, ALL_DAY, ALL_DAY, ALL_DAY)
    assert week.starts_at == datetime(2024, 12, 1, tzinfo=UTC)
    assert week.ends_at == datetime(2200, 12, 1, tzinfo=UTC)


def test_maintenance_is_decoded(answers):
    assert Schedule.decode(answers["schedule"]).maintenance == (
        Maintenance(
            datetime(2026, 11, 26, 8, tzinfo=UTC),
            datetime(2026, 11, 26, 10, tzinfo=UTC),
        ),
    )


@pytest.mark.parametrize("text", ["24:00", "3:00", "03:60", "03:00:00", "noon", ""])
def test_time_of_day_that_is_none_is_refused(text):
    with pytest.raises(DecodeError, match="trading session"):
        Hours.decode({"open_time": text, "close_time": "00:00"})


@pytest.mark.parametrize("value", [None, [], {}, {"schedule": []}, {"schedule": {}}], ids=repr)
def test_anything_undocumented_is_refused(value):
    with pytest.raises(DecodeError):
        Schedule.decode(value)
