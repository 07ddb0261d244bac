"""
The exchange's clock, as far as its answers tell it.

It refuses a signature whose timestamp is some 10 to 30 seconds off, so that a clock which drifts is
worth knowing about before that.
"""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# How far a time of the exchange's may be ahead of its clock as we know that, which is to a second.
AHEAD = timedelta(seconds=5)

# The header is cut to the second: on average half of one has passed since.
_CUT_OFF = timedelta(milliseconds=500)


def server_time(date: str | None) -> datetime | None:
    """The time in a Date header, in UTC; None without one, or if it is none."""
    try:
        time = parsedate_to_datetime(date or "")
        # "-0000" yields a naive time: by RFC 5322 that is UTC too.
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def skew(date: str | None, sent_at: float, round_trip: float) -> timedelta | None:
    """
    How far our clock is ahead of the exchange's, negative if it is behind.

    Right to half a second and half the round trip.

    Args:
        date: the answer's Date header; None is the result without a usable one.
        sent_at: our clock when the request left, Unix time in seconds.
        round_trip: seconds from there to the answer.
    """
    told = server_time(date)
    if told is None:
        return None
    ours = datetime.fromtimestamp(sent_at, UTC) + timedelta(seconds=round_trip / 2)
    return ours - (told + _CUT_OFF)


def reached(at: datetime | None, now: datetime) -> datetime | None:
    """
    A time that the exchange told of something that has happened; None if it has yet to come.

    One that is wrong would hold back all that is told until then.

    Args:
        now: by the exchange's clock.
    """
    return None if at is None or at > now + AHEAD else at


def to_milliseconds(at: datetime) -> datetime:
    """
    A time without what is finer.

    Rows tell microseconds, frames milliseconds: in one millisecond neither is known to be later.
    """
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def age(told: str | None) -> timedelta:
    """For how long a cache has had an answer, by its Age header; nothing without a usable one."""
    is_usable = told is not None and re.fullmatch(r"[0-9]{1,9}", told)
    return timedelta(seconds=int(told or 0)) if is_usable else timedelta(0)
