"""An account that was set aside is tried again when somebody asks, though not at every word."""

import asyncio
from itertools import repeat
from time import monotonic
from types import SimpleNamespace
from uuid import uuid4

import pytest

from positions.fencing import TakenOver
from streaming.worker import held_account
from streaming.worker.backoff import Wait
from streaming.worker.held_account import HeldAccount

AN_HOUR = Wait(3600.0, 1, is_open=False)


class Threads:
    """A database that takes a moment, in which somebody asks."""

    def __init__(self, meanwhile) -> None:
        self._meanwhile = meanwhile

    async def run(self, work, *args) -> None:
        self._meanwhile()


@pytest.fixture
def held() -> HeldAccount:
    writers = SimpleNamespace(doubtful=Threads(lambda: held.refresh()))
    held = HeldAccount(1, uuid4(), writers, SimpleNamespace(end=lambda: None))
    return held


async def test_wish_while_it_is_set_aside_is_not_lost(held):
    await asyncio.wait_for(held._set_aside(AN_HOUR), 10)


async def test_wishes_are_granted_some_time_apart(held, monkeypatch):
    monkeypatch.setattr(held_account, "ASKED_SECONDS", 0.2)
    await held._set_aside(AN_HOUR)
    before = monotonic()

    await asyncio.wait_for(held._set_aside(AN_HOUR), 10)

    assert monotonic() - before >= 0.19


async def test_wish_during_an_attempt_that_then_fails_is_not_lost(monkeypatch):
    threads = SimpleNamespace(doubtful=Threads(lambda: None))
    held = HeldAccount(1, uuid4(), threads, SimpleNamespace(end=lambda: None))
    attempts = []

    async def attempt() -> None:
        attempts.append(1)
        if len(attempts) == 2:
            raise TakenOver
        held.refresh()
        raise RuntimeError

    monkeypatch.setattr(held_account, "waits", lambda chance: repeat(AN_HOUR))
    monkeypatch.setattr(held, "_feed_it", attempt)

    await asyncio.wait_for(held.run(), 10)

    assert len(attempts) == 2
