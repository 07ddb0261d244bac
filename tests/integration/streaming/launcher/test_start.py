"""`manage.py start` with an embedded server of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks.ports import free_port
from tests.integration.postgres.conftest import base, wait_for_lock
from tests.processes import MANAGE, Process, listens
from tests.waiting import START_SECONDS, until

__all__ = ["base"]  # a fixture: pytest finds it by its name


def environment(base: Path, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        **more,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": "",
        "POSTGRES_DIR": str(base / "postgres"),
    }


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def launcher(base, port) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, str(MANAGE), "start", "--port", str(port)],
        env=environment(base),
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

    assert f"http://localhost:{port} " in greeting
    assert listened
    assert not await listens(port)
    assert not (base / "postgres" / "data" / "postmaster.pid").exists()


@pytest.fixture
def start(base) -> Iterator[Callable[..., Process]]:
    """Start everything at a port, on one directory for all; it is killed at the end."""
    with ExitStack() as launchers:

        def start(port: int, **more: str) -> Process:
            process = Process(
                *("start", "--port", str(port)),
                log=base / f"log-{port}",
                environment=environment(base, **more),
            )
            launchers.callback(process.kill)
            return process

        yield start
    wait_for_lock(base / "postgres" / "guardian")


async def test_two_first_ones_at_once_both_come_up(start):
    ports = [free_port(), free_port()]

    launchers = [start(port) for port in ports]
    for launcher, port in zip(launchers, ports, strict=True):
        await until(
            lambda launcher=launcher, port=port: f"localhost:{port} " in launcher.said,
            seconds=START_SECONDS,
        )

    assert [await listens(port) for port in ports] == [True, True]
    assert [launcher.stop() for launcher in launchers] == [0, 0]
    assert "Traceback" not in launchers[0].said + launchers[1].said


async def test_greeting_names_where_people_reach_it(start, port):
    launcher = start(port, PUBLIC_ORIGIN="https://kalshi.home.example")

    await until(lambda: "Ctrl-C" in launcher.said, seconds=START_SECONDS)

    assert "Open https://kalshi.home.example " in launcher.said
