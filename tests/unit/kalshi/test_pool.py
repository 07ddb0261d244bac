"""No connection to the exchange stays open unseen, at whatever moment who asked is cancelled."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from kalshi.pool import Transport
from tests.waiting import until

AT_ONCE = 8
EXPIRY_SECONDS = 0.005


class Server:
    """Answers everything after a moment, and knows who is connected."""

    def __init__(self) -> None:
        self.connected: set[asyncio.StreamWriter] = set()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connected.add(writer)
        try:
            while await reader.readline():
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.connected.discard(writer)
            writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"
    yield server
    listening.close()
    await listening.wait_closed()


@pytest.fixture
def nothing_collected() -> Iterator[None]:
    """What is forgotten stays open, instead of being closed when it is collected."""
    gc.disable()
    yield
    gc.enable()


# Where it would leak: somewhere in the first turns of the loop.
@pytest.mark.parametrize("turns", range(25))
async def test_expired_connections_are_closed_though_who_asked_is_cancelled(
    server, nothing_collected, turns
):
    transport = Transport(limits=httpx.Limits(keepalive_expiry=EXPIRY_SECONDS))
    async with httpx.AsyncClient(transport=transport) as client:
        await asyncio.gather(*(client.get(server.url) for _ in range(AT_ONCE)))
        await asyncio.sleep(2 * EXPIRY_SECONDS)  # for them to expire

        asking = [asyncio.create_task(client.get(server.url)) for _ in range(AT_ONCE)]
        for _ in range(turns):
            await asyncio.sleep(0)
        for each in asking:
            each.cancel()
        await asyncio.wait(asking)

    await until(lambda: not server.connected, seconds=5)
