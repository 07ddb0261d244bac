"""
The past of an account, read hole by hole (`ledger.holes`) in the background, page by page.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Never

from django.utils import timezone

from kalshi.errors import KalshiError
from kalshi.rows import LeftOut
from ledger import closing, following, holes, proving
from ledger.models import Hole
from ledger.records import Record
from streaming.worker.bookkeeper import Bookkeeper, reason
from streaming.worker.counts import COUNTS
from streaming.worker.persistence import each_of, log_trouble, retry_delays, until_done
from streaming.worker.reads import if_possible
from streaming.worker.trading_day import TradingDay

logger = logging.getLogger(__name__)

# The present reads the exchange's settlements again this long, as they may be amended.
SETTLEMENTS_AGAIN = timedelta(days=1)
# Between two pages: others ask for the present by the same limits.
PAGE_SECONDS = 0.1


class Past:
    """
    Fills the holes of one account's ledger, as long as a connection lasts.

    Args:
        day: reckoned anew when the past has changed.

    Attributes:
        is_filled: whether all that can be read has been.
    """

    def __init__(self, books: Bookkeeper, day: TradingDay, *, subaccount: int) -> None:
        self._books = books
        self._day = day
        self._subaccount = subaccount
        self.is_filled = False
        # Of holes whose settlements could not be read: down to where the fills have been, and those
        # of which all have.
        self._fills_down_to: dict[int, datetime] = {}
        self._fills_known: set[int] = set()
        # Of what is open by the records and held no more; else it is asked for again soon.
        self._are_ends_known = False
        # Whether all that could not be read could at least be asked for; else as soon.
        self._are_holes_tried = False
        # Whether records were found that nothing has been reckoned with yet: a try that fails after
        # it finds them known.
        self._has_news = False

    async def run(self) -> Never:
        """Read what is missing, and go on trying what can't be read, until cancelled."""
        account_id = self._books.account_id
        await until_done(self._fill_all, "past not read", account_id)
        self.is_filled = True
        sooner = retry_delays()
        while True:
            await until_done(self._try_again, "holes not tried again", account_id)
            if self._are_ends_known and self._are_holes_tried:
                sooner = retry_delays()
                await asyncio.sleep(holes.TRY_AGAIN.total_seconds())
            else:
                await asyncio.sleep(next(sooner))
            await until_done(self._settle_unlisted, "settlements not derived", account_id)

    async def _fill_all(self) -> None:
        while found := await self._books.run(holes.to_fill):
            await each_of(self._books.account_id, *(partial(self._fill, hole) for hole in found))
        # Also what an earlier try left open.
        await self._books.follow(following.open_markets)
        await self._books.describe()
        await self._derive_settlements()
        await self._has_changed()
        self._has_news = False

    async def _fill(self, hole: Hole) -> None:
        # That list may fail for good, and the fills must not wait for it.
        are_paid_known = False

        async def read_settlements() -> None:
            nonlocal are_paid_known
            await self._read_settlements(hole)
            are_paid_known = True

        async def read_fills() -> None:
            if hole.pk not in self._fills_known:
                await self._read_fills(hole, are_all=are_paid_known)

        await each_of(self._books.account_id, read_settlements, read_fills)
        await self._books.follow(following.open_markets)
        await self._books.threads.run(holes.close, hole, timezone.now())
        # And of what was recorded in between.
        await self._books.follow(following.open_markets)
        fields = {"account_id": self._books.account_id, "hole": hole.pk}
        COUNTS.holes_filled += 1
        logger.info("past read", extra=fields)

    async def _read_settlements(self, hole: Hole) -> None:
        # An amendment may keep the time of what it amends.
        since = hole.since and hole.since - SETTLEMENTS_AGAIN
        pages = self._books.rest.settlement_pages(
            self._subaccount, since=since, until=hole.opened_until
        )
        async for paid in pages:
            await self._books.leave_out(paid.left_out, hole.since, hole.opened_until)
            await self._books.keep_settlements(paid)

    async def _read_fills(self, hole: Hole, *, are_all: bool) -> None:
        reached = self._fills_down_to.get(hole.pk, hole.until)
        for archived in (False, True):
            listed = self._books.rest.fill_pages(
                self._subaccount, archived=archived, since=hole.since, until=reached
            )
            async for fills in listed:
                # Before the hole is said to be filled so far; they may be as new as the page is.
                await self._books.leave_out(fills.left_out, hole.since, reached)
                await self._books.keep_fills(fills)
                reached = min([reached, *(each.at for each in fills)])
                if are_all:
                    await self._books.threads.run(holes.filled_to, hole, reached, len(fills))
                else:
                    # How far back nothing is missing they don't say alone.
                    self._fills_down_to[hole.pk] = reached
                await asyncio.sleep(PAGE_SECONDS)
        self._fills_known.add(hole.pk)

    async def _try_again(self) -> None:
        """Read what could not be read; much of the rest of its stretch is known already."""
        self._are_holes_tried = True
        for hole in await self._books.run(holes.to_try, timezone.now()):
            try:
                await self._read_again(hole)
            except KalshiError as error:
                # For good, perhaps: the others must not wait for it, nor this one for an hour.
                self._are_holes_tried = False
                log_trouble("hole not read again", error, self._books.account_id)
        await self._reckon_with_news()

    async def _read_again(self, hole: Hole) -> None:
        rest = self._books.rest
        unreadable: list[LeftOut] = []
        span = {"since": hole.since, "until": hole.opened_until}
        async for paid in rest.settlement_pages(self._subaccount, **span):
            unreadable += paid.left_out
            self._note(await self._books.keep_settlements(paid))
        for archived in (False, True):
            async for fills in rest.fill_pages(self._subaccount, archived=archived, **span):
                unreadable += fills.left_out
                self._note(await self._books.keep_fills(fills))
                await asyncio.sleep(PAGE_SECONDS)
        await self._books.leave_out(unreadable, hole.since, hole.opened_until)
        is_filled = hole.reason not in {reason(row) for row in unreadable}
        done = holes.close if is_filled else holes.tried
        await self._books.threads.run(done, hole, timezone.now())

    async def _settle_unlisted(self) -> None:
        await self._derive_settlements()
        await self._reckon_with_news()

    def _note(self, new: Sequence[Record]) -> None:
        self._has_news |= bool(new)

    async def _reckon_with_news(self) -> None:
        if self._has_news:
            await self._has_changed()
            self._has_news = False

    async def _derive_settlements(self) -> None:
        books = self._books
        # One that the exchange lists later than that is read no more; of what is newer its list
        # may tell in a moment.
        before = timezone.now() - SETTLEMENTS_AGAIN
        deriving = closing.derive_settlements(
            books.rest,
            books.account_id,
            books.tracker.holdings.keys(),
            books.threads,
            subaccount=self._subaccount,
            before=before,
            on_new=self._note,
        )
        # What the exchange fails on, for good perhaps, must not hold up what is known.
        count = await if_possible(deriving, "how markets of the past ended")
        self._are_ends_known = count is not None

    async def _has_changed(self) -> None:
        await self._books.follow(following.late_markets)
        await self._books.run(proving.keep, timezone.now())
        await self._day.begin()
