"""Database threads keep their connections, replace lost ones, and leave nothing under way."""

import asyncio
import threading

import pytest
from django.db import IntegrityError, InterfaceError, OperationalError, connection

from postgres import threads
from postgres.patience import Patience
from postgres.threads import DatabaseThread, DatabaseThreads

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


async def test_function_that_stops_an_iteration_fails(thread):
    with pytest.raises(RuntimeError, match="StopIteration") as failure:
        async with asyncio.timeout(5):
            await thread.run(lambda: next(iter(())))

    assert isinstance(failure.value.__cause__, StopIteration)


async def test_connection_that_cannot_even_be_closed_is_replaced(thread, caplog):
    def fail():
        connection.ensure_connection()
        close = connection.connection.close

        def close_and_fail():
            close()
            raise ValueError("not even that")

        connection.connection.close = close_and_fail
        raise OperationalError("lost")

    with pytest.raises(OperationalError, match="lost"):
        async with asyncio.timeout(5):
            await thread.run(fail)

    assert await thread.run(fetch, "SELECT 1") == 1
    assert "connection not closed" in caplog.messages


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
    with pytest.raises(RuntimeError, match="closed"):
        await closing.run(fetch, "SELECT 1")


async def test_calls_of_several_threads_run_at_once():
    pair = DatabaseThreads(2)
    both = threading.Barrier(2)

    await asyncio.gather(pair.run(both.wait, 10), pair.run(both.wait, 10))

    await pair.close()


async def test_threads_are_started_when_needed_only():
    before = threading.active_count()
    pool = DatabaseThreads(10)

    for _ in range(20):
        await pool.run(fetch, "SELECT 1")

    assert threading.active_count() == before + 1
    await pool.close()


async def test_each_thread_has_the_patience_of_the_pool():
    hurried = DatabaseThreads(1, Patience(statement=1.5))

    assert await hurried.run(fetch, "SHOW statement_timeout") == "1500ms"

    await hurried.close()


@pytest.fixture
def blocked():
    """A function that runs until it is let go."""
    return Blocked()


class Blocked:
    def __init__(self):
        self.begun = threading.Event()
        self.let_go = threading.Event()
        self.is_over = False

    def __call__(self):
        self.begun.set()
        self.let_go.wait(30)
        self.is_over = True


async def test_cancelled_before_its_turn_a_call_never_runs(thread, blocked):
    running = asyncio.ensure_future(thread.run(blocked))
    called = []
    waiting = asyncio.ensure_future(thread.run(called.append, "called"))
    assert await asyncio.to_thread(blocked.begun.wait, 30)

    waiting.cancel()
    await asyncio.wait([waiting], timeout=5)

    assert waiting.cancelled()
    assert not running.done()
    blocked.let_go.set()
    await running
    assert await thread.run(fetch, "SELECT 1") == 1
    assert called == []


@pytest.mark.parametrize("times", [1, 2, 5])
async def test_cancelled_during_its_call_who_asked_waits_for_its_end(thread, blocked, times):
    running = asyncio.ensure_future(thread.run(blocked))
    assert await asyncio.to_thread(blocked.begun.wait, 30)

    for _ in range(times):
        running.cancel()
        await asyncio.wait([running], timeout=0.02)
        assert not running.done()
    blocked.let_go.set()
    await asyncio.wait([running])

    assert running.cancelled()
    assert blocked.is_over


async def test_failure_of_a_cancelled_call_is_noted(thread, blocked, caplog):
    def fail():
        blocked()
        raise OperationalError("lost")

    running = asyncio.ensure_future(thread.run(fail))
    assert await asyncio.to_thread(blocked.begun.wait, 30)
    running.cancel()
    await asyncio.wait([running], timeout=0.02)

    blocked.let_go.set()
    await asyncio.wait([running])

    assert running.cancelled()
    assert "cancelled call failed" in caplog.text


async def test_closing_waits_for_what_has_begun_and_refuses_the_rest(blocked):
    closing = DatabaseThread()
    running = asyncio.ensure_future(closing.run(blocked))
    waiting = asyncio.ensure_future(closing.run(fetch, "SELECT 1"))
    assert await asyncio.to_thread(blocked.begun.wait, 30)

    end = asyncio.ensure_future(closing.close())
    with pytest.raises(InterfaceError, match="closed"):
        await waiting
    assert not end.done()
    blocked.let_go.set()
    await end

    assert running.done()
    assert blocked.is_over


async def test_closing_does_not_wait_for_ever(blocked, monkeypatch):
    monkeypatch.setattr(threads, "CLOSE_SECONDS", 0.05)
    closing = DatabaseThread()
    running = asyncio.ensure_future(closing.run(blocked))
    assert await asyncio.to_thread(blocked.begun.wait, 30)

    await closing.close()

    assert not running.done()
    blocked.let_go.set()
    await running
