"""A connection that was kept and is closed as it is used again is no exchange out of reach."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from kalshi.environments import Environment
from kalshi.errors import Unavailable
from kalshi.pacing import Pacer
from kalshi.transport import KEPT_TRIES, Transport

ANSWER = b'{"exchange_active": true}'


class Exchange:
    """
    Answers so many requests of each connection, and closes it as the next one comes.

    Attributes:
        asked: of each connection, how many requests came.
    """

    def __init__(self, answers: int) -> None:
        self._answers = answers
        self.asked: list[int] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(self.asked)
        self.asked.append(0)
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                self.asked[number] += 1
                if self.asked[number] > self._answers:
                    return
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(ANSWER)}\r\n\r\n"
                writer.write(head.encode() + ANSWER)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def exchange_that_answers() -> AsyncIterator[Callable]:
    listening = []

    async def listen(answers: int) -> Exchange:
        exchange = Exchange(answers)
        server = await asyncio.start_server(exchange.serve, "127.0.0.1", 0)
        listening.append(server)
        exchange.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return exchange

    yield listen
    for server in listening:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def asking(exchange: Exchange) -> AsyncIterator[Transport]:
    transport = Transport(
        Environment("sandbox", exchange.url, "ws://127.0.0.1:9"),
        "",
        None,
        http=None,
        clock=time.time,
        timeout_seconds=10.0,
        pacer=Pacer(),
    )
    yield transport
    await transport.close()


async def test_it_is_asked_again_by_another_connection(exchange_that_answers):
    exchange = await exchange_that_answers(1)
    async with asking(exchange) as transport:
        for _ in range(3):
            assert await transport.get("/exchange/status") == {"exchange_active": True}

    assert exchange.asked == [2, 2, 1]


async def test_new_connection_that_is_closed_is_not_asked_again(exchange_that_answers):
    exchange = await exchange_that_answers(0)
    async with asking(exchange) as transport:
        with pytest.raises(Unavailable, match="cannot be reached"):
            await transport.get("/exchange/status")

    assert exchange.asked == [1]


async def test_it_is_asked_again_only_so_often(exchange_that_answers):
    exchange = await exchange_that_answers(1)
    async with asking(exchange) as transport:
        # Each by a connection of its own, all of which are kept.
        each = [transport.get("/exchange/status") for _ in range(KEPT_TRIES + 2)]
        await asyncio.gather(*each)

        with pytest.raises(Unavailable, match="cannot be reached"):
            await transport.get("/exchange/status")

    assert sorted(exchange.asked) == [1] * 2 + [2] * KEPT_TRIES
