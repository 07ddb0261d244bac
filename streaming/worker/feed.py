"""
One account's feed: connections to the exchange, one after the other, and the flushes to the rows.

The course says what is next; here it is carried out.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Never

from django.utils import timezone

from accounts import credentials
from accounts.credentials import RevealedCredential
from accounts.errors import CredentialUnusable
from kalshi.errors import KalshiError
from kalshi.rest import Client
from kalshi.socket import Socket, connect
from positions.connection import ConnectionState
from positions.order_books import Question
from positions.taking_over import OpenedStream
from postgres.errors import DATABASE_TROUBLE
from postgres.threads import DatabaseThreads
from streaming.together import until_one_fails
from streaming.worker.access import Access
from streaming.worker.arrivals import Arrival
from streaming.worker.authority import prepare
from streaming.worker.backoff import Wait, waits
from streaming.worker.book_reads import BookReads
from streaming.worker.counts import COUNTS
from streaming.worker.course import Connect, Course, Idle, Look, Refuse
from streaming.worker.flushes import Flushes, Writers
from streaming.worker.historian import Historian
from streaming.worker.key_list import keep_keys_known
from streaming.worker.upstream import Upstream

logger = logging.getLogger(__name__)

DATABASE_RETRY_SECONDS = 0.5
# An account that waits for longer holds no connection meanwhile.
LONG_IDLE_SECONDS = 100.0


def reconnection_waits() -> Iterator[Wait]:
    """The waits between attempts to reach the exchange."""
    return waits(random.random)


class Feed:
    """
    Feeds one account's rows until cancelled.

    Args:
        opened: the account as this worker took it over; the feed is its only writer.
        writers: the threads for the account's writes and reads of rows.
        access: to the exchange, kept by the account from one feed to the next.
        arrival: of the account; what is past is read when those that came with it are live.
        schedule: the waits after failures in a row, begun anew after each good connection.
    """

    def __init__(
        self,
        account_id: int,
        opened: OpenedStream,
        writers: Writers,
        access: Access,
        arrival: Arrival,
        *,
        schedule: Callable[[], Iterator[Wait]] = reconnection_waits,
    ) -> None:
        self._account_id = account_id
        self._tracker = opened.tracker
        self._writers = writers
        self._is_doubtful = False
        self._access = access
        self._arrival = arrival
        self._went_live = asyncio.Event()
        self._course = Course(
            timezone.now(),
            opened.live_until,
            reason=opened.reason,
            schedule=schedule,
            jitter=random.random,
        )
        self._fence = opened.writer.fence
        self._flushes = Flushes(opened.writer, opened.tracker, lambda: self._course.state, writers)
        self._upstream: Upstream | None = None
        self._historian: Historian | None = None
        self._book_reads: BookReads | None = None
        self._stirred = asyncio.Event()
        self._credentials_changed = asyncio.Event()
        self._is_handed_over = False

    @property
    def silent_seconds(self) -> float | None:
        """For how long nobody could vouch for the rows; None while they are written."""
        return self._flushes.silent_seconds

    @property
    def state(self) -> ConnectionState:
        """How the connection stands."""
        return self._course.state

    @property
    def is_reading_past(self) -> bool:
        """Whether something of the past is still to be read, as far as is known."""
        return self._historian is None or self._historian.is_reading_past

    @property
    def live_until(self) -> datetime | None:
        """The exchange's last sign of life; now while live."""
        state = self._course.state
        return timezone.now() if state.status == "live" else state.live_until

    @property
    def _threads(self) -> DatabaseThreads:
        # As with flushes: a lock that this account waits for must not hold up the others.
        return self._writers.doubtful if self._is_doubtful else self._writers.healthy

    def refresh(self) -> None:
        """Reconcile now, or try to connect now instead of waiting."""
        if self._upstream:
            self._upstream.reconcile_soon()
        # Also while it subscribes: should that fail, the next attempt is not to be waited for.
        self._course.asked()
        self._stirred.set()

    def read_book(self, question: Question) -> None:
        """Read a market's order book for somebody who waits a little, if the exchange is there."""
        if self._book_reads:
            self._book_reads.ask(question)

    def hand_over(self) -> None:
        """What is written at the end says that another worker goes on."""
        self._is_handed_over = True

    def look_at_credentials(self) -> None:
        """The account's credentials are not what they were."""
        self._course.keys_changed()
        self._credentials_changed.set()
        self._stirred.set()

    async def run(self) -> Never:
        """
        Feed until cancelled; what is known then is still written.

        Raises:
            TakenOver: another worker writes the account now.
        """
        try:
            await until_one_fails(
                self._flushes.run(), self._follow_the_course(), self._flushes.purge_forever()
            )
        except asyncio.CancelledError:
            if self._is_handed_over:
                self._course.handed_over(timezone.now())
            else:
                self._course.stopped(timezone.now())
            await self._flushes.say_goodbye()
            raise

    async def _follow_the_course(self) -> Never:
        while True:
            before = self._course.state
            try:
                await self._carry_out()
                self._is_doubtful = False
            except DATABASE_TROUBLE as error:
                self._is_doubtful = True
                logger.warning("database away", extra=self._fields(error=type(error).__name__))
                await asyncio.sleep(DATABASE_RETRY_SECONDS)
            state = self._course.state
            if state != before:
                self._flushes.soon()
            if state.status != before.status:
                logger.info(
                    "connection", extra=self._fields(status=state.status, reason=state.reason)
                )

    async def _carry_out(self) -> None:
        match self._course.step:
            case Look():
                held = await self._threads.run(credentials.held_by, self._account_id)
                if held.is_set_aside:
                    self._course.set_aside(timezone.now())
                else:
                    self._course.found(held.usable, held.refused, timezone.now())
            case Connect(credential_id=credential_id):
                await self._attempt(credential_id)
            case Refuse(credential_id=credential_id, why=why):
                logger.warning("key refused", extra=self._fields(credential_id=credential_id))
                await self._threads.run(credentials.mark_refused, credential_id, why)
                self._course.noted()
            case Idle(seconds=seconds):
                self._arrival.end()
                if seconds is None or seconds > LONG_IDLE_SECONDS:
                    await self._access.close()
                await self._idle(seconds)
                self._course.woke(timezone.now())

    async def _idle(self, seconds: float | None) -> None:
        self._stirred.clear()
        # What was asked for before this wait began is not to be waited for.
        if self._course.is_stirred:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._stirred.wait()
        except TimeoutError:
            pass

    async def _attempt(self, credential_id: int) -> None:
        try:
            key = await self._threads.run(credentials.reveal, credential_id)
            await self._follow(credential_id, key)
        except CredentialUnusable as error:
            logger.error("credential unusable", extra=self._fields(error=str(error)))
            self._course.unusable(credential_id, error.reason)
        except _CredentialGone:
            logger.info("credential gone", extra=self._fields())
            self._course.gone()
        except KalshiError as error:
            COUNTS.failures[type(error).__name__] += 1
            logger.warning("connection failed", extra=self._fields(error=str(error)))
            self._course.failed(credential_id, error, timezone.now())

    async def _follow(self, credential_id: int, key: RevealedCredential) -> Never:
        rest = Client(
            key.environment,
            key.api_key_id,
            key.key,
            http=self._access.http(key.environment),
            pacer=self._access.pacer,
        )
        await prepare(rest, key.subaccount)
        self._went_live.clear()
        self._historian = historian = Historian(
            self._fence,
            rest,
            self._tracker,
            self._writers.history,
            subaccount=key.subaccount,
            may_begin_anew=key.environment.name == "sandbox",
            is_live=lambda: self._course.state.status == "live",
            on_change=self._flushes.soon,
        )
        async with connect(key.environment, key.api_key_id, key.key) as socket:
            COUNTS.connections += 1
            self._upstream = upstream = Upstream(
                rest,
                socket,
                self._tracker,
                self._access,
                subaccount=key.subaccount,
                on_change=self._flushes.soon,
                on_live=self._live,
                historian=historian,
            )
            self._book_reads = book_reads = BookReads(rest, self._writers.healthy)
            try:
                await until_one_fails(
                    self._keep_up(upstream, socket),
                    self._watch(credential_id),
                    self._keep_ledger(historian),
                    keep_keys_known(self._account_id, rest, self._writers.history),
                )
            finally:
                self._book_reads = None
                await book_reads.close()

    async def _keep_up(self, upstream: Upstream, socket: Socket) -> Never:
        try:
            await upstream.run()
        finally:
            # At once: the ledger may have a long call under way, which is waited for.
            self._upstream = None
            self._course.ended(socket.last_seen, timezone.now())
            self._flushes.soon()

    async def _watch(self, credential_id: int) -> Never:
        """See whether the key in use is still the account's, and note that it works."""
        while True:
            await self._credentials_changed.wait()
            self._credentials_changed.clear()
            try:
                if self._course.state.status == "live":
                    await self._threads.run(credentials.mark_checked, credential_id)
                held = await self._threads.run(credentials.held_by, self._account_id)
                self._is_doubtful = False
            except DATABASE_TROUBLE as error:
                self._is_doubtful = True
                logger.warning("key not looked at", extra=self._fields(error=type(error).__name__))
                await asyncio.sleep(DATABASE_RETRY_SECONDS)
                self._credentials_changed.set()
                continue
            if credential_id not in held.usable + held.refused:
                raise _CredentialGone

    async def _keep_ledger(self, historian: Historian) -> Never:
        await self._went_live.wait()
        await self._arrival.others()
        await historian.run()

    def _live(self) -> None:
        self._course.went_live(timezone.now())
        COUNTS.went_live += 1
        logger.info("connection", extra=self._fields(status="live"))
        self._flushes.soon()
        self._went_live.set()
        # To note that it works, and to see whether it is still there.
        self._credentials_changed.set()

    def _fields(self, **fields: object) -> dict[str, object]:
        return {"account_id": self._account_id, **fields}


class _CredentialGone(Exception):
    """The credential in use was deleted, or belongs to another account now."""
