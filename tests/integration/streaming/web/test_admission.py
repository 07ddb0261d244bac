"""All who come at once are looked at together, and none waits longer than anybody may."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence

import pytest
from django.db import OperationalError
from django.http import HttpRequest

from streaming.web import admission
from streaming.web.admission import THREADS, TOGETHER, Admission
from tests.waiting import until


class Door:
    """A look that takes as long as a test wants, without a database."""

    def __init__(self) -> None:
        self.is_open = threading.Event()
        self.looks: list[int] = []
        self.failure: Exception | None = None

    def look(self, requests: Sequence[HttpRequest]) -> list[None]:
        self.looks.append(len(requests))
        self.is_open.wait(10)
        if self.failure:
            raise self.failure
        return [None for _ in requests]


@pytest.fixture
def door(monkeypatch) -> Door:
    door = Door()
    monkeypatch.setattr(admission, "_look", door.look)
    return door


@pytest.fixture
async def admitting(door) -> AsyncIterator[Admission]:
    admitting = Admission()
    yield admitting
    door.is_open.set()
    await admitting.stop()


def come(admitting: Admission, count: int) -> list[asyncio.Task]:
    return [asyncio.create_task(admitting.look(HttpRequest())) for _ in range(count)]


async def test_those_who_wait_are_looked_at_together(admitting, door):
    first = come(admitting, THREADS)
    await until(lambda: len(door.looks) == THREADS)
    others = come(admitting, 2 * TOGETHER + 1)
    await asyncio.sleep(0)

    door.is_open.set()

    assert await asyncio.gather(*first, *others) == [None] * (THREADS + 2 * TOGETHER + 1)
    assert sorted(door.looks) == [1] * (THREADS + 1) + [TOGETHER] * 2


async def test_who_waits_too_long_is_told_so_and_looked_at_no_more(admitting, door, monkeypatch):
    monkeypatch.setattr(admission, "ANSWER_SECONDS", 0.05)

    answers = await asyncio.gather(*come(admitting, THREADS + 10), return_exceptions=True)

    assert {type(answer) for answer in answers} == {OperationalError}
    door.is_open.set()
    monkeypatch.setattr(admission, "ANSWER_SECONDS", 10.0)
    assert await admitting.look(HttpRequest()) is None
    assert sum(door.looks) == THREADS + 1


async def test_failure_is_told_to_all_of_a_look_and_to_nobody_after(admitting, door):
    first = come(admitting, THREADS)
    await until(lambda: len(door.looks) == THREADS)
    others = come(admitting, 10)
    await asyncio.sleep(0)
    door.failure = OperationalError("the server closed the connection")

    door.is_open.set()

    answers = await asyncio.gather(*first, *others, return_exceptions=True)
    assert {type(answer) for answer in answers} == {OperationalError}
    door.failure = None
    assert await admitting.look(HttpRequest()) is None


async def test_who_leaves_while_waiting_leaves_the_others_in_peace(admitting, door):
    first = come(admitting, THREADS)
    await until(lambda: len(door.looks) == THREADS)
    others = come(admitting, 10)
    await asyncio.sleep(0)
    others[3].cancel()
    await asyncio.sleep(0)

    door.is_open.set()

    answers = await asyncio.gather(*first, *others, return_exceptions=True)
    assert [type(answer) for answer in answers].count(asyncio.CancelledError) == 1
    assert door.looks[-1] == 9
