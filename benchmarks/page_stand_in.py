"""The product's web server, with `page_play.py` in the place of its hub."""

import asyncio
import sys
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from benchmarks import page_site
from benchmarks.page_book import book
from benchmarks.page_play import Play
from streaming.web.asgi import StreamingHandler
from streaming.web.server import DrainingServer, listening_socket


class StandIn(StreamingHandler):
    """The product's handler, without what asks a database while the server lives."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One ASGI connection, as in the product."""
        if scope["type"] != "lifespan":
            await super().__call__(scope, receive, send)
            return
        for stage in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{stage}.complete"})


def run(positions: int, rate: int, portfolios: float, seed: int) -> None:
    """Make the book, and serve it until standard input ends."""
    settings.ROOT_URLCONF = page_site.__name__
    play = Play(book(positions, seed, datetime.now(UTC)), rate, portfolios, seed)
    page_site.playing.append(play)
    asyncio.run(_serve(play))


async def _serve(play: Play) -> None:
    listener = listening_socket("127.0.0.1", 0)
    server = DrainingServer(StandIn())
    ticking = asyncio.create_task(play.run())
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    print(listener.getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    ticking.cancel()
    server.should_exit = True
    await serving
