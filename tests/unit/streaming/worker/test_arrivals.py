"""The past is read when all that were taken over together are live, or have had their time."""

import asyncio

from streaming.worker import arrivals as module
from streaming.worker.arrivals import Arrivals
from tests.waiting import PATIENCE_SECONDS, until


async def test_who_arrives_alone_waits_for_nobody():
    arrival = Arrivals().begin()

    async with asyncio.timeout(PATIENCE_SECONDS):
        await arrival.others()


async def test_the_first_wait_for_the_last():
    arrivals = Arrivals()
    first, second, last = (arrivals.begin() for _ in range(3))
    waiting = [asyncio.create_task(each.others()) for each in (first, second)]
    await asyncio.sleep(0)

    assert [task.done() for task in waiting] == [False, False]

    last.end()
    last.end()
    await asyncio.wait_for(asyncio.gather(*waiting), PATIENCE_SECONDS)


async def test_one_that_does_not_arrive_keeps_nobody_for_long(monkeypatch):
    monkeypatch.setattr(module, "LONGEST_SECONDS", 0.05)
    arrivals = Arrivals()
    arrival, _ = arrivals.begin(), arrivals.begin()

    await asyncio.wait_for(arrival.others(), PATIENCE_SECONDS)


async def test_those_that_come_later_are_waited_for_too():
    arrivals = Arrivals()
    early = arrivals.begin()
    early.end()
    late = arrivals.begin()
    waiting = asyncio.create_task(early.others())
    await asyncio.sleep(0)
    assert not waiting.done()

    late.end()

    await until(waiting.done)
