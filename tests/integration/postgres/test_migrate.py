"""`manage.py migrate` as a process, on an embedded server of the test's own."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.conninfo import make_conninfo

from benchmarks.ports import free_port
from postgres import embedded
from postgres.migration_lock import MIGRATION_KEY, only_migration
from tests.integration.postgres.conftest import wait_for_lock
from tests.processes import Process
from tests.waiting import START_SECONDS, until

Start = Callable[..., Process]


def environment(directory: Path) -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": "",
        "POSTGRES_DIR": str(directory),
    }


@pytest.fixture
def start(directory, base) -> Iterator[Start]:
    """Start management commands on the server of `directory`; they are killed at the end."""
    with ExitStack() as processes:

        def start(*arguments: str, name: str = "process") -> Process:
            process = Process(*arguments, log=base / name, environment=environment(directory))
            processes.callback(process.kill)
            return process

        yield start
    wait_for_lock(directory / "guardian")


@contextmanager
def session(directory: Path) -> Iterator[psycopg.Connection]:
    conninfo = make_conninfo(**embedded.conninfo(directory))
    with psycopg.connect(conninfo, autocommit=True) as connection:
        yield connection


def applied(observer: psycopg.Connection) -> int:
    return observer.execute("SELECT count(*) FROM django_migrations").fetchone()[0]


def test_two_first_ones_at_once_both_succeed(start):
    first, second = start("migrate", name="first"), start("migrate", name="second")

    codes = first.exit_code(), second.exit_code()

    assert codes == (0, 0), first.said + second.said
    assert "No migrations to apply" in first.said + second.said


# As django_migrations was left by 850008d and what came before people.
BEFORE_PEOPLE = [
    ("contenttypes", "0001_initial"),
    ("auth", "0001_initial"),
    ("admin", "0001_initial"),
    ("accounts", "0001_initial"),
    ("positions", "0001_initial"),
    ("sessions", "0001_initial"),
]


def test_database_from_before_people_is_told_with_what_to_delete(start, attach, directory):
    attach(directory).postmaster_pid()
    with session(directory) as observer:
        observer.execute(
            "CREATE TABLE django_migrations (id bigserial PRIMARY KEY, app varchar(255),"
            " name varchar(255), applied timestamptz)"
        )
        for app, name in BEFORE_PEOPLE:
            observer.execute(
                "INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, now())",
                [app, name],
            )

        process = start("migrate")
        code = process.exit_code()
        tables = observer.execute("SELECT to_regclass('accounts_user')").fetchone()

    assert code == 1
    [line] = process.said.splitlines()
    assert f"delete the directory {directory}, and start again" in line
    assert tables == (None,)


async def test_waits_while_another_migrates(start, attach, directory):
    attach(directory).postmaster_pid()
    with session(directory) as holder:
        holder.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_KEY])

        waiting = start("migrate")
        await until(lambda: "Another process migrates" in waiting.said, seconds=START_SECONDS)
        tables = holder.execute("SELECT to_regclass('django_migrations')").fetchone()
        transactions = holder.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_xmin IS NOT NULL"
        ).fetchone()

    assert tables == (None,)
    # One that builds an index concurrently would wait for it.
    assert transactions == (0,)
    assert waiting.exit_code() == 0
    with session(directory) as observer:
        assert applied(observer) > 0


def test_gives_the_lock_back(start, attach, directory):
    attach(directory).postmaster_pid()
    assert start("migrate").exit_code() == 0

    with session(directory) as observer:
        held = observer.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert held.fetchone() == (0,)


@pytest.fixture
def migrating(transactional_db) -> Iterator[BaseDatabaseWrapper]:
    """The connection of one who migrates the tests' own database."""
    connection = connections.create_connection(DEFAULT_DB_ALIAS)
    yield connection
    connection.close()


def is_free(own_connection: psycopg.Connection) -> bool:
    asked = own_connection.execute("SELECT pg_try_advisory_lock(%s)", [MIGRATION_KEY])
    return asked.fetchone()[0]


def test_failed_migration_gives_the_lock_back(migrating, own_connection):
    with pytest.raises(ZeroDivisionError), only_migration(migrating, lambda: None):
        1 / 0  # noqa: B018  # what fails does not matter

    assert is_free(own_connection)


def test_lost_connection_is_told_by_its_own_error(migrating, own_connection):
    def lose_it() -> None:
        identity = migrating.connection.info.backend_pid
        own_connection.execute("SELECT pg_terminate_backend(%s, 5000)", [identity])
        migrating.cursor().execute("SELECT 1")

    with (
        pytest.raises(OperationalError, match="terminating connection"),
        only_migration(migrating, lambda: None),
    ):
        lose_it()

    assert is_free(own_connection)


@pytest.mark.parametrize("command", ["migrate", "start"])
def test_database_that_is_away_is_told_without_a_traceback(command, base):
    away = environment(base) | {
        "DATABASE_URL": "postgres://user:hunter2@127.0.0.1:1/name",
        # The usual one may be that of a server of yours.
        "PORT": str(free_port()),
    }
    process = Process(command, log=base / "log", environment=away)

    code = process.exit_code()

    assert code == 1
    assert process.said.startswith("CommandError: The database cannot be reached: ")
    assert "Traceback" not in process.said
    assert "hunter2" not in process.said
