"""A server that is frozen, in the way or full is given up in time; a patient client still waits."""

import asyncio
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import psycopg
import pytest
from django.db import ConnectionHandler, InterfaceError, OperationalError, transaction
from django.db import connection as django_connection
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.conninfo import make_conninfo

from postgres import connections as own
from postgres import embedded, patience
from postgres.connections import PatientConnection, has_been_silent, own_connection
from postgres.patience import COMMAND, LISTEN, WEB, WORKER, Patience
from postgres.threads import DatabaseThreads
from tests.frozen import frozen
from tests.integration.postgres.conftest import wait_for_lock
from tests.waiting import until

SHORT = Patience(connect=2.0, answer=1.0)
# A busy machine takes its time, and a frozen server answers nothing before it is let go on.
SOON_SECONDS = 15


@pytest.fixture(scope="module")
def server() -> Iterator[Path]:
    """The directory of a server that only these tests use."""
    base = Path(tempfile.mkdtemp(prefix="kalshi-live-test-", dir="/tmp"))
    base.chmod(0o711)
    embedded.ensure_running(base / "postgres")
    yield base / "postgres"
    embedded._release(base / "postgres")
    wait_for_lock(base / "postgres" / "guardian")
    shutil.rmtree(base)


@pytest.fixture
def database(server, django_db_blocker) -> Iterator[BaseDatabaseWrapper]:
    """Django's connection to it, not connected yet."""
    entry = embedded.database(server) | {"CONN_MAX_AGE": 0}
    with django_db_blocker.unblock():
        connection = ConnectionHandler({"default": entry})["default"]
        yield connection
        connection.close()


@pytest.fixture(autouse=True)
def given_back() -> Iterator[None]:
    yield
    patience.adopt_in_thread(None)


@pytest.fixture
def default_database(server, monkeypatch, django_db_blocker) -> Iterator[None]:
    """It is what Django's default connection leads to."""
    for key, value in embedded.database(server).items():
        monkeypatch.setitem(django_connection.settings_dict, key, value)
    with django_db_blocker.unblock():
        yield


@contextmanager
def within(seconds: float) -> Iterator[None]:
    begun = monotonic()
    yield
    assert monotonic() - begun < seconds


def shown(connection, name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        return cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("role", "statement", "lock", "idle"),
    [
        pytest.param(WEB, "1800ms", "1s", "2s", id="web"),
        pytest.param(WORKER, "2500ms", "1s", "2s", id="worker"),
        pytest.param(LISTEN, "0", "0", "2s", id="listen"),
        pytest.param(COMMAND, "0", "1min", "10min", id="command"),
    ],
)
def test_server_is_told_its_part(database, role, statement, lock, idle):
    patience.adopt_in_thread(role)

    assert shown(database, "statement_timeout") == statement
    assert shown(database, "lock_timeout") == lock
    assert shown(database, "idle_in_transaction_session_timeout") == idle


def test_options_of_the_settings_are_kept_and_win(database):
    database.settings_dict["OPTIONS"]["options"] = "-c work_mem=7MB -c lock_timeout=700"
    patience.adopt_in_thread(WEB)

    assert shown(database, "work_mem") == "7MB"
    assert shown(database, "lock_timeout") == "700ms"
    assert shown(database, "statement_timeout") == "1800ms"


def test_frozen_server_is_hung_up_on_and_its_transaction_left_in_order(
    server, database, monkeypatch
):
    monkeypatch.setattr("django.db.transaction.get_connection", lambda using=None: database)
    patience.adopt_in_thread(SHORT)
    first = shown(database, "statement_timeout")

    with frozen(server):
        with (
            within(SOON_SECONDS),
            pytest.raises(OperationalError, match=r"did not answer within 1\.0 seconds"),
            transaction.atomic(),
            transaction.atomic(),
        ):
            shown(database, "statement_timeout")
        with within(SOON_SECONDS):
            database.close()

    assert shown(database, "statement_timeout") == first


def test_frozen_server_is_left_at_the_commit_too(server, database):
    patience.adopt_in_thread(SHORT)
    database.set_autocommit(False)
    shown(database, "statement_timeout")

    with frozen(server), within(SOON_SECONDS):
        with pytest.raises(OperationalError):
            database.commit()
        with pytest.raises((OperationalError, InterfaceError)):
            database.rollback()


def test_connecting_to_a_frozen_server_is_given_up(server, database):
    patience.adopt_in_thread(SHORT)

    with (
        frozen(server),
        within(SOON_SECONDS),
        pytest.raises(OperationalError, match="did not accept the connection in time"),
    ):
        database.ensure_connection()


def test_all_addresses_of_a_silent_server_share_one_time_limit():
    begun = monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent, within(SOON_SECONDS):
        _, port = silent.getsockname()
        addresses = {"hostaddr": "127.0.0.1,127.0.0.1,127.0.0.1", "port": f"{port},{port},{port}"}

        with pytest.raises(psycopg.OperationalError, match="did not accept the connection in time"):
            PatientConnection.opened(**addresses, user="ada", deadline=monotonic() + 0.3)

    assert has_been_silent(since=begun)
    assert not has_been_silent(since=monotonic())


