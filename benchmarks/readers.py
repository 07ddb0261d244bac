"""
Streams that are read while something is measured, by a process of its own.

    python -m benchmarks.readers PORT COOKIE STREAMS

Prints a line once all are open; then, for each line of its input, how many events of a position
each has brought since the last such line, as a list in JSON. Fails when a stream is refused or
ends; ends with its input. It takes as little of the machine as it can, as the server is on it too.
"""

import asyncio
import json
import os
import select
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from benchmarks.product import Product
from streaming import open_files

OPEN = "open"
OPEN_SECONDS = 60
ANSWER_SECONDS = 20
_EVENT = b"event: position\n"
_CHUNK_BYTES = 2**18


class Readers:
    """Of a product's streams; from `reading`."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def until_open(self) -> None:
        """Wait until all streams are; RuntimeError when they are not."""
        if await self._line(OPEN_SECONDS) != OPEN:
            raise RuntimeError("the other streams did not open")

    async def counts(self) -> list[int]:
        """
        How many events each stream has brought since this was asked last.

        Raises:
            RuntimeError: a stream is not open any more.
        """
        assert self._process.stdin is not None  # as it was started
        self._process.stdin.write(b"\n")
        line = await self._line(ANSWER_SECONDS)
        if not line:
            raise RuntimeError("the other streams are not open any more")
        counts: list[int] = json.loads(line)
        return counts

    async def _line(self, seconds: float) -> str:
        assert self._process.stdout is not None  # as it was started
        line = await asyncio.wait_for(self._process.stdout.readline(), seconds)
        return line.decode().strip()


@asynccontextmanager
async def reading(product: Product, streams: int) -> AsyncIterator[Readers]:
    """Readers of so many streams, all open."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.readers"),
        *(str(product.port), product.cookie, str(streams)),
        cwd=Path(__file__).resolve().parent.parent,
        stdin=PIPE,
        stdout=PIPE,
        limit=2**20,
    )
    try:
        readers = Readers(process)
        await readers.until_open()
        yield readers
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), ANSWER_SECONDS)


class _Stream:
    """One that is open, and what it has brought since it was last asked."""

    def __init__(self, connection: socket.socket, cookie: str) -> None:
        self.socket = connection
        self.count = 0
        self._rest = b""
        head = f"GET /sse/positions HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n"
        self.socket.sendall(head.encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            if not (part := self.socket.recv(_CHUNK_BYTES)):
                break
            answer += part
        status = answer.partition(b"\r\n")[0].decode()
        if " 200 " not in f"{status} ":
            raise RuntimeError(f"a stream was answered {status!r}")
        # Its first events may have come with the head.
        self._take(answer)

    def read(self) -> None:
        chunk = self.socket.recv(_CHUNK_BYTES)
        if not chunk:
            raise RuntimeError("a stream ended")
        self._take(chunk)

    def _take(self, chunk: bytes) -> None:
        told = self._rest + chunk
        self.count += told.count(_EVENT)
        # What is cut in its middle is counted with what comes next.
        self._rest = told[-len(_EVENT) + 1 :]

    def taken(self) -> int:
        count, self.count = self.count, 0
        return count


def read(port: int, cookie: str, streams: int, asked: int) -> None:
    """
    Read so many streams until `asked`, the file of the lines, ends.

    Raises:
        RuntimeError: one was not opened, or ended.
    """
    with ExitStack() as held, select.epoll() as poll:
        by_file: dict[int, _Stream] = {}
        for _ in range(streams):
            connection = socket.create_connection(("127.0.0.1", port), timeout=OPEN_SECONDS)
            stream = _Stream(held.enter_context(connection), cookie)
            by_file[connection.fileno()] = stream
        print(OPEN, flush=True)
        for file in [asked, *by_file]:
            poll.register(file, select.EPOLLIN)
        while True:
            for file, _ in poll.poll():
                if file != asked:
                    by_file[file].read()
                elif lines := os.read(asked, 1024):
                    for _ in range(lines.count(b"\n")):
                        print(json.dumps([each.taken() for each in by_file.values()]), flush=True)
                else:
                    return


if __name__ == "__main__":
    open_files.allow_all()
    read(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.stdin.fileno())
