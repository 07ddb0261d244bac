"""Announcements reach who listens, and go on after every way to lose the database."""

import asyncio
import os
import signal
from contextlib import aclosing, suppress

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, transaction

from postgres import embedded, notifications
from postgres.connections import own_connection
from postgres.deaf_listeners import end_deaf
from postgres.notifications import Announcement, Disconnected, Listening, announcements, publish
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("orm_thread")]

TIMEOUT_SECONDS = 30


@pytest.fixture
async def heard():
    """What is heard on the channel `prices`; already listening."""
    async with aclosing(announcements("prices")) as events:
        assert await next_of(events) == Listening()
        yield events


async def next_of(events):
    async with asyncio.timeout(TIMEOUT_SECONDS):
        return await anext(events)


def fetch(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


@sync_to_async
def listener_pids():
    rows = fetch(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        " AND (query LIKE 'LISTEN %%' OR query LIKE 'NOTIFY %%')"
    )
    return [pid for (pid,) in rows]


@sync_to_async
def shout(count: int) -> None:
    for number in range(count):
        publish("prices", f"{number:07d}" + "." * 7_900)


async def test_listener_that_takes_nothing_is_ended_where_much_is_kept_for_it(caplog):
    look = sync_to_async(end_deaf)
    async with own_connection() as deaf:
        await deaf.execute("LISTEN prices")
        # More than its socket takes.
        await shout(400)

        seen = await until(lambda: look(set(), too_full=0.0))
        assert [pid for pid, _ in seen] == [deaf.info.backend_pid]
        # There is room for much more.
        assert await look(seen) == set()
        assert await listener_pids() == [deaf.info.backend_pid]
        assert await look(seen, too_full=0.0) == set()

        async def is_gone() -> bool:
            return not await listener_pids()

        await until(is_gone)
    assert "a listener that takes nothing was ended" in caplog.messages


async def listener_pid():
    """The one that listens, once a predecessor's process is gone."""

    async def only_one():
        pids = await listener_pids()
        return pids if len(pids) == 1 else None

    (pid,) = await until(only_one)
    return pid


@sync_to_async
def terminate(pid):
    fetch(f"SELECT pg_terminate_backend({pid}, 5000)")


async def test_published_announcement_is_heard(heard):
    await sync_to_async(publish)("prices", "1:2:3")

    assert await next_of(heard) == Announcement("prices", "1:2:3")


async def test_rolled_back_write_announces_nothing(heard):
    def roll_back():
        with suppress(LookupError), transaction.atomic():
            publish("prices", "rolled back")
            raise LookupError

    await sync_to_async(roll_back)()
    await sync_to_async(publish)("prices", "afterwards")

    assert await next_of(heard) == Announcement("prices", "afterwards")


async def test_announcement_waits_for_the_commit(heard):
    def write():
        with transaction.atomic():
            publish("prices", "second")
            # Another session, so it commits at once.
            asyncio.run(publish_elsewhere())

    async def publish_elsewhere():
        async with own_connection() as other:
            await other.execute("SELECT pg_notify('prices', 'first')")

    await sync_to_async(write)()

    assert await next_of(heard) == Announcement("prices", "first")
    assert await next_of(heard) == Announcement("prices", "second")


async def test_every_announcement_of_a_batch_is_heard_in_order(heard):
    def publish_all():
        with transaction.atomic():
            for number in range(500):
                publish("prices", str(number))

    await sync_to_async(publish_all)()
    payloads = [(await next_of(heard)).payload for _ in range(500)]

    assert payloads == [str(number) for number in range(500)]


async def test_other_channels_are_not_heard(heard):
    await sync_to_async(publish)("weather", "rain")
    await sync_to_async(publish)("prices", "1")

    assert await next_of(heard) == Announcement("prices", "1")


async def test_listening_resumes_after_the_session_was_terminated(heard):
    pid = await listener_pid()

    await terminate(pid)

    assert await next_of(heard) == Disconnected()
    assert await next_of(heard) == Listening()
    await sync_to_async(publish)("prices", "again")
    assert await next_of(heard) == Announcement("prices", "again")


async def test_listening_resumes_after_the_whole_server_was_killed(directory, monkeypatch):
    for key, value in embedded.database(directory).items():
        monkeypatch.setitem(connection.settings_dict, key, value)
    # Creating its cluster takes longer than a listener waits for a connection.
    embedded.ensure_running(directory)

    async with aclosing(announcements("prices")) as events:
        assert await next_of(events) == Listening()
        os.kill(int((directory / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

        assert await next_of(events) == Disconnected()
        assert await next_of(events) == Listening()
        async with own_connection() as publishing:
            await publishing.execute("NOTIFY prices, 'again'")
        assert await next_of(events) == Announcement("prices", "again")


async def test_frozen_server_process_is_noticed_and_left(heard, monkeypatch):
    pid = await listener_pid()
    monkeypatch.setattr(notifications, "IDLE_SECONDS", 0.1)
    monkeypatch.setattr(notifications, "ANSWER_TIMEOUT_SECONDS", 0.2)

    os.kill(pid, signal.SIGSTOP)
    try:
        assert await next_of(heard) == Disconnected()
        # The next server process is in order, if perhaps slower than that.
        monkeypatch.undo()
        assert await next_of(heard) == Listening()
        await sync_to_async(publish)("prices", "elsewhere")
        assert await next_of(heard) == Announcement("prices", "elsewhere")
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_silence_alone_is_no_loss(heard, monkeypatch):
    monkeypatch.setattr(notifications, "IDLE_SECONDS", 0.02)
    waiting = asyncio.ensure_future(anext(heard))

    done, _ = await asyncio.wait({waiting}, timeout=0.5)
    await sync_to_async(publish)("prices", "after a while")

    assert not done
    assert await waiting == Announcement("prices", "after a while")


async def ended(pid):
    """Return once the server's process is gone."""
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while pid in await listener_pids():
            pass


async def test_closing_ends_the_session(heard):
    pid = await listener_pid()

    await heard.aclose()

    await ended(pid)
    assert await listener_pids() == []


async def test_cancelling_ends_the_session(heard):
    pid = await listener_pid()
    waiting = asyncio.ensure_future(anext(heard))
    await asyncio.sleep(0)

    waiting.cancel()
    await asyncio.wait({waiting})

    await ended(pid)
    assert waiting.cancelled()
