"""
What the account was worth from minute to minute, and what its day is reckoned from.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from time import monotonic
from typing import Never

from django.utils import timezone

from ledger import paid_markets, points
from ledger.records import Transfer
from positions.cash import Balance, Flow
from positions.day import Baseline
from positions.fencing import Fence
from positions.tracker import Tracker
from postgres.threads import DatabaseThreads
from streaming.worker.persistence import until_done

POINT_SECONDS = 60.0
LOOK_SECONDS = 1.0
# For so long a point waits for events that are not described yet; some never are.
DESCRIBED_SECONDS = 300.0


class TradingDay:
    """
    Stores an account's points, and gives its tracker the baseline of each day.

    Args:
        fence: what it writes rests on the tracker, so only while the account is this worker's.
        is_live: whether the account's figures are the exchange's at the moment.
        on_change: called when the tracker has something to write.
    """

    def __init__(
        self,
        fence: Fence,
        tracker: Tracker,
        threads: DatabaseThreads,
        *,
        is_live: Callable[[], bool],
        on_change: Callable[[], None],
    ) -> None:
        self._account_id = fence.account_id
        self._fence = fence
        self._tracker = tracker
        self._threads = threads
        self._is_live = is_live
        self._on_change = on_change
        # Points, records of the present and of the past have it reckoned anew: one after the other.
        self._turn = asyncio.Lock()
        self._transfers: list[Flow] = []
        # The beginning of the day that the baseline is of.
        self._start: datetime | None = None
        # Since when an event is not described.
        self._undescribed_since: float | None = None

    async def run(self) -> Never:
        """Store a point every minute until cancelled."""
        while True:
            is_stored = False
            # Else a day might begin with what an earlier worker knew, or without a deposit of last
            # night that is already in the balance.
            is_sure = self._is_live() and self._tracker.valuation.cash.is_sure
            if is_sure and self._is_described(monotonic()):
                trouble = "point not stored"
                is_stored = await until_done(self.add_point, trouble, self._account_id)
            await asyncio.sleep(POINT_SECONDS if is_stored else LOOK_SECONDS)

    def _is_described(self, now: float) -> bool:
        """Whether it is known of all events what collateral comes back on them, or never will."""
        if not self._tracker.undescribed_events:
            self._undescribed_since = None
            return True
        # What came back would count as the account's own until then, and the day would begin with
        # too much.
        if self._undescribed_since is None:
            self._undescribed_since = now
        return now - self._undescribed_since > DESCRIBED_SECONDS

    async def add_point(self) -> bool:
        """Store what the account is worth, if that is known; whether it was."""
        if self._transfers:
            # They are in the points that are stored, and not yet in the cash.
            await self.begin()
        async with self._turn:
            await self._keep_baseline()
            valued = self._valued
            if valued is None:
                return False
            await self._threads.run(self._add, valued)
        has_baseline = self._tracker.valuation.baseline is not None
        if not has_baseline or points.day_start(timezone.now()) != self._start:
            await self.begin()
        return True

    @property
    def _valued(self) -> points.Valued | None:
        worth, sums, cash = self._tracker.valued
        # Some may have come meanwhile.
        if self._transfers or worth.total_value is None or sums is None or cash is None:
            return None
        return points.Valued(
            at=timezone.now(),
            total_value=worth.total_value,
            cash=cash.balance,
            positions_value=sums.positions_value,
            collateral_returned=worth.collateral_returned,
            nets=self._tracker.nets,
        )

    async def transferred(self, keep: Callable[[], Awaitable[list[Transfer]]]) -> list[Transfer]:
        """
        Keep transfers; those that are new count together with the next baseline, which has them.

        No point is stored meanwhile: it would lack what the earlier ones have.
        """
        async with self._turn:
            new = await keep()
            self._transfers += [Flow(each.cash_flow, each.at, each.at) for each in new]
        return new

    async def begin(self, looked_for: Balance | None = None) -> None:
        """
        Reckon the day anew: another has begun, or records of it or of before have come.

        Args:
            looked_for: a balance that nothing explained, unless these records do.
        """
        async with self._turn:
            await self._begin(looked_for)

    async def _begin(self, looked_for: Balance | None) -> None:
        now = timezone.now()
        # Those that are told while all is read count with the next.
        transfers = list(self._transfers)
        self._tracker.valuation.remember()
        before = await self._keep_baseline()
        locked_in = await self._threads.run(points.locked_in, self._account_id)
        baseline = await self._threads.run(points.baseline, self._account_id, now)
        paid = await self._threads.run(paid_markets.of_held_events, self._account_id)
        decided = await self._threads.run(paid_markets.beside_held, self._account_id)
        self._tracker.valuation.learn(locked_in)
        # What was settled unseen, and outcomes that were corrected.
        self._tracker.valuation.collateral.paid(paid)
        for market, at in decided:
            self._tracker.valuation.decided(market, at)
        if baseline and before and baseline.at == before.at:
            # What got its mark while these were read.
            for ticker, net in before.nets.items():
                if baseline.nets.get(ticker) is None:
                    baseline.nets[ticker] = net
            baseline.entered, baseline.is_changed = before.entered, before.is_changed
        cash = self._tracker.valuation.cash
        for flow in transfers:
            cash.transferred(flow)
        del self._transfers[: len(transfers)]
        # It counts from now on: together with the transfers that explain it.
        cash.confirm(looked_for)
        self._tracker.begin_day(baseline)
        self._start = points.day_start(now)
        self._on_change()

    async def _keep_baseline(self) -> Baseline | None:
        """Store what entered the baseline; it."""
        baseline = self._tracker.valuation.baseline
        if baseline and baseline.is_changed:
            # Before it is written: what enters meanwhile is to be written as well.
            baseline.is_changed = False
            try:
                await self._threads.run(self._keep_changed, baseline)
            except BaseException:
                baseline.is_changed = True
                raise
        return baseline

    def _add(self, valued: points.Valued) -> None:
        with self._fence.held():
            points.add(self._account_id, valued)

    def _keep_changed(self, baseline: Baseline) -> None:
        with self._fence.held():
            points.keep_changed(self._account_id, baseline)
