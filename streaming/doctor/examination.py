"""Checks side by side, each with its time; what they find comes as they find it."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from streaming.doctor.findings import Finding, unknown

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Check:
    """
    One thing to look at.

    Attributes:
        seconds: after which it is given up, and what it had not found yet is unknown.
        find: yields what it finds; expected troubles are findings, not exceptions.
    """

    subject: str
    seconds: float
    find: Callable[[], AsyncGenerator[Finding, None]]


async def examine(checks: Sequence[Check]) -> AsyncIterator[Finding]:
    """What all of them find, in the order of finding it."""
    found: asyncio.Queue[Finding | None] = asyncio.Queue()
    tasks = [asyncio.create_task(_carry_out(check, found)) for check in checks]
    try:
        running = len(tasks)
        while running:
            finding = await found.get()
            if finding is None:
                running -= 1
            else:
                yield finding
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _carry_out(check: Check, found: asyncio.Queue[Finding | None]) -> None:
    try:
        async with asyncio.timeout(check.seconds), aclosing(check.find()) as findings:
            async for finding in findings:
                await found.put(finding)
    except TimeoutError:
        await found.put(unknown(check.subject, f"no answer within {check.seconds:g} seconds."))
    except Exception as error:
        # A bug of ours in one check; the others go on.
        logger.exception("check failed", extra={"check": check.subject})
        what = f"the check itself failed ({type(error).__name__}); see above."
        await found.put(unknown(check.subject, what))
    finally:
        await found.put(None)
