"""
The simplest design for the job: one process, FastAPI, a queue for each client, no database.

    python -m benchmarks.simplest API_BASE WS_URL KEY_ID PRIVATE_KEY_FILE PORT TICKER...

It has the newest bid of each market in memory, gives all of them to whoever comes, and each new one
to each client's queue. It knows no accounts, computes nothing and keeps nothing: what the product
costs is measured beside it.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from kalshi.environments import Environment
from kalshi.messages import Ticker
from kalshi.signing import SigningKey
from kalshi.socket import connect

app = FastAPI()
newest: dict[str, dict[str, str]] = {}
queues: set[asyncio.Queue[str]] = set()


@app.get("/sse/positions")
async def positions() -> StreamingResponse:
    """All there is, then what is new."""
    return StreamingResponse(_events(), media_type="text/event-stream")


async def _events() -> AsyncIterator[str]:
    queue: asyncio.Queue[str] = asyncio.Queue()
    queues.add(queue)
    try:
        yield _event("snapshot", {"positions": list(newest.values())})
        while True:
            yield await queue.get()
    finally:
        queues.discard(queue)


def _event(name: str, document: dict[str, object]) -> str:
    return f"event: {name}\ndata: {json.dumps({'type': name, **document})}\n\n"


async def _follow(
    api_base: str, ws_url: str, key_id: str, key_file: str, tickers: list[str]
) -> None:
    environment = Environment("sandbox", api_base, ws_url)
    key = SigningKey.from_pem(Path(key_file).read_text())
    async with connect(environment, key_id, key) as socket:
        socket.session.subscribe(["ticker"], tickers, send_initial_snapshot=True)
        await socket.send_pending()
        async for message in socket:
            if isinstance(message, Ticker):
                row = {"ticker": message.market_ticker, "yes_bid": str(message.yes_bid)}
                newest[row["ticker"]] = row
                event = _event("position", {**row})
                for queue in queues:
                    queue.put_nowait(event)


async def main(
    api_base: str, ws_url: str, key_id: str, key_file: str, port: str, *tickers: str
) -> None:
    server = uvicorn.Server(
        uvicorn.Config(app, port=int(port), log_level="warning", timeout_graceful_shutdown=1)
    )
    following = asyncio.create_task(_follow(api_base, ws_url, key_id, key_file, list(tickers)))
    await server.serve()
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
