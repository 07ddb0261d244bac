"""
One per web process: hears of what the workers wrote, reads it once, hands it to every open stream.

A NOTIFY says that an account got further. What is new comes with it, or is read from the rows. A
poll every second finds what a lost NOTIFY would have told, and notices what nobody can announce: a
worker that died, a session that expired.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Never
from uuid import UUID

from django.conf import settings
from django.db import Error
from django.utils import timezone

from accounts import sight
from accounts.models import Session
from accounts.sight import Sight
from positions import doorbell, reading, sums
from positions.doorbell import Doorbell
from positions.sums import Group
from postgres.channels import ACCOUNT_CHANGED, SESSION_ENDED, SIGHT_CHANGED
from postgres.notifications import Announcement, Listening, announcements
from postgres.threads import DatabaseThread
from streaming.together import until_one_fails
from streaming.web import sse
from streaming.web.counts import COUNTS
from streaming.web.stream import Source, Stream
from streaming.web.watched_account import WatchedAccount
from streaming.web.watched_sum import WatchedSum

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
# Every so many polls sessions are asked after.
SESSION_POLLS = 5
# Every so many seconds each stream gets a sign of life: ten are promised, and each takes a little
# longer.
KEEPALIVE_SECONDS = 9
RESTART_SECONDS = 1.0
# A stream lasts between this part of STREAM_SECONDS and all of it. Its end renews the session's
# cookie, and spreads clients over restarted processes.
SHORTEST_PART = 0.5
RECONNECT_MS = 1000


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
        self._sums: dict[Group, WatchedSum] = {}
        self._streams: set[Stream] = set()
        # Accounts that are to be read, and since when that is known.
        self._behind: dict[int, float] = {}
        # Of those that could not be read, until they are.
        self._unread: dict[int, float] = {}
        # Since when the database has been asked how far the accounts are, without an answer.
        self._asked_since: float | None = None
        # The flushes that the last poll found, and nobody has announced yet.
        self._unannounced: dict[int, int] = {}
        # Users whose sessions may see other accounts than they did.
        self._sight_changed: set[int] = set()
        # The account that is being read at the moment.
        self._reading: tuple[int, float] | None = None
        self._catch_up = asyncio.Event()
        self._work: asyncio.Task[Never] | None = None
        self._is_draining = False

    @property
    def open_streams(self) -> int:
        """How many."""
        return len(self._streams)

    @property
    def watched(self) -> int:
        """How many accounts somebody looks at."""
        return len(self._accounts)

    @property
    def behind_seconds(self) -> float:
        """
        For how long the account that waits longest has been known to have news; 0 if none.

        Or for how long nobody could say whether one has, if that is longer.
        """
        since = [*self._behind.values(), *self._unread.values()]
        since += [self._reading[1]] if self._reading else []
        since += [self._asked_since] if self._asked_since is not None else []
        return time.monotonic() - min(since) if since else 0.0

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

    @staticmethod
    def stream(session: Session, wanted: int | None, *, takes_gzip: bool = False) -> Stream:
        """
        A stream for a session, to be fed by `events`.

        Args:
            wanted: the account it is about; None for all that the session sees.
            takes_gzip: whether the chunks are to be one gzip file. Each can be read as it comes.
        """
        part = random.uniform(SHORTEST_PART, 1)  # noqa: S311  # spread, not secret
        ends_at = asyncio.get_running_loop().time() + part * settings.STREAM_SECONDS
        return Stream(session.pk, session.user_id, wanted, ends_at, takes_gzip=takes_gzip)

    async def events(self, stream: Stream, seen: Sight) -> AsyncIterator[bytes]:
        """
        One stream's events: a snapshot of each account, then what is newer than it.

        Ends when the session does, when its time is over, or when the process stops; each chunk is
        one event or more.

        Args:
            seen: what the session saw when it was looked at.
        """
        self._streams.add(stream)
        COUNTS.streams_opened += 1
        try:
            self._show(stream, seen)
            # What it sees is asked for again now and then.
            del seen
            if self._is_draining:
                stream.end()
            yield stream.first(sse.retry(RECONNECT_MS))
            while not stream.is_ended:
                if news := await stream.news():
                    COUNTS.stream_bytes += len(news)
                    yield news
                    # Here again when the connection has taken it, or is no more.
                    if stream.written_at is not None and not stream.is_ended:
                        COUNTS.row_to_bytes.observe(time.time() - stream.written_at)
            yield stream.last(sse.retry(RECONNECT_MS))
        finally:
            logger.info(
                "stream closed",
                extra={"user_id": stream.user_id, "superseded": stream.superseded},
            )
            self._streams.discard(stream)
            for source in list(stream.sources):
                self._leave(stream, source)

    def _show(self, stream: Stream, seen: Sight) -> None:
        """Let the stream follow what its session sees now, and tell it what is no more."""
        shown = [account for account in seen.accounts if stream.wanted in (None, account.pk)]
        groups = set(sums.groups(shown))
        ids = {account.pk for account in shown}
        for source in list(stream.sources):
            if isinstance(source, WatchedSum):
                if source.group not in groups:
                    self._leave(stream, source)
            elif isinstance(source, WatchedAccount) and source.account_id not in ids:
                self._leave(stream, source)
                stream.say(sse.account_removed(source.seq, source.account_id))
        for account_id in sorted(ids):
            stream.follow(self._watched(account_id))
        for group in groups:
            stream.follow(self._summed(group))
        if stream.wanted is not None and not ids:
            stream.end()

    def _watched(self, account_id: int) -> WatchedAccount:
        account = self._accounts.get(account_id)
        if account is None:
            account = self._accounts[account_id] = WatchedAccount(account_id, timezone.now)
        if not account.is_loaded:
            self._want(account_id)
        return account

    def _summed(self, group: Group) -> WatchedSum:
        if group not in self._sums:
            # Each member is followed by whoever follows the sum.
            self._sums[group] = WatchedSum(group, self._accounts)
        return self._sums[group]

    def _leave(self, stream: Stream, source: Source) -> None:
        stream.leave(source)
        if not source.channel.is_deserted:
            return
        if isinstance(source, WatchedAccount):
            if self._accounts.get(source.account_id) is source:
                del self._accounts[source.account_id]
                self._unread.pop(source.account_id, None)
        elif isinstance(source, WatchedSum) and self._sums.get(source.group) is source:
            source.close()
            del self._sums[source.group]

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
        async for heard in announcements(ACCOUNT_CHANGED, SESSION_ENDED, SIGHT_CHANGED):
            match heard:
                case Announcement(channel=channel, payload=payload) if channel == ACCOUNT_CHANGED:
                    COUNTS.heard += 1
                    self._heard(doorbell.heard(payload))
                case Announcement(channel=channel, payload=payload) if channel == SESSION_ENDED:
                    self._end_sessions({UUID(payload)})
                case Announcement(payload=payload):
                    self._sight_changed.add(int(payload))
                    self._catch_up.set()
                case Listening():
                    COUNTS.listens += 1
                    # Whatever was announced before was announced to nobody.
                    for account_id in self._accounts:
                        self._want(account_id)
                    self._sight_changed |= {stream.user_id for stream in self._streams}
                    self._catch_up.set()
        raise AssertionError("announcements ended")

    def _heard(self, rung: Doorbell) -> None:
        account_id = rung.account_id
        if rung.seq >= self._unannounced.get(account_id, rung.seq):
            # Late, and not lost.
            self._unannounced.pop(account_id, None)
        account = self._accounts.get(account_id)
        # Announcements of one epoch come in order, but what they tell of may have been read.
        if account is None or (account.epoch == rung.epoch and account.seq >= rung.seq):
            return
        # What is being read may be older, and would not go on from it.
        is_up_to_date = account_id not in self._behind and not self._is_read(account_id)
        if not (is_up_to_date and self._take_carried(account, rung)):
            self._want(account_id)

    def _take_carried(self, account: WatchedAccount, rung: Doorbell) -> bool:
        """Take what the doorbell carries, if nothing lies between it and what we have."""
        if not account.is_followed_by(rung):
            return False
        with self._set_aside_if_it_fails(account):
            if carried := rung.carried(account.markets):
                account.carry(carried)
                COUNTS.carried += 1
                return True
        return False

    async def _poll(self) -> Never:
        for polls in count(1):
            await asyncio.sleep(POLL_SECONDS)
            try:
                await self._look()
                if polls % SESSION_POLLS == 0:
                    await self._look_after_sessions(list(self._streams))
            except Error as error:
                logger.warning("poll failed", extra={"error": type(error).__name__})
                for account in self._accounts.values():
                    # It may come back with older rows, or after their tombstones were purged.
                    account.doubt()
        raise AssertionError("numbers ended")

    async def _look(self) -> None:
        COUNTS.missed += len(self._unannounced)
        self._unannounced.clear()
        if self._asked_since is None:
            self._asked_since = time.monotonic()
        before = {account_id: account.seq for account_id, account in self._accounts.items()}
        found = await self.database.run(reading.progress, list(before))
        self._asked_since = None
        for account_id, progress in found.items():
            account = self._accounts.get(account_id)
            if account is None:
                continue
            # Announcements took some further while it was asked. If it is less than we had when it
            # was, the rows went back.
            is_known = before[account_id] <= progress.seq <= account.seq
            if account.epoch == progress.epoch and is_known:
                self._unread.pop(account_id, None)
                with self._set_aside_if_it_fails(account):
                    account.look(progress.heartbeat)
            elif account_id not in self._behind and not self._is_read(account_id):
                # Its announcement is still on the way, or was lost.
                if account.epoch == progress.epoch:
                    self._unannounced[account_id] = progress.seq
                self._want(account_id)

    async def _look_after_sessions(self, streams: Collection[Stream]) -> None:
        """End the streams of sessions that are over, and show the others what they see now."""
        open_now = {stream.session_id for stream in streams}
        if not open_now:
            return
        seen = await self.database.run(sight.of_sessions, open_now)
        self._end_sessions(open_now - seen.keys())
        for stream in streams:
            if stream.session_id in seen and stream in self._streams:
                self._show(stream, seen[stream.session_id])

    def _want(self, account_id: int) -> None:
        self._behind.setdefault(account_id, time.monotonic())
        self._catch_up.set()

    def _is_read(self, account_id: int) -> bool:
        return self._reading is not None and self._reading[0] == account_id

    async def _read(self) -> Never:
        while True:
            await self._catch_up.wait()
            self._catch_up.clear()
            await self._look_again()
            while self._behind:
                # Whichever has waited longest.
                account_id = next(iter(self._behind))
                self._reading = account_id, self._behind.pop(account_id)
                try:
                    await self._read_account(account_id)
                except Error as error:
                    # The poll wants it again as soon as the database answers.
                    logger.warning("read failed", extra={"error": type(error).__name__})
                    if account_id in self._accounts:
                        self._unread.setdefault(account_id, self._reading[1])
                else:
                    self._unread.pop(account_id, None)
                finally:
                    self._reading = None

    async def _look_again(self) -> None:
        """Look after the sessions of users of whom it was said that they see something else."""
        changed, self._sight_changed = self._sight_changed, set()
        try:
            await self._look_after_sessions(
                [stream for stream in self._streams if stream.user_id in changed]
            )
        except Error as error:
            # The poll finds it.
            logger.warning("look failed", extra={"error": type(error).__name__})

    async def _read_account(self, account_id: int) -> None:
        account = self._accounts.get(account_id)
        if account is None:
            return
        with self._set_aside_if_it_fails(account):
            if account.is_loaded:
                news = await self.database.run(reading.read_since, account_id, account.seq)
                if account.is_continued_by(news):
                    account.update(news)
                    return
            account.load(await self.database.run(reading.read, account_id))

    @contextmanager
    def _set_aside_if_it_fails(self, account: WatchedAccount) -> Iterator[None]:
        try:
            yield
        except Error:
            raise
        except Exception:
            # A bug, with this account alone. The poll wants it again.
            if not account.is_set_aside:
                logger.exception(
                    "account cannot be shown", extra={"account_id": account.account_id}
                )
            account.set_aside()

    async def _keep_time(self) -> Never:
        loop = asyncio.get_running_loop()
        for seconds in count(1):
            due = loop.time() + 1.0
            await asyncio.sleep(1.0)
            COUNTS.loop_lag.observe(loop.time() - due)
            for account in self._accounts.values():
                with self._set_aside_if_it_fails(account):
                    account.age()
                if seconds % KEEPALIVE_SECONDS == 0:
                    account.let_go_of_closed()
                    account.keep_alive()
            for stream in self._streams:
                if not stream.sources and seconds % KEEPALIVE_SECONDS == 0:
                    stream.say(sse.COMMENT)
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
