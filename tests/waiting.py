"""Wait for what must come true, not for a time."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

POLL_SECONDS = 0.01


async def until(condition: Callable[[], Any | Awaitable[Any]], *, seconds: float = 30) -> Any:
    """
    Ask again and again until the condition holds; its truthy answer.

    Raises:
        TimeoutError: it did not hold in time.
    """
    async with asyncio.timeout(seconds):
        while True:
            answer = condition()
            if inspect.isawaitable(answer):
                answer = await answer
            if answer:
                return answer
            await asyncio.sleep(POLL_SECONDS)
