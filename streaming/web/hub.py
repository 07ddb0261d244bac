"""
One per web process: hears of what the workers wrote, reads it once, hands it to every open stream.

A NOTIFY says only that an account got further. What is new is read from the rows. A poll every
second finds what a lost NOTIFY would have told, and notices what nobody can announce: a worker that
died, a session that expired.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from itertools import count
from typing import Never
from uuid import UUID

from django.db import Error
from django.utils import timezone

from accounts import sessions
from positions import reading
from postgres.channels import ACCOUNT_CHANGED, SESSION_ENDED
from postgres.notifications import Announcement, Listening, announcements
from postgres.threads import DatabaseThread
from streaming.together import until_one_fails
from streaming.web import sse
from streaming.web.fanout import Subscriber
from streaming.web.watched_account import WatchedAccount

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
# Every so many polls sessions are asked after.
SESSION_POLLS = 5
# Every so many seconds each stream gets a sign of life.
KEEPALIVE_SECONDS = 10
RESTART_SECONDS = 1.0
# The end of a stream renews the session's cookie and spreads clients over restarted processes.
STREAM_SECONDS = (1800.0, 3600.0)
RECONNECT_MS = 1000


class Stream(Subscriber):
    """One client's open stream."""

    def __init__(self, account_id: int, session_id: UUID, ends_at: float) -> None:
        self._wakeup = asyncio.Event()
        super().__init__(self._wakeup.set)
        self.account_id = account_id
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

    Lives in one event loop, between `start` and `stop`. Four tasks: the listener, the poll, a
    reader that catches up with whatever these two found to be ahead, and the clock, which must go
    on when the database doesn't answer the others.
    """

    def __init__(self) -> None:
        self.database = DatabaseThread()
        self._accounts: dict[int, WatchedAccount] = {}
        self._streams: set[Stream] = set()
        self._behind: set[int] = set()
        # The account that is being read at the moment.
        self._reading: int | None = None
        self._catch_up = asyncio.Event()
        self._work: asyncio.Task[Never] | None = None
        self._is_draining = False

    async def start(self) -> None:
        """Begin to listen."""
        self._work = asyncio.create_task(self._supervise())

    def drain(self) -> None:
        """End every stream, now and from now on: the process is about to stop."""
        self._is_draining = True
        self._end_streams()

    async def stop(self) -> None:
        """End the streams and let go of the database."""
        self.drain()
        if self._work:
            self._work.cancel()
            await asyncio.wait([self._work])
        await self.database.close()

    async def events(self, account_id: int, session_id: UUID) -> AsyncIterator[bytes]:
        """
        One stream's events: a snapshot, then what is newer than it.

        Ends when the session does, when its time is over, or when the process stops; each chunk is
        one event or more.
        """
        ends_at = asyncio.get_running_loop().time() + random.uniform(*STREAM_SECONDS)  # noqa: S311  # spread, not secret
        stream = Stream(account_id, session_id, ends_at)
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
            logger.info(
                "stream closed",
                extra={"account_id": account_id, "superseded": stream.superseded},
            )
            self._streams.discard(stream)
            account.channel.leave(stream)
            if account.channel.is_deserted and self._accounts.get(account_id) is account:
                del self._accounts[account_id]

    async def _supervise(self) -> Never:
        while True:
            try:
                await until_one_fails(self._listen(), self._poll(), self._read(), self._keep_time())
            except Exception:
                # A bug. Streams that nobody feeds would look live for ever: they begin again.
                logger.exception("hub failed")
                self._end_streams()
                await asyncio.sleep(RESTART_SECONDS)

    async def _listen(self) -> Never:
        async for heard in announcements(ACCOUNT_CHANGED, SESSION_ENDED):
            match heard:
                case Announcement(channel=channel, payload=payload) if channel == ACCOUNT_CHANGED:
                    account_id, epoch, seq = (int(part) for part in payload.split(":"))
                    self._heard(account_id, epoch, seq)
                case Announcement(payload=payload):
                    self._end_sessions({UUID(payload)})
                case Listening():
                    # Whatever was announced before was announced to nobody.
                    for account_id in self._accounts:
                        self._want(account_id)
        raise AssertionError("announcements ended")

    def _heard(self, account_id: int, epoch: int, seq: int) -> None:
        account = self._accounts.get(account_id)
        # Announcements of one epoch come in order, but what they tell of may have been read.
        if account and not (account.epoch == epoch and account.seq >= seq):
            self._want(account_id)

    async def _poll(self) -> Never:
        for polls in count(1):
            await asyncio.sleep(POLL_SECONDS)
            try:
                await self._look()
                if polls % SESSION_POLLS == 0:
                    await self._look_after_sessions()
            except Error as error:
                logger.warning("poll failed", extra={"error": type(error).__name__})
                for account in self._accounts.values():
                    # It may come back with older rows, or after their tombstones were purged.
                    account.doubt()
        raise AssertionError("numbers ended")

    async def _look(self) -> None:
        found = await self.database.run(reading.progress, list(self._accounts))
        for account_id, progress in found.items():
            account = self._accounts.get(account_id)
            if account is None:
                continue
            # Read from the rows by the same thread as all we have: if it is less, they went back.
            if (account.epoch, account.seq) == (progress.epoch, progress.seq):
                account.look(progress.heartbeat)
            elif account_id not in self._behind and account_id != self._reading:
                # Its announcement is still on the way, or was lost.
                self._want(account_id)

    async def _look_after_sessions(self) -> None:
        open_now = {stream.session_id for stream in self._streams}
        if open_now:
            alive = await self.database.run(sessions.alive, open_now)
            self._end_sessions(open_now - alive)

    def _want(self, account_id: int) -> None:
        self._behind.add(account_id)
        self._catch_up.set()

    async def _read(self) -> Never:
        while True:
            await self._catch_up.wait()
            self._catch_up.clear()
            while self._behind:
                self._reading = self._behind.pop()
                try:
                    await self._read_account(self._reading)
                finally:
                    self._reading = None

    async def _read_account(self, account_id: int) -> None:
        account = self._accounts.get(account_id)
        if account is None:
            return
        try:
            if account.is_loaded:
                news = await self.database.run(reading.read_since, account_id, account.seq)
                if account.is_continued_by(news):
                    account.update(news)
                    return
            account.load(await self.database.run(reading.read, account_id))
        except Error as error:
            # The poll wants it again as soon as the database answers.
            logger.warning("read failed", extra={"error": type(error).__name__})
        except Exception:
            # A bug, with this account alone: its streams would look live for ever, so they end.
            logger.exception("account cannot be shown", extra={"account_id": account_id})
            for stream in self._streams:
                if stream.account_id == account_id:
                    stream.end()

    async def _keep_time(self) -> Never:
        loop = asyncio.get_running_loop()
        for seconds in count(1):
            await asyncio.sleep(1.0)
            for account in self._accounts.values():
                account.age()
                if seconds % KEEPALIVE_SECONDS == 0:
                    account.keep_alive()
            for stream in self._streams:
                if stream.ends_at < loop.time():
                    stream.end()
        raise AssertionError("numbers ended")

    def _end_streams(self) -> None:
        for stream in self._streams:
            stream.end()

    def _end_sessions(self, session_ids: set[UUID]) -> None:
        for stream in self._streams:
            if stream.session_id in session_ids:
                stream.end()
