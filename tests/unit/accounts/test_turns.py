import asyncio
import gc
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from accounts.errors import Busy, DatabaseAway
from accounts.turns import Turns

# What is waited for comes at once or never.
TIMEOUT_SECONDS = 20


@pytest.fixture
def turns() -> Turns:
    return Turns(at_once=2, waiting=1, wait_seconds=TIMEOUT_SECONDS)


async def begun(work: Coroutine) -> asyncio.Task:
    """The work as a task that has come as far as it can."""
    task = asyncio.create_task(work)
    await asyncio.sleep(0)
    return task


async def hold(turns: Turns, until: asyncio.Event) -> None:
    async with turns.turn_async():
        await until.wait()


# In threads


def test_who_finds_the_queue_full_is_told_at_once_that_the_server_is_busy():
    turns = Turns(at_once=2, waiting=0, wait_seconds=TIMEOUT_SECONDS)

    with turns.turn(), turns.turn(), pytest.raises(Busy) as caught, turns.turn():
        pass

    assert (caught.value.status, caught.value.code) == (503, "busy")
    assert caught.value.headers == {"Retry-After": "5"}


def test_turn_that_does_not_come_in_time_is_told_as_busy():
    impatient = Turns(at_once=1, waiting=1, wait_seconds=0.01)

    with impatient.turn():
        # The second shows that the first has left the queue.
        for _ in range(2):
            with pytest.raises(Busy, match="more to do"), impatient.turn():
                pass

    with impatient.turn():
        pass


def test_turn_is_free_again_after_an_error():
    turns = Turns(at_once=1, waiting=0, wait_seconds=TIMEOUT_SECONDS)

    with pytest.raises(ValueError, match="inside"), turns.turn():
        raise ValueError("inside")

    with turns.turn():
        pass


def test_as_many_turns_are_free_after_a_rush_as_before():
    turns = Turns(at_once=2, waiting=4, wait_seconds=0.001)

    def rush(_) -> None:
        with suppress(Busy), turns.turn():
            sum(range(50_000))

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(rush, range(500)))

    with turns.turn(), turns.turn(), pytest.raises(Busy), turns.turn():
        pass


# In tasks


async def test_turn_that_ends_is_passed_to_the_first_who_waits(turns):
    may_end = asyncio.Event()
    holders = [await begun(hold(turns, may_end)) for _ in range(2)]
    waiting = await begun(hold(turns, may_end))

    with pytest.raises(Busy):
        await hold(turns, may_end)
    holders[0].cancel()
    await asyncio.wait(holders[:1])
    behind = await begun(hold(turns, may_end))
    may_end.set()

    await asyncio.gather(holders[1], waiting, behind)


async def test_cancelled_task_gives_up_its_place_in_the_queue(turns):
    may_end = asyncio.Event()
    holders = [await begun(hold(turns, may_end)) for _ in range(2)]
    waiting = await begun(hold(turns, may_end))

    waiting.cancel()
    await asyncio.wait([waiting])

    behind = await begun(hold(turns, may_end))
    too_many = await begun(hold(turns, may_end))
    may_end.set()
    await asyncio.gather(*holders, behind)
    assert isinstance(too_many.exception(), Busy)


async def test_task_whose_turn_does_not_come_in_time_is_told_as_busy():
    impatient = Turns(at_once=1, waiting=1, wait_seconds=0.01)

    with impatient.turn(), pytest.raises(Busy):
        await hold(impatient, asyncio.Event())

    with impatient.turn():
        pass


async def test_who_waits_is_told_when_a_turn_would_be_of_no_use(turns):
    may_end = asyncio.Event()
    holders = [await begun(hold(turns, may_end)) for _ in range(2)]
    waiting = await begun(hold(turns, may_end))

    turns.refuse_waiting(DatabaseAway)

    with pytest.raises(DatabaseAway):
        await waiting
    behind = await begun(hold(turns, may_end))
    too_many = await begun(hold(turns, may_end))
    may_end.set()
    await asyncio.gather(*holders, behind)
    assert isinstance(too_many.exception(), Busy)
    # Neither more turns than before nor fewer.
    may_end.clear()
    again = [await begun(hold(turns, may_end)) for _ in range(4)]
    await asyncio.wait(again[3:])
    may_end.set()
    await asyncio.gather(*again[:3])
    assert isinstance(again[3].exception(), Busy)


async def test_turn_of_a_thread_is_passed_to_a_task(turns):
    may_end = asyncio.Event()
    may_end.set()

    with turns.turn(), turns.turn():
        waiting = await begun(hold(turns, may_end))

    async with asyncio.timeout(TIMEOUT_SECONDS):
        await waiting


# In a thread for a task


async def test_function_runs_in_a_thread_and_answers_the_task(turns):
    assert await turns.in_thread(threading.get_ident) != threading.get_ident()


async def test_error_of_a_function_is_the_tasks(turns):
    def fail():
        raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        await turns.in_thread(fail)


async def test_cancelled_task_keeps_its_turn_until_the_thread_has_ended(caplog):
    turns = Turns(at_once=1, waiting=0, wait_seconds=TIMEOUT_SECONDS)
    began, may_end = threading.Event(), threading.Event()

    def work():
        began.set()
        may_end.wait(TIMEOUT_SECONDS)
        raise ValueError("nobody listens")

    task = await begun(turns.in_thread(work))
    await asyncio.to_thread(began.wait, TIMEOUT_SECONDS)

    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(Busy):
        await turns.in_thread(work)
    may_end.set()
    await asyncio.wait([task])
    was_cancelled = task.cancelled()
    # What it never told is complained about only now.
    del task
    gc.collect()

    assert was_cancelled
    assert await turns.in_thread(lambda: "free") == "free"
    assert not caplog.records
