"""Work that belongs together: it runs at the same time and ends at the first failure."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Generic, Never, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")


async def until_one_fails(*work: Coroutine[object, object, Never]) -> Never:
    """
    Run endless work side by side until one of it fails; the rest is cancelled and waited for.

    Raises:
        The first failure itself, not in a group: callers tell failures apart by their type. Others
        that come with it are logged.
    """
    # No TaskGroup: in Python 3.11 one that ends on a failure forgets a cancellation that comes
    # meanwhile. The caller would take the failure for an ordinary one, and go on for ever.
    tasks = [asyncio.create_task(coroutine) for coroutine in work]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    first = next(task for task in tasks if task in ended)
    for task, outcome in zip(tasks, outcomes, strict=True):
        if task is not first and not isinstance(outcome, asyncio.CancelledError):
            logger.warning("failed as well", exc_info=outcome)
    first.result()
    raise AssertionError("endless work ended")


async def all_of(*work: Coroutine[object, object, T]) -> list[T]:
    """
    The results of work that runs side by side; at the first failure the rest is cancelled.

    Raises:
        The first failure itself, once the others have ended.
    """
    tasks = [asyncio.create_task(coroutine) for coroutine in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Errand(Generic[T]):
    """
    Work that is waited for a while, and goes on beside if it takes longer; one at a time.

    Args:
        on_late: called with what came after nobody waited any more.
    """

    def __init__(self, on_late: Callable[[T], None]) -> None:
        self._on_late = on_late
        self._task: asyncio.Task[T] | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether it has begun and not ended."""
        return self._task is not None

    async def wait(self, work: Coroutine[object, object, T], seconds: float) -> T | None:
        """
        Begin it; what comes of it, None if that takes longer.

        Raises:
            What it fails with in that time; later, that is logged.
        """
        task = self._task = asyncio.create_task(work)
        try:
            ended, _ = await asyncio.wait([task], timeout=seconds)
        except asyncio.CancelledError:
            self.stop()
            raise
        if ended:
            self._task = None
            return task.result()
        task.add_done_callback(self._came_late)
        return None

    def stop(self) -> None:
        """End what is under way."""
        if self._task:
            self._task.cancel()
            self._task = None

    def _came_late(self, task: asyncio.Task[T]) -> None:
        if task is not self._task:
            return
        self._task = None
        if error := task.exception():
            logger.error("failed late", exc_info=error)
        else:
            self._on_late(task.result())
