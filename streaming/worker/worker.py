"""
The worker: a feed for every account it holds the claim of.

Several workers share the accounts between them. A claim is a lock in the database that goes with
its session, so an account whose worker died is free at once for the others.
"""

import asyncio
import logging
from typing import Never
from uuid import UUID, uuid4

from django.conf import settings
from django.utils import timezone

from accounts.models import Account
from positions import workers
from positions.writing import TakenOver, open_stream
from postgres.channels import CREDENTIALS_CHANGED, REFRESH_REQUESTED
from postgres.claims import Claims, open_claims
from postgres.errors import DATABASE_TROUBLE
from postgres.notifications import Announcement, Listening, announcements
from postgres.threads import DatabaseThread
from streaming.together import until_one_fails
from streaming.worker.feed import DATABASE_RETRY_SECONDS, Feed

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 1.0
# How often accounts are looked for that nobody announced, or that another worker let go.
LOOK_SECONDS = 2.0


class Worker:
    """One worker process's work, from `run` until cancelled."""

    def __init__(self) -> None:
        self.id: UUID = uuid4()
        self._database = DatabaseThread()
        self._feeds: dict[int, Feed] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._look_now = asyncio.Event()

    async def run(self) -> Never:
        """Work until cancelled. A database that is away is waited for; a bug is raised."""
        logger.info("worker started")
        try:
            while True:
                try:
                    await self._share()
                except DATABASE_TROUBLE as error:
                    # Another worker may hold the accounts by now: all was let go of, start over.
                    logger.warning("database away", extra={"error": type(error).__name__})
                    await asyncio.sleep(DATABASE_RETRY_SECONDS)
        finally:
            await self._database.close()
            logger.info("worker stopped")

    async def _share(self) -> Never:
        async with open_claims() as claims:
            # A new one each time: the last heartbeat of the old one dates what was written with it.
            self.id = uuid4()
            # First of all: the rows of a claimed account name their worker.
            await self._database.run(workers.beat, self.id, timezone.now())
            try:
                await until_one_fails(self._beat(claims), self._listen(), self._supervise(claims))
            finally:
                # Before the claims, so that the last state is written before another worker reads.
                await self._stop_feeds()

    async def _beat(self, claims: Claims) -> Never:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            await claims.keep_alive()
            if any(feed.is_stuck for feed in self._feeds.values()):
                # A heartbeat would vouch for rows that have fallen behind.
                logger.warning("a write is stuck", extra={"worker": self.id})
            else:
                await self._database.run(workers.beat, self.id, timezone.now())

    async def _listen(self) -> Never:
        async for heard in announcements(CREDENTIALS_CHANGED, REFRESH_REQUESTED):
            match heard:
                case Announcement(channel=channel, payload=payload):
                    self._heard(channel, int(payload))
                case Listening():
                    # Whatever was announced before was announced to nobody.
                    for account_id in self._feeds:
                        self._heard(CREDENTIALS_CHANGED, account_id)
            self._look_now.set()
        raise AssertionError("announcements ended")

    def _heard(self, channel: str, account_id: int) -> None:
        feed = self._feeds.get(account_id)
        if feed is None:
            return
        if channel == REFRESH_REQUESTED:
            feed.refresh()
        else:
            feed.look_at_credentials()

    async def _supervise(self, claims: Claims) -> Never:
        while True:
            self._look_now.clear()
            accounts = set(await self._database.run(_account_ids))
            for account_id in self._tasks.keys() - accounts:
                self._tasks[account_id].cancel()
            for account_id in [key for key, task in self._tasks.items() if task.done()]:
                self._reap(account_id)
                await claims.release(account_id)
            for account_id in accounts - self._tasks.keys():
                if await claims.acquire(account_id):
                    self._start_feed(account_id)
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._look_now.wait()
            except TimeoutError:
                pass

    def _start_feed(self, account_id: int) -> None:
        task = self._tasks[account_id] = asyncio.create_task(self._feed(account_id))
        task.add_done_callback(lambda _: self._look_now.set())

    async def _feed(self, account_id: int) -> None:
        # A thread of its own, for the opening too: a worker that was frozen in the middle of a
        # write still locks the account's row, and must not hold up the others' accounts.
        database = DatabaseThread()
        try:
            opened = await database.run(open_stream, account_id, self.id, settings.MARK_PRICE)
            logger.info("account claimed", extra={"account_id": account_id})
            feed = self._feeds[account_id] = Feed(account_id, opened, database)
            await feed.run()
        except (TakenOver, Account.DoesNotExist):
            # Another worker's by now, or forgotten.
            logger.warning("account lost", extra={"account_id": account_id})
        finally:
            self._feeds.pop(account_id, None)
            await database.close()

    def _reap(self, account_id: int) -> None:
        task = self._tasks.pop(account_id)
        if not task.cancelled():
            task.result()  # a bug ends the process, loudly

    async def _stop_feeds(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        ended = await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
        for failure in ended:
            if isinstance(failure, Exception):
                raise failure


def _account_ids() -> list[int]:
    return list(Account.objects.values_list("pk", flat=True))
