"""
Periods and days as people ask for them.

A day begins at midnight where trading days are reckoned (`TRADING_DAY_TIMEZONE`), so that one has
23 or 25 hours when the clocks there change.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# A point so short before a day's start is worth what the account was at its start.
STALE_AFTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Period:
    """Instants from `since`, included, to `until`, not included; None is open."""

    since: datetime | None = None
    until: datetime | None = None


def instant_of(text: str, zone: ZoneInfo) -> datetime:
    """
    An RFC 3339 instant, or the beginning of a day, `2026-11-23`.

    Raises:
        ValueError: it is neither.
    """
    try:
        return start_of(date.fromisoformat(text), zone)
    except ValueError:
        pass
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("an instant without its offset")
    return instant


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a day begins."""
    return datetime.combine(day, time(), zone)


def day_at(instant: datetime, zone: ZoneInfo) -> date:
    """The day of an instant."""
    return instant.astimezone(zone).date()


def day_of(day: date, zone: ZoneInfo) -> Period:
    """A day from its beginning to that of the next."""
    return Period(start_of(day, zone), start_of(day + timedelta(days=1), zone))
