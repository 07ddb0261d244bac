"""Work that belongs together: it runs at the same time and ends at the first failure."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Never, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")


async def until_one_fails(*work: Coroutine[object, object, Never]) -> Never:
    """
    Run endless work side by side until one of it fails; the rest is cancelled and waited for.

    Raises:
        The first failure itself, not in a group: callers tell failures apart by their type. Others
        that come with it are logged.
    """
    # Not a TaskGroup: one that is ending on a failure forgets, in Python 3.11, that it was
    # cancelled meanwhile, and whoever takes the failure for an ordinary one goes on for ever.
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
