"""
The clients of `returning.py`, all in one process.

    python -m benchmarks.returning_clients PORT < COOKIES

Reads a session's token a line up to an empty one, opens a stream for each at once, prints as JSON
when their snapshots were there, and holds the streams until its input ends.
"""

import asyncio
import json
import sys
from statistics import median
from time import perf_counter

from streaming import open_files


async def open_stream(port: int, token: str) -> asyncio.StreamWriter:
    """A stream whose first snapshot has come."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
    head = f"GET /sse/positions HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: session={token}\r\n\r\n"
    writer.write(head.encode())
    status = await reader.readline()
    if b" 200 " not in status:
        raise RuntimeError(status.decode())
    while not (await reader.readline()).startswith(b"event: snapshot"):
        pass
    while (await reader.readline()).strip():
        pass
    return writer


async def main(port: int) -> None:
    tokens = list(iter(lambda: sys.stdin.readline().strip(), ""))
    began = perf_counter()
    took: list[float] = []

    async def come(token: str) -> asyncio.StreamWriter:
        writer = await open_stream(port, token)
        took.append((perf_counter() - began) * 1000)
        return writer

    async with asyncio.timeout(110):
        writers = await asyncio.gather(*(come(token) for token in tokens))
    print(json.dumps({"middle": median(took), "last": max(took)}), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for writer in writers:
        writer.close()


if __name__ == "__main__":
    open_files.allow_all()
    asyncio.run(main(int(sys.argv[1])))
