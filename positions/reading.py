"""
What the cache holds of one account, read in one piece: for pages, REST and streams.

In SQL, one statement each, so that all of it is of one moment. The ORM needs four statements for
the same, and longer to compose them than PostgreSQL to run them (3.0 against 0.6 ms).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Model
from django.db.models.base import ModelState

from positions import workers
from positions.connection import ConnectionState, Heartbeat, Reason, Status, as_seen
from positions.models import AccountStream, Market, Position, Worker
from postgres.prepared import prepared_cursor

_M = TypeVar("_M", bound=Model)

# A flush that no account gets to.
_NEVER = 2**63 - 1
_STREAMS, _WORKERS = AccountStream._meta.db_table, Worker._meta.db_table


@dataclass(frozen=True, slots=True)
class AccountRows:
    """
    An account's rows as one flush left them.

    Attributes:
        positions: the open ones, or what changed.
        written: the connection as its worker last wrote it; None before any worker did.
        heartbeat: the last sign of life of that worker, or of any while the account has none.
    """

    stream: AccountStream | None
    positions: list[Position]
    written: ConnectionState | None
    heartbeat: Heartbeat | None

    @property
    def seq(self) -> int:
        """How far the account got."""
        return self.stream.seq if self.stream else 0

    def seen(self, now: datetime) -> ConnectionState:
        """The connection as it can be believed; `now` where nothing was written yet."""
        return as_seen(self.written or ConnectionState("connecting", since=now), self.heartbeat)

    def as_of(self, now: datetime) -> datetime | None:
        """
        The instant that the figures are of; None until they were first read from the exchange.

        Now while the exchange's stream is live, else the last moment it was; where it never was,
        when they were read.
        """
        if self.stream is None or self.written is None or self.stream.reconciled_at is None:
            return None
        seen = as_seen(self.written, self.heartbeat)
        return now if seen.status == "live" else seen.live_until or self.stream.reconciled_at


def read(account_id: int) -> AccountRows:
    """Read an account whole: its open positions, by ticker."""
    rows = read_since(account_id, -1)
    held = [position for position in rows.positions if position.quantity]
    held.sort(key=lambda position: position.market.ticker)
    return AccountRows(rows.stream, held, rows.written, rows.heartbeat)


def read_head(account_id: int) -> AccountRows:
    """Read an account without its positions."""
    return read_since(account_id, _NEVER)


def read_since(account_id: int, seq: int) -> AccountRows:
    """Read what changed in an account after the flush `seq`, tombstones included."""
    with prepared_cursor(connections[DEFAULT_DB_ALIAS]) as cursor:
        cursor.execute(_changes_statement(), [seq, account_id])
        rows = cursor.fetchall()
    first_of_heartbeat = len(_names(AccountStream))
    first_of_position = first_of_heartbeat + len(workers.HEARTBEAT_COLUMNS)
    first_of_market = first_of_position + len(_names(Position))
    stream, heartbeat, positions = None, None, []
    for row in rows:
        if row[first_of_position] is None:
            stream = _loaded(AccountStream, row)
            heartbeat = workers.heartbeat_of(row[first_of_heartbeat:first_of_position])
        else:
            position = _loaded(Position, row[first_of_position:])
            market = _loaded(Market, row[first_of_market:])
            # As `position.market = market`, which asks the routers whether it may.
            position._state.fields_cache["market"] = market
            positions.append(position)
    if stream is None:
        return AccountRows(None, [], None, workers.last_heartbeat())
    # Here, as planning to sort takes PostgreSQL longer than sorting takes us.
    positions.sort(key=lambda position: (position.seq, position.market.ticker))
    return AccountRows(
        stream, positions, connection_of(stream), heartbeat or workers.last_heartbeat()
    )


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an account got, without reading its positions."""

    epoch: int
    seq: int
    heartbeat: Heartbeat | None


def progress(account_ids: Iterable[int]) -> dict[int, Progress]:
    """The progress of these accounts; one that no worker ever opened has the newest heartbeat."""
    wanted = list(account_ids)
    with connection.cursor() as cursor:
        cursor.execute(_progress_statement(), [wanted])
        found = {
            account_id: Progress(epoch, seq, workers.heartbeat_of(heartbeat))
            for account_id, epoch, seq, *heartbeat in cursor.fetchall()
        }
    if len(found) < len(wanted):
        unopened = Progress(0, 0, workers.last_heartbeat())
        found |= {account_id: unopened for account_id in wanted if account_id not in found}
    return found


def connection_of(row: AccountStream) -> ConnectionState:
    """The connection's state as last written."""
    return ConnectionState(
        # Constraints hold these columns to their words.
        status=cast(Status, row.status),
        since=row.since,
        attempt=row.attempt,
        retry_at=row.retry_at,
        reason=cast(Reason | None, row.reason),
        live_until=row.live_until,
    )


@cache
def _progress_statement() -> str:
    return f"""
        SELECT stream.account_id, stream.epoch, stream.seq, {", ".join(workers.HEARTBEAT_COLUMNS)}
        FROM {_STREAMS} AS stream
        LEFT JOIN {_WORKERS} AS worker ON worker.id = stream.worker_id
        WHERE stream.account_id = ANY(%s)
    """  # noqa: S608  # names of columns and tables, all from our own models


@cache
def _changes_statement() -> str:
    of_stream = [*_columns("stream", AccountStream), *workers.HEARTBEAT_COLUMNS]
    of_position = [*_columns("position", Position), *_columns("market", Market)]
    # Apart: joined, each position would bring all of the account's row along.
    return f"""
        SELECT {", ".join(of_stream)}, {", ".join(["NULL"] * len(of_position))}
        FROM {_STREAMS} AS stream
        LEFT JOIN {_WORKERS} AS worker ON worker.id = stream.worker_id
        WHERE stream.account_id = $2
        UNION ALL
        SELECT {", ".join(["NULL"] * len(of_stream))}, {", ".join(of_position)}
        FROM {Position._meta.db_table} AS position
        JOIN {Market._meta.db_table} AS market ON market.id = position.market_id
        WHERE position.account_id = $2 AND position.seq > $1
    """  # noqa: S608  # as above


def _columns(alias: str, model: type[Model]) -> list[str]:
    return [f"{alias}.{field.column}" for field in model._meta.concrete_fields]


@cache
def _names(model: type[Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


def _loaded(model: type[_M], values: Sequence[object]) -> _M:
    # As `from_db`, which sets each field by itself: that was half of reading 500 positions.
    row = model.__new__(model)
    row._state = ModelState()
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    row.__dict__.update(zip(_names(model), values, strict=False))
    return row
