"""What a pooler does that shares connections by transaction: announcements reach nobody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

NOTIFICATION = b"A"


@asynccontextmanager
async def deaf_pooler(socket: Path, server: Path) -> AsyncIterator[None]:
    """Lead connections to `socket` to the server's, but for notifications."""
    running: set[asyncio.Task[None]] = set()

    async def lead(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_unix_connection(server)
        running.add(asyncio.current_task())
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                async with asyncio.TaskGroup() as both:
                    both.create_task(_pass_on(client, to_server))
                    both.create_task(_pass_messages_on(from_server, to_client))
        finally:
            to_client.close()
            to_server.close()
            await asyncio.gather(
                to_client.wait_closed(), to_server.wait_closed(), return_exceptions=True
            )

    async with await asyncio.start_unix_server(lead, socket):
        yield
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65_536):
        target.write(data)
        await target.drain()
    target.close()


async def _pass_messages_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(asyncio.IncompleteReadError):
        while True:
            head = await source.readexactly(5)
            body = await source.readexactly(int.from_bytes(head[1:]) - 4)
            if head[:1] != NOTIFICATION:
                target.write(head + body)
                await target.drain()
    target.close()
