import asyncio
from itertools import pairwise

import pytest

from kalshi.pacing import Paced, Pacer
from kalshi.rate_limits import AccountLimits, BucketLimit, EndpointCost, EndpointCosts

MARKETS = "/trade-api/v2/markets"
BALANCE = "/trade-api/v2/portfolio/balance"


class Time:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.now = 1000.0

    async def sleep(self, seconds):
        await asyncio.sleep(0)
        self.now += seconds


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def pacer(time):
    return Pacer(monotonic=lambda: time.now, sleep=time.sleep, jitter=lambda: 1.0)


async def turns(pacer, time, path, count):
    """When each of so many requests, over at once, may go, in seconds from now."""
    start, times = time.now, []
    for _ in range(count):
        await pacer.turn(path)
        times.append(time.now - start)
        pacer.unanswered(path)
    return times


async def test_burst_goes_at_once_and_the_rest_at_the_rate_of_the_lowest_tier(pacer, time):
    times = await turns(pacer, time, MARKETS, 22)

    assert times[:18] == [0.0] * 18
    # 10 tokens at 180 a second
    assert times[18:] == pytest.approx([1 / 18, 2 / 18, 3 / 18, 4 / 18])


async def test_balance_and_the_rest_do_not_wait_for_each_other(pacer, time):
    balance = await turns(pacer, time, BALANCE, 1)
    markets = await turns(pacer, time, MARKETS, 18)
    again = await turns(pacer, time, BALANCE, 1)

    assert balance == [0.0]
    assert markets == [0.0] * 18
    assert again == pytest.approx([1 / 0.9])


async def test_accounts_own_limits_are_kept_once_adopted(pacer, time):
    limit = BucketLimit(refill_rate=1000, capacity=1000)
    await turns(pacer, time, MARKETS, 18)
    pacer.adopt(AccountLimits("expert", limit, limit))

    times = await turns(pacer, time, MARKETS, 2)
    balances = await turns(pacer, time, BALANCE, 3)

    assert times == pytest.approx([10 / 900, 20 / 900])
    assert [b - a for a, b in pairwise(balances)][-1] == pytest.approx(1 / 4.5)


async def test_costs_are_kept_once_adopted(pacer, time):
    pacer.adopt_costs(EndpointCosts(10, (EndpointCost("GET", MARKETS, 90),)))

    times = await turns(pacer, time, MARKETS, 3)

    assert times == pytest.approx([0.0, 0.0, 0.5])


async def test_callers_are_served_in_the_order_they_came(pacer, time):
    await turns(pacer, time, MARKETS, 18)
    served = []

    async def call(name):
        await pacer.turn(MARKETS)
        served.append(name)

    async with asyncio.TaskGroup() as group:
        for name in range(10):
            group.create_task(call(name))

    assert served == list(range(10))


async def test_caller_that_gives_up_costs_the_others_nothing(pacer, time):
    await turns(pacer, time, MARKETS, 18)
    start = time.now
    given_up = [asyncio.create_task(pacer.turn(MARKETS)) for _ in range(5)]
    last = asyncio.create_task(pacer.turn(MARKETS))
    for task in given_up[1:]:
        task.cancel()

    await last

    assert time.now - start == pytest.approx(2 / 18)


async def test_refusal_holds_everyone_longer_each_time(pacer, time):
    pacer.answered(MARKETS, 429)
    first = await turns(pacer, time, MARKETS, 1)
    pacer.answered(MARKETS, 429)
    second = await turns(pacer, time, MARKETS, 1)

    assert first == pytest.approx([0.1 + 1 / 18])
    assert second == pytest.approx([0.2 + 1 / 18])


async def test_balance_is_counted_from_its_answer_on(pacer, time):
    await pacer.turn(BALANCE)
    time.now += 0.8

    pacer.answered(BALANCE, 200)

    assert await turns(pacer, time, BALANCE, 1) == pytest.approx([1 / 0.9])


@pytest.mark.parametrize("is_answered", [True, False])
async def test_next_balance_waits_until_the_last_is_known_to_have_arrived(pacer, time, is_answered):
    await pacer.turn(BALANCE)
    time.now += 5
    following = asyncio.create_task(pacer.turn(BALANCE))
    for _ in range(10):
        await asyncio.sleep(0)
    was_waiting, arrived_at = not following.done(), time.now

    if is_answered:
        pacer.answered(BALANCE, 200)
    else:
        pacer.unanswered(BALANCE)
    await following

    assert was_waiting
    assert time.now - arrived_at == pytest.approx(1 / 0.9)


async def test_refusal_of_the_balance_holds_only_the_balance(pacer, time):
    pacer.answered(BALANCE, 429)

    assert await turns(pacer, time, MARKETS, 1) == [0.0]
    assert await turns(pacer, time, BALANCE, 1) == pytest.approx([0.1 + 1.0])


async def test_refusal_holds_those_too_who_were_waiting_when_it_came(pacer, time):
    await turns(pacer, time, MARKETS, 18)
    start = time.now
    waiting = asyncio.create_task(pacer.turn(MARKETS))
    await asyncio.sleep(0)
    pacer.answered(MARKETS, 429)

    await waiting

    assert time.now - start == pytest.approx(0.1 + 1 / 18)


async def test_what_the_limits_cost_is_counted_for_all_who_share_it(time):
    paced = Paced()
    pacers = [
        Pacer(monotonic=lambda: time.now, sleep=time.sleep, jitter=lambda: 1.0, paced=paced)
        for _ in range(2)
    ]

    for pacer in pacers:
        # 18 go at once; 10 tokens at 180 a second for each other.
        await turns(pacer, time, MARKETS, 20)
        pacer.answered(MARKETS, 429)
        pacer.answered(MARKETS, 200)

    assert paced.waits == 4
    assert paced.waited_seconds == pytest.approx(4 / 18)
    assert paced.refusals == 2
