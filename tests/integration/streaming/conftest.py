"""Alice's account, at the sandbox and in rows, and what reads and feeds it."""

import asyncio
import functools
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.db import connection, connections
from django.utils import timezone

from positions import workers
from positions.cache import open_stream
from postgres.threads import DatabaseThread
from sandbox.server import Sandbox
from streaming.backoff import Wait, waits
from streaming.feed import Feed
from streaming.hub import Hub
from tests.integration.streaming import rows
from tests.waiting import until

MANAGE = Path(__file__).resolve().parents[3] / "manage.py"


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

    async def until(self, condition: Callable, *args: object, seconds: float = 10):
        """The first true value of a condition that is read from rows."""
        return await until(functools.partial(self.run, condition, *args), seconds=seconds)


@pytest.fixture
async def database(transactional_db) -> AsyncIterator[Database]:
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
    thread = DatabaseThread()
    worker_id = uuid4()
    await thread.run(workers.beat, worker_id, timezone.now())
    opened = await thread.run(open_stream, account_id, worker_id, django_settings.MARK_PRICE)
    feed = Feed(account_id, opened, thread, schedule=lambda: quick_waits(seconds_per_delay))
    task = asyncio.create_task(feed.run())
    try:
        yield feed, task
    finally:
        task.cancel()
        await asyncio.wait([task])
        await thread.close()


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


class Process:
    """A management command that can die."""

    def __init__(self, arguments: Sequence[str], environment: dict[str, str], log: Path) -> None:
        self._log = log
        with log.open("wb") as output:
            self._popen = subprocess.Popen(
                [sys.executable, str(MANAGE), *arguments],
                env=environment,
                stdout=output,
                stderr=output,
            )

    def signal(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    def exit_code(self, seconds: float = 10) -> int:
        """Its exit code, once it has ended."""
        return self._popen.wait(timeout=seconds)

    @property
    def said(self) -> str:
        """All that it wrote so far."""
        return self._log.read_text()

    def end(self) -> None:
        """Make an end of it, whatever state it is in."""
        self._popen.kill()
        self._popen.wait(timeout=15)


@pytest.fixture
def start_process(
    sandbox: Sandbox, sandbox_environment, settings, tmp_path_factory
) -> Iterator[Callable[..., Process]]:
    """Start management commands; their processes are killed at the end."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.integration.streaming.process_settings",
        "STREAMING_TEST_DATABASE": connection.settings_dict["NAME"],
        "STREAMING_TEST_ENCRYPTION_KEY": settings.ENCRYPTION_SECRET_KEY[0],
        "STREAMING_TEST_API_BASE": sandbox.api_base,
        "STREAMING_TEST_WS_URL": sandbox.ws_url,
    }
    with ExitStack() as processes:

        def start(*arguments: str) -> Process:
            process = Process(arguments, environment, tmp_path_factory.mktemp("process") / "log")
            processes.callback(process.end)
            return process

        yield start


@pytest.fixture
def start_worker(start_process: Callable[..., Process]) -> Callable[[], Process]:
    """Start workers."""
    return functools.partial(start_process, "run_kalshi_stream")
