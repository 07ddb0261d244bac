"""While PostgreSQL is frozen the product says so in time, ends in time, and else goes on after."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from http import HTTPStatus
from pathlib import Path
from time import monotonic

import pytest

from postgres import embedded
from tests.frozen import frozen
from tests.processes import MANAGE, Process, listens
from tests.waiting import START_SECONDS, until

# The server waits two for the database, and five for its visitors when it ends. The rest is for a
# hundred answers at once, on cores that three other test processes and whoever else is there share
# (9 s were seen). What waits for the database itself waits for ever, as it thaws only afterwards.
ANSWERED_WITHIN_SECONDS = 60
STOPPED_WITHIN_SECONDS = 60

CALLS = [
    "/api/v1/account/session",
    "/api/v1/account/positions",
    "/api/v1/account/portfolio",
]
PAGES = ["/", "/admin/"]
STREAMS = 100
# Of each call: more than are worked on at once.
MANY = 20

# Makes one of the staff, who is signed in; prints the cookie.
SIGN_IN = """
from tests.integration.visitors import make_account, make_user, person_session
staff = make_user("ada", "password", is_staff=True)
make_account(staff, environment="sandbox")
print(person_session(staff)[1])
"""

FORGET_WORKERS = "from positions.models import Worker; Worker.objects.all().delete()"


@dataclass
class Served:
    """A web server as a process, on a database server of its own."""

    directory: Path
    process: Process
    port: int
    cookies: dict[str, str]


@dataclass
class Answer:
    path: str
    status: int
    headers: Message
    body: bytes
    seconds: float


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    """Of a database server that only these tests use."""
    base = Path(tempfile.mkdtemp(prefix="kalshi-live-test-", dir="/tmp"))
    base.chmod(0o711)
    embedded.ensure_running(base / "postgres")
    manage("migrate", directory=base / "postgres")
    yield base / "postgres"
    embedded._release(base / "postgres")
    shutil.rmtree(base)


def environment(directory: Path) -> dict[str, str]:
    return os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "POSTGRES_DIR": str(directory)}


def manage(*arguments: str, directory: Path) -> str:
    return subprocess.run(
        [sys.executable, str(MANAGE), *arguments],
        env=environment(directory),
        check=True,
        capture_output=True,
        text=True,
    ).stdout


@pytest.fixture(scope="module")
def cookies(directory) -> dict[str, str]:
    """Of one who is signed in, to the admin too."""
    token = manage("shell", "-v", "0", "-c", SIGN_IN, directory=directory).strip()
    return {"session": token}


@pytest.fixture
async def served(directory, cookies, tmp_path) -> AsyncIterator[Served]:
    process = Process(
        *("serve", "--port", "0"), log=tmp_path / "log", environment=environment(directory)
    )
    try:
        begun = await until(
            lambda: re.search(r"http://localhost:(\d+)", process.said), seconds=START_SECONDS
        )
        port = int(begun[1])
        await until(lambda: listens(port))
        yield Served(directory, process, port, cookies)
    finally:
        process.kill()


async def ask(served: Served, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    cookies = "; ".join(f"{name}={value}" for name, value in served.cookies.items())
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookies}\r\n"
        "Connection: close\r\n\r\n".encode()
    )
    return reader, writer


async def answer(served: Served, path: str) -> Answer:
    """
    Of a stream no more than its headers.

    Over a bare socket: httpx takes longer over a hundred requests at once than the server does.
    """
    begun = monotonic()
    reader, writer = await ask(served, path)
    status = (await reader.readline()).split()[1]
    headers = message_from_bytes(await reader.readuntil(b"\r\n\r\n"))
    seconds = monotonic() - begun
    is_stream = headers["Content-Type"] == "text/event-stream"
    body = b"" if is_stream else await reader.read()
    writer.close()
    return Answer(path, int(status), headers, body, seconds)


async def statuses(served: Served, paths: list[str]) -> dict[str, int]:
    """What each path answers with."""
    return {path: (await answer(served, path)).status for path in dict.fromkeys(paths)}


async def is_answered(served: Served) -> bool:
    return (await answer(served, CALLS[0])).status == HTTPStatus.OK


async def is_ready(served: Served) -> bool:
    return (await answer(served, "/readyz")).status == HTTPStatus.OK


async def test_every_path_answers_in_time_while_the_database_is_frozen(served):
    paths = [*CALLS * MANY, *PAGES, "/readyz", "/healthz", *["/sse/positions"] * STREAMS]
    before = await statuses(served, paths)

    with frozen(served.directory):
        async with asyncio.timeout(2 * ANSWERED_WITHIN_SECONDS):
            answers = await asyncio.gather(*(answer(served, path) for path in paths))
    # The server first goes through what was left waiting meanwhile.
    await until(lambda: is_answered(served))
    after = await statuses(served, paths)

    assert {(each.path, each.status) for each in answers} == {
        (path, 200 if path == "/healthz" else 503) for path in paths
    }
    assert max(each.seconds for each in answers) < ANSWERED_WITHIN_SECONDS
    calls = [each for each in answers if each.path.startswith(("/api/", "/sse/"))]
    pages = [each for each in answers if each.path in PAGES]
    assert {json.loads(each.body)["error"]["code"] for each in calls} == {"database_unavailable"}
    assert all(b"The database cannot be reached" in each.body for each in pages)
    assert {each.headers["Retry-After"] for each in (*calls, *pages)} == {"2"}
    assert before == after == dict.fromkeys(paths, 200) | {"/readyz": 503}  # there is no worker


async def test_told_to_stop_while_the_database_is_frozen_the_server_ends_in_time(served):
    await answer(served, "/sse/positions")

    with frozen(served.directory):
        reader, writer = await ask(served, "/")
        # What came before this was read before it.
        await answer(served, "/healthz")
        begun = monotonic()
        code = await asyncio.to_thread(served.process.stop)
        seconds = monotonic() - begun

    assert code == 0
    assert seconds < STOPPED_WITHIN_SECONDS
    assert (await reader.readline()).split()[1] == b"503"
    writer.close()


async def test_told_to_stop_while_the_database_is_frozen_the_worker_ends_in_time(served, tmp_path):
    worker = Process(
        "run_kalshi_stream", log=tmp_path / "worker", environment=environment(served.directory)
    )
    try:
        await until(lambda: is_ready(served), seconds=START_SECONDS)

        with frozen(served.directory):
            begun = monotonic()
            code = await asyncio.to_thread(worker.stop)
            seconds = monotonic() - begun
    finally:
        worker.kill()
        # The other tests have none.
        manage("shell", "-v", "0", "-c", FORGET_WORKERS, directory=served.directory)

    assert code == 0, worker.said
    assert seconds < STOPPED_WITHIN_SECONDS
