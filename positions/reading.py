"""What the cache holds of one account, read in one piece: for pages, REST and streams."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TypeVar, cast

from django.db import connection, transaction
from django.db.models import Model

from positions import workers
from positions.connection import ConnectionState, Status, as_seen
from positions.models import AccountStream, Market, Position, Worker

_M = TypeVar("_M", bound=Model)


@dataclass(frozen=True, slots=True)
class AccountRows:
    """
    An account's rows as one flush left them.

    Attributes:
        positions: the open ones, or what changed.
        written: the connection as its worker last wrote it; None before any worker did.
        heartbeat_at: the last sign of life of that worker, or of any while the account has none.
    """

    stream: AccountStream | None
    positions: list[Position]
    written: ConnectionState | None
    heartbeat_at: datetime | None

    @property
    def seq(self) -> int:
        """How far the account got."""
        return self.stream.seq if self.stream else 0

    def as_of(self, now: datetime) -> datetime | None:
        """
        The instant that the figures are of; None until they were first read from the exchange.

        Now while the exchange's stream is live, else the last moment it was; where it never was,
        when they were read.
        """
        if self.stream is None or self.written is None or self.stream.reconciled_at is None:
            return None
        seen = as_seen(self.written, self.heartbeat_at, now)
        return now if seen.status == "live" else seen.live_until or self.stream.reconciled_at


def read(account_id: int) -> AccountRows:
    """
    Read an account whole: its open positions, as of one moment.

    For one change among many positions, `read_since` is several times as quick.
    """
    with transaction.atomic():
        # A read-only snapshot: without it a flush between two statements would be half seen.
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        stream = AccountStream.objects.filter(pk=account_id).select_related("worker").first()
        positions = list(Position.objects.of(account_id).open())
        worker = stream.worker if stream else None
        heartbeat_at = worker.heartbeat_at if worker else workers.last_heartbeat()
    return AccountRows(stream, positions, connection_of(stream) if stream else None, heartbeat_at)


def read_since(account_id: int, seq: int) -> AccountRows:
    """Read what changed in an account after the flush `seq`, tombstones included."""
    stream, heartbeat_at, positions = _changes_since(account_id, seq)
    return AccountRows(stream, positions, connection_of(stream) if stream else None, heartbeat_at)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an account got, without reading its positions."""

    epoch: int
    seq: int
    heartbeat_at: datetime | None


def progress(account_ids: Iterable[int]) -> dict[int, Progress]:
    """The progress of these accounts; one that no worker ever opened has the newest heartbeat."""
    wanted = list(account_ids)
    rows = AccountStream.objects.filter(pk__in=wanted).values_list(
        "pk", "epoch", "seq", "worker__heartbeat_at"
    )
    found = {
        account_id: Progress(epoch, seq, heartbeat_at)
        for account_id, epoch, seq, heartbeat_at in rows
    }
    if len(found) < len(wanted):
        unopened = Progress(0, 0, workers.last_heartbeat())
        found |= {account_id: unopened for account_id in wanted if account_id not in found}
    return found


def connection_of(row: AccountStream) -> ConnectionState:
    """The connection's state as last written."""
    return ConnectionState(
        status=cast(Status, row.status),  # a constraint holds the column to these
        since=row.since,
        attempt=row.attempt,
        retry_at=row.retry_at,
        reason=row.reason,
        live_until=row.live_until,
    )


def _changes_since(
    account_id: int, seq: int
) -> tuple[AccountStream | None, datetime | None, list[Position]]:
    """
    The account's stream, its worker's heartbeat, and the positions written after the flush `seq`.

    One statement in SQL, so all of it is of one moment; the ORM needs four, and longer to compose
    them than PostgreSQL to run them (3.0 against 0.6 ms).
    """
    with connection.cursor() as cursor:
        cursor.execute(_changes_statement(), [seq, account_id])
        rows = cursor.fetchall()
    if not rows:
        return None, None, []
    first_of_position = len(_names(AccountStream)) + 1
    first_of_market = first_of_position + len(_names(Position))
    stream = _loaded(AccountStream, rows[0])
    heartbeat_at = rows[0][first_of_position - 1]
    positions = []
    for row in rows:
        # A stream without changes joins nothing.
        if row[first_of_position] is not None:
            position = _loaded(Position, row[first_of_position:])
            position.market = _loaded(Market, row[first_of_market:])
            positions.append(position)
    return stream, heartbeat_at, positions


@cache
def _changes_statement() -> str:
    columns = ", ".join(
        [
            *_columns("stream", AccountStream),
            "worker.heartbeat_at",
            *_columns("position", Position),
            *_columns("market", Market),
        ]
    )
    return f"""
        SELECT {columns}
        FROM {AccountStream._meta.db_table} AS stream
        LEFT JOIN {Worker._meta.db_table} AS worker ON worker.id = stream.worker_id
        LEFT JOIN {Position._meta.db_table} AS position
            ON position.account_id = stream.account_id AND position.seq > %s
        LEFT JOIN {Market._meta.db_table} AS market ON market.id = position.market_id
        WHERE stream.account_id = %s
        ORDER BY position.seq, market.ticker
    """  # noqa: S608  # names of columns and tables, all from our own models


def _columns(alias: str, model: type[Model]) -> list[str]:
    return [f"{alias}.{field.column}" for field in model._meta.concrete_fields]


@cache
def _names(model: type[Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


def _loaded(model: type[_M], values: Sequence[object]) -> _M:
    names = _names(model)
    return model.from_db(connection.alias, names, values[: len(names)])
