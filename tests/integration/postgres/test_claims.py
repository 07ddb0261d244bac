"""Claims are exclusive, and free as soon as their holder is gone or frozen."""

import asyncio
import os
import signal
from contextlib import contextmanager
from time import sleep

import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connection

from postgres import claims
from postgres.claims import CLAIMS_NAMESPACE, open_claims
from postgres.connections import own_connection

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("orm_thread")]

# What is waited for comes within seconds or never.
TIMEOUT_SECONDS = 30


@pytest.fixture
async def first():
    async with open_claims() as first_worker:
        yield first_worker


@pytest.fixture
async def second():
    async with open_claims() as second_worker:
        yield second_worker


@sync_to_async
def holder_pid(account_id):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND classid = %s AND objid = %s",
            [CLAIMS_NAMESPACE, account_id],
        )
        return cursor.fetchone()[0]


@sync_to_async
def terminate(pid):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


async def wait_until_free(account_id):
    """Wait in the server for an account's lock, and let go of it."""
    lock = [CLAIMS_NAMESPACE, account_id]
    async with own_connection() as waiting:
        await waiting.execute("SELECT pg_advisory_lock(%s, %s)", lock)
        await waiting.execute("SELECT pg_advisory_unlock(%s, %s)", lock)


async def test_account_is_claimed_by_one_worker_only(first, second):
    assert await first.acquire(1)

    assert not await second.acquire(1)
    assert await second.acquire(2)


async def test_released_claim_is_free(first, second):
    await first.acquire(1)

    await first.release(1)

    assert await second.acquire(1)


async def test_leaving_gives_all_claims_up(second):
    async with open_claims() as leaving:
        await leaving.acquire(1)

    async with asyncio.timeout(TIMEOUT_SECONDS):
        await wait_until_free(1)
    assert await second.acquire(1)


async def test_claims_are_free_at_once_when_the_holders_session_ends(first, second):
    await first.acquire(1)
    await first.acquire(2)

    await terminate(await holder_pid(1))

    assert await second.acquire(1)
    assert await second.acquire(2)


async def test_loss_is_final_whoever_notices_it(first):
    await first.acquire(1)
    await terminate(await holder_pid(1))

    with pytest.raises(psycopg.OperationalError):
        await first.acquire(2)

    with pytest.raises(psycopg.OperationalError):
        await first.keep_alive()


async def test_loss_leaves_the_context_as_the_error_that_the_orm_would_raise():
    async def lose() -> None:
        async with open_claims() as lost:
            await lost.acquire(1)
            await terminate(await holder_pid(1))
            await lost.keep_alive()

    with pytest.raises(OperationalError):
        await lose()


async def test_holder_that_shows_no_life_loses_its_claims(first):
    await first.acquire(1)

    # A frozen process sends nothing, and neither does this one while it waits.
    async with asyncio.timeout(TIMEOUT_SECONDS):
        await wait_until_free(1)

    with pytest.raises(psycopg.OperationalError):
        await first.keep_alive()


async def test_server_that_does_not_answer_counts_as_lost(first, monkeypatch):
    await first.acquire(1)
    pid = await holder_pid(1)
    monkeypatch.setattr(claims, "ANSWER_TIMEOUT_SECONDS", 0.1)

    os.kill(pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            with pytest.raises(psycopg.OperationalError):
                await first.keep_alive()
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_cancelled_acquire_leaves_no_lock_behind_its_context(second):
    async with open_claims() as cancelled:
        acquiring = asyncio.ensure_future(cancelled.acquire(1))
        await asyncio.sleep(0)
        acquiring.cancel()
        await asyncio.wait({acquiring})

    async with asyncio.timeout(TIMEOUT_SECONDS):
        await wait_until_free(1)
    assert acquiring.cancelled()
    assert await second.acquire(1)


async def test_many_tasks_may_claim_at_once(first):
    outcomes = await asyncio.gather(*(first.acquire(number) for number in range(20)))

    assert all(outcomes)


async def test_time_limit_of_an_answer_does_not_run_while_others_are_answered(first, monkeypatch):
    running, most = 0, 0

    @contextmanager
    def counted(seconds, connection):
        nonlocal running, most
        running += 1
        most = max(most, running)
        yield
        running -= 1

    monkeypatch.setattr(claims, "hung_up_after", counted)

    await asyncio.gather(*(first.acquire(number) for number in range(20)))

    assert (running, most) == (0, 1)


async def test_answer_that_came_while_this_process_stood_still_counts(
    first, monkeypatch, own_connection
):
    monkeypatch.setattr(claims, "ANSWER_TIMEOUT_SECONDS", 0.2)
    asking = asyncio.ensure_future(first.acquire(1))
    await asyncio.sleep(0)

    # Nothing else runs in this loop until it is answered, its timers least of all.
    answered = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND granted"
    while not own_connection.execute(answered, [CLAIMS_NAMESPACE]).rowcount:
        pass
    sleep(0.3)  # noqa: ASYNC251  # it is what stands still

    assert await asking
    monkeypatch.undo()
    await first.keep_alive()
