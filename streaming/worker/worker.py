"""
The worker: an account held for every claim it has.

Several workers share the accounts between them. A claim is a lock in the database that goes with
its session, so an account whose worker died is free at once for the others; whoever has many more
than another hands some over (`sharing`). What goes wrong with one account stays with it; only a bug
of the worker itself ends the process.
"""

import asyncio
import logging
from collections.abc import Collection
from contextlib import suppress
from time import monotonic
from typing import Never
from uuid import UUID, uuid4

from django.db import Error, OperationalError

from accounts.models import Account
from positions import order_books, twins, workers
from positions.connection import WORKER_DOWN_AFTER_SECONDS
from postgres import deaf_listeners
from postgres.channels import (
    ACCOUNT_OFFERED,
    BOOK_ASKED,
    CREDENTIALS_CHANGED,
    REFRESH_REQUESTED,
)
from postgres.claims import Claims, open_claims
from postgres.errors import DATABASE_TROUBLE
from postgres.notifications import Announcement, Listening, announcements, publish
from postgres.patience import WORKER
from postgres.threads import DatabaseThread, DatabaseThreads
from streaming.together import until_one_fails
from streaming.worker.arrivals import Arrivals
from streaming.worker.counts import COUNTS
from streaming.worker.flushes import Writers
from streaming.worker.held_account import HeldAccount
from streaming.worker.sharing import Peer, Sharing, offer, offer_of

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 1.0
# How often accounts are looked for that nobody announced, or that another worker let go.
LOOK_SECONDS = 1.0
# Between two looks for accounts that are one at the exchange, which compares all their rows.
TWINS_SECONDS = 15.0
# Between two looks for sessions that listen and take nothing.
DEAF_SECONDS = 10.0
# A worker that has just been started may end again as soon: so long it is offered nothing.
SETTLED_SECONDS = 10.0
DATABASE_RETRY_SECONDS = 0.5
# For all accounts, however many: each has one write at a time, of about a millisecond.
WRITER_THREADS = 4


