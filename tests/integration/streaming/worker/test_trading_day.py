"""What the account was worth, stored by whoever feeds it, and by nobody else."""

from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

import pytest

from ledger.models import EquityPoint
from positions import workers
from positions.cash import CashBook
from positions.day import Baseline
from positions.fencing import TakenOver
from positions.portfolio import Cash
from positions.writing import OpenedStream, open_stream
from postgres.threads import DatabaseThread
from streaming.worker.trading_day import TradingDay
from tests.told import NOON, reconcile, row


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