def test_name_that_nobody_looks_up_is_waited_for_as_briefly(monkeypatch):
    answered, asked = threading.Event(), []

    def answer_late(*name: str, **options: int) -> list[tuple]:
        asked.append(name)
        answered.wait(SOON_SECONDS)
        raise socket.gaierror("Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", answer_late)
    begun = monotonic()
    with within(SOON_SECONDS):
        for _ in range(2):
            with pytest.raises(psycopg.OperationalError, match="did not accept"):
                PatientConnection.opened(host="database.example", deadline=monotonic() + 0.2)

        assert has_been_silent(since=begun)
        # One thread waits, however many want to know.
        assert asked == [("database.example", "5432")]
        answered.set()
        with pytest.raises(psycopg.OperationalError, match=r"'database.example' is not known"):
            PatientConnection.opened(host="database.example", deadline=begun + SOON_SECONDS)


def test_lookup_that_could_not_begin_is_begun_by_the_next(monkeypatch):
    def fail(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    soon = monotonic() + SOON_SECONDS
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", fail)
        with pytest.raises(psycopg.OperationalError, match="can't start new thread"):
            PatientConnection.opened(host="localhost", port=1, deadline=soon)

    # Nobody listens there.
    with within(SOON_SECONDS), pytest.raises(psycopg.OperationalError, match="refused"):
        PatientConnection.opened(host="localhost", port=1, deadline=soon)


def test_each_address_of_a_name_is_tried(monkeypatch):
    def two(*name: str, **options: int) -> list[tuple]:
        return [(0, 0, 0, "", (address, 0)) for address in ("127.0.0.1", "127.0.0.2", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", two)
    with (
        within(SOON_SECONDS),
        pytest.raises(psycopg.OperationalError, match=r"(?s)127\.0\.0\.1.*127\.0\.0\.2"),
    ):
        # Nobody listens there.
        PatientConnection.opened(
            host="database.example", port=1, deadline=monotonic() + SOON_SECONDS
        )


def test_command_waits_until_a_frozen_server_goes_on(server, database):
    patience.adopt_in_thread(COMMAND)
    database.ensure_connection()
    answers = []

    def ask() -> None:
        answers.append(database.connection.execute("SELECT 1").fetchone())

    asking = threading.Thread(target=ask)

    with frozen(server):
        asking.start()
        asking.join(2.5)
        assert asking.is_alive()
    asking.join(30)

    assert answers == [(1,)]


@pytest.mark.usefixtures("default_database")
class TestOwnConnection:
    async def test_connecting_to_a_frozen_server_is_given_up(self, server, monkeypatch):
        monkeypatch.setattr(own, "LISTEN_CONNECT_SECONDS", 0.5)

        with (
            frozen(server),
            within(SOON_SECONDS),
            pytest.raises(OperationalError, match="did not accept the connection in time"),
        ):
            async with own_connection():
                pass

    async def test_cancelled_question_does_not_wait_for_a_frozen_server(self, server):
        async with own_connection() as connection:
            with frozen(server), within(SOON_SECONDS):
                question = asyncio.ensure_future(connection.execute("SELECT 1"))
                await asyncio.wait([question], timeout=0.2)

                question.cancel()
                await asyncio.wait([question])

            assert question.cancelled()
            assert connection.closed

    async def test_threads_of_a_frozen_server_are_closed_in_time(self, server):
        threads = DatabaseThreads(2, SHORT)
        await threads.run(shown, django_connection, "lock_timeout")

        with frozen(server), within(SOON_SECONDS):
            looks = [
                asyncio.ensure_future(threads.run(shown, django_connection, "lock_timeout"))
                for _ in range(10)
            ]
            await asyncio.sleep(0)
            await threads.close()
            outcomes = await asyncio.gather(*looks, return_exceptions=True)

        assert {type(outcome) for outcome in outcomes} <= {OperationalError, InterfaceError}


def test_server_without_a_free_connection_is_named_as_the_reason(server, database, caplog):
    as_superuser = embedded.conninfo(server) | {"user": "postgres", "dbname": "postgres"}
    with psycopg.connect(make_conninfo(**as_superuser), autocommit=True) as superuser:
        superuser.execute("ALTER ROLE kalshi_live CONNECTION LIMIT 0")
        try:
            with pytest.raises(OperationalError):
                database.ensure_connection()
        finally:
            superuser.execute("ALTER ROLE kalshi_live CONNECTION LIMIT -1")

    assert "The database server is out of connections" in caplog.text


class TestStart:
    def test_start_by_another_process_is_not_waited_for_to_its_end(self, server):
        with (
            embedded._locked(server / "lock"),
            within(SOON_SECONDS),
            pytest.raises(embedded.EmbeddedServerError, match="is starting"),
        ):
            embedded.ensure_running(server, deadline=monotonic() + 0.2)

    async def test_own_start_goes_on_behind_who_cannot_wait_for_it(self, directory):
        with within(SOON_SECONDS), pytest.raises(embedded.EmbeddedServerError, match="is starting"):
            embedded.ensure_running(directory, deadline=monotonic() + 0.05)

        def is_running() -> bool:
            try:
                embedded.ensure_running(directory, deadline=monotonic() + 1)
            except embedded.EmbeddedServerError:
                return False
            return True

        await until(is_running)
