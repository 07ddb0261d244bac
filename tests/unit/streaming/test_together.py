"""Work done together ends together, and neither a failure nor a cancellation gets lost."""

import asyncio

import pytest

from streaming.together import Errand, all_of, until_one_fails
from tests.waiting import until

EITHER = pytest.mark.parametrize("together", [all_of, until_one_fails])


async def endless():
    await asyncio.Event().wait()


async def failing(error):
    raise error


async def test_failure_is_raised_as_itself():
    with pytest.raises(LookupError, match="no") as caught:
        await until_one_fails(endless(), failing(LookupError("no")))

    assert caught.value.__cause__ is None


async def test_others_are_cancelled():
    ended = []

    async def other():
        try:
            await endless()
        finally:
            ended.append("other")

    with pytest.raises(LookupError):
        await until_one_fails(other(), failing(LookupError()))

    assert ended == ["other"]


async def test_second_failure_is_logged(caplog):
    with pytest.raises(LookupError):
        await until_one_fails(failing(LookupError("first")), failing(TypeError("a bug")))

    assert [record.exc_info[1].args for record in caplog.records] == [("a bug",)]


@EITHER
async def test_cancellation_reaches_all_of_it(together):
    started, ended = asyncio.Event(), asyncio.Event()

    async def work():
        started.set()
        try:
            await endless()
        finally:
            ended.set()

    task = asyncio.create_task(together(work(), endless()))
    await started.wait()
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    assert ended.is_set()


@EITHER
async def test_cancellation_counts_although_a_failure_came_just_before(together):
    cleaning, cleaned = asyncio.Event(), asyncio.Event()

    async def slow_to_end():
        try:
            await endless()
        finally:
            cleaning.set()
            await cleaned.wait()

    task = asyncio.create_task(together(slow_to_end(), failing(LookupError())))
    await cleaning.wait()
    task.cancel()
    cleaned.set()
    await asyncio.wait([task])

    assert task.cancelled()


async def telling(result, after=None):
    if after:
        await after.wait()
    return result


async def test_results_come_in_the_order_of_the_work_whatever_ends_first():
    second_is_done = asyncio.Event()

    async def second():
        second_is_done.set()
        return 2

    assert await all_of(telling(1, after=second_is_done), second()) == [1, 2]


async def test_no_work_has_no_results():
    assert await all_of() == []


async def test_failure_of_one_is_raised_as_itself():
    with pytest.raises(LookupError, match="no") as caught:
        await all_of(telling(1), failing(LookupError("no")), endless())

    assert caught.value.__cause__ is None


async def test_failure_is_raised_once_the_others_have_ended():
    ended = []

    async def slow_to_end():
        try:
            await endless()
        finally:
            await asyncio.sleep(0)
            ended.append("other")

    with pytest.raises(LookupError):
        await all_of(slow_to_end(), failing(LookupError()))

    assert ended == ["other"]


async def test_first_of_several_failures_counts_and_no_other_goes_unretrieved():
    async def failing_when_cancelled():
        try:
            await endless()
        finally:
            raise TypeError("second")

    with pytest.raises(LookupError, match="first"):
        await all_of(
            failing_when_cancelled(), failing(LookupError("first")), failing(LookupError("third"))
        )


# An errand


async def test_errand_that_is_done_in_time_tells_what_came_of_it():
    late = []
    errand = Errand(late.append)

    assert await errand.wait(telling(7), 30.0) == 7
    assert (late, errand.is_under_way) == ([], False)


async def test_errand_that_takes_longer_goes_on_beside():
    late, may_end = asyncio.Queue(), asyncio.Event()
    errand = Errand(late.put_nowait)

    async def slow() -> int:
        await may_end.wait()
        return 7

    assert await errand.wait(slow(), 0.0) is None
    assert errand.is_under_way
    may_end.set()
    async with asyncio.timeout(30):
        assert await late.get() == 7
    assert not errand.is_under_way


async def test_errand_that_fails_in_time_fails():
    errand = Errand(print)

    with pytest.raises(LookupError, match="no"):
        await errand.wait(failing(LookupError("no")), 30.0)

    assert not errand.is_under_way


async def test_errand_that_fails_late_is_logged(caplog):
    errand, may_end = Errand(print), asyncio.Event()

    async def slow() -> None:
        await may_end.wait()
        raise LookupError("no")

    await errand.wait(slow(), 0.0)
    may_end.set()
    await until(lambda: not errand.is_under_way)

    assert caplog.messages == ["failed late"]


@pytest.mark.parametrize("is_late", [True, False])
async def test_errand_that_is_stopped_tells_nothing(is_late):
    late, ended = [], asyncio.Event()
    errand = Errand(late.append)

    async def slow() -> None:
        try:
            await endless()
        finally:
            ended.set()

    waiting = asyncio.create_task(errand.wait(slow(), 0.0 if is_late else 30.0))
    if is_late:
        await waiting
        errand.stop()
    else:
        await until(lambda: errand.is_under_way)
        waiting.cancel()
    async with asyncio.timeout(30):
        await ended.wait()

    assert (late, errand.is_under_way) == ([], False)
