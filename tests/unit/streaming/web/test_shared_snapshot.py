"""Many clients share one compression, and none of them misses anything."""

import asyncio
import threading
import zlib

import pytest

from streaming.web import shared_snapshot
from streaming.web.deflated import Deflated, deflated
from streaming.web.fanout import Channel, Frame, Subscriber
from streaming.web.shared_snapshot import AT_ONCE_BYTES, SharedSnapshot
from tests.waiting import until


class Account:
    """A state of which snapshots are made, and the channel that tells of changes."""

    def __init__(self, *, is_large: bool = False) -> None:
        self.version = 0
        self.made = 0
        self.padding = b" " * AT_ONCE_BYTES if is_large else b""
        self.channel = Channel(self.text)
        self.snapshots = SharedSnapshot(self.text)

    def text(self) -> bytes:
        self.made += 1
        return b"snapshot %d" % self.version + self.padding

    def change(self) -> None:
        self.version += 1
        self.channel.publish({"A": Frame(self.version, b"event %d" % self.version)})

    def newcomer(self) -> Subscriber:
        subscriber = Subscriber(lambda: None)
        self.channel.join(subscriber)
        subscriber.start_over()
        return subscriber

    async def give(self, subscriber: Subscriber) -> str:
        return text_of(await self.snapshots.give(subscriber))


def text_of(given: tuple[Deflated, bytes | None]) -> str:
    snapshot, _ = given
    return zlib.decompress(snapshot.blocks + b"\x01\x00\x00\xff\xff", -15).decode().strip()


@pytest.fixture
def gate(monkeypatch) -> threading.Event:
    """Compression stops until it is set."""
    gate = threading.Event()

    def deflated_then(text: bytes) -> Deflated:
        assert gate.wait(30)
        return deflated(text)

    monkeypatch.setattr(shared_snapshot, "deflated", deflated_then)
    return gate


async def test_all_who_wait_share_one():
    account = Account()

    given = await asyncio.gather(*(account.give(account.newcomer()) for _ in range(100)))

    assert set(given) == {"snapshot 0"}
    assert account.made == 1


async def test_who_comes_while_one_is_compressed_gets_a_newer_one(gate):
    account = Account(is_large=True)
    early = asyncio.create_task(account.give(account.newcomer()))
    await until(lambda: account.made)

    account.change()
    late = [asyncio.create_task(account.give(account.newcomer())) for _ in range(10)]
    gate.set()

    assert await early == "snapshot 0"
    assert set(await asyncio.gather(*late)) == {"snapshot 1"}
    assert account.made == 2


async def test_what_is_published_meanwhile_is_told_after_it_and_nothing_twice(gate):
    account = Account(is_large=True)
    client = account.newcomer()
    account.change()
    giving = asyncio.create_task(account.give(client))
    await until(lambda: account.made)

    account.change()
    gate.set()

    assert await giving == "snapshot 1"
    assert account.channel.take(client) == b"event 2"
    assert account.channel.take(client) == b""


async def test_starting_over_meanwhile_means_another_one(gate):
    account = Account(is_large=True)
    client = account.newcomer()
    giving = asyncio.create_task(account.give(client))
    await until(lambda: account.made)

    account.channel.start_over()
    gate.set()
    await giving

    assert client.awaits_snapshot


async def test_who_goes_takes_it_from_nobody(gate):
    account = Account(is_large=True)
    gone, stays = (asyncio.create_task(account.give(account.newcomer())) for _ in range(2))
    await until(lambda: account.made)

    gone.cancel()
    await asyncio.wait([gone])
    gate.set()

    assert await stays == "snapshot 0"


async def test_snapshot_that_cannot_be_made_fails_for_those_who_waited_alone(monkeypatch):
    account = Account()
    with monkeypatch.context() as bug:
        bug.setattr(account.snapshots, "_snapshot", lambda: 1 / 0)
        failed = await asyncio.gather(
            *(account.give(account.newcomer()) for _ in range(2)), return_exceptions=True
        )

    assert [type(error) for error in failed] == [ZeroDivisionError] * 2
    assert await account.give(account.newcomer()) == "snapshot 0"
