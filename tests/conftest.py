"""What tests of every kind share."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack

import pytest

from kalshi.environments import Environment
from postgres import patience
from sandbox.server import Sandbox, running_exchange
from tests.processes import Process, environment_of_the_test


@pytest.fixture(scope="session", autouse=True)
async def no_loop_is_current_outside_a_running_one() -> None:
    """As every `asyncio.run` leaves it: what needs a current loop fails in any order of tests."""
    asyncio.set_event_loop(None)


@pytest.fixture(autouse=True)
def patience_of_the_tests(monkeypatch) -> None:
    """A command that is called in this process must not leave the later tests its own patience."""
    monkeypatch.setattr(patience, "_of_process", patience.current())


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """An exchange of ten still positions, which move only when a test moves them."""
    async with running_exchange(positions=10, updates_per_minute=0) as exchange:
        yield exchange


@pytest.fixture
def sandbox_environment(sandbox: Sandbox, settings) -> Environment:
    """The sandbox as one of the environments to sign in to."""
    environment = Environment("sandbox", sandbox.api_base, sandbox.ws_url)
    settings.KALSHI_ENVIRONMENTS = {"sandbox": environment}
    return environment


@pytest.fixture
def start_process(
    transactional_db, sandbox_environment, tmp_path_factory
) -> Iterator[Callable[..., Process]]:
    """Start management commands on the test's database and sandbox; they are killed at the end."""
    with ExitStack() as processes:

        def start(*arguments: str, **environment: str) -> Process:
            process = Process(
                *arguments,
                log=tmp_path_factory.mktemp("process") / "log",
                environment=environment_of_the_test() | environment,
            )
            processes.callback(process.kill)
            return process

        yield start
