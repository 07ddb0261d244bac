"""
Sessions that listen and take nothing: of a process that was suspended, say, or is looked into.

The server keeps what is announced until every session that listens has taken it. One that takes
nothing keeps all of it, and no time limit ends it. When there is no room left nothing can be
announced, so nothing can be written.
"""

import logging
from collections.abc import Set
from datetime import datetime

from django.db import connection

logger = logging.getLogger(__name__)

# Part of the room that there is: 8 GB, where nobody has changed it.
TOO_FULL = 0.01

# With its beginning, as numbers of processes are used again.
Session = tuple[int, datetime]


def end_deaf(deaf_before: Set[Session], *, too_full: float = TOO_FULL) -> set[Session]:
    """
    End those that took nothing at the last look either, where much is kept for them.

    Of our own database and user alone. Whoever wakes up connects anew, and reads what there is.

    Args:
        deaf_before: what the last look returned.
        too_full: the part of the room from which on it is much.
    Returns:
        Those that take nothing now, without those that were ended.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT pid, backend_start
            FROM pg_stat_activity
            WHERE pg_notification_queue_usage() >= %s
                AND datname = current_database() AND usename = current_user
                AND state = 'idle' AND wait_event = 'ClientWrite'
            """,
            [too_full],
        )
        deaf = set(cursor.fetchall())
        for pid, _ in sorted(deaf & deaf_before):
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
            logger.error("a listener that takes nothing was ended", extra={"session": pid})
    return deaf - deaf_before
