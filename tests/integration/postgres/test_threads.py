"""A database thread keeps its connection, and finds a new one when that is lost."""

import asyncio

import pytest
from django.db import IntegrityError, OperationalError, connection

from postgres.threads import DatabaseThread

pytestmark = pytest.mark.django_db(transaction=True)

COUNT_SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"


@pytest.fixture
async def thread():
    database_thread = DatabaseThread()
    yield database_thread
    await database_thread.close()


def fetch(statement, *, parameters=()):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchone()[0]


async def test_arguments_reach_the_function_and_its_result_comes_back(thread):
    result = await thread.run(fetch, "SELECT %s::int + 1", parameters=[41])

    assert result == 42


async def test_connection_outlives_the_call(thread):
    first = await thread.run(fetch, "SELECT pg_backend_pid()")

    second = await thread.run(fetch, "SELECT pg_backend_pid()")

    assert second == first


async def test_errors_of_the_function_are_raised(thread):
    def refuse():
        raise IntegrityError("no")

    with pytest.raises(IntegrityError, match="no"):
        await thread.run(refuse)


async def test_lost_connection_is_replaced_for_the_next_call(thread):
    pid = await thread.run(fetch, "SELECT pg_backend_pid()")

    with pytest.raises(OperationalError):
        await thread.run(fetch, "SELECT pg_terminate_backend(pg_backend_pid())")

    assert await thread.run(fetch, "SELECT pg_backend_pid()") != pid


async def test_closing_ends_the_session_and_the_thread(thread):
    closing = DatabaseThread()
    pid = await closing.run(fetch, "SELECT pg_backend_pid()")

    await closing.close()

    async with asyncio.timeout(10):
        while await thread.run(fetch, COUNT_SESSIONS, parameters=[pid]):
            pass
    with pytest.raises(RuntimeError, match="shutdown"):
        await closing.run(fetch, "SELECT 1")
