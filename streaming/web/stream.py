"""One client's open stream: the news of one account, or of all that its session sees."""

import asyncio
from collections.abc import Collection
from typing import Protocol
from uuid import UUID

from streaming.web import sse
from streaming.web.counts import COUNTS
from streaming.web.deflated import Deflated, GzipStream
from streaming.web.fanout import Channel, Subscriber
from streaming.web.shared_snapshot import SharedSnapshot


class Source(Protocol):
    """
    Something that has news: an account, or a sum of accounts.

    Attributes:
        snapshots: None of a sum: its events are given the id of whatever went before them.
    """

    channel: Channel
    is_loaded: bool

    @property
    def snapshots(self) -> SharedSnapshot | None: ...


class Stream:
    """
    What is new for one client, from all the sources it follows.

    Args:
        wanted: the id of the account it is about; None for all that the session sees.
        ends_at: by the event loop's clock.
        takes_gzip: whether all that it is sent is to be one gzip file.
    """

    def __init__(
        self,
        session_id: UUID,
        user_id: int,
        wanted: int | None,
        ends_at: float,
        *,
        takes_gzip: bool = False,
    ) -> None:
        self._gzip = GzipStream() if takes_gzip else None
        self._wakeup = asyncio.Event()
        self._parts: dict[Source, Subscriber] = {}
        # What is said once, to this client alone.
        self._said: list[bytes] = []
        # Of the last event that it was given; of interest where it follows a sum.
        self._last_id = b"0"
        self._sums = 0
        self.session_id = session_id
        self.user_id = user_id
        self.wanted = wanted
        self.ends_at = ends_at
        self.is_ended = False
        # When the oldest rows behind its last news were written, Unix time; None if they have none.
        self.written_at: float | None = None

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
        subscriber = self._parts[source] = Subscriber(self._wakeup.set, COUNTS.told)
        self._sums += source.snapshots is None
        source.channel.join(subscriber)
        if source.is_loaded:
            subscriber.start_over()

    def leave(self, source: Source) -> None:
        """Give it nothing more of the source."""
        source.channel.leave(self._parts.pop(source))
        self._sums -= source.snapshots is None

    def say(self, event: bytes) -> None:
        """Tell this client alone, before what else is new."""
        self._said.append(event)
        self._wakeup.set()

    def end(self) -> None:
        """Let the stream come to its end; what was said before is still taken."""
        self.is_ended = True
        self._wakeup.set()

    def first(self, event: bytes) -> bytes:
        """The beginning of what is sent, with this event."""
        return self._gzip.begin() + self._gzip.add(event) if self._gzip else event

    def last(self, event: bytes) -> bytes:
        """The end of what is sent, with what was still to be said and this event."""
        said, self._said = self._said, []
        if self._gzip is None:
            return b"".join([*said, event])
        return self._gzip.add(*said, event) + self._gzip.end()

    async def news(self) -> bytes:
        """Wait until there is something, or the stream has ended; what is new, to be sent."""
        await self._wakeup.wait()
        self._wakeup.clear()
        said, self._said = self._said, []
        for event in said:
            self._given(event)
        if self._gzip is None:
            return b"".join([*said, *self._taken()])
        return self._gzip.add(*said, *self._taken(), *await self._snapshot())

    def _taken(self) -> list[bytes]:
        taken = []
        self.written_at = None
        is_behind = False
        for source, part in self._parts.items():
            if self._gzip and part.awaits_snapshot and source.snapshots:
                # A compressed one is made elsewhere.
                is_behind = True
                continue
            if is_behind and not source.snapshots:
                # It repeats the id of what it sums, so it comes after that.
                continue
            since = part.waits_since
            if since is not None and (self.written_at is None or since < self.written_at):
                self.written_at = since
            news = source.channel.take(part)
            if news and not source.snapshots:
                news = sse.with_id(self._last_id, news)
            else:
                self._given(news)
            taken.append(news)
        return taken

    def _given(self, events: bytes) -> None:
        if self._sums:
            self._last_id = sse.last_id(events) or self._last_id

    async def _snapshot(self) -> list[Deflated]:
        for source, part in self._parts.items():
            if part.awaits_snapshot and source.snapshots:
                # One at a time: it is sent before the next is made.
                self._wakeup.set()
                snapshot, last_id = await source.snapshots.give(part)
                self._last_id = last_id or self._last_id
                return [snapshot]
        return []
