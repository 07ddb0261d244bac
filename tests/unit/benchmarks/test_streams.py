"""The benchmarks' readers of streams know what is open, and take no half events."""

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import asynccontextmanager
from typing import BinaryIO

import pytest

from benchmarks import readers
from benchmarks.product import events
from tests.waiting import until

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


@asynccontextmanager
async def server(*answer: bytes, stays: bool = False):
    """One that answers every connection with these parts, and ends it unless it stays; its port."""
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in answer:
            writer.write(part)
            await writer.drain()
            # As parts of their own on the wire.
            await asyncio.sleep(0)
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


@pytest.fixture
def lines() -> Iterator[tuple[int, BinaryIO]]:
    """The readers' input, and where it is written."""
    read_end, write_end = os.pipe()
    # As files: one that is closed already is not closed once more under a number given anew.
    with open(read_end, "rb") as read, open(write_end, "wb", buffering=0) as written:
        yield read.fileno(), written


async def test_event_that_comes_in_two_chunks_is_one():
    chunked = HEAD.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n")
    body = b'8\r\ndata: {"\r\ne\r\nnumber": 16}\n\n\r\n4\r\ndata\r\n'
    async with server(chunked, body) as port:
        heard = [event async for event in events(port, "/")]

    assert heard == [{"number": 16}]


async def test_readers_count_what_each_stream_brings_until_their_input_ends(capsys, lines):
    asked, ask = lines
    event = b"id: 1\nevent: position\ndata: {}\n\n"
    async with server(HEAD, event[:12], event[12:] + event, b": still here\n", stays=True) as port:
        reading = asyncio.create_task(asyncio.to_thread(readers.read, port, "", 3, asked))
        said: list[str] = []

        def counted() -> list[int]:
            _, *answers = "".join(said).splitlines()
            return [sum(of_one) for of_one in zip(*map(json.loads, answers), strict=True)]

        def has_answered() -> bool:
            said.append(capsys.readouterr().out)
            return said[-1].endswith("\n")

        await until(has_answered)
        while counted() != [2, 2, 2]:
            ask.write(b"\n")
            await until(has_answered)
        ask.close()
        await reading

    assert "".join(said).startswith(f"{readers.OPEN}\n")


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [(b"HTTP/1.1 429 Too Many\r\n\r\n", "answered .*429"), (HEAD, "a stream ended")],
)
async def test_readers_fail_with_a_stream_that_is_refused_or_ends(answer, trouble, lines):
    async with server(answer) as port:
        with pytest.raises(RuntimeError, match=trouble):
            await asyncio.to_thread(readers.read, port, "", 1, lines[0])
