"""The watched book outlives a database that is away, and says that it is."""

import asyncio

import pytest
from django.db import connection

from positions import watching
from tests.waiting import until


@pytest.fixture
async def drawn(database, alice, worker):
    """What was drawn of Alice's book, newest last: her bids, and whether they could be read."""
    frames = []

    def draw(books, is_reached) -> None:
        bids = {row["ticker"]: row["yes_bid"] for book in books for row in book.positions}
        frames.append((bids, is_reached))

    task = asyncio.create_task(watching.watch(alice, draw))
    yield frames
    task.cancel()
    await asyncio.wait([task])


async def test_watched_book_stays_while_the_database_is_away(database, worker, drawn, monkeypatch):
    await database.run(worker.write, {"M": "0.50"})
    await until(lambda: drawn and drawn[-1] == ({"M": "0.5"}, True))

    with monkeypatch.context() as away:
        away.setitem(connection.settings_dict, "HOST", "/nowhere")
        await database.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = user"
        )
        await until(lambda: drawn[-1] == ({"M": "0.5"}, False))
        await database.run(worker.write, {"M": "0.60"})

    await until(lambda: drawn[-1] == ({"M": "0.6"}, True))


async def test_change_is_drawn_because_it_was_announced(database, worker, drawn, monkeypatch):
    await database.run(worker.write, {"M": "0.50"})
    await until(lambda: drawn and drawn[-1] == ({"M": "0.5"}, True))
    # Nobody looks by themselves any more.
    monkeypatch.setattr(watching, "LOOK_SECONDS", 3600.0)
    count = len(drawn)
    await until(lambda: len(drawn) > count)

    await database.run(worker.write, {"M": "0.60"})

    await until(lambda: drawn[-1] == ({"M": "0.6"}, True))
