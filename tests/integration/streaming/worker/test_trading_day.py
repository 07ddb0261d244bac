"""What the account was worth, stored by whoever feeds it, and by nobody else."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

import pytest

from ledger import points
from ledger.models import EquityPoint
from ledger.records import Transfer
from positions import workers
from positions.cash import Balance, CashBook
from positions.day import Baseline
from positions.fencing import TakenOver
from positions.portfolio import Cash, EventFacts
from positions.taking_over import OpenedStream, open_stream
from postgres.threads import DatabaseThread
from streaming.worker.trading_day import DESCRIBED_SECONDS, TradingDay
from tests.told import NOON, at, market, reconcile, row
from tests.waiting import until


def opened(account_id: int) -> OpenedStream:
    """The account, taken over by one worker more."""
    worker_id = uuid4()
    workers.beat(worker_id)
    stream = open_stream(account_id, worker_id, "bid")
    stream.tracker.valuation.cash = CashBook(Cash(Decimal(100), None, NOON))
    reconcile(stream.tracker, [row("M", "10", "4")])
    return stream


@pytest.fixture
async def day(database, alice):
    """Of a worker, and the stream that it has."""
    stream = await database.run(opened, alice)
    thread = DatabaseThread()
    yield (
        TradingDay(
            stream.writer.fence,
            stream.tracker,
            thread,
            is_live=lambda: True,
            on_change=lambda: None,
        ),
        stream,
    )
    await thread.close()


async def test_point_is_stored_while_the_account_is_ours(database, alice, day):
    await day[0].add_point()

    points = EquityPoint.objects.filter(account_id=alice)
    assert await database.run(lambda: [point.cash for point in points]) == [100]


DEPOSIT = Transfer("1", "deposit", at(60), "ach", Decimal(50), Decimal(0), "applied", Decimal(50))


def balance_told(stream: OpenedStream) -> None:
    stream.tracker.valuation.cash = CashBook()
    stream.tracker.valuation.cash.told(Balance(Decimal(100), None, NOON, NOON, NOON))


async def test_point_is_of_the_cash_with_each_transfer_that_is_known(database, alice, day):
    balance_told(day[1])

    async def keep() -> list[Transfer]:
        return [DEPOSIT]

    await day[0].transferred(keep)
    await day[0].add_point()

    points = EquityPoint.objects.filter(account_id=alice)
    assert await database.run(lambda: [point.cash for point in points]) == [150]


async def test_point_that_a_transfer_delays_is_stored_soon(database, alice, day, monkeypatch):
    monkeypatch.setattr("streaming.worker.trading_day.LOOK_SECONDS", 0.01)
    trading_day, stream = day
    balance_told(stream)
    comes = asyncio.Event()

    async def keep() -> list[Transfer]:
        await comes.wait()
        return [DEPOSIT]

    tasks = [
        asyncio.create_task(trading_day.transferred(keep)),
        asyncio.create_task(trading_day.run()),
    ]
    try:
        # The point waits its turn.
        await until(lambda: trading_day._turn._waiters)
        comes.set()
        points = EquityPoint.objects.filter(account_id=alice)
        await database.until(points.exists)
    finally:
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert await database.run(lambda: [point.cash for point in points]) == [150]


async def test_point_waits_until_events_are_described(database, alice, day, monkeypatch):
    monkeypatch.setattr("streaming.worker.trading_day.LOOK_SECONDS", 0.01)
    trading_day, stream = day
    balance_told(stream)
    hold_undescribed(stream)
    task = asyncio.create_task(trading_day.run())
    try:
        await until(lambda: trading_day._undescribed_since is not None)
        assert not await database.run(EquityPoint.objects.exists)
        stream.tracker.describe({"KXGAME-N": EventFacts("KXGAME", "Told", "MECNET")})
        await database.until(EquityPoint.objects.exists)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_point_waits_not_for_ever_for_an_event(day):
    trading_day, stream = day
    hold_undescribed(stream)

    assert not trading_day._is_described(0.0)
    assert not trading_day._is_described(DESCRIBED_SECONDS)
    assert trading_day._is_described(DESCRIBED_SECONDS + 1)


def hold_undescribed(stream: OpenedStream) -> None:
    """A market whose event has not been read yet."""
    facts, state, quote = market("N")
    there = {"N": (replace(facts, is_described=False), state, quote), "M": market("M")}
    reconcile(stream.tracker, [row("M", "10", "4"), row("N", "10", "4")], there)


async def test_worker_that_was_frozen_stores_no_point_of_old_figures(database, alice, day):
    await database.run(opened, alice)

    with pytest.raises(TakenOver):
        await day[0].add_point()

    assert await database.run(EquityPoint.objects.count) == 0


async def test_worker_that_was_frozen_changes_no_baseline(database, alice, day):
    trading_day, stream = day
    await trading_day.add_point()
    baseline = stream.tracker.valuation.baseline
    assert isinstance(baseline, Baseline)
    stream.tracker.valuation.baseline = replace(baseline, entered=Decimal(7), is_changed=True)
    await database.run(opened, alice)

    with pytest.raises(TakenOver):
        await trading_day.begin()

    assert await database.run(lambda: EquityPoint.objects.get().entered) == 0


class Meanwhile:
    """A thread of the database, beside whose work something happens."""

    def __init__(self, thread: DatabaseThread, work, happens) -> None:
        self._thread, self._work, self._happens = thread, work, happens

    async def run(self, work, *args):
        done = await self._thread.run(work, *args)
        if work == self._work:
            self._happens()
        return done


async def test_what_enters_the_baseline_while_it_is_written_is_written_next(database, alice, day):
    trading_day, stream = day
    await trading_day.add_point()
    baseline = stream.tracker.valuation.baseline
    baseline.nets |= {"N": None, "O": None}
    await database.run(lambda: EquityPoint.objects.update(nets={"M": "0", "N": None, "O": None}))
    baseline.marked("N", Decimal(1), Decimal(3))
    trading_day._threads = Meanwhile(
        trading_day._threads,
        trading_day._keep_changed,
        lambda: baseline.marked("O", Decimal(1), Decimal(4)),
    )

    await trading_day.begin()
    await trading_day.begin()

    assert await database.run(lambda: EquityPoint.objects.get().entered) == 7


async def test_market_that_begins_while_a_new_day_is_read_is_part_of_it(alice, day):
    trading_day, stream = day
    await trading_day.add_point()
    valuation = stream.tracker.valuation
    valuation.learn({"N": Decimal("2.50")})
    # Of yesterday.
    valuation.baseline = replace(valuation.baseline, at=NOON)

    def begins() -> None:
        reconcile(stream.tracker, [row("M", "10", "4"), row("N", "10", "4", "2.50")])

    trading_day._threads = Meanwhile(trading_day._threads, points.baseline, begins)

    await trading_day.begin()

    assert valuation.baseline.at != NOON
    assert valuation.baseline.nets["N"] == Decimal("2.50")


async def test_what_a_market_made_while_the_ledger_is_read_is_newer(alice, day, monkeypatch):
    trading_day, stream = day
    await trading_day.add_point()
    # Of before M was bought again.
    monkeypatch.setattr(points, "locked_in", lambda account_id: {"M": Decimal(-7)})

    def is_sold() -> None:
        reconcile(stream.tracker, [row("M", "0", "0", "1.50", "0.50")], requested_at=300.0)

    trading_day._threads = Meanwhile(trading_day._threads, points.locked_in, is_sold)

    await trading_day.begin()

    assert stream.tracker.valuation._locked_in["M"] == 1
