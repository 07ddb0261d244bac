"""What tests of every kind share."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
from django.test import TransactionTestCase
from hypothesis import HealthCheck, settings
from whitenoise.middleware import WhiteNoiseMiddleware

from kalshi.environments import Environment
from postgres import patience
from sandbox import keys
from sandbox.keys import Credentials
from sandbox.server import Sandbox, running_exchange
from tests import waiting
from tests.emptying import empty_database
from tests.hanging import pytest_configure, pytest_runtest_protocol, pytest_runtest_teardown
from tests.processes import Process, environment_of_the_test
from tests.scheduling import pytest_xdist_make_scheduler

__all__ = [
    "pytest_configure",
    "pytest_runtest_protocol",
    "pytest_runtest_teardown",
    "pytest_xdist_make_scheduler",
]

# A test whose question is never answered fails, and its process goes on: shorter than a test's own
# time, and long enough for the tables that a busy machine makes.
patience.adopt(replace(patience.COMMAND, answer=120))

# Of all tests of a process.
LOOP = pytest.StashKey[asyncio.AbstractEventLoop]()

# httpcore looks for it in every folder of the path, three times a request, and finds none.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]

# What is quick enough is asked of the product's work, never of the machine's clock.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of many short tests last: else one long file keeps all others waiting for the end."""
    items.sort(key=lambda item: "unit" in item.path.parts)


@pytest.fixture(scope="session", autouse=True)
async def no_loop_is_current_outside_a_running_one(request: pytest.FixtureRequest) -> None:
    """As every `asyncio.run` leaves it: what needs a current loop fails in any order of tests."""
    asyncio.set_event_loop(None)
    request.session.stash[LOOP] = asyncio.get_running_loop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that waited for too long tells what each task waits for."""
    report = yield
    loop = item.session.stash.get(LOOP, None)
    if loop and report.failed and "Timeout" in report.longreprtext:
        report.sections.append(("what waits", waiting.what_waits(loop)))
    return report


@pytest.fixture(scope="session", autouse=True)
def static_files_are_found_once() -> Iterator[None]:
    """Every client has middleware of its own, which would look at a thousand files each time."""
    found: dict[tuple[object, ...], dict[str, object]] = {}
    look = WhiteNoiseMiddleware.update_files_dictionary

    def look_once(self: WhiteNoiseMiddleware, root: str, prefix: str) -> None:
        key = (root, prefix, self.max_age)
        if key not in found:
            look(self, root, prefix)
            found[key] = self.files
        self.files = {**self.files, **found[key]}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "update_files_dictionary", look_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def database_is_emptied_in_no_time() -> Iterator[None]:
    """After tests whose rows are committed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda self: empty_database())
        yield


@pytest.fixture(autouse=True)
def patience_of_the_tests(monkeypatch) -> None:
    """
    A command that is called in this process must not leave the later tests its own patience.

    Nor is anybody told to come again because a busy machine took its time: what the product says
    after so many seconds is asked where they are set.
    """
    monkeypatch.setattr(patience, "_of_process", patience.current())
    monkeypatch.setattr("streaming.web.admission.ANSWER_SECONDS", 60.0)
    monkeypatch.setattr("streaming.web.edge.TURN_SECONDS", 60.0)


@pytest.fixture(scope="session")
def credentials() -> Credentials:
    """The key of every exchange of the tests: to make one takes longer than most of them."""
    return keys.new_rsa()


@pytest.fixture
async def sandbox(credentials: Credentials) -> AsyncIterator[Sandbox]:
    """An exchange of ten still positions, which move only when a test moves them."""
    async with running_exchange(positions=10, credentials=credentials) as exchange:
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