class Worker:
    """One worker process's work, from `run` until cancelled."""

    def __init__(self) -> None:
        self.id: UUID = uuid4()
        self._heart = DatabaseThread(WORKER)
        self._lookout = DatabaseThread(WORKER)
        self._writers = Writers(
            healthy=DatabaseThreads(WRITER_THREADS, WORKER),
            doubtful=DatabaseThread(WORKER),
            history=DatabaseThread(WORKER),
        )
        self._arrivals = Arrivals()
        self._held: dict[int, HeldAccount] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        # When its heart last did.
        self._beaten_at = float("-inf")
        self._sharing = Sharing(self.id)
        # Accounts that are being let go of, and which worker is to have each.
        self._heirs: dict[int, UUID] = {}
        self._look_now = asyncio.Event()

    @property
    def held(self) -> Collection[HeldAccount]:
        """The accounts that it feeds."""
        return self._held.values()

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
            await asyncio.gather(
                self._heart.close(),
                self._lookout.close(),
                self._writers.healthy.close(),
                self._writers.doubtful.close(),
                self._writers.history.close(),
            )
            logger.info("worker stopped")

    async def _share(self) -> Never:
        async with open_claims() as claims:
            # A new one each time: the last heartbeat of the old one dates what was written with it.
            self.id = uuid4()
            self._sharing = Sharing(self.id)
            # First of all: the rows of a claimed account name their worker.
            await self._heart.run(workers.beat, self.id)
            self._beaten_at = monotonic()
            try:
                await until_one_fails(
                    self._keep_claims(claims),
                    self._beat(),
                    self._listen(),
                    self._supervise(claims),
                    self._note_twins(),
                    self._end_deaf_listeners(),
                )
            finally:
                # Before the claims, so that the last state is written before another worker reads.
                await self._let_go()

    async def _keep_claims(self, claims: Claims) -> Never:
        # Apart from the heartbeat, whose commit may wait for a disk for longer than claims live.
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + HEARTBEAT_SECONDS
            await asyncio.sleep(HEARTBEAT_SECONDS)
            COUNTS.loop_lag.observe(loop.time() - due)
            await claims.keep_alive()

    async def _beat(self) -> Never:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            if monotonic() > self._beaten_at + WORKER_DOWN_AFTER_SECONDS:
                # As after this process was frozen. Nobody believes these rows any more, and a beat
                # would vouch for what they said then.
                logger.warning("stood still", extra={"seconds": monotonic() - self._beaten_at})
                raise OperationalError("the heart stood still")
            # A beat vouches for all rows of this worker but these, which have fallen behind.
            silent = {
                account_id: seconds
                for account_id, held in self._held.items()
                if (seconds := held.silent_seconds) is not None
            }
            if silent:
                logger.warning("accounts not vouched for", extra={"accounts": sorted(silent)})
            try:
                await self._heart.run(workers.beat, self.id, silent)
            except DATABASE_TROUBLE as error:
                # The next comes in a second, and for some seconds readers believe the last one.
                if monotonic() > self._beaten_at + WORKER_DOWN_AFTER_SECONDS:
                    # Then nobody does: others must be free to take the accounts.
                    raise
                logger.warning("heart stood still", extra={"error": type(error).__name__})
            else:
                self._beaten_at = monotonic()
                COUNTS.beats += 1

    async def _listen(self) -> Never:
        async for heard in announcements(
            CREDENTIALS_CHANGED, REFRESH_REQUESTED, ACCOUNT_OFFERED, BOOK_ASKED
        ):
            match heard:
                case Announcement(channel=channel, payload=payload):
                    try:
                        self._announced(channel, payload)
                    except ValueError:
                        # Nobody of ours says such a thing; all accounts are to go on.
                        logger.warning("announcement not understood", extra={"channel": channel})
                case Listening():
                    # Whatever was announced before was announced to nobody.
                    for account_id in self._held:
                        self._heard(CREDENTIALS_CHANGED, account_id)
            self._look_now.set()
        raise AssertionError("announcements ended")

    def _announced(self, channel: str, payload: str) -> None:
        """
        Raises:
            ValueError: it is nothing that is announced by this name.
        """
        if channel == BOOK_ASKED:
            question = order_books.asked(payload)
            if held := self._held.get(question.account_id):
                held.read_book(question)
        elif channel == ACCOUNT_OFFERED:
            self._sharing.heard(*offer_of(payload), monotonic())
        else:
            self._heard(channel, int(payload))

    def _heard(self, channel: str, account_id: int) -> None:
        held = self._held.get(account_id)
        if held is None:
            return
        if channel == REFRESH_REQUESTED:
            held.refresh()
        else:
            held.look_at_credentials()

    async def _supervise(self, claims: Claims) -> Never:
        while True:
            self._look_now.clear()
            accounts = await self._accounts()
            for account_id in self._tasks.keys() - accounts:
                self._tasks[account_id].cancel()
            for account_id in [key for key, task in self._tasks.items() if task.done()]:
                self._reap(account_id)
                await self._release(account_id, claims)
            for account_id in accounts - self._tasks.keys():
                if not self._sharing.may_take(account_id, monotonic()):
                    continue
                if await claims.acquire(account_id):
                    self._sharing.took(account_id, monotonic())
                    self._hold(account_id)
            await self._hand_over()
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._look_now.wait()
            except TimeoutError:
                pass

    async def _accounts(self) -> set[int]:
        try:
            return set(await self._lookout.run(_account_ids))
        except DATABASE_TROUBLE as error:
            # A lock that is waited for, say, is no reason to let go of what is held.
            logger.warning("accounts not looked for", extra={"error": type(error).__name__})
            return set(self._tasks)

    async def _hand_over(self) -> None:
        if not (self._sharing.has_many(len(self._held)) or self._sharing.under_way):
            return
        try:
            fed = await self._lookout.run(workers.feeding, list(self._sharing.under_way))
            settled = await self._lookout.run(workers.settled, SETTLED_SECONDS)
        except DATABASE_TROUBLE as error:
            logger.warning("workers not looked for", extra={"error": type(error).__name__})
            return
        peers = [Peer(*each) for each in settled if each[0] != self.id]
        self._sharing.fed(fed)
        # A history is read in peace first; of what can't be written the last word would be live.
        live = [
            account_id
            for account_id, held in self._held.items()
            if held.state.status == "live"
            and not held.is_reading_past
            and held.silent_seconds is None
        ]
        hand_over = self._sharing.due(len(self._held), live, peers, monotonic())
        if hand_over is None:
            return
        logger.info("accounts handed over", extra={"accounts": hand_over.account_ids})
        for account_id in hand_over.account_ids:
            self._heirs[account_id] = hand_over.heir
            self._held[account_id].hand_over()
            self._tasks[account_id].add_done_callback(lambda _: self._look_now.set())
            self._tasks[account_id].cancel()

    async def _release(self, account_id: int, claims: Claims) -> None:
        await claims.release(account_id)
        if heir := self._heirs.pop(account_id, None):
            self._sharing.released(account_id, monotonic())
            with suppress(*DATABASE_TROUBLE):
                # Who does not hear of it finds it within a second.
                await self._lookout.run(publish, ACCOUNT_OFFERED, offer(account_id, heir))

    async def _note_twins(self) -> Never:
        while True:
            try:
                await self._lookout.run(twins.note)
            except Error as error:
                # Nothing rests on it: no account is let go of for it.
                logger.warning("twins not looked for", extra={"error": type(error).__name__})
            await asyncio.sleep(TWINS_SECONDS)

    async def _end_deaf_listeners(self) -> Never:
        deaf: set[deaf_listeners.Session] = set()
        while True:
            await asyncio.sleep(DEAF_SECONDS)
            try:
                deaf = await self._lookout.run(deaf_listeners.end_deaf, deaf)
            except Error as error:
                logger.warning("listeners not looked for", extra={"error": type(error).__name__})

    def _hold(self, account_id: int) -> None:
        held = self._held[account_id] = HeldAccount(
            account_id, self.id, self._writers, self._arrivals.begin()
        )
        self._tasks[account_id] = asyncio.create_task(held.run())

    def _reap(self, account_id: int) -> None:
        del self._held[account_id]
        task = self._tasks.pop(account_id)
        if not task.cancelled() and (failure := task.exception()):
            # A bug in how accounts are held. The next look takes the account up again.
            logger.error("account dropped", exc_info=failure, extra={"account_id": account_id})

    async def _let_go(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        ended = await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        for account_id, failure in zip(self._tasks, ended, strict=True):
            if isinstance(failure, Exception):
                logger.error("account dropped", exc_info=failure, extra={"account_id": account_id})
        self._tasks.clear()
        self._held.clear()
        self._heirs.clear()


def _account_ids() -> list[int]:
    return list(Account.objects.values_list("pk", flat=True))
