"""
The relay with a database on the way: each message becomes a row, and goes on when its NOTIFY comes.

The least that it takes to tell of rows what PostgreSQL says of them. What the product takes beyond
that is its own work.

    DATABASE=CONNINFO python -m benchmarks.notified \
        API_BASE WS_URL KEY_ID PRIVATE_KEY_FILE PORT TICKER...
"""

import asyncio
import os
import sys
from contextlib import closing

import psycopg

from benchmarks.relay import Clients, messages

CHANNEL = "bench_notified"
WRITE = f"""
    WITH written AS (
        INSERT INTO {CHANNEL} VALUES ($1::text, $2::numeric)
        ON CONFLICT (ticker) DO UPDATE SET yes_bid = excluded.yes_bid
        RETURNING 1
    )
    SELECT pg_notify('{CHANNEL}', $3::text) FROM written
"""  # noqa: S608  # our own name


def opened() -> psycopg.Connection:
    """A session of the database."""
    return psycopg.connect(os.environ["DATABASE"], autocommit=True, connect_timeout=5)


async def notify(
    api_base: str, ws_url: str, key_id: str, key_file: str, port: str, *tickers: str
) -> None:
    """Write each ticker message, and send it to each client when it is announced."""
    clients = Clients()
    with closing(opened()) as database, closing(opened()) as listener:
        database.execute(
            f"CREATE TEMPORARY TABLE {CHANNEL} (ticker text PRIMARY KEY, yes_bid numeric)"
        )
        # As the product's own writes.
        database.execute("SET synchronous_commit = off")
        listener.execute(f"LISTEN {CHANNEL}")

        def heard() -> None:
            listener.pgconn.consume_input()
            while announced := listener.pgconn.notifies():
                clients.tell(announced.extra.decode())

        asyncio.get_running_loop().add_reader(listener.fileno(), heard)
        async with await asyncio.start_server(clients.serve, "127.0.0.1", int(port)):
            cursor = psycopg.RawCursor(database)
            async for message, document in messages(api_base, ws_url, key_id, key_file, tickers):
                row = [message.market_ticker, str(message.yes_bid), document]
                cursor.execute(WRITE, row, prepare=True)


if __name__ == "__main__":
    asyncio.run(notify(*sys.argv[1:]))
