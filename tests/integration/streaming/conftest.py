"""Alice's account, at the sandbox and in rows, and what reads and feeds it."""

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from threading import Event
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.db import connection, connections

from ledger.keeping import LedgerRecords
from positions import workers
from positions.taking_over import open_stream
from postgres.threads import DatabaseThread
from sandbox.server import Sandbox
from streaming.web.hub import Hub
from streaming.worker.access import Access
from streaming.worker.arrivals import Arrivals
from streaming.worker.backoff import Wait, waits
from streaming.worker.feed import Feed
from streaming.worker.flushes import Writers
from tests.integration.streaming import rows
from tests.processes import Process
from tests.waiting import PATIENCE_SECONDS, until


class Database:
    """Runs functions of the ORM for asynchronous tests."""

    def __init__(self, thread: DatabaseThread) -> None:
        self._thread = thread

    async def run(self, function, *args, **kwargs):
        return await self._thread.run(function, *args, **kwargs)

    async def fetch(self, statement: str, *parameters: object) -> list[tuple]:
        def fetch() -> list[tuple]:
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                return cursor.fetchall() if cursor.description else []

        return await self.run(fetch)

    async def is_listened_to(self) -> bool:
        """Whether a listener has all its channels: the one for its own echoes comes last."""
        return bool(
            await self.fetch(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
                " AND query LIKE '%%\"echo_%%' AND state = 'idle'"
            )
        )

    async def until(self, condition: Callable, *args: object, seconds: float = PATIENCE_SECONDS):
        """The first true value of a condition that is read from rows."""
        return await until(functools.partial(self.run, condition, *args), seconds=seconds)


@pytest.fixture
def no_session_of_the_tests(transactional_db) -> None:
    """
    Close what earlier tests may have left open in this thread.

    Some tests end all other sessions of the database; one of ours would be found dead when the
    tables are emptied, and by every test after that.
    """
    connections.close_all()


@pytest.fixture
async def database(no_session_of_the_tests) -> AsyncIterator[Database]:
    thread = DatabaseThread()
    yield Database(thread)
    await thread.close()
    await sync_to_async(connections.close_all)()


@pytest.fixture
async def alice(database: Database) -> int:
    """Her account's id; it has no key."""
    return await database.run(rows.make_account)


@pytest.fixture
async def credential(database: Database, alice: int, sandbox: Sandbox, sandbox_environment) -> int:
    """Her key, which is the sandbox's own; its id."""
    return await database.run(rows.make_credential, alice, sandbox)


@pytest.fixture
async def worker(database: Database, alice: int) -> rows.Worker:
    """A worker that writes what a test says."""
    return await database.run(rows.Worker, alice)


@pytest.fixture
async def hub(database: Database) -> AsyncIterator[Hub]:
    hub = Hub()
    await hub.start()
    yield hub
    await hub.stop()


@asynccontextmanager
async def feeding(
    account_id: int, *, seconds_per_delay: float = 0.01
) -> AsyncIterator[tuple[Feed, asyncio.Task]]:
    """A feed of the account as a worker runs it, but for its short delays; and its task."""
    writers = Writers(healthy=DatabaseThread(), doubtful=DatabaseThread(), history=DatabaseThread())
    worker_id = uuid4()
    await writers.healthy.run(workers.beat, worker_id)
    opened = await writers.healthy.run(
        open_stream, account_id, worker_id, django_settings.MARK_PRICE, LedgerRecords()
    )
    access = Access()
    feed = Feed(
        account_id,
        opened,
        writers,
        access,
        Arrivals().begin(),
        schedule=lambda: quick_waits(seconds_per_delay),
    )
    task = asyncio.create_task(feed.run())
    try:
        yield feed, task
    finally:
        task.cancel()
        await asyncio.wait([task])
        await access.close()
        await writers.healthy.close()
        await writers.doubtful.close()
        await writers.history.close()


def quick_waits(seconds: float) -> Iterator[Wait]:
    """The product's schedule, each delay so short."""
    return (replace(wait, seconds=seconds) for wait in waits(lambda: 0.0))


@pytest.fixture
async def start_feed() -> AsyncIterator[Callable]:
    """Start feeds; they are stopped at the end."""
    async with AsyncExitStack() as feeds:

        async def start(account_id: int, **options: float) -> Feed:
            feed, _ = await feeds.enter_async_context(feeding(account_id, **options))
            return feed

        yield start


@pytest.fixture
def start_worker(start_process: Callable[..., Process]) -> Callable[[], Process]:
    """Start workers."""
    return functools.partial(start_process, "run_kalshi_stream")


@asynccontextmanager
async def stuck_database(feed):
    """The feed's writes wait as long as this lasts."""
    blocked, released = Event(), Event()

    def block() -> None:
        blocked.set()
        released.wait(timeout=30)

    writers = feed._flushes._writers
    blocking = [
        asyncio.create_task(threads.run(block))
        for threads in (writers.healthy, writers.doubtful)
        for _ in range(threads._size)
    ]
    try:
        assert await asyncio.to_thread(blocked.wait, 30)
        yield
    finally:
        released.set()
        await asyncio.gather(*blocking)
