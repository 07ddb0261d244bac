"""The benchmarks' readers of streams know what is open, and take no half events."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from benchmarks import crowd
from benchmarks.product import events
from tests.waiting import until

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


@asynccontextmanager
async def server(answer: bytes, *, stays: bool = False):
    """One that answers every connection with this, and ends it unless it stays; its port."""
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        if stays:
            await gone.wait()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        yield listening.sockets[0].getsockname()[1]
        gone.set()


async def test_event_that_was_cut_off_by_a_kill_ends_the_stream():
    async with server(HEAD + b'data: {"number": 1}\n\ndata: {"numb') as port:
        heard = [event async for event in events(port, "/")]

    assert heard == [{"number": 1}]


async def test_readers_say_when_all_their_streams_are_open(capsys):
    async with server(HEAD, stays=True) as port:
        reading = asyncio.create_task(crowd.read(port, "", 3))
        said = await until(lambda: capsys.readouterr().out, seconds=5)
        reading.cancel()
        await asyncio.wait([reading])

    assert said.strip() == crowd.OPEN


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [(b"HTTP/1.1 429 Too Many\r\n\r\n", "answered 429"), (HEAD, "a stream ended")],
)
async def test_readers_fail_with_a_stream_that_is_refused_or_ends(answer, trouble):
    async with server(answer) as port:
        with pytest.raises(RuntimeError, match=trouble):
            await crowd.read(port, "", 1)
