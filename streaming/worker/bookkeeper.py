"""
Writes what REST tells of one account into its ledger, for those who read the present and the past.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic
from typing import Concatenate, ParamSpec, TypeVar

from django.utils import timezone

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

    async def keep(self, told: list[records.Fill] | list[records.Settlement]) -> int:
        """Record these; how many were new."""
        return await self.run(recording.record, told, timezone.now())

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

    async def follow(self, waiting: Callable[[int], list[Market]]) -> int:
        """Say what follows from the records in the markets that wait for it; how many did."""
        async with self._following:
            markets = await self.run(waiting)
            # Each by itself: other accounts' histories wait for the same thread.
            for market in markets:
                await self.run(following.follow_market, market)
            return len(markets)

    async def describe(self) -> None:
        """Read what the markets of the records are, where it is not known yet."""
        if monotonic() >= self._describe_due:
            described = describing.describe(self.rest, self.account_id, self.threads)
            if not await if_possible(described, "markets of the past"):
                # What the exchange does not tell now it may tell later.
                self._describe_due = monotonic() + DESCRIBE_SECONDS
        # The stream's own titles may have told what an event is before its records were there.
        for facts in self.tracker.markets.values():
            event = facts.event_ticker
            if facts.collateral_return_type and event not in self._reckoned:
                await self.run(collateral_flows.rewrite, event)
                self._reckoned.add(event)

    async def exchange_now(self) -> datetime | None:
        """How far REST is, by the exchange's clock; None if it does not say."""
        return await if_possible(self.rest.user_data_timestamp(), "age of the ledger")


def reason(row: LeftOut) -> str:
    """Why a period misses something, as a hole keeps it."""
    return f"{row.kind} {row.name or '(no name)'}: {row.reason}"
