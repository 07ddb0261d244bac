"""
What happened to the account, as REST tells it, into the ledger.

The newest end is followed: read again every minute, and when something moved. What lies further
back is read by `past`. Nothing here keeps an account from being live, and no failure ends its
connection: it is tried again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing
from datetime import datetime, timedelta
from decimal import Decimal
from time import monotonic
from typing import Never

from django.utils import timezone

from kalshi.resources import PositionRow
from kalshi.rest import Client
from ledger import (
    balances,
    closing_lines,
    comparing,
    following,
    holes,
    netting,
    new_world,
    proving,
    records,
    transferring,
)
from ledger.deciding import Deciding
from ledger.periods import Period
from positions.cash import Balance
from positions.fencing import Fence
from positions.tracker import Tracker
from postgres.threads import DatabaseThreads
from streaming.together import until_one_fails
from streaming.worker.bookkeeper import Bookkeeper
from streaming.worker.past import SETTLEMENTS_AGAIN, Past
from streaming.worker.persistence import LOST, each_of, until_done
from streaming.worker.reads import if_possible
from streaming.worker.trading_day import TradingDay

logger = logging.getLogger(__name__)

FOLLOW_SECONDS = 55.0
TRANSFERS_SECONDS = 300.0
# After a look for what made the cash another than was expected.
AGAIN_SECONDS = 30.0
# Where the exchange does not say how far its lists are behind: further than they ever are.
LONGEST_LAG = timedelta(minutes=10)
# Between two looks, however much moves.
BETWEEN_SECONDS = 1.0


class Historian:
    """
    Keeps one account's ledger for as long as a connection lasts.

    Args:
        fence: of the account, as this worker took it over.
        threads: for what is written of the past; never those that write positions.
        may_begin_anew: whether the exchange does, as the sandbox at each start.
        is_live: whether the account's figures are the exchange's at the moment.
        on_change: called when the tracker has something to write.
    """

    def __init__(
        self,
        fence: Fence,
        rest: Client,
        tracker: Tracker,
        threads: DatabaseThreads,
        *,
        subaccount: int,
        may_begin_anew: bool,
        is_live: Callable[[], bool],
        on_change: Callable[[], None],
    ) -> None:
        self._account_id = fence.account_id
        self._rest = rest
        self._tracker = tracker
        self._books = Bookkeeper(fence.account_id, rest, tracker, threads)
        self._deciding = Deciding(rest, fence.account_id, threads, if_possible)
        self._subaccount = subaccount
        self._may_begin_anew = may_begin_anew
        self._on_change = on_change
        self._moved = asyncio.Event()
        # Whether it was tried once.
        self._has_looked = asyncio.Event()
        # Somebody waits for what is to be read, also while that fails.
        self._is_wanted = asyncio.Event()
        self._is_asked = self._is_surprised = False
        # The balance whose reason is looked for, and by when that had happened.
        self._looked_for: Balance | None = None
        self._happened_by: datetime | None = None
        # Up to when the fills have been, wherever the settlements are.
        self._fills_read_until: datetime | None = None
        # The oldest instant that something became known of, in looks that have not come to their
        # end; or whether it may be any.
        self._touched: datetime | None = None
        self._is_all_touched = False
        # Since when flows of collateral are to be reckoned anew.
        self._netted_since: datetime | None = None
        self._look_due = self._transfers_due = monotonic()
        self._balances: list[Balance] = []
        # Of those stored: whether the proof has not looked at one yet.
        self._is_balance_new = False
        # The exchange's rows that have not been compared yet.
        self._shown: Mapping[str, PositionRow] = {}
        self._differences: dict[str, str] = {}
        self._day = TradingDay(fence, tracker, threads, is_live=is_live, on_change=on_change)
        self._past = Past(self._books, self._day, subaccount=subaccount)

    @property
    def is_reading_past(self) -> bool:
        """Whether something of the past is still to be read."""
        return not self._past.is_filled

    def moved(self) -> None:
        """Something happened that REST tells more of: look now."""
        self._look_due = monotonic()
        self._moved.set()
        self._is_wanted.set()

    def asked(self) -> None:
        """Somebody wants it anew, having named a flow perhaps: look at all of it."""
        self._is_asked = True
        self.moved()

    def told(self, balance: Balance, surprise: Decimal | None) -> None:
        """The exchange told its balance; of a surprise its lists may tell what it is."""
        self._balances.append(balance)
        if surprise:
            self._is_surprised = True
        self._moved.set()

    def shown(self, positions: Mapping[str, PositionRow]) -> None:
        """The exchange's rows of all markets, as they were just read."""
        self._shown = positions

    async def run(self) -> Never:
        """Keep the ledger until cancelled."""
        await self._until_done(self._begin, "ledger not begun")
        await until_one_fails(self._follow(), self._past.run(), self._begin_day())

    async def _begin_day(self) -> Never:
        # What has just been found may belong to what it begins with.
        await self._has_looked.wait()
        await self._day.run()

    async def _begin(self) -> None:
        now = await self._books.exchange_now() or timezone.now()
        if self._may_begin_anew:
            await self._forget_an_old_world(now)
        await self._books.run(holes.begin, now)
        await self._read_netting()

    async def _read_netting(self) -> None:
        told = await if_possible(self._rest.netting(), "netting")
        if told is None:
            return
        ours = [each for each in told if each.subaccount == self._subaccount]
        if not ours and told.left_out:
            # It may be one of these: what was read last holds, as where none could be read.
            return
        # One that is not listed is told nothing of.
        is_netting = all(each.is_enabled for each in ours) if ours else None
        book = self._tracker.valuation.cash
        self._note_surprise()
        # What it moved was a surprise; if there was none, it is in no balance yet.
        by = self._happened_by or self._rest.exchange_now
        since = await self._books.run(netting.keep, is_netting, by)
        if since:
            self._netted_since = min(since, self._netted_since or since)
            # Together with the collateral that explains it.
            book.confirm(book.held_back)
        self._tracker.valuation.collateral.set_netting(is_netting)
        self._on_change()
        if self._netted_since:
            self._touch(await self._books.reckon_netting(self._netted_since))
            # Only now: had it failed, it would be tried again.
            self._netted_since = None

    def _note_surprise(self) -> None:
        # The balances may be as expected again before all that may explain it has been read.
        self._happened_by = self._tracker.valuation.cash.surprise_by or self._happened_by

    async def _forget_an_old_world(self, now: datetime) -> None:
        has_begun = await new_world.has_begun(
            self._rest, self._account_id, self._subaccount, self._books.threads, told_until=now
        )
        if has_begun:
            logger.warning(
                "the exchange has begun anew: what was recorded of it is deleted",
                extra={"account_id": self._account_id},
            )
            # Before it: what is deleted is not asked for a second time.
            self._tracker.valuation.begin_anew()
            await self._books.run(new_world.forget_the_old)

    async def _follow(self) -> Never:
        while True:
            started = monotonic()
            self._moved.clear()
            await self._until_done(self._follow_late, "records not followed")
            if self._period or self._is_surprised or started >= self._look_due:
                # Before it: what happens meanwhile may make the next due sooner.
                self._look_due = started + FOLLOW_SECONDS
                await self._until_done(self._look, "ledger not followed")
            else:
                # A balance alone, as after every fill: nothing that need be asked for.
                await self._until_done(self._keep_balances, "balance not kept")
            try:
                async with asyncio.timeout(max(0.0, self._look_due - monotonic())):
                    await self._moved.wait()
            except TimeoutError:
                pass
            # What just happened REST may not list yet; and moves come in swarms.
            await asyncio.sleep(max(0.0, started + BETWEEN_SECONDS - monotonic()))

    async def _look(self) -> None:
        try:
            await self._look_at_all()
        finally:
            self._has_looked.set()

    async def _look_at_all(self) -> None:
        if self._is_asked:
            # Of what somebody named, or a list told late, it may be any time.
            self._is_asked, self._is_surprised = False, True
            self._is_all_touched = True
        await each_of(self._account_id, self._look_at_lists, self._look_at_markets)

    async def _look_at_lists(self) -> None:
        shown = self._shown
        try:
            # One that can't be had, for good perhaps, keeps no other waiting.
            await each_of(
                self._account_id,
                self._read_records,
                self._read_what_moved_cash,
                self._follow_late,
                self._store_balances,
            )
        except LOST:
            raise
        except Exception:
            # What could be read counts; what that leaves unexplained may be in the others.
            if self._period:
                await self._day.begin()
            raise
        touched = self._period
        await self._keep_balances(touched)
        if shown:
            # What made these rows has been read since.
            self._differences = await self._books.run(
                comparing.compare, shown, self._differences, timezone.now()
            )
            if self._shown is shown:
                self._shown = {}
        if touched:
            await self._day.begin(self._looked_for)
        else:
            self._tracker.valuation.cash.confirm(self._looked_for)
            self._on_change()
        # Only now: had anything failed, the next look would take them for known.
        self._touched, self._is_all_touched = None, False
        self._looked_for = self._happened_by = None

    async def _look_at_markets(self) -> None:
        # Of these the next look keeps what they explain.
        self._touch(await self._books.describe())
        lines = closing_lines.read(
            self._rest, self._account_id, self._books.threads, timezone.now()
        )
        await if_possible(lines, "closing lines")

    async def _read_records(self) -> None:
        now = await self._books.exchange_now()
        followed = await self._books.run(holes.followed_until)
        until = now or timezone.now()
        # All that is listed now is of then at the latest.
        read_until = now or self._rest.exchange_now - LONGEST_LAG

        async def read_fills() -> None:
            since = max(followed, self._fills_read_until or followed) - holes.OVERLAP
            await self._read_fills(since, until)
            # The other list may fail for good: these are not read over and over for it.
            self._fills_read_until = read_until

        async def read_settlements() -> None:
            # An amendment may keep the time of what it amends.
            await self._read_settlements(followed - holes.OVERLAP - SETTLEMENTS_AGAIN, until)

        await each_of(self._account_id, read_fills, read_settlements)
        await self._books.run(holes.follow, read_until)

    async def _read_fills(self, since: datetime, until: datetime) -> None:
        async for fills in self._rest.fill_pages(self._subaccount, archived=False, since=since):
            await self._books.leave_out(fills.left_out, since, until)
            new = await self._books.keep_fills(fills)
            self._touch(each.at for each in new)

    async def _read_settlements(self, since: datetime, until: datetime) -> None:
        async for paid in self._rest.settlement_pages(self._subaccount, since=since):
            await self._books.leave_out(paid.left_out, since, until)
            new = await self._books.keep_settlements(paid)
            self._touch(each.at for each in new)

    async def _follow_late(self) -> None:
        # What was not said at once, as it takes long: before anything is reckoned from it.
        self._touch(await self._books.follow(following.late_markets))

    @property
    def _period(self) -> Period | None:
        """What is to be looked at again; None if nothing."""
        if self._is_all_touched:
            return Period()
        return Period(self._touched) if self._touched else None

    def _touch(self, times: Iterable[datetime]) -> None:
        known = [self._touched] if self._touched else []
        self._touched = min([*known, *times], default=None)

    async def _read_what_moved_cash(self) -> None:
        # Four lists, and the events: asked for when the cash is not as expected, and now and then.
        was_surprised, self._is_surprised = self._is_surprised, False
        is_due = was_surprised or monotonic() >= self._transfers_due
        try:
            if is_due:
                # One that is told while the lists are read may have its reason in none of them.
                self._looked_for = self._tracker.valuation.cash.held_back
                self._note_surprise()
                await self._read_netting()
                await transferring.read(
                    self._rest, self._subaccount, self._keep_transfers, if_possible
                )
            looking = self._deciding.look(self._happened_by, only_new=not is_due)
            async with aclosing(looking) as changed:
                async for at in changed:
                    self._touch([at])
        except Exception:
            self._is_surprised |= was_surprised
            raise
        if is_due:
            # Not all is listed at once.
            again = AGAIN_SECONDS if was_surprised else TRANSFERS_SECONDS
            self._transfers_due = monotonic() + again

    async def _keep_transfers(self, stages: list[records.Transfer]) -> None:
        # Before them: the balances say which points have them already.
        await self._store_balances()
        new = await self._day.transferred(lambda: self._books.keep_transfers(stages))
        self._touch(each.at for each in new)

    async def _keep_balances(self, touched: Period | None = None) -> None:
        await self._store_balances()
        if self._is_balance_new or touched:
            await self._books.run(proving.note, timezone.now(), touched)
            self._is_balance_new = False

    async def _store_balances(self) -> None:
        while self._balances:
            self._is_balance_new |= await self._books.run(balances.keep, self._balances[0])
            del self._balances[0]

    async def _until_done(self, work: Callable[[], Awaitable[None]], trouble: str) -> None:
        await until_done(work, trouble, self._account_id, sooner=self._is_wanted)
