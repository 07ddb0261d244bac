"""
An account that this worker holds the claim of: opened, fed, and set aside when that fails.

Whatever goes wrong here concerns this account alone. It is told, and tried again by itself.
"""

import asyncio
import logging
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from time import monotonic
from typing import Never
from uuid import UUID

from django.conf import settings
from django.db import Error
from django.utils import timezone

from accounts import log_context
from accounts.models import Account
from ledger.keeping import LedgerRecords
from positions.connection import ConnectionState
from positions.fencing import TakenOver
from positions.order_books import Question
from positions.taking_over import OpenedStream, open_stream, set_aside
from postgres.errors import DATABASE_TROUBLE
from streaming.worker.access import Access
from streaming.worker.arrivals import Arrival
from streaming.worker.backoff import Wait, waits
from streaming.worker.course import ASKED_SECONDS
from streaming.worker.feed import Feed
from streaming.worker.flushes import FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS, Writers

logger = logging.getLogger(__name__)

# A feed that ran for so long was good: its failure is not one of a series.
STEADY_SECONDS = 60.0


class HeldAccount:
    """
    Feeds one account for as long as it is this worker's.

    Args:
        worker_id: the worker whose heartbeat vouches for the rows.
        arrival: ended when it is live for the first time, or can't be for now.
    """

    def __init__(
        self, account_id: int, worker_id: UUID, writers: Writers, arrival: Arrival
    ) -> None:
        self._account_id = account_id
        self._worker_id = worker_id
        self._writers = writers
        self._arrival = arrival
        self._access = Access()
        self._feed: Feed | None = None
        self._again = asyncio.Event()
        # When somebody last had it tried.
        self._asked_at = float("-inf")
        # The exchange's last sign of life, as far as is known while there is no feed.
        self._live_until: datetime | None = None
        # How it stands while there is no feed.
        self._state = ConnectionState("connecting", since=timezone.now())
        # Since when its rows say what nobody here can vouch for.
        self._silent_since: float | None = None

    @property
    def silent_seconds(self) -> float | None:
        """For how long nobody could vouch for the account's rows; None if somebody can."""
        if self._feed:
            return self._feed.silent_seconds
        return None if self._silent_since is None else monotonic() - self._silent_since

    @property
    def state(self) -> ConnectionState:
        """How the connection stands."""
        return self._feed.state if self._feed else self._state

    @property
    def is_reading_past(self) -> bool:
        """Whether something of the past is still to be read, as far as is known."""
        return self._feed is None or self._feed.is_reading_past

    def refresh(self) -> None:
        """Read the exchange anew, or try again what waits to be tried."""
        if self._feed:
            self._feed.refresh()
        self._again.set()

    def read_book(self, question: Question) -> None:
        """Read a market's order book for somebody who waits a little."""
        if self._feed:
            self._feed.read_book(question)

    def hand_over(self) -> None:
        """Another worker will go on with the account: to be cancelled next."""
        if self._feed:
            self._feed.hand_over()

    def look_at_credentials(self) -> None:
        """The account's credentials are not what they were."""
        if self._feed:
            self._feed.look_at_credentials()
        self._again.set()

    async def run(self) -> None:
        """Work until cancelled, or until the account is forgotten or another worker's."""
        with log_context.of_account(self._account_id):
            await self._run()

    async def _run(self) -> None:
        schedule = self._new_schedule()
        try:
            while True:
                started = monotonic()
                # Who asks from here on asks for what comes after this attempt.
                self._again.clear()
                try:
                    await self._feed_it()
                except (TakenOver, Account.DoesNotExist):
                    raise
                except Exception:
                    logger.exception("account failed", extra=self._fields())
                    if monotonic() - started > STEADY_SECONDS:
                        schedule = self._new_schedule()
                        # What was asked for meanwhile was had.
                        self._again.clear()
                    await self._set_aside(next(schedule))
        except (TakenOver, Account.DoesNotExist):
            # Another worker's by now, or forgotten.
            logger.warning("account lost", extra=self._fields())
        finally:
            self._feed = None
            self._arrival.end()
            await self._access.close()

    async def _feed_it(self) -> Never:
        opened = await self._open()
        self._feed = Feed(self._account_id, opened, self._writers, self._access, self._arrival)
        self._silent_since = None
        try:
            await self._feed.run()
        finally:
            self._live_until = self._feed.live_until
            self._feed = None

    async def _open(self) -> OpenedStream:
        """
        Take the account over. A database that is away, or a row that is locked, is waited for.

        Raises:
            Account.DoesNotExist: it was forgotten.
        """
        delay, threads = FIRST_RETRY_SECONDS, self._writers.healthy
        while True:
            try:
                opened = await threads.run(
                    open_stream,
                    self._account_id,
                    self._worker_id,
                    settings.MARK_PRICE,
                    LedgerRecords(),
                )
            except DATABASE_TROUBLE as error:
                logger.warning("not opened", extra=self._fields(error=type(error).__name__))
                await asyncio.sleep(delay)
                delay = min(2 * delay, LONGEST_RETRY_SECONDS)
                # Where it waits for a lock it holds up only its like.
                threads = self._writers.doubtful
            else:
                logger.info("account claimed", extra=self._fields())
                self._live_until = opened.live_until
                return opened

    async def _set_aside(self, wait: Wait) -> None:
        now = timezone.now()
        self._state = state = ConnectionState(
            "disconnected",
            since=now,
            attempt=wait.attempt,
            retry_at=now + timedelta(seconds=wait.seconds),
            reason="set_aside",
            live_until=self._live_until,
        )
        self._silent_since = monotonic()
        self._arrival.end()
        try:
            await self._writers.doubtful.run(
                set_aside, self._account_id, self._worker_id, state, now
            )
            self._silent_since = None
        except (Error, Account.DoesNotExist) as error:
            # Then the heartbeat says that nobody vouches for it.
            logger.warning("not set aside", extra=self._fields(error=type(error).__name__))
        await self._access.close()
        await self._until_asked(wait.seconds)

    async def _until_asked(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._again.wait()
                await asyncio.sleep(max(0.0, self._asked_at + ASKED_SECONDS - monotonic()))
                self._asked_at = monotonic()
        except TimeoutError:
            pass

    def _new_schedule(self) -> Iterator[Wait]:
        return waits(random.random)

    def _fields(self, **fields: object) -> dict[str, object]:
        return {"account_id": self._account_id, **fields}
