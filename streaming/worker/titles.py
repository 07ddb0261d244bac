"""The titles of the events of an account's markets: read last, and again until they are known."""

import asyncio
from collections.abc import Callable
from typing import Never

from kalshi.rest import Client
from positions.tracker import Tracker
from streaming.worker.reads import read_events

# Titles that could not be read are asked for again after this long, then ever later.
RETRY_SECONDS = 5.0
LONGEST_RETRY_SECONDS = 300.0


class Titles:
    """
    Reads what a tracker lacks, from `run` until cancelled.

    Args:
        on_change: called when the tracker has something to write.
    """

    def __init__(self, rest: Client, tracker: Tracker, on_change: Callable[[], None]) -> None:
        self._rest = rest
        self._tracker = tracker
        self._on_change = on_change
        self._wanted = asyncio.Event()

    def look(self) -> None:
        """There may be markets whose titles are not known."""
        self._wanted.set()

    async def run(self) -> Never:
        """Read titles as they are wanted."""
        delay = RETRY_SECONDS
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            events = self._tracker.undescribed_events
            if events and self._tracker.describe(await read_events(self._rest, events)):
                self._on_change()
            if not self._tracker.undescribed_events:
                delay = RETRY_SECONDS
                continue
            # A market that is new meanwhile need not wait for the others' titles.
            try:
                async with asyncio.timeout(delay):
                    await self._wanted.wait()
            except TimeoutError:
                pass
            delay = min(2 * delay, LONGEST_RETRY_SECONDS)
            self._wanted.set()
