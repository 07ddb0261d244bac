"""
One account's feed: connections to the exchange, one after the other, and the flushes to the rows.

Writing is apart from reading: one flush at a time takes all that changed since the one before it,
so a storm of ticks is conflated by itself, and memory is bounded by the number of positions.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from time import monotonic
from typing import Never

from django.utils import timezone

from accounts import credentials
from accounts.credentials import RevealedCredential
from accounts.errors import CredentialUnusable
from kalshi.errors import ClockSkew, KalshiError, KeyRefused, ScopeRefused
from kalshi.rest import Client
from kalshi.socket import connect
from positions.connection import ConnectionState, Status
from positions.writing import OpenedStream
from postgres.errors import DATABASE_TROUBLE
from postgres.threads import DatabaseThread
from streaming.together import until_one_fails
from streaming.worker.backoff import Wait, waits
from streaming.worker.upstream import STEADY_SECONDS, Maintenance, Upstream, raise_if_inactive

logger = logging.getLogger(__name__)

DATABASE_RETRY_SECONDS = 0.5
GOODBYE_SECONDS = 2.0
STUCK_SECONDS = 3.0
PURGE_SECONDS = 600.0


def reconnection_waits() -> Iterator[Wait]:
    """The waits between attempts to reach the exchange."""
    return waits(random.random)


class Feed:
    """
    Feeds one account's rows until cancelled.

    Args:
        opened: the account as this worker took it over; the feed is its only writer.
        database: the thread for the account's writes.
        schedule: the waits after failures in a row, begun anew after each good connection.
    """

    def __init__(
        self,
        account_id: int,
        opened: OpenedStream,
        database: DatabaseThread,
        *,
        schedule: Callable[[], Iterator[Wait]] = reconnection_waits,
    ) -> None:
        self._account_id = account_id
        self._writer = opened.writer
        self._tracker = opened.tracker
        self._database = database
        self._live_until = opened.live_until
        self._state = ConnectionState(
            "connecting", since=timezone.now(), live_until=opened.live_until
        )
        self._new_schedule = schedule
        self._schedule = schedule()
        self._upstream: Upstream | None = None
        self._live_since: float | None = None
        self._writing_since: float | None = None
        self._unwritten = asyncio.Event()
        self._unwritten.set()
        # Ends a wait; the next two say what for.
        self._stirred = asyncio.Event()
        self._credentials_changed = asyncio.Event()
        self._is_asked = False

    @property
    def is_stuck(self) -> bool:
        """Whether a write has been waiting so long that the rows can't be vouched for."""
        since = self._writing_since
        return since is not None and monotonic() - since > STUCK_SECONDS

    def refresh(self) -> None:
        """Reconcile now, or try to connect now instead of waiting."""
        if self._upstream:
            self._upstream.reconcile_soon()
        else:
            self._is_asked = True
            self._stirred.set()

    def look_at_credentials(self) -> None:
        """The account's credentials are not what they were."""
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
                self._write_forever(), self._connect_forever(), self._purge_forever()
            )
        except asyncio.CancelledError:
            await self._say_goodbye()
            raise

    async def _write_forever(self) -> Never:
        while True:
            await self._unwritten.wait()
            self._unwritten.clear()
            if not await self._write():
                await asyncio.sleep(DATABASE_RETRY_SECONDS)
                self._unwritten.set()

    async def _write(self) -> bool:
        changes = self._tracker.take_changes()
        self._writing_since = self._writing_since or monotonic()
        try:
            await self._database.run(self._writer.write, changes, self._state, timezone.now())
        except DATABASE_TROUBLE as error:
            self._tracker.put_back(changes)
            logger.warning("write failed", extra=self._fields(error=type(error).__name__))
            return False
        self._writing_since = None
        return True

    async def _purge_forever(self) -> Never:
        while True:
            try:
                await self._database.run(self._writer.purge, timezone.now())
            except DATABASE_TROUBLE as error:
                logger.warning("purge failed", extra=self._fields(error=type(error).__name__))
            await asyncio.sleep(PURGE_SECONDS)

    async def _say_goodbye(self) -> None:
        # So that pages need not wait for the heartbeat to grow old.
        if not self._state.holds_without_worker:
            self._lost("reconnecting", reason="worker_down")
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._write()
        except TimeoutError:
            logger.warning("could not say goodbye", extra=self._fields())

    async def _connect_forever(self) -> Never:
        while True:
            try:
                credential_id, credential = await self._usable_credential()
            except DATABASE_TROUBLE as error:
                logger.warning("no credential", extra=self._fields(error=type(error).__name__))
                await asyncio.sleep(DATABASE_RETRY_SECONDS)
                continue
            try:
                await self._follow(credential_id, credential)
            except (KeyRefused, ScopeRefused) as error:
                await self._refused(credential_id, error)
            except _CredentialGone:
                logger.info("credential gone", extra=self._fields())
            except KalshiError as error:
                await self._wait(next(self._schedule), error)

    async def _usable_credential(self) -> tuple[int, RevealedCredential]:
        """Wait for a credential to connect with; one that was refused counts when somebody asks."""
        while True:
            self._stirred.clear()
            self._credentials_changed.clear()
            held = await self._database.run(credentials.held_by, self._account_id)
            worth_a_try = held.usable + (held.refused if self._is_asked else ())
            self._is_asked = False
            for credential_id in worth_a_try:
                try:
                    revealed = await self._database.run(credentials.reveal, credential_id)
                except CredentialUnusable as error:
                    logger.error("credential unusable", extra=self._fields(error=str(error)))
                else:
                    return credential_id, revealed
            if held.usable:
                self._lost("disconnected", reason="credential_unreadable")
            elif held.refused:
                self._lost("unauthorized", reason="key_refused")
            else:
                self._lost("disconnected", reason="no_credential")
            await self._stirred.wait()
            # Somebody acted: what failed before tells nothing of what comes.
            self._schedule = self._new_schedule()

    async def _follow(self, credential_id: int, held: RevealedCredential) -> Never:
        async with Client(held.environment, held.api_key_id, held.key) as rest:
            await raise_if_inactive(rest)
            async with connect(held.environment, held.api_key_id, held.key) as socket:
                self._upstream = Upstream(
                    rest,
                    socket,
                    self._tracker,
                    subaccount=held.subaccount,
                    on_change=self._unwritten.set,
                    on_live=self._live,
                )
                try:
                    await until_one_fails(self._upstream.run(), self._watch(credential_id))
                finally:
                    self._upstream = None
                    self._no_longer_live(socket.last_seen)

    async def _watch(self, credential_id: int) -> Never:
        """Note that the credential works, and fail as soon as it is no longer the account's."""
        while True:
            await self._credentials_changed.wait()
            self._credentials_changed.clear()
            try:
                if self._live_since is not None:
                    await self._database.run(credentials.mark_checked, credential_id)
                held = await self._database.run(credentials.held_by, self._account_id)
            except DATABASE_TROUBLE as error:
                logger.warning("no credential", extra=self._fields(error=type(error).__name__))
                await asyncio.sleep(DATABASE_RETRY_SECONDS)
                self._credentials_changed.set()
                continue
            if credential_id not in held.usable + held.refused:
                raise _CredentialGone

    async def _refused(self, credential_id: int, error: KalshiError) -> None:
        logger.warning("key refused", extra=self._fields(credential_id=credential_id))
        try:
            await self._database.run(credentials.mark_refused, credential_id, str(error))
        except DATABASE_TROUBLE as failure:
            # Then it is tried, and refused, once more.
            logger.warning("refusal not noted", extra=self._fields(error=type(failure).__name__))
            await asyncio.sleep(DATABASE_RETRY_SECONDS)

    async def _wait(self, wait: Wait, error: KalshiError) -> None:
        retry_at = timezone.now() + timedelta(seconds=wait.seconds)
        logger.warning(
            "connection failed",
            extra=self._fields(error=str(error), attempt=wait.attempt, retry_at=retry_at),
        )
        match error:
            case Maintenance(resumes_at=resumes_at):
                # The exchange's own estimate is worth more to people than when we look again,
                # unless it has passed.
                expected_at = max(resumes_at or retry_at, retry_at)
                self._lost("maintenance", "maintenance", wait.attempt, expected_at)
            case ClockSkew():
                self._lost("reconnecting", "clock_skew", wait.attempt, retry_at)
            case _:
                status: Status = "disconnected" if wait.is_open else "reconnecting"
                self._lost(status, "unreachable", wait.attempt, retry_at)
        self._stirred.clear()
        try:
            async with asyncio.timeout(wait.seconds):
                await self._stirred.wait()
        except TimeoutError:
            pass
        if self._state.status != "maintenance":
            # Not waiting any more, and until the attempt has an outcome nothing else is known.
            self._lost(self._state.status, self._state.reason, wait.attempt)

    def _live(self) -> None:
        self._live_since = monotonic()
        self._set(ConnectionState("live", since=timezone.now()))
        # To note that it works, and to see whether it is still there.
        self._credentials_changed.set()

    def _no_longer_live(self, last_seen: datetime) -> None:
        if self._live_since is None:
            return
        if monotonic() - self._live_since > STEADY_SECONDS:
            self._schedule = self._new_schedule()
        self._live_since = None
        self._live_until = last_seen
        self._lost("reconnecting", reason="connection_lost")

    def _lost(
        self,
        status: Status,
        reason: str | None,
        attempt: int = 0,
        retry_at: datetime | None = None,
    ) -> None:
        same = (self._state.status, self._state.reason) == (status, reason)
        since = self._state.since if same else timezone.now()
        self._set(ConnectionState(status, since, attempt, retry_at, reason, self._live_until))

    def _set(self, state: ConnectionState) -> None:
        if state.status != self._state.status:
            logger.info("connection", extra=self._fields(status=state.status, reason=state.reason))
        self._state = state
        self._unwritten.set()

    def _fields(self, **fields: object) -> dict[str, object]:
        return {"account_id": self._account_id, **fields}


class _CredentialGone(Exception):
    """The credential in use was deleted, or belongs to another account now."""
