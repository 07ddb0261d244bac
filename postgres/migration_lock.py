"""One migration at a time, whoever starts it: each would make what the other has just made."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db.backends.base.base import BaseDatabaseWrapper

# An advisory lock with one key, so that it can meet none of those with two (claims.py).
MIGRATION_KEY = 0x4B4C_4D49  # "KLMI"
LOOK_SECONDS = 0.2


@contextmanager
def only_migration(
    connection: BaseDatabaseWrapper, tell_that_it_waits: Callable[[], None]
) -> Iterator[None]:
    """
    Nobody else migrates this database meanwhile; waits for as long as somebody does.

    The lock is the connection's: when the process dies, or the connection is lost, it is free.

    Args:
        tell_that_it_waits: called once, if there is somebody to wait for.
    """
    if not _locked(connection):
        tell_that_it_waits()
        # Asked again and again, as a statement that waits would be ended by lock_timeout, and its
        # snapshot would keep the other from building an index concurrently.
        while not _locked(connection):
            time.sleep(LOOK_SECONDS)
    try:
        yield
    finally:
        # Not if it was lost: that gave the lock back, and has an error of its own.
        if connection.is_usable():
            _ask(connection, "SELECT pg_advisory_unlock(%s)")


def _locked(connection: BaseDatabaseWrapper) -> bool:
    return _ask(connection, "SELECT pg_try_advisory_lock(%s)")


def _ask(connection: BaseDatabaseWrapper, query: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(query, [MIGRATION_KEY])
        return bool(cursor.fetchone()[0])
