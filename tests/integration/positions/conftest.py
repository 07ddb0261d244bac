from uuid import UUID

import pytest
from django.db import connection

from accounts.models import Account
from positions import workers
from positions.connection import ConnectionState
from positions.models import AccountStream
from positions.taking_over import OpenedStream, open_stream
from positions.tracker import Tracker
from positions.writing import StreamWriter
from tests.integration.visitors import Visitor, key_session, make_account
from tests.told import NOON, at, reconcile, row

WORKER = UUID(int=1)
SECOND_WORKER = UUID(int=2)
LIVE = ConnectionState("live", since=NOON)
# Every part of a state that can be said.
LOST = ConnectionState(
    "reconnecting",
    since=at(-60),
    attempt=3,
    retry_at=at(8),
    reason="connection_lost",
    live_until=at(-61),
)


@pytest.fixture
def account() -> Account:
    return make_account()


@pytest.fixture
def opened(account: Account) -> OpenedStream:
    """Alice's account as a worker took it over, nothing in it yet."""
    return open(account)


def open(account: Account, *, worker_id: UUID = WORKER, mark_price="bid") -> OpenedStream:
    """Take an account over, by a worker whose heart beats."""
    workers.beat(worker_id)
    return open_stream(account.pk, worker_id, mark_price)


def age(worker_id: UUID, seconds: float) -> None:
    """Let a worker's last beat be so long ago, by the database's clock; below 0 in the future."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE positions_worker SET heartbeat_at = clock_timestamp() - %s * interval '1 s'"
            " WHERE id = %s",
            [seconds, worker_id],
        )


def write(writer: StreamWriter, tracker: Tracker, *, connection=LIVE, at=NOON) -> int:
    """Write what changed."""
    return writer.write(tracker.take_changes(), connection, at)


def hold(opened: OpenedStream, count: int, **rest) -> None:
    """Hold so many markets, and have them written."""
    rows = [row(f"M{number:03}", "10", "4", "0.5", "0.17") for number in range(count)]
    reconcile(opened.tracker, rows, **rest)
    write(opened.writer, opened.tracker)


def stream_of(account) -> AccountStream:
    """The account's own row."""
    return AccountStream.objects.get(pk=account.pk)


def signed_in(account: Account) -> Visitor:
    """Somebody with a session of this account."""
    visitor = Visitor()
    _, token = key_session(account)
    visitor.browser.cookies["session"] = token
    return visitor
