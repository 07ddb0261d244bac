"""Past a pooler goes whoever needs a session of their own; all others go through it."""

from collections.abc import Iterator

import pytest
from django.db import ConnectionHandler
from django.db import connection as django_connection
from django.db.backends.base.base import BaseDatabaseWrapper

from postgres import patience
from postgres.claims import open_claims
from postgres.connections import own_connection
from postgres.patience import COMMAND, WEB, WORKER

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("orm_thread")]

POOLED, DIRECT = "through the pooler", "past the pooler"


@pytest.fixture
def entry() -> dict:
    """The test's own database by two ways, told apart by what each calls itself."""
    entry = {**django_connection.settings_dict}
    entry["OPTIONS"] = {**entry["OPTIONS"], "application_name": POOLED}
    direct = {key: entry[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
    entry["DIRECT"] = direct | {"OPTIONS": {**entry["OPTIONS"], "application_name": DIRECT}}
    return entry


@pytest.fixture
def database(entry) -> Iterator[BaseDatabaseWrapper]:
    """A connection to it, not opened yet."""
    connection = ConnectionHandler({"default": entry})["default"]
    yield connection
    connection.close()
    patience.adopt_in_thread(None)


@pytest.fixture
def default_database(entry, monkeypatch) -> None:
    """It is what Django's default connection leads to."""
    for key, value in entry.items():
        monkeypatch.setitem(django_connection.settings_dict, key, value)


def shown(connection: BaseDatabaseWrapper, name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        return cursor.fetchone()[0]


@pytest.mark.parametrize("role", [WEB, WORKER], ids=["web", "worker"])
def test_requests_and_writes_go_through_the_pooler(database, role):
    patience.adopt_in_thread(role)

    assert shown(database, "application_name") == POOLED
    # A pooler refuses who brings limits of their own; its sessions have what it gave them.
    assert shown(database, "statement_timeout") == "0"


def test_commands_go_past_it_with_their_own_limits(database):
    patience.adopt_in_thread(COMMAND)

    assert shown(database, "application_name") == DIRECT
    assert shown(database, "lock_timeout") == "1min"


def test_options_of_the_poolers_address_are_kept(database, entry):
    entry["OPTIONS"]["options"] = "-c work_mem=7MB"
    patience.adopt_in_thread(WEB)

    assert shown(database, "work_mem") == "7MB"


@pytest.mark.usefixtures("default_database")
class TestSessionsOfOnesOwn:
    async def test_who_listens_goes_past_it(self):
        async with own_connection() as connection:
            cursor = await connection.execute("SHOW application_name")

            assert await cursor.fetchone() == (DIRECT,)

    async def test_who_claims_goes_past_it(self):
        async with open_claims() as claims, own_connection() as looking:
            assert await claims.acquire(1)

            cursor = await looking.execute(
                "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)"
                " WHERE locktype = 'advisory' AND objid = 1"
            )
            assert await cursor.fetchall() == [(DIRECT,)]
