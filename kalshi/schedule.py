"""When the exchange is open, by its own calendar."""

import re
from dataclasses import dataclass
from datetime import datetime, time
from typing import Self

from kalshi.errors import DecodeError
from kalshi.fields import Fields

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class Hours:
    """A session of trading within one day, New York time. A close at midnight is the day's end."""

    opens: time
    closes: time

    @classmethod
    def decode(cls, value: object) -> Self:
        fields = Fields(value, "trading session")
        return cls(_clock(fields.text("open_time")), _clock(fields.text("close_time")))


@dataclass(frozen=True, slots=True)
class Week:
    """The sessions of each day, Monday first, in weeks between the two times."""

    starts_at: datetime
    ends_at: datetime
    days: tuple[tuple[Hours, ...], ...]

    @classmethod
    def decode(cls, value: object) -> Self:
        fields = Fields(value, "weekly schedule")
        return cls(
            starts_at=fields.time("start_time"),
            ends_at=fields.time("end_time"),
            days=tuple(tuple(map(Hours.decode, fields.items(day))) for day in _DAYS),
        )


@dataclass(frozen=True, slots=True)
class Maintenance:
    """An announced time without the exchange."""

    starts_at: datetime
    ends_at: datetime

    @classmethod
    def decode(cls, value: object) -> Self:
        fields = Fields(value, "maintenance window")
        return cls(fields.time("start_datetime"), fields.time("end_datetime"))


@dataclass(frozen=True, slots=True)
class Schedule:
    """The hours of trading, and the maintenance that is announced."""

    weeks: tuple[Week, ...]
    maintenance: tuple[Maintenance, ...]

    @classmethod
    def decode(cls, value: object) -> Self:
        schedule = Fields(Fields(value, "schedule answer").value("schedule"), "schedule")
        return cls(
            weeks=tuple(map(Week.decode, schedule.items("standard_hours"))),
            maintenance=tuple(map(Maintenance.decode, schedule.items("maintenance_windows"))),
        )


def _clock(text: str) -> time:
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise DecodeError("trading session: a time is not hours and minutes")
    return time(int(match[1]), int(match[2]))
