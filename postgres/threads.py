"""Threads of their own for database work that coroutines ask for again and again."""

import asyncio
import functools
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Generic, ParamSpec, TypeVar, cast

from django.db import InterfaceError, connections

from postgres import patience
from postgres.errors import DATABASE_TROUBLE
from postgres.patience import Patience

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

# Longer than any role waits for an answer; only a function that does something else takes longer.
CLOSE_SECONDS = 4.0


class _Call(Generic[R]):
    """
    A function that a thread is to call, and the future of the loop that its outcome goes to.

    One callback takes the outcome from thread to loop. `concurrent.futures` does the same with
    locks on both sides, which costs each tick twice some 45 µs.
    """

    def __init__(self, function: Callable[[], R]) -> None:
        self._function = function
        self._loop = asyncio.get_running_loop()
        self._turn = threading.Lock()
        self.outcome: asyncio.Future[R] = self._loop.create_future()
        self.end: asyncio.Future[None] = self._loop.create_future()

    def take(self) -> bool:
        """Whether it is the caller who decides what becomes of it: the first who asks."""
        return self._turn.acquire(blocking=False)

    def refuse(self) -> None:
        """Fail without calling the function."""
        if self.take():
            self._settle(None, InterfaceError("the database threads were closed"))

    def carry_out(self) -> None:
        """Call the function, unless it was cancelled meanwhile."""
        if not self.take():
            return
        result: R | None = None
        failure: BaseException | None = None
        try:
            result = self._function()
        except StopIteration as error:
            # No future takes it: to a generator that awaits, it would be the end.
            failure = RuntimeError("the function raised StopIteration")
            failure.__cause__ = error
        except BaseException as error:
            if isinstance(error, DATABASE_TROUBLE):
                _give_up_connections()
            failure = error
        # The loop may have ended, having waited long enough: then nobody wants to know.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._settle, result, failure)
        # Its traceback holds this call, and with it the arguments.
        del failure

    def _settle(self, result: R | None, failure: BaseException | None) -> None:
        self.end.set_result(None)
        if self.outcome.cancelled():
            if failure:
                # Nobody else hears of it any more.
                logger.warning("cancelled call failed", extra={"error": type(failure).__name__})
        elif failure:
            self.outcome.set_exception(failure)
        else:
            self.outcome.set_result(cast(R, result))  # without a failure it is the function's


class DatabaseThreads:
    """
    Runs synchronous ORM functions in a few threads, each over one lasting connection.

    `sync_to_async` would share Django's single thread with everybody else, and its connection is
    closed by whoever ends a request there. Lives in one event loop.

    Args:
        size: how many functions run at once; a thread is started when it is first needed.
        role: how patient the connections are; None: as the process is.
    """

    def __init__(self, size: int = 1, role: Patience | None = None) -> None:
        self._size = size
        self._role = role
        self._calls: SimpleQueue[_Call[Any] | None] = SimpleQueue()  # Any: of any result
        self._ends: list[asyncio.Future[None]] = []
        self._unfinished = 0
        self._is_closed = False

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """
        The result of `function(*args, **kwargs)`, or what it raises.

        Who is cancelled knows that nothing of theirs is under way any more: a call that waits for a
        thread is never begun, and one that runs is waited for. A connection in trouble is given
        up, so that the next call has a new one.

        Raises:
            RuntimeError: the threads were closed before.
            InterfaceError: they were closed before the call was begun.
        """
        if self._is_closed:
            raise RuntimeError("the database threads were closed")
        call = _Call(functools.partial(function, *args, **kwargs))
        self._unfinished += 1
        self._calls.put(call)
        self._start_thread_if_needed()
        try:
            return await call.outcome
        except asyncio.CancelledError:
            if not call.take():
                await _end_of(call.end)
            raise
        finally:
            self._unfinished -= 1

    async def close(self) -> None:
        """
        Refuse what has not begun, wait for what has, close the connections and end the threads.

        A function that takes longer than CLOSE_SECONDS is left to itself.
        """
        self._is_closed = True
        with suppress(Empty):
            while call := self._calls.get_nowait():
                call.refuse()
        for _ in self._ends:
            self._calls.put(None)
        if self._ends:
            await asyncio.wait(self._ends, timeout=CLOSE_SECONDS)

    def _start_thread_if_needed(self) -> None:
        if len(self._ends) < min(self._size, self._unfinished):
            end: Future[None] = Future()
            self._ends.append(asyncio.wrap_future(end))
            # A daemon: at its own end the interpreter would wait for any other without a limit.
            threading.Thread(
                target=_work, args=(self._calls, self._role, end), name="database", daemon=True
            ).start()


class DatabaseThread(DatabaseThreads):
    """One thread: functions run one after another, in the order they were asked for."""

    def __init__(self, role: Patience | None = None) -> None:
        super().__init__(1, role)


def _work(calls: SimpleQueue[_Call[Any] | None], role: Patience | None, end: Future[None]) -> None:
    patience.adopt_in_thread(role)
    while call := calls.get():
        call.carry_out()
        # Its arguments may be large, and the next call may come in an hour.
        del call
    try:
        connections.close_all()
    finally:
        end.set_result(None)


def _give_up_connections() -> None:
    try:
        connections.close_all()
    except Exception as error:
        # Django has let go of it all the same, and who called waits to hear of the first trouble.
        logger.warning("connection not closed", extra={"error": type(error).__name__})


async def _end_of(end: asyncio.Future[None]) -> None:
    """Wait for the end, however often who waits is cancelled meanwhile."""
    while not end.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([end])
