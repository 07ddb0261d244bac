"""So many at once, and so many more who wait for their turn: a limit on work of one kind."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager, suppress
from threading import Lock
from typing import TypeVar

from accounts.errors import Busy

R = TypeVar("R")


class Turns:
    """
    Lets so many work at once, and so many more wait for a turn, in the order they came.

    Its methods may be called from several threads and event loops. Those that give a turn raise
    Busy if too many wait already, or it does not come in time.
    """

    def __init__(self, at_once: int, waiting: int, wait_seconds: float) -> None:
        self._free = at_once
        self._most_waiting = waiting
        self._wait_seconds = wait_seconds
        self._queue: deque[Future[None]] = deque()
        self._lock = Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """A turn, for which the thread waits."""
        turn = self._ask()
        try:
            try:
                turn.result(self._wait_seconds)
            except TimeoutError:
                raise Busy from None
            yield
        finally:
            self._end(turn)

    @asynccontextmanager
    async def turn_async(self) -> AsyncIterator[None]:
        """A turn, for which the task waits."""
        turn = self._ask()
        try:
            try:
                async with asyncio.timeout(self._wait_seconds):
                    await asyncio.wrap_future(turn)
            except TimeoutError:
                raise Busy from None
            yield
        finally:
            self._end(turn)

    async def in_thread(self, function: Callable[[], R]) -> R:
        """
        What the function returns or raises, called in a thread when it has its turn.

        Who is cancelled while it runs waits for its end: a thread can't be stopped, and its turn
        is taken for as long.
        """
        async with self.turn_async():
            work = asyncio.ensure_future(asyncio.to_thread(function))
            try:
                return await asyncio.shield(work)
            except asyncio.CancelledError:
                while not work.done():
                    with suppress(asyncio.CancelledError):
                        await asyncio.wait([work])
                work.exception()  # heard, though nobody wants to know any more
                raise

    def refuse_waiting(self, reason: type[Exception]) -> None:
        """Tell all who wait that their turn would be of no use."""
        with self._lock:
            waiting, self._queue = self._queue, deque()
        for turn in waiting:
            if turn.set_running_or_notify_cancel():
                turn.set_exception(reason())

    def _ask(self) -> Future[None]:
        turn: Future[None] = Future()
        with self._lock:
            if self._free:
                self._free -= 1
                turn.set_result(None)
            elif len(self._queue) < self._most_waiting:
                self._queue.append(turn)
            else:
                raise Busy
        return turn

    def _end(self, turn: Future[None]) -> None:
        with self._lock:
            if turn.cancel():
                # It never came.
                with suppress(ValueError):
                    self._queue.remove(turn)
                return
            if turn.exception():
                return
            while self._queue:
                following = self._queue.popleft()
                if following.set_running_or_notify_cancel():
                    following.set_result(None)
                    return
            self._free += 1
