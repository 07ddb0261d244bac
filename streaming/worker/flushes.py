"""
An account's flushes: what its tracker changed becomes rows, one write at a time.

Writing is apart from reading: each flush takes all that changed since the one before, so a storm of
ticks is conflated by itself, and memory is bounded by the number of positions.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic
from typing import Never

from django.db import DataError, IntegrityError
from django.utils import timezone

from positions.connection import ConnectionState
from positions.portfolio import Changes
from positions.tracker import Tracker
from positions.writing import StreamWriter
from postgres.errors import DATABASE_TROUBLE
from postgres.threads import DatabaseThreads
from streaming.worker.counts import COUNTS

logger = logging.getLogger(__name__)

# Between tries of a write that failed, doubled by each.
FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 2.0
# After so long without a successful write nobody can vouch for the rows.
STUCK_SECONDS = 3.0
# A position that the database refuses is tried again this often.
REFUSED_RETRY_SECONDS = 60.0
PURGE_SECONDS = 600.0
GOODBYE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Writers:
    """
    The threads that write for all accounts of a worker.

    An account whose last write failed goes by `doubtful`, where it can hold up only its like: a
    lock that one account waits for must not take the threads from the others. What is written of
    the past goes by `history`: it may be much, and is in no hurry.
    """

    healthy: DatabaseThreads
    doubtful: DatabaseThreads
    history: DatabaseThreads


class Flushes:
    """
    Writes one account's changes through, from `run` until cancelled.

    Args:
        state: of the connection, as it is now.
    """

    def __init__(
        self,
        writer: StreamWriter,
        tracker: Tracker,
        state: Callable[[], ConnectionState],
        writers: Writers,
    ) -> None:
        self._writer = writer
        self._tracker = tracker
        self._state = state
        self._writers = writers
        self._unwritten = asyncio.Event()
        self._unwritten.set()
        self._failures = 0
        # When the first change since the last flush came, and when a flush began that waits still.
        self._changed_at: float | None = None
        self._waiting_since: float | None = None
        # Positions that the database refuses: when to try them again, and how that is told; those
        # of them that are being tried.
        self._refused: dict[str, tuple[float, str]] = {}
        self._tried: set[str] = set()

    def soon(self) -> None:
        """There is something to write."""
        if self._changed_at is None:
            self._changed_at = monotonic()
        self._unwritten.set()

    @property
    def silent_seconds(self) -> float | None:
        """For how long nothing could be written, once it is too long to vouch for the rows."""
        if self._waiting_since is None:
            return None
        seconds = monotonic() - self._waiting_since
        return seconds if seconds > STUCK_SECONDS else None

    async def run(self) -> Never:
        """
        Write whatever changes.

        Raises:
            TakenOver: another worker writes the account now.
            DataError, IntegrityError: the database refuses even the account's own row.
        """
        while True:
            await self._something_to_write()
            if not await self.write():
                await asyncio.sleep(
                    min(FIRST_RETRY_SECONDS * 2 ** (self._failures - 1), LONGEST_RETRY_SECONDS)
                )
                self._unwritten.set()

    async def _something_to_write(self) -> None:
        again_at = min((at for at, _ in self._refused.values()), default=None)
        try:
            async with asyncio.timeout(None if again_at is None else again_at - monotonic()):
                await self._unwritten.wait()
        except TimeoutError:
            pass
        self._unwritten.clear()

    async def write(self) -> bool:
        """Write what changed; false when the database is in trouble and nothing was lost."""
        self._try_refused_again()
        changes = self._accepted(self._tracker.take_changes(timezone.now()))
        began = monotonic()
        changed_at, self._changed_at = self._changed_at, None
        self._waiting_since = self._waiting_since or began
        try:
            await self._write(self._threads, changes)
        except DATABASE_TROUBLE as error:
            self._tracker.put_back(changes)
            # Bounded, as a power of it is a wait.
            self._failures = min(self._failures + 1, 10)
            COUNTS.flushes_failed += 1
            self._changed_at = changed_at or self._changed_at
            logger.warning("write failed", extra=self._fields(error=type(error).__name__))
            return False
        except BaseException:
            # Cancelled while it waited for its thread, say: whoever writes next writes it all.
            self._tracker.put_back(changes)
            raise
        self._waiting_since = None
        self._failures = 0
        self._let_in_again()
        now = monotonic()
        COUNTS.flush.observe(now - began)
        COUNTS.flushed_rows += len(changes.positions)
        if changed_at is not None:
            COUNTS.frame_to_row.observe(now - changed_at)
        return True

    @property
    def _threads(self) -> DatabaseThreads:
        return self._writers.doubtful if self._failures else self._writers.healthy

    async def _write(self, threads: DatabaseThreads, changes: Changes) -> None:
        try:
            await threads.run(self._writer.write, changes, self._state(), timezone.now())
        except (DataError, IntegrityError) as error:
            logger.error("rows refused", extra=self._fields(error=type(error).__name__))
            refused = await threads.run(
                self._writer.write_apart, changes, self._state(), timezone.now()
            )
            for ticker, reason in refused.items():
                logger.error("position refused", extra=self._fields(ticker=ticker, reason=reason))
                told = f"position {ticker}: the database refuses it ({reason})"
                self._refused[ticker] = (monotonic() + REFUSED_RETRY_SECONDS, told)
                self._tried.discard(ticker)
            # To tell of them, beside the exchange's own rows that are left out.
            self._tracker.tell_left_out_again()
            self._unwritten.set()

    def _try_refused_again(self) -> None:
        now = monotonic()
        self._tried = {ticker for ticker, (at, _) in self._refused.items() if at <= now}
        for ticker in self._tried:
            self._tracker.write_again(ticker)

    def _let_in_again(self) -> None:
        """Those that were tried are written, or held no more: they are left out no longer."""
        for ticker in self._tried:
            del self._refused[ticker]
        if self._tried:
            self._tried = set()
            self._tracker.tell_left_out_again()
            self._unwritten.set()

    def _accepted(self, changes: Changes) -> Changes:
        if not self._refused:
            return changes
        left_out = changes.left_out
        if left_out is not None:
            left_out += tuple(told for _, told in self._refused.values())
        refused = self._refused.keys() - self._tried
        return replace(
            changes,
            positions=tuple(each for each in changes.positions if each.ticker not in refused),
            left_out=left_out,
        )

    async def purge_forever(self) -> Never:
        """Delete tombstones that every reader has long had, now and then."""
        while True:
            try:
                await self._threads.run(self._writer.purge, timezone.now())
            except DATABASE_TROUBLE as error:
                logger.warning("purge failed", extra=self._fields(error=type(error).__name__))
            await asyncio.sleep(PURGE_SECONDS)

    async def say_goodbye(self) -> None:
        """Write the last state, if that can be done in time."""
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self.write()
        except Exception as error:
            # Whatever it is, it must not take the place of what ended the feed.
            logger.warning("could not say goodbye", extra=self._fields(error=type(error).__name__))

    def _fields(self, **fields: object) -> dict[str, object]:
        return {"account_id": self._writer.account_id, **fields}
