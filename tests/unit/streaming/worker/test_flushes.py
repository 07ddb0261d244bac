"""Nothing that changed is lost, and who is in trouble holds up nobody."""

import asyncio

import pytest
from django.db import DataError, OperationalError
from django.utils import timezone

from positions.connection import ConnectionState
from positions.tracker import Tracker
from streaming.worker import flushes
from streaming.worker.flushes import Flushes, Writers
from tests.told import prices, reconcile, row
from tests.waiting import until

LIVE = ConnectionState("live", since=timezone.now())


class Threads:
    """Calls at once; hangs or fails when told to."""

    def __init__(self) -> None:
        self.calls = 0
        self.error: Exception | None = None
        self.is_hanging = False

    async def run(self, function, *args):
        self.calls += 1
        if self.is_hanging:
            await asyncio.Event().wait()
        if self.error:
            raise self.error
        return function(*args)


class Writer:
    """Keeps what it was to write."""

    account_id = 1

    def __init__(self) -> None:
        self.written: list[set[str]] = []
        self.told: list[tuple[str, ...]] = []
        self.refuses: set[str] = set()

    def write(self, changes, state, at) -> int:
        tickers = {position.ticker for position in changes.positions}
        if tickers & self.refuses:
            raise DataError("numeric field overflow")
        self._note(tickers, changes)
        return len(self.written)

    def write_apart(self, changes, state, at) -> dict[str, str]:
        tickers = {position.ticker for position in changes.positions}
        self._note(tickers - self.refuses, changes)
        return dict.fromkeys(tickers & self.refuses, "DataError")

    def _note(self, tickers: set[str], changes) -> None:
        self.written.append(tickers)
        if changes.left_out is not None:
            self.told.append(changes.left_out)


@pytest.fixture
def tracker() -> Tracker:
    """Holds A and B; both are to be written."""
    tracker = Tracker("bid")
    reconcile(tracker, [row("A", "10", "4"), row("B", "5", "2")])
    return tracker


@pytest.fixture
def writer() -> Writer:
    return Writer()


@pytest.fixture
def threads() -> Writers:
    return Writers(healthy=Threads(), doubtful=Threads(), history=Threads())


@pytest.fixture
def flushing(writer, tracker, threads) -> Flushes:
    return Flushes(writer, tracker, lambda: LIVE, threads)


async def test_flush_that_is_cancelled_in_its_queue_is_written_by_the_next(
    flushing, threads, writer
):
    threads.healthy.is_hanging = True
    writing = asyncio.create_task(flushing.write())
    await until(lambda: threads.healthy.calls)

    writing.cancel()
    await asyncio.wait([writing])
    threads.healthy.is_hanging = False
    await flushing.write()

    assert writing.cancelled()
    assert writer.written == [{"A", "B"}]


async def test_flush_that_fails_is_written_by_the_next(flushing, threads, writer):
    threads.healthy.error = OperationalError("away")

    assert not await flushing.write()
    assert await flushing.write()

    assert writer.written == [{"A", "B"}]


async def test_account_in_trouble_goes_by_the_doubtful_thread_until_it_is_well(
    flushing, threads, tracker
):
    threads.healthy.error = threads.doubtful.error = OperationalError("locked")
    for _ in range(3):
        await flushing.write()
    in_trouble = (threads.healthy.calls, threads.doubtful.calls)
    threads.healthy.error = threads.doubtful.error = None
    for _ in range(3):
        await flushing.write()

    assert in_trouble == (1, 2)
    assert (threads.healthy.calls, threads.doubtful.calls) == (3, 3)


async def test_account_in_trouble_purges_by_the_thread_of_the_doubtful(flushing, threads, writer):
    purged = []
    writer.purge = purged.append
    threads.healthy.error = OperationalError("lock timeout")
    await flushing.write()
    calls = threads.healthy.calls

    purging = asyncio.create_task(flushing.purge_forever())
    await until(lambda: purged)
    purging.cancel()
    await asyncio.wait([purging])

    assert threads.healthy.calls == calls


async def test_account_whose_writes_hang_is_not_vouched_for(flushing, threads, monkeypatch):
    monkeypatch.setattr(flushes, "STUCK_SECONDS", 0.05)
    threads.healthy.is_hanging = True
    before = flushing.silent_seconds
    writing = asyncio.create_task(flushing.write())

    silent = await until(lambda: flushing.silent_seconds)
    writing.cancel()
    await asyncio.wait([writing])
    threads.healthy.is_hanging = False
    await flushing.write()

    assert before is None
    assert silent > 0.05
    assert flushing.silent_seconds is None


async def test_position_that_is_refused_costs_no_other_and_is_told(flushing, writer, tracker):
    writer.refuses = {"A"}
    await flushing.write()
    tracker.apply_ticker(prices("A", 1), 101.0)
    tracker.apply_ticker(prices("B", 1), 101.0)

    await flushing.write()

    assert writer.written == [{"B"}, {"B"}]


async def test_refused_position_is_tried_again_although_nothing_moves(
    flushing, writer, monkeypatch
):
    monkeypatch.setattr(flushes, "REFUSED_RETRY_SECONDS", 0.05)
    writer.refuses = {"A"}
    running = asyncio.create_task(flushing.run())
    await until(lambda: {"B"} in writer.written)

    writer.refuses = set()

    await until(lambda: {"A"} in writer.written)
    running.cancel()
    await asyncio.wait([running])


async def test_refused_position_is_told_until_it_is_written(flushing, writer, monkeypatch):
    monkeypatch.setattr(flushes, "REFUSED_RETRY_SECONDS", 0.0)
    writer.refuses = {"A"}
    for _ in range(5):
        await flushing.write()
    refused = writer.told[:]

    writer.refuses = set()
    for _ in range(2):
        await flushing.write()

    assert refused == [(), *[("position A: the database refuses it (DataError)",)] * 4]
    assert writer.written[-2:] == [{"A"}, set()]
    assert writer.told[-1] == ()


@pytest.mark.parametrize(
    "error", [OperationalError("away"), DataError("overflow"), RuntimeError("a bug")], ids=repr
)
async def test_last_words_that_fail_are_no_failure(flushing, threads, error):
    threads.healthy.error = threads.doubtful.error = error

    await flushing.say_goodbye()

    assert threads.healthy.calls >= 1
