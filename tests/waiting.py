"""Wait for what must come true, not for a time."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterator
from time import monotonic
from typing import Any

# Long, as the machine may be busy; but a feed reads all anew after 44 seconds at the soonest, and
# what it missed would then be there all the same.
PATIENCE_SECONDS = 40
# For programs to start, and all they need with them.
START_SECONDS = 180
POLL_SECONDS = 0.01
# What has not come for long is asked for less often: the asking takes the time that it needs.
POLLS_PER_WAIT = 20


async def until(
    condition: Callable[[], Any | Awaitable[Any]], *, seconds: float = PATIENCE_SECONDS
) -> Any:
    """
    Ask again and again until the condition holds; its truthy answer.

    Raises:
        TimeoutError: it did not hold in time.
    """
    begun = monotonic()
    async with asyncio.timeout(seconds):
        while True:
            answer = condition()
            if inspect.isawaitable(answer):
                answer = await answer
            if answer:
                return answer
            waited = monotonic() - begun
            await asyncio.sleep(max(POLL_SECONDS, waited / POLLS_PER_WAIT))


def what_waits(loop: asyncio.AbstractEventLoop) -> str:
    """A line for each task of the loop: where it stands, and where what it awaits stands."""
    return "\n".join(" > ".join(_places(task.get_coro())) for task in asyncio.all_tasks(loop))


def _places(awaited: Any) -> Iterator[str]:
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None)
        if frame:
            yield f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_qualname}"
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)
