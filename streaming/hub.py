"""
One per web process: hears of what the workers wrote, reads it once, hands it to every open stream.

A NOTIFY is but a doorbell: it says that an account got further, and what is new is read from the
rows. A poll every second finds what a lost doorbell would have told, and notices what nobody can
announce: a worker that died, a session that expired.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import AsyncIterator
from uuid import UUID

from django.db import Error as DatabaseError
from django.utils import timezone

from accounts import sessions
from positions import book
from postgres.channels import ACCOUNT_CHANGED, SESSION_ENDED
from postgres.notifications import Announcement, Listening, announcements
from postgres.threads import DatabaseThread
from streaming import sse
from streaming.fanout import Subscriber
from streaming.watched_account import WatchedAccount

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
# Every so many polls each stream gets a sign of life, and sessions are asked after.
KEEPALIVE_POLLS = 10
SESSION_POLLS = 5
# The end of a stream renews the session's cookie and spreads clients over restarted processes.
STREAM_SECONDS = (1800.0, 3600.0)
RECONNECT_MS = 1000


class Stream(Subscriber):
    """One client's open stream."""

    def __init__(self, session_id: UUID, ends_at: float) -> None:
        self._wakeup = asyncio.Event()
        super().__init__(self._wakeup.set)
        self.session_id = session_id
        self.ends_at = ends_at
        self.is_ended = False

    def end(self) -> None:
        """Let the stream come to its end."""
        self.is_ended = True
        self._wakeup.set()

    async def news(self) -> None:
        """Wait until there is something to take, or the stream has ended."""
        await self._wakeup.wait()
        self._wakeup.clear()


class Hub:
    """
    The watched accounts of this process and their streams.

    Lives in one event loop, between `start` and `stop`. Three tasks: the listener, the poll, and a
    reader that catches up with whatever the other two found to be ahead.
    """

    def __init__(self) -> None:
        self.database = DatabaseThread()
        self.counts: Counter[str] = Counter()
        self._accounts: dict[int, WatchedAccount] = {}
        self._streams: set[Stream] = set()
        self._behind: set[int] = set()
        self._catch_up = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._is_draining = False

    async def start(self) -> None:
        """Begin to listen."""
        for work in (self._listen(), self._poll(), self._read()):
            self._tasks.append(asyncio.create_task(work))

    def drain(self) -> None:
        """End every stream, now and from now on: the process is about to stop."""
        self._is_draining = True
        for stream in self._streams:
            stream.end()

    async def stop(self) -> None:
        """End the streams and let go of the database."""
        self.drain()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.database.close()

    async def events(self, account_id: int, session_id: UUID) -> AsyncIterator[bytes]:
        """
        One stream's events: a snapshot, then what is newer than it.

        Ends when the session does, when its time is over, or when the process stops; each chunk is
        one event or more.
        """
        ends_at = asyncio.get_running_loop().time() + random.uniform(*STREAM_SECONDS)  # noqa: S311  # spread, not secret
        stream = Stream(session_id, ends_at)
        account = self._accounts.setdefault(account_id, WatchedAccount(timezone.now))
        account.channel.join(stream)
        self._streams.add(stream)
        try:
            if account.is_loaded:
                stream.start_over()
            else:
                self._want(account_id)
            if self._is_draining:
                stream.end()
            yield sse.retry(RECONNECT_MS)
            while not stream.is_ended:
                await stream.news()
                if news := account.channel.take(stream):
                    yield news
            yield sse.retry(RECONNECT_MS)
        finally:
            self.counts["superseded"] += stream.superseded
            self._streams.discard(stream)
            account.channel.leave(stream)
            if account.channel.is_deserted and self._accounts.get(account_id) is account:
                del self._accounts[account_id]

    async def _listen(self) -> None:
        async for heard in announcements(ACCOUNT_CHANGED, SESSION_ENDED):
            match heard:
                case Announcement(channel=channel, payload=payload) if channel == ACCOUNT_CHANGED:
                    account_id, epoch, seq = (int(part) for part in payload.split(":"))
                    self._compare(account_id, epoch, seq)
                case Announcement(payload=payload):
                    self._end_sessions({UUID(payload)})
                case Listening():
                    # Whatever was announced before was announced to nobody.
                    for account_id in self._accounts:
                        self._want(account_id)

    async def _poll(self) -> None:
        loop = asyncio.get_running_loop()
        polls = 0
        while True:
            await asyncio.sleep(POLL_SECONDS)
            polls += 1
            try:
                await self._look()
                if polls % SESSION_POLLS == 0:
                    await self._look_after_sessions()
            except DatabaseError as error:
                logger.warning("poll failed", extra={"error": type(error).__name__})
                for account in self._loaded():
                    account.age()
            for stream in self._streams:
                if stream.ends_at < loop.time():
                    stream.end()
            if polls % KEEPALIVE_POLLS == 0:
                for account in self._loaded():
                    account.keep_alive()

    def _loaded(self) -> list[WatchedAccount]:
        return [account for account in self._accounts.values() if account.is_loaded]

    async def _look(self) -> None:
        found = await self.database.run(book.progress, list(self._accounts))
        for account_id, progress in found.items():
            account = self._accounts.get(account_id)
            if account is None:
                continue
            if self._compare(account_id, progress.epoch, progress.seq):
                self.counts["found by poll"] += 1
            elif account.is_loaded:
                account.look(progress.heartbeat_at)

    async def _look_after_sessions(self) -> None:
        open_now = {stream.session_id for stream in self._streams}
        if open_now:
            alive = await self.database.run(sessions.alive, open_now)
            self._end_sessions(open_now - alive)

    def _compare(self, account_id: int, epoch: int, seq: int) -> bool:
        """Whether the account's rows are not the ones we have; then they will be read."""
        account = self._accounts.get(account_id)
        if account is None or (account.is_loaded and (account.epoch, account.seq) == (epoch, seq)):
            return False
        if account.is_loaded and account.epoch == epoch and seq < account.seq:
            # An old doorbell; had the rows gone back, their epoch would not be the same.
            return False
        self._want(account_id)
        return True

    def _want(self, account_id: int) -> None:
        self._behind.add(account_id)
        self._catch_up.set()

    async def _read(self) -> None:
        while True:
            await self._catch_up.wait()
            self._catch_up.clear()
            while self._behind:
                await self._read_account(self._behind.pop())

    async def _read_account(self, account_id: int) -> None:
        account = self._accounts.get(account_id)
        if account is None:
            return
        try:
            news = await self.database.run(
                book.read, account_id, account.seq if account.is_loaded else 0
            )
            if not account.is_loaded or news.seq < account.seq:
                # Rows older than ours: the database was set back. Start over with what it has.
                account.load(await self.database.run(book.read, account_id))
            else:
                account.update(news)
        except DatabaseError as error:
            # The poll wants it again as soon as the database answers.
            logger.warning("read failed", extra={"error": type(error).__name__})

    def _end_sessions(self, session_ids: set[UUID]) -> None:
        for stream in self._streams:
            if stream.session_id in session_ids:
                stream.end()
