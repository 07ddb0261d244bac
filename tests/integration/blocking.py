"""Sessions of the database that wait for each other."""

from time import monotonic

from django.db import connection


def wait_for_a_blocked_session() -> None:
    """Return once a session of this database waits for another one's lock."""
    deadline = monotonic() + 10
    blocked = """
        SELECT pg_stat_clear_snapshot(), count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'
    """
    with connection.cursor() as cursor:
        while cursor.execute(blocked).fetchone()[1] == 0:
            assert monotonic() < deadline
