"""
Instants as they are read from the database: quickly, as a row of a position has eight of them.

Django reads each by a loader of its own, which psycopg can't replace by its compiled one; it took
longer than all else of a row together.
"""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.db.backends.postgresql.psycopg_any import BaseTzLoader
from psycopg.abc import Buffer
from psycopg.adapt import AdaptersMap


class _InstantLoader(BaseTzLoader):  # type: ignore[misc]  # Django's has no types
    timezone = UTC

    # Any: as the base class has it.
    def load(self, data: Buffer) -> Any:
        try:
            instant = datetime.fromisoformat(str(data, "ascii"))
        except ValueError:
            # What has no place in Python's calendar, or another style of dates.
            return super().load(data)
        return instant if instant.tzinfo is UTC else super().load(data)


@cache
def reading_instants(adapters: AdaptersMap) -> AdaptersMap:
    """The same, but for how instants are read."""
    quick = AdaptersMap(adapters)
    quick.register_loader("timestamptz", _InstantLoader)
    return quick
