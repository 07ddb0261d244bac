"""
The workers that write the cache, known by their heartbeats.

The database's clock dates and judges each beat, so that hosts whose clocks differ agree on who
lives.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from positions.connection import FUTURE_SECONDS, WORKER_DOWN_AFTER_SECONDS, Heartbeat
from positions.models import AccountStream, Worker

_WORKERS, _STREAMS = Worker._meta.db_table, AccountStream._meta.db_table
_FORGOTTEN_AFTER = "1 day"

# Of the rows `worker` and `stream`: what makes a `Heartbeat`.
HEARTBEAT_COLUMNS = (
    "worker.heartbeat_at",
    "clock_timestamp()",
    "worker.silent ->> stream.account_id::text",
)

# Two readings of the clock may be a microsecond apart: a first beat has one time for both.
# Its commit does not wait for the disk: a beat that a crash loses is a second old by then.
_BEAT = f"""
    WITH beat AS (
        INSERT INTO {_WORKERS} AS worker (id, started_at, heartbeat_at, silent)
        VALUES (%s, statement_timestamp(), statement_timestamp(), %s::jsonb)
        ON CONFLICT (id) DO UPDATE SET heartbeat_at = clock_timestamp(), silent = excluded.silent
        RETURNING worker.started_at = worker.heartbeat_at AS is_first
    )
    SELECT is_first, set_config('synchronous_commit', 'off', true) FROM beat
"""  # noqa: S608  # names of tables, from our own models
# The last writer of an account is kept: its heartbeat dates what it wrote.
_PURGE = f"""
    DELETE FROM {_WORKERS} AS worker
    WHERE heartbeat_at < clock_timestamp() - interval '{_FORGOTTEN_AFTER}'
        AND NOT EXISTS (SELECT FROM {_STREAMS} AS stream WHERE stream.worker_id = worker.id)
"""  # noqa: S608  # as above
_LAST = f"""
    SELECT heartbeat_at, clock_timestamp(), NULL
    FROM {_WORKERS}
    WHERE heartbeat_at <= clock_timestamp() + %s * interval '1 second'
    ORDER BY heartbeat_at DESC
    LIMIT 1
"""  # noqa: S608  # as above

_KNOWN = f"""
    SELECT heartbeat_at, clock_timestamp(),
        (SELECT count(*) FROM {_STREAMS} AS stream WHERE stream.worker_id = worker.id)
    FROM {_WORKERS} AS worker
    ORDER BY heartbeat_at DESC
"""  # noqa: S608  # as above


_SETTLED = f"""
    SELECT id, heartbeat_at, account_count, live_count
    FROM {_WORKERS} AS worker, LATERAL (
        SELECT count(*) AS account_count, count(*) FILTER (WHERE status = 'live') AS live_count
        FROM {_STREAMS} AS stream WHERE stream.worker_id = worker.id
    ) AS theirs
    WHERE heartbeat_at >= clock_timestamp() - %s * interval '1 second'
        AND heartbeat_at <= clock_timestamp() + %s * interval '1 second'
        AND started_at <= clock_timestamp() - %s * interval '1 second'
"""  # noqa: S608  # as above


def beat(worker_id: UUID, silent: Mapping[int, float] | None = None) -> None:
    """
    Say that a worker is alive; its first beat makes it known.

    Args:
        silent: accounts that the worker holds and can't vouch for, with the seconds since when.
    """
    told = {str(account_id): seconds for account_id, seconds in (silent or {}).items()}
    with connection.cursor() as cursor:
        cursor.execute(_BEAT, [worker_id, json.dumps(told)])
        is_first, _ = cursor.fetchone()
        if is_first:
            cursor.execute(_PURGE)


@dataclass(frozen=True, slots=True)
class WorkerSeen:
    """A worker that is known, with its last heartbeat and how many accounts name it as theirs."""

    heartbeat: Heartbeat
    account_count: int


def known() -> list[WorkerSeen]:
    """All of them, newest heartbeat first."""
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN)
        rows = cursor.fetchall()
    return [
        WorkerSeen(Heartbeat(at, (now - at).total_seconds()), account_count)
        for at, now, account_count in rows
    ]


def settled(seconds: float) -> list[tuple[UUID, datetime, int, int]]:
    """
    Those that have lived for so long, and live as far as anybody can tell: each with its last
    heartbeat, and how many accounts name it as theirs, all and live ones.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SETTLED, [WORKER_DOWN_AFTER_SECONDS, FUTURE_SECONDS, seconds])
        return [
            (worker_id, beat_at, accounts, live) for worker_id, beat_at, accounts, live in cursor
        ]


def feeding(account_ids: Iterable[int]) -> dict[int, UUID | None]:
    """Of these accounts, those there still are: which worker has each live, None for no one."""
    streams = AccountStream.objects.filter(account_id__in=list(account_ids))
    return {
        account_id: worker_id if status == "live" else None
        for account_id, worker_id, status in streams.values_list(
            "account_id", "worker_id", "status"
        )
    }


def last_heartbeat() -> Heartbeat | None:
    """The newest heartbeat of any worker; one from the future is none."""
    with connection.cursor() as cursor:
        cursor.execute(_LAST, [FUTURE_SECONDS])
        row = cursor.fetchone()
    return heartbeat_of(row) if row else None


def heartbeat_of(columns: Sequence[Any]) -> Heartbeat | None:  # Any: of any row of SQL
    """The heartbeat in `HEARTBEAT_COLUMNS`; None where an account has no worker."""
    at, now, silent_seconds = columns
    if at is None:
        return None
    silent = None if silent_seconds is None else float(silent_seconds)
    return Heartbeat(at, (now - at).total_seconds(), silent)
