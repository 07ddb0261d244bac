"""HTTP connections that are closed also when who was to close them is cancelled meanwhile."""

import asyncio
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    import httpcore


class Transport(httpx.AsyncHTTPTransport):
    """
    httpx's own, with a pool that lets no connection go unclosed.

    httpcore takes those that expired off its list first and closes them one after the other then,
    behind a shield that stops anyio's cancellation but not asyncio's own. Who is cancelled there
    leaves open all that are still to be closed.
    """

    def __init__(self, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]  # httpx's own
        self._closing: set[asyncio.Task[None]] = set()
        # Not by a class of pool: httpx makes it itself, of one of three kinds.
        self._pool._close_connections = self._close  # type: ignore[assignment]

    async def _close(self, connections: "list[httpcore.AsyncConnectionInterface]") -> None:
        if not connections:
            return
        task = asyncio.create_task(_close_all(connections))
        # The loop itself holds its tasks by weak references.
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        await asyncio.shield(task)

    async def aclose(self) -> None:
        """Close all, what is being closed already included."""
        await super().aclose()
        if self._closing:
            await asyncio.wait(self._closing)


async def _close_all(connections: "list[httpcore.AsyncConnectionInterface]") -> None:
    for connection in connections:
        await connection.aclose()
