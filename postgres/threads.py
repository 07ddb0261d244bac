"""A thread of its own for database work that a coroutine asks for again and again."""

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import connections

from postgres.errors import DATABASE_TROUBLE

P = ParamSpec("P")
R = TypeVar("R")


class DatabaseThread:
    """
    Runs synchronous ORM functions one after another in one thread, over one lasting connection.

    `sync_to_async` would share Django's single thread with everybody else, and its connection is
    closed by whoever ends a request there.
    """

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database")

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """
        The result of `function(*args, **kwargs)`, or what it raises.

        Whoever is cancelled while waiting leaves the function running to its end. A connection
        that was lost is given up, so that the next call has a new one.
        """
        call = functools.partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._executor, _run, call)

    async def close(self) -> None:
        """Wait for what was asked for, close the thread's connection and end the thread."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._executor, connections.close_all)
        self._executor.shutdown(wait=False)


def _run(call: Callable[[], R]) -> R:
    try:
        return call()
    except DATABASE_TROUBLE:
        connections.close_all()
        raise
