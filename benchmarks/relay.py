"""
The simplest thing that shows ticks in a browser: one process, no database, nothing kept.

What the product adds in latency is measured against it.

    python -m benchmarks.relay API_BASE WS_URL KEY_ID PRIVATE_KEY_FILE PORT TICKER...
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from kalshi.environments import Environment
from kalshi.messages import Ticker
from kalshi.signing import SigningKey
from kalshi.socket import connect


class Clients:
    """Those who read the stream."""

    def __init__(self) -> None:
        self._writers: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Let one join."""
        if not (await reader.read(2**16)):
            # Somebody who only looked whether we listen.
            writer.close()
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        self._writers.add(writer)

    def tell(self, document: str) -> None:
        """Send it to all."""
        data = f"data: {document}\n\n".encode()
        for writer in self._writers:
            writer.write(data)


async def messages(
    api_base: str, ws_url: str, key_id: str, key_file: str, tickers: tuple[str, ...]
) -> AsyncIterator[tuple[Ticker, str]]:
    """Each ticker message as it comes, and the document that clients are told."""
    environment = Environment("sandbox", api_base, ws_url)
    key = SigningKey.from_pem(Path(key_file).read_text())
    async with connect(environment, key_id, key) as socket:
        socket.session.subscribe(["ticker"], tickers)
        await socket.send_pending()
        async for message in socket:
            if isinstance(message, Ticker):
                document = {
                    "type": "position",
                    "ticker": message.market_ticker,
                    "yes_bid": str(message.yes_bid),
                }
                yield message, json.dumps(document)


async def relay(
    api_base: str, ws_url: str, key_id: str, key_file: str, port: str, *tickers: str
) -> None:
    """Send each ticker message to each client as it comes."""
    clients = Clients()
    async with await asyncio.start_server(clients.serve, "127.0.0.1", int(port)):
        async for _, document in messages(api_base, ws_url, key_id, key_file, tickers):
            clients.tell(document)


if __name__ == "__main__":
    asyncio.run(relay(*sys.argv[1:]))
