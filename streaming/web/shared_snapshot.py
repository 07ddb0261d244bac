"""A snapshot, compressed once for all clients that wait for one, beside the event loop."""

import asyncio
from collections.abc import Callable

from streaming.web import sse
from streaming.web.deflated import Deflated, deflated
from streaming.web.fanout import Subscriber

_Given = tuple[Deflated, bytes | None]

# A smaller one is compressed sooner than a thread has woken up for it.
AT_ONCE_BYTES = 32 * 1024


class SharedSnapshot:
    """
    What new clients of one source are sent, and the id of its event.

    One is compressed at a time, and whoever comes meanwhile shares the next. So nobody gets one
    from before they came, and a thousand clients at once cost little more than one.

    Args:
        snapshot: encodes all that there is, as an event.
    """

    def __init__(self, snapshot: Callable[[], bytes]) -> None:
        self._snapshot = snapshot
        self._waiting: list[tuple[Subscriber, asyncio.Future[_Given]]] = []
        self._work: asyncio.Task[None] | None = None

    async def give(self, subscriber: Subscriber) -> _Given:
        """A snapshot; what is published after its moment the subscriber is given as events."""
        given: asyncio.Future[_Given] = asyncio.get_running_loop().create_future()
        self._waiting.append((subscriber, given))
        if self._work is None:
            self._work = asyncio.create_task(self._compress())
        return await given

    async def _compress(self) -> None:
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, []
                await self._compress_for(waiting)
        finally:
            self._work = None

    async def _compress_for(self, waiting: list[tuple[Subscriber, asyncio.Future[_Given]]]) -> None:
        try:
            text = self._snapshot()
            # From here on they miss nothing: what is published while we compress marks them.
            for subscriber, _ in waiting:
                subscriber.has_snapshot()
            if len(text) < AT_ONCE_BYTES:
                snapshot = deflated(text)
            else:
                snapshot = await asyncio.to_thread(deflated, text)
            last_id = sse.last_id(text)
        except Exception as error:
            # Each client's own to tell: this task is nobody's.
            for _, given in waiting:
                if not given.done():
                    given.set_exception(error)
            return
        for _, given in waiting:
            # Done already where the client has gone.
            if not given.done():
                given.set_result((snapshot, last_id))
