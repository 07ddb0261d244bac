"""
Accounts that were just taken over, on their way to being live.

A worker that takes over a hundred has its hands full: what happened in the past can be read when
the last of them is live. Else the reading of the first ones' past, which is most of the work, would
keep the last ones waiting.
"""

import asyncio

# One whose exchange does not answer is not waited for any longer.
LONGEST_SECONDS = 10.0


class Arrivals:
    """Those of one worker."""

    def __init__(self) -> None:
        self._under_way: set[Arrival] = set()
        self._are_over = asyncio.Event()
        self._are_over.set()

    def begin(self) -> "Arrival":
        """One more has been taken over."""
        arrival = Arrival(self)
        self._under_way.add(arrival)
        self._are_over.clear()
        return arrival

    def end(self, arrival: "Arrival") -> None:
        """It is live, or can't be for now."""
        self._under_way.discard(arrival)
        if not self._under_way:
            self._are_over.set()

    async def over(self) -> None:
        """Wait until none is under way, but not for ever."""
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                await self._are_over.wait()
        except TimeoutError:
            pass


class Arrival:
    """One account's."""

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals

    def end(self) -> None:
        """It is live, or can't be for now. Again it says nothing new."""
        self._arrivals.end(self)

    async def others(self) -> None:
        """Wait until all others have arrived too, but not for ever."""
        self.end()
        await self._arrivals.over()
