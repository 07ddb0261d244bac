"""One client's open stream: the news of one account, or of all that its session sees."""

import asyncio
from collections.abc import Collection
from typing import Protocol
from uuid import UUID

from streaming.web.fanout import Channel, Subscriber


class Source(Protocol):
    """Something that has news: an account, or a sum of accounts."""

    channel: Channel
    is_loaded: bool


class Stream:
    """
    What is new for one client, from all the sources it follows.

    Args:
        wanted: the id of the account it is about; None for all that the session sees.
        ends_at: by the event loop's clock.
    """

    def __init__(self, session_id: UUID, user_id: int, wanted: int | None, ends_at: float) -> None:
        self._wakeup = asyncio.Event()
        self._parts: dict[Source, Subscriber] = {}
        # What is said once, to this client alone.
        self._said: list[bytes] = []
        self.session_id = session_id
        self.user_id = user_id
        self.wanted = wanted
        self.ends_at = ends_at
        self.is_ended = False

    @property
    def sources(self) -> Collection[Source]:
        """Those it follows."""
        return self._parts.keys()

    @property
    def superseded(self) -> int:
        """How many events it was too slow for; it got newer ones instead."""
        return sum(subscriber.superseded for subscriber in self._parts.values())

    def follow(self, source: Source) -> None:
        """Give it the source's news too, beginning with all there is."""
        if source in self._parts:
            return
        subscriber = self._parts[source] = Subscriber(self._wakeup.set)
        source.channel.join(subscriber)
        if source.is_loaded:
            subscriber.start_over()

    def leave(self, source: Source) -> None:
        """Give it nothing more of the source."""
        source.channel.leave(self._parts.pop(source))

    def say(self, event: bytes) -> None:
        """Tell this client alone, before what else is new."""
        self._said.append(event)
        self._wakeup.set()

    def end(self) -> None:
        """Let the stream come to its end; what was said before is still taken."""
        self.is_ended = True
        self._wakeup.set()

    async def news(self) -> bytes:
        """Wait until there is something, or the stream has ended; all that is new."""
        await self._wakeup.wait()
        self._wakeup.clear()
        said, self._said = self._said, []
        return b"".join(
            [*said, *(source.channel.take(part) for source, part in self._parts.items())]
        )
