"""While PostgreSQL is frozen the web server says so in time, and then goes on as if nothing was."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import httpx
import pytest

from postgres import embedded
from tests.frozen import frozen
from tests.processes import MANAGE, Process, listens
from tests.waiting import until

ANSWERED_WITHIN_SECONDS = 3
STOPPED_WITHIN_SECONDS = 8

CALLS = [
    "/api/v1/account/session",
    "/api/v1/account/positions",
    "/api/v1/account/portfolio",
]
PAGES = ["/", "/admin/"]
STREAMS = 100

# Makes one who is signed in to the dashboard and to the admin; prints the two cookies.
SIGN_IN = """
from django.contrib.auth.models import User
from django.test import Client
from accounts import sessions
from accounts.models import Account
from django.conf import settings
from tests.integration.streaming import rows
client = Client()
client.force_login(User.objects.create_superuser("ada"))
print(sessions.issue(Account.objects.get(pk=rows.make_account()))[1])
print(client.cookies[settings.SESSION_COOKIE_NAME].value)
"""


@dataclass
class Served:
    """A web server as a process, on a database server of its own."""

    directory: Path
    process: Process
    port: int
    browser: httpx.AsyncClient


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
    token, admin = manage("shell", "-v", "0", "-c", SIGN_IN, directory=directory).split()
    return {"session": token, "admin_session": admin}


@pytest.fixture
async def served(directory, cookies, tmp_path) -> AsyncIterator[Served]:
    process = Process(
        *("serve", "--port", "0"), log=tmp_path / "log", environment=environment(directory)
    )
    try:
        begun = await until(lambda: re.search(r"http://127\.0\.0\.1:(\d+)", process.said))
        port = int(begun[1])
        await until(lambda: listens(port))
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            cookies=cookies,
            limits=httpx.Limits(max_connections=None),
            timeout=20,
        ) as browser:
            yield Served(directory, process, port, browser)
    finally:
        process.kill()


async def answered(browser: httpx.AsyncClient, path: str) -> tuple[httpx.Response, float]:
    """The answer, of a stream no more than its headers; and after how many seconds it came."""
    begun = monotonic()
    async with browser.stream("GET", path) as response:
        seconds = monotonic() - begun
        if response.headers["Content-Type"] != "text/event-stream":
            await response.aread()
    return response, seconds


async def statuses(browser: httpx.AsyncClient, paths: list[str]) -> dict[str, int]:
    """What each path answers with."""
    return {path: (await answered(browser, path))[0].status_code for path in dict.fromkeys(paths)}


async def test_every_path_answers_in_time_while_the_database_is_frozen(served):
    paths = [*CALLS, *PAGES, "/readyz", "/healthz", *["/sse/positions"] * STREAMS]
    before = await statuses(served.browser, paths)

    with frozen(served.directory):
        answers = await asyncio.gather(*(answered(served.browser, path) for path in paths))
    after = await statuses(served.browser, paths)

    refused = {(response.url.path, response.status_code) for response, _ in answers}
    assert refused == {(path, 200 if path == "/healthz" else 503) for path in paths}
    assert max(seconds for _, seconds in answers) < ANSWERED_WITHIN_SECONDS
    for response, _ in answers:
        path = response.url.path
        if path.startswith(("/api/", "/sse/")):
            assert response.json()["error"]["code"] == "database_unavailable"
        if path in PAGES:
            assert "The database cannot be reached" in response.text
        if path not in ("/readyz", "/healthz"):
            assert response.headers["Retry-After"] == "2"
    assert before == after == dict.fromkeys(paths, 200) | {"/readyz": 503}  # there is no worker


async def test_told_to_stop_while_the_database_is_frozen_the_server_ends_in_time(served):
    await answered(served.browser, "/sse/positions")

    with frozen(served.directory):
        hanging = asyncio.ensure_future(answered(served.browser, "/"))
        await asyncio.wait([hanging], timeout=0.2)
        begun = monotonic()
        code = await asyncio.to_thread(served.process.stop)
        seconds = monotonic() - begun

    assert code == 0
    assert seconds < STOPPED_WITHIN_SECONDS
    assert (await hanging)[0].status_code == 503
