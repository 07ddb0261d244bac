"""
One account's events to many clients: each event is encoded once, and no client waits for another.

A subscriber holds no queue but the set of keys it has not been given yet. It can't grow beyond the
number of positions, and a client too slow for the rate gets the newest state of each: what it would
have read late anyway is overwritten, never piled up.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

Key = str

# So long a snapshot is given to all who come: after a start of the server all come at once, and
# each holds what it was sent last until there is something newer.
MOMENT_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Frame:
    """One encoded event and the account's version it belongs to."""

    version: int
    data: bytes


@dataclass(slots=True)
class Told:
    """
    What clients were given, all of them together.

    Attributes:
        superseded: events that one was too slow for; it got newer ones instead.
    """

    events: int = 0
    superseded: int = 0
    snapshots: int = 0


class Subscriber:
    """
    One client of a channel.

    Args:
        wake: called when there is something to take; may be called more often than that.
        told: counts what it is given, with others.

    Attributes:
        waits_since: when the oldest of what it has yet to take was written; None if nothing that
            has such a time.
    """

    def __init__(self, wake: Callable[[], None], told: Told | None = None) -> None:
        self._wake = wake
        self._told = told or Told()
        self._dirty: set[Key] = set()
        self._needs_snapshot = False
        self.superseded = 0
        self.waits_since: float | None = None

    def start_over(self) -> None:
        """Give this client a snapshot next, and only what is newer after it."""
        self._dirty.clear()
        self._needs_snapshot = True
        self.waits_since = None
        self._wake()

    @property
    def awaits_snapshot(self) -> bool:
        """Whether it is a snapshot that is to be taken next."""
        return self._needs_snapshot

    def has_snapshot(self) -> None:
        """It is given one of this moment, by whoever compresses it; next is what is newer."""
        self._needs_snapshot = False
        self._told.snapshots += 1

    def waits_for(self, key: Key) -> bool:
        """Whether it has yet to take the frame of this key."""
        return key in self._dirty

    def mark(self, keys: set[Key], written_at: float | None = None) -> None:
        """There are new frames for these keys, of rows that were written at this instant."""
        if not self._needs_snapshot:
            superseded = len(self._dirty & keys)
            self.superseded += superseded
            self._told.superseded += superseded
            self._dirty |= keys
            if self.waits_since is None:
                self.waits_since = written_at
            self._wake()

    def take(self, frames: Mapping[Key, Frame], snapshot: Callable[[], bytes]) -> bytes:
        """All that is new for this client, oldest first; empty when nothing is."""
        if self._needs_snapshot:
            self.has_snapshot()
            return snapshot()
        fresh = sorted((frames[key] for key in self._dirty), key=lambda frame: frame.version)
        self._dirty.clear()
        self.waits_since = None
        self._told.events += len(fresh)
        return b"".join(frame.data for frame in fresh)


class Channel:
    """
    The newest frame of each key of one account, and those who want them.

    Args:
        snapshot: encodes all that the frames so far amount to.
        clock: seconds that only run forward.
    """

    def __init__(
        self, snapshot: Callable[[], bytes], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._snapshot = snapshot
        self._clock = clock
        # The last one while nothing is newer, and until when it is given.
        self._of_the_moment: tuple[bytes, float] | None = None
        self._frames: dict[Key, Frame] = {}
        self._subscribers: set[Subscriber] = set()

    @property
    def is_deserted(self) -> bool:
        """Whether nobody listens."""
        return not self._subscribers

    def join(self, subscriber: Subscriber) -> None:
        """Give a subscriber everything that is published from now on."""
        self._subscribers.add(subscriber)

    def leave(self, subscriber: Subscriber) -> None:
        """Give it nothing more."""
        self._subscribers.discard(subscriber)

    def publish(self, frames: Mapping[Key, Frame], written_at: float | None = None) -> None:
        """
        Replace the frames of these keys and tell everybody.

        Args:
            written_at: when the rows behind them were, if there are any.
        """
        self._of_the_moment = None
        if not frames:
            return
        self._frames.update(frames)
        keys = set(frames)
        for subscriber in self._subscribers:
            subscriber.mark(keys, written_at)

    def let_go(self, keys: Iterable[Key]) -> list[Key]:
        """Forget the frames of those keys that nobody has yet to take; which they were."""
        taken = [
            key
            for key in keys
            if not any(subscriber.waits_for(key) for subscriber in self._subscribers)
        ]
        for key in taken:
            self._frames.pop(key, None)
        return taken

    def start_over(self) -> None:
        """What was published so far no longer holds: everybody gets a snapshot."""
        self._of_the_moment = None
        self._frames.clear()
        for subscriber in self._subscribers:
            subscriber.start_over()

    def take(self, subscriber: Subscriber) -> bytes:
        """What is new for this subscriber."""
        return subscriber.take(self._frames, self._shared)

    def _shared(self) -> bytes:
        now = self._clock()
        if self._of_the_moment is None or now >= self._of_the_moment[1]:
            self._of_the_moment = self._snapshot(), now + MOMENT_SECONDS
        return self._of_the_moment[0]
