"""The web server in the test's own loop; whatever happens, its port is free again afterwards."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from streaming.web.asgi import StreamingHandler
from streaming.web.server import DrainingServer
from tests.waiting import until

# It lets who is connected finish for some seconds.
END_SECONDS = 30


@asynccontextmanager
async def serving(
    listener: socket.socket,
) -> AsyncIterator[tuple[DrainingServer, asyncio.Task[None]]]:
    """A server and its task, as long as this lasts."""
    server = DrainingServer(StreamingHandler())
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await until(lambda: server.started or task.done())
        yield server, task
    finally:
        server.should_exit = True
        await asyncio.wait([task], timeout=END_SECONDS)
        is_late = not task.done()
        if is_late:
            server.force_exit = True
            await asyncio.wait([task], timeout=END_SECONDS)
            task.cancel()
            listener.close()
    assert not is_late, "the server did not end in time"
    await task
