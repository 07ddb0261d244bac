"""
What happened to the account, as REST tells it, into the ledger.

The newest end is followed: read again every minute, and when something moved. What lies further
back is a hole (`ledger.holes`), read in the background, page by page. Nothing here keeps an account
from being live, and no failure ends its connection: it is tried again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from time import monotonic
from typing import Never

from django.utils import timezone

from kalshi.resources import PositionRow
from kalshi.rest import Client
from kalshi.rows import LeftOut
from ledger import (
    balances,
    closing,
    closing_lines,
    collateral_flows,
    comparing,
    describing,
    holes,
    proving,
    recording,
    records,
    transferring,
)
from ledger.models import Hole
from ledger.periods import Period
from positions.cash import Balance
from positions.tracker import Tracker
from postgres.threads import DatabaseThreads
from streaming.together import until_one_fails
from streaming.worker.persistence import until_done
from streaming.worker.reads import if_possible, log_left_out
from streaming.worker.trading_day import TradingDay

logger = logging.getLogger(__name__)

FOLLOW_SECONDS = 55.0
TRANSFERS_SECONDS = 300.0
DESCRIBE_SECONDS = 600.0
SETTLEMENTS_AGAIN = timedelta(days=1)
# Between two looks, however much moves.
BETWEEN_SECONDS = 1.0
# Between two pages of the past: others ask for the present by the same limits.
PAGE_SECONDS = 0.1


class Historian:
    """
    Keeps one account's ledger for as long as a connection lasts.

    Args:
        threads: for what is written of the past; never those that write positions.
        is_live: whether the account's figures are the exchange's at the moment.
        on_change: called when the tracker has something to write.
    """

    def __init__(
        self,
        account_id: int,
        rest: Client,
        tracker: Tracker,
        threads: DatabaseThreads,
        *,
        subaccount: int,
        is_live: Callable[[], bool],
        on_change: Callable[[], None],
    ) -> None:
        self._account_id = account_id
        self._rest = rest
        self._tracker = tracker
        self._threads = threads
        self._subaccount = subaccount
        self._on_change = on_change
        self._moved = asyncio.Event()
        self._holes_open = asyncio.Event()
        self._is_asked = self._is_surprised = False
        # New rows of looks that have not come to their end.
        self._new = self._late = 0
        self._describe_due = monotonic()
        self._look_due = self._transfers_due = monotonic()
        # Events whose collateral has been reckoned since it is known whether there is any.
        self._reckoned: set[str] = set()
        self._balances: list[Balance] = []
        # The exchange's rows that have not been compared yet.
        self._shown: Mapping[str, PositionRow] = {}
        self._differences: dict[str, str] = {}
        self._day = TradingDay(account_id, tracker, threads, is_live=is_live, on_change=on_change)

    def moved(self) -> None:
        """Something happened that REST tells more of: look now."""
        self._look_due = monotonic()
        self._moved.set()

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
        await until_one_fails(self._follow(), self._fill(), self._day.run())

    # The present

    async def _begin(self) -> None:
        now = await self._now() or timezone.now()
        await self._threads.run(holes.begin, self._account_id, now)
        netting = await if_possible(self._rest.netting(), "netting")
        ours = [each for each in netting or [] if each.subaccount == self._subaccount]
        # One that is not listed is told nothing of.
        is_netting = all(each.is_enabled for each in ours) if ours else None
        self._tracker.valuation.set_netting(is_netting)
        await self._threads.run(transferring.keep_netting, self._account_id, is_netting)
        self._holes_open.set()
        self._on_change()

    async def _follow(self) -> Never:
        while True:
            started = monotonic()
            self._moved.clear()
            if self._is_surprised or started >= self._look_due:
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
        shown = self._shown
        now = await self._now()
        followed = await self._threads.run(holes.followed_until, self._account_id)
        since = followed - holes.OVERLAP
        if self._is_asked:
            # Of what somebody named, or a list told late, it may be any time.
            self._is_asked, self._is_surprised = False, True
            self._late += 1
        async for fills in self._rest.fill_pages(self._subaccount, archived=False, since=since):
            await self._leave_out(fills.left_out, since, now or timezone.now())
            self._new += await self._keep([records.fill_of(each) for each in fills])
        # An amendment may keep the time of what it amends.
        lately = since - SETTLEMENTS_AGAIN
        async for paid in self._rest.settlement_pages(self._subaccount, since=lately):
            await self._leave_out(paid.left_out, since, now or timezone.now())
            self._late += await self._keep([records.settlement_of(each) for each in paid])
        self._late += await self._read_transfers()
        if now:
            await self._threads.run(holes.follow, self._account_id, now)
        touched = Period(None if self._late else since) if self._new or self._late else None
        await self._keep_balances(touched)
        if shown:
            # What made these rows has been read since.
            self._differences = await self._threads.run(
                comparing.compare, self._account_id, shown, self._differences, timezone.now()
            )
            if self._shown is shown:
                self._shown = {}
        if touched:
            await self._day.begin()
        else:
            self._tracker.valuation.cash.confirm()
            self._on_change()
        # Only now: had anything failed, the next look would take them for known.
        self._new = self._late = 0
        await self._describe()
        lines = closing_lines.read(self._rest, self._account_id, self._threads, timezone.now())
        await if_possible(lines, "closing lines")

    async def _describe(self) -> None:
        if monotonic() >= self._describe_due:
            described = describing.describe(self._rest, self._account_id, self._threads)
            if not await if_possible(described, "markets of the past"):
                # What the exchange does not tell now it may tell later.
                self._describe_due = monotonic() + DESCRIBE_SECONDS
        # The stream's own titles may have told what an event is before its records were there.
        for facts in self._tracker.markets.values():
            event = facts.event_ticker
            if facts.collateral_return_type and event not in self._reckoned:
                await self._threads.run(collateral_flows.rewrite, self._account_id, event)
                self._reckoned.add(event)

    async def _read_transfers(self) -> int:
        # Four lists: asked for when the cash is not as expected, and now and then.
        is_due = self._is_surprised or monotonic() >= self._transfers_due
        if not is_due:
            return 0
        self._is_surprised = False
        self._transfers_due = monotonic() + TRANSFERS_SECONDS
        return await transferring.read(
            self._rest, self._subaccount, self._keep_transfers, if_possible
        )

    async def _keep_balances(self, touched: Period | None = None) -> None:
        is_news = False
        while self._balances:
            is_news |= await self._threads.run(balances.keep, self._account_id, self._balances[0])
            del self._balances[0]
        if is_news or touched:
            await self._threads.run(proving.note, self._account_id, timezone.now(), touched)

    async def _keep(self, told: list[records.Fill] | list[records.Settlement]) -> int:
        return await self._threads.run(recording.record, self._account_id, told, timezone.now())

    async def _keep_transfers(self, stages: list[records.Transfer]) -> int:
        return await self._threads.run(
            recording.record_transfers, self._account_id, stages, timezone.now()
        )

    async def _leave_out(
        self, rows: Sequence[LeftOut], since: datetime | None, until: datetime
    ) -> None:
        log_left_out(rows)
        for row in rows:
            reason = f"{row.kind} {row.name or '(no name)'}: {row.reason}"
            await self._threads.run(holes.give_up, self._account_id, since, until, reason)

    # The past

    async def _fill(self) -> Never:
        while True:
            await self._holes_open.wait()
            self._holes_open.clear()
            await self._until_done(self._fill_all, "past not read")

    async def _fill_all(self) -> None:
        while hole := await self._threads.run(holes.next_to_fill, self._account_id):
            await self._fill_hole(hole)
        await self._past_is_known()

    async def _fill_hole(self, hole: Hole) -> None:
        pages = self._rest.settlement_pages(
            self._subaccount, since=hole.since, until=hole.opened_until
        )
        async for paid in pages:
            await self._leave_out(paid.left_out, hole.since, hole.opened_until)
            await self._keep([records.settlement_of(each) for each in paid])
        reached = hole.until
        for archived in (False, True):
            listed = self._rest.fill_pages(
                self._subaccount, archived=archived, since=hole.since, until=reached
            )
            async for fills in listed:
                await self._keep([records.fill_of(each) for each in fills])
                reached = min([reached, *(each.at for each in fills)])
                await self._threads.run(holes.filled_to, hole, reached, len(fills))
                await self._leave_out(fills.left_out, hole.since, reached)
                await asyncio.sleep(PAGE_SECONDS)
        await self._follow_records()
        await self._threads.run(holes.close, hole, timezone.now())
        # And of what was recorded in between.
        await self._follow_records()
        logger.info("past read", extra=self._fields(hole=hole.pk))

    async def _follow_records(self) -> None:
        # Each market by itself: other accounts' histories wait for the same thread.
        for market in await self._threads.run(recording.open_markets, self._account_id):
            await self._threads.run(recording.follow_market, self._account_id, market)

    async def _past_is_known(self) -> None:
        # Also what an earlier try left open.
        await self._follow_records()
        await self._describe()
        await closing.derive_settlements(
            self._rest, self._account_id, self._tracker.holdings.keys(), self._threads
        )
        await self._threads.run(proving.keep, self._account_id, timezone.now())
        await self._day.begin()

    # Both

    async def _now(self) -> datetime | None:
        """How far REST is, by the exchange's clock; None if it does not say."""
        return await if_possible(self._rest.user_data_timestamp(), "age of the ledger")

    async def _until_done(self, work: Callable[[], Awaitable[None]], trouble: str) -> None:
        await until_done(work, trouble, self._account_id)

    def _fields(self, **fields: object) -> dict[str, object]:
        return {"account_id": self._account_id, **fields}
