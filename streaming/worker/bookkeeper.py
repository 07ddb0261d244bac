"""
Writes what REST tells of one account into its ledger, for those who read the present and the past.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from time import monotonic
from typing import Concatenate, ParamSpec, TypeVar

from django.utils import timezone

from kalshi import history, messages
from kalshi.clocks import reached
from kalshi.messages import in_time
from kalshi.rest import Client
from kalshi.rows import LeftOut
from ledger import collateral_flows, describing, following, holes, recording, records
from positions.models import Market
from positions.tracker import Tracker
from postgres.threads import DatabaseThreads
from streaming.worker.reads import if_possible, log_left_out

Rest = ParamSpec("Rest")
Value = TypeVar("Value")

DESCRIBE_SECONDS = 600.0


class Bookkeeper:
    """
    One account's ledger, as long as a connection lasts.

    Args:
        threads: for what is written of the ledger; never those that write positions.
    """

    def __init__(
        self, account_id: int, rest: Client, tracker: Tracker, threads: DatabaseThreads
    ) -> None:
        self.account_id = account_id
        self.rest = rest
        self.tracker = tracker
        self.threads = threads
        # The past and the present may wait for the same market.
        self._following = asyncio.Lock()
        self._describe_due = monotonic()
        # Events whose collateral has been reckoned since it is known whether there is any.
        self._reckoned: set[str] = set()

    async def run(
        self,
        work: Callable[Concatenate[int, Rest], Value],
        *args: Rest.args,
        **kwargs: Rest.kwargs,
    ) -> Value:
        """Do it with the ledger of this account, on its thread."""
        return await self.threads.run(work, self.account_id, *args, **kwargs)

    async def keep_fills(self, told: Iterable[messages.Fill]) -> list[records.Record]:
        """Record these executions; those that were new."""
        now = self.rest.exchange_now
        kept = [records.fill_of(in_time(each, now)) for each in told]
        return await self.run(recording.record, kept, timezone.now())

    async def keep_settlements(self, told: Iterable[history.Settlement]) -> list[records.Record]:
        """Record these payouts; those that were new."""
        now = self.rest.exchange_now
        kept = [
            replace(records.settlement_of(each), at=reached(each.settled_at, now) or now)
            for each in told
        ]
        return await self.run(recording.record, kept, timezone.now())

    async def keep_transfers(self, stages: list[records.Transfer]) -> list[records.Transfer]:
        """Record these; those that were new."""
        return await self.run(recording.record_transfers, stages, timezone.now())

    async def leave_out(
        self, rows: Sequence[LeftOut], since: datetime | None, until: datetime
    ) -> None:
        """Say of what could not be read that it is missing from this period."""
        log_left_out(rows)
        for row in rows:
            await self.run(
                holes.give_up, since, until, reason(row), timezone.now(), is_named=bool(row.name)
            )

    async def follow(self, waiting: Callable[[int], list[Market]]) -> list[datetime]:
        """
        Say what follows from the records in the markets that wait for it; for each of these the
        time of the oldest of which something else follows than before.
        """
        async with self._following:
            markets = await self.run(waiting)
            # Each by itself: other accounts' histories wait for the same thread.
            changed = [await self.run(following.follow_market, market) for market in markets]
            return [at for at in changed if at is not None]

    async def describe(self) -> list[datetime]:
        """
        Read what the markets of the records are, where it is not known yet; of each event whose
        collateral is reckoned otherwise for it the time of the oldest flow.
        """
        changed: list[datetime] = []
        if monotonic() >= self._describe_due:
            read = describing.describe(self.rest, self.account_id, self.threads)
            described = await if_possible(read, "markets of the past")
            if not described or not described.count:
                # What the exchange does not tell now it may tell later.
                self._describe_due = monotonic() + DESCRIBE_SECONDS
            if described:
                changed += described.changed
        # The stream's own titles may have told what an event is before its records were there.
        for facts in self.tracker.markets.values():
            event = facts.event_ticker
            if facts.collateral_return_type and event not in self._reckoned:
                changed_at = await self.run(collateral_flows.rewrite, event)
                changed += [changed_at] if changed_at else []
                self._reckoned.add(event)
        return changed

    async def reckon_netting(self, since: datetime) -> list[datetime]:
        """
        Follow that netting was switched; for each event of which something else follows than
        before, the time of the oldest.
        """
        # Each by itself: other accounts' histories wait for the same thread.
        events = await self.run(collateral_flows.of_netting, since)
        changed = [await self.run(collateral_flows.rewrite, event) for event in events]
        return [at for at in changed if at is not None]

    async def exchange_now(self) -> datetime | None:
        """How far REST is, by the exchange's clock; None if it does not say."""
        return await if_possible(self.rest.user_data_timestamp(), "age of the ledger")


def reason(row: LeftOut) -> str:
    """Why a period misses something, as a hole keeps it."""
    return f"{row.kind} {row.name or '(no name)'}: {row.reason}"
