"""Work that fails is tried again by and by, or sooner when somebody asks."""

import asyncio

import pytest

from kalshi.errors import Unavailable
from positions.fencing import TakenOver
from streaming.worker import persistence
from streaming.worker.persistence import each_of, until_done
from tests.waiting import until


@pytest.fixture
def tries(monkeypatch) -> list[int]:
    """Each a try; the first fails, and an hour is to pass before the next."""
    monkeypatch.setattr(persistence, "RETRY_SECONDS", 3600.0)
    monkeypatch.setattr(persistence, "LONGEST_RETRY_SECONDS", 3600.0)
    monkeypatch.setattr(persistence, "SOONEST_RETRY_SECONDS", 0.01)
    return []


def failing_once(tries: list[int]):
    async def work() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise Unavailable("away")

    return work


async def test_wait_ends_when_somebody_asks(tries):
    sooner = asyncio.Event()
    task = asyncio.create_task(until_done(failing_once(tries), "not done", 1, sooner=sooner))
    await until(lambda: tries)
    assert not task.done()

    sooner.set()
    await asyncio.wait_for(task, 10)

    assert len(tries) == 2
    assert not sooner.is_set()


async def test_who_asks_before_the_wait_is_heard(tries):
    sooner = asyncio.Event()
    sooner.set()

    await asyncio.wait_for(until_done(failing_once(tries), "not done", 1, sooner=sooner), 10)

    assert len(tries) == 2


def doing(done: list[str], name: str, failure: Exception | None = None):
    async def work() -> None:
        done.append(name)
        if failure:
            raise failure

    return work


async def test_one_that_fails_keeps_no_other_from_being_done(caplog):
    done: list[str] = []

    with pytest.raises(Unavailable, match="the first"):
        await each_of(
            7,
            doing(done, "fills", Unavailable("the first")),
            doing(done, "settlements", KeyError("a bug")),
            doing(done, "transfers"),
        )

    assert done == ["fills", "settlements", "transfers"]
    # What is raised is logged by whoever tries again.
    [told] = caplog.records
    assert (told.account_id, told.exc_info[0]) == (7, KeyError)


async def test_of_an_account_that_is_lost_nothing_more_is_done():
    done: list[str] = []

    with pytest.raises(TakenOver):
        await each_of(7, doing(done, "fills", TakenOver()), doing(done, "transfers"))

    assert done == ["fills"]
