"""Prices that move, and how long they take to reach the rows."""

import asyncio
import random
from dataclasses import dataclass, field
from decimal import Decimal
from time import perf_counter

import psycopg

from sandbox.server import Sandbox

QUOTES_PER_SECOND = 100
CENT = Decimal("0.01")


@dataclass(slots=True)
class Quotes:
    """
    Prices that move, and when each was quoted.

    Attributes:
        current: of each market, YES's bid.
    """

    sandbox: Sandbox
    tickers: list[str]
    current: dict[str, Decimal] = field(default_factory=dict)
    quoted_at: dict[tuple[str, Decimal], float] = field(default_factory=dict)

    def move(self, ticker: str) -> None:
        """Another price."""
        bid = random.randint(10, 88) * CENT
        if bid != self.current.get(ticker):
            self.current[ticker] = bid
            self.quoted_at[ticker, bid] = perf_counter()
            self.sandbox.set_quote(ticker, bid, bid + CENT)

    async def run(self, seconds: float) -> None:
        """A hundred a second."""
        started = perf_counter()
        for number in range(int(seconds * QUOTES_PER_SECOND)):
            self.move(random.choice(self.tickers))
            due = started + (number + 1) / QUOTES_PER_SECOND
            await asyncio.sleep(max(0.0, due - perf_counter()))


@dataclass(frozen=True, slots=True)
class Tick:
    """A quote that was found in a row: when, by the process's clock, and how long it took."""

    at: float
    milliseconds: float


async def watch(connect_to: str, account_ids: set[int], quotes: Quotes, took: list[Tick]) -> None:
    """Read these accounts' rows at each doorbell; how long each quote took goes to `took`."""
    seen: dict[tuple[int, str], Decimal] = {}
    seqs = dict.fromkeys(account_ids, 0)
    async with (
        await psycopg.AsyncConnection.connect(connect_to, autocommit=True) as doorbell,
        await psycopg.AsyncConnection.connect(connect_to, autocommit=True) as rows,
    ):
        await doorbell.execute("LISTEN account_changed")
        async for rung in doorbell.notifies():
            account_id, _, seq = (int(part) for part in rung.payload.split(":")[:3])
            if account_id not in account_ids or seq <= seqs[account_id]:
                continue
            found = await rows.execute(
                "SELECT ticker, yes_bid, seq FROM positions_position AS position"
                " JOIN positions_market AS market ON market.id = market_id"
                " WHERE account_id = %s AND seq > %s",
                [account_id, seqs[account_id]],
            )
            for ticker, bid, at_seq in await found.fetchall():
                seqs[account_id] = max(seqs[account_id], at_seq)
                if seen.get((account_id, ticker)) == bid:
                    continue
                seen[account_id, ticker] = bid
                quoted_at = quotes.quoted_at.get((ticker, bid))
                if quoted_at is not None:
                    now = perf_counter()
                    took.append(Tick(now, (now - quoted_at) * 1000))
