"""`manage.py start` with an embedded server of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from streaming.web.server import listening_socket
from tests.integration.postgres.conftest import base, wait_for_lock
from tests.processes import MANAGE, listens

__all__ = ["base"]  # a fixture: pytest finds it by its name


@pytest.fixture
def port() -> int:
    with listening_socket("127.0.0.1", 0) as listener:
        return listener.getsockname()[1]


@pytest.fixture
def launcher(base, port) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, str(MANAGE), "start", "--port", str(port)],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": "",
            "POSTGRES_DIR": str(base / "postgres"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as launcher:
        yield launcher
        launcher.kill()
    wait_for_lock(base / "postgres" / "guardian")


async def test_nothing_is_left_when_it_is_killed(launcher, port, base):
    greeting = next(line for line in launcher.stdout if line.startswith("Open"))
    listened = await listens(port)

    launcher.kill()
    # Worker and web server are attached to the database until they end, and it ends after them.
    wait_for_lock(base / "postgres" / "attached")
    wait_for_lock(base / "postgres" / "log")

    assert f"http://127.0.0.1:{port} " in greeting
    assert listened
    assert not await listens(port)
    assert not (base / "postgres" / "data" / "postmaster.pid").exists()
