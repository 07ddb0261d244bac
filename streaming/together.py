"""Work that belongs together: it runs at the same time and ends at the first failure."""

import asyncio
from collections.abc import Coroutine
from typing import Never


async def until_one_fails(*work: Coroutine[object, object, Never]) -> Never:
    """
    Run endless work side by side until one of it fails; the rest is cancelled.

    Raises:
        The failure itself, not in a group: callers tell failures apart by their type.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            for coroutine in work:
                tasks.create_task(coroutine)
    except ExceptionGroup as group:
        failure = group.exceptions[0]
        if len(group.exceptions) > 1:
            failure.add_note(f"and with it: {group.exceptions[1:]!r}")
        raise failure from None
    raise AssertionError("endless work ended")
