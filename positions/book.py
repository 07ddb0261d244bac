"""What the cache holds of one account, read in one piece."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from positions import hot_path, workers
from positions.cache import connection_of
from positions.connection import ConnectionState, as_seen
from positions.models import AccountStream, Position


@dataclass(frozen=True, slots=True)
class Book:
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


def read(account_id: int) -> Book:
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
    return Book(stream, positions, connection_of(stream) if stream else None, heartbeat_at)


def read_since(account_id: int, seq: int) -> Book:
    """Read what changed in an account after the flush `seq`, tombstones included."""
    stream, heartbeat_at, positions = hot_path.changes_since(account_id, seq)
    return Book(stream, positions, connection_of(stream) if stream else None, heartbeat_at)


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
