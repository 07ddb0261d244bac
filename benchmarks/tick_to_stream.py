"""
How long a tick takes: from the exchange's frame to the bytes of an SSE client.

Fifty positions, a hundred updates a second. The exchange and the client are this process, so one
clock measures; the product's worker, web server and PostgreSQL are processes of their own.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from statistics import quantiles
from time import perf_counter

from benchmarks.processes import resident_megabytes
from benchmarks.product import (
    conninfo,
    environment_of,
    events,
    running_product,
    until_past_is_read,
)
from benchmarks.rivals import NOTIFIED, running_rival
from postgres import embedded
from sandbox.server import Sandbox

UPDATES_PER_SECOND = 100
BEATS_PER_SECOND = 100
WARM_UP_SECONDS = 3
SECONDS = 15


@dataclass(frozen=True, slots=True)
class Ticks:
    """
    How many arrived, and how many milliseconds they took.

    Attributes:
        per_second: how many the exchange told of a second; more than arrived where a later one of
            a market was there before the earlier was sent on.
    """

    count: int
    per_second: float
    p50: float
    p99: float
    longest: float


@dataclass(frozen=True, slots=True)
class Memory:
    """Of the product's processes, in megabytes."""

    worker: float
    web: float


async def through_the_product(sandbox: Sandbox) -> tuple[Ticks, Memory]:
    """The product's figures, once the past is read: that is done once, and ticks go on all day."""
    async with running_product(sandbox) as product:
        await until_past_is_read(product.environment)
        async with aclosing(events(product.port, "/sse/positions", product.cookie)) as stream:
            ticks = await measure(sandbox, stream)
        return ticks, Memory(resident_megabytes(product.worker), resident_megabytes(product.web))


async def through_a_rival(sandbox: Sandbox, module: str, **environment: str) -> Ticks:
    """The figures of another program for the same."""
    async with (
        running_rival(sandbox, module, **environment) as rival,
        aclosing(events(rival.port, "/sse/positions")) as stream,
    ):
        return await measure(sandbox, stream)


async def through_the_database_alone(sandbox: Sandbox) -> Ticks:
    """The figures of the least that goes by the product's own PostgreSQL."""
    environment = environment_of(sandbox)
    await asyncio.to_thread(embedded.ensure_running, Path(environment["POSTGRES_DIR"]))
    return await through_a_rival(sandbox, NOTIFIED, DATABASE=conninfo(environment))


async def measure(
    sandbox: Sandbox,
    stream: AsyncIterator[dict[str, object]],
    per_second: int = UPDATES_PER_SECOND,
) -> Ticks:
    """
    From each quote to its arrival; so many a second, or as many as this process can make.

    Raises:
        RuntimeError: the stream ended before every market's last state arrived.
        TimeoutError: they do not arrive.
    """
    tickers = [
        ticker
        for ticker, held in sandbox.account.portfolios[0].positions.items()
        if held.quantity and sandbox.exchange.markets[ticker].status == "active"
    ]
    quoted = dict.fromkeys(tickers, Decimal(0))
    sent: dict[tuple[str, Decimal], float] = {}
    outstanding: set[str] = set()
    took: list[float] = []
    is_done = asyncio.Event()

    def quote(ticker: str, bid: Decimal) -> None:
        if quoted[ticker] != bid:
            quoted[ticker] = bid
            outstanding.add(ticker)
            sent[ticker, bid] = perf_counter()
            sandbox.set_quote(ticker, bid, bid + Decimal("0.01"))

    async def receive() -> None:
        async for event in stream:
            if event["type"] != "position" or event["yes_bid"] is None:
                continue
            ticker, bid = str(event["ticker"]), Decimal(str(event["yes_bid"]))
            sent_at = sent.pop((ticker, bid), None)
            if sent_at is not None:
                took.append((perf_counter() - sent_at) * 1000)
            if quoted.get(ticker) == bid:
                outstanding.discard(ticker)
            if is_done.is_set() and not outstanding:
                return

    receiver = asyncio.create_task(receive())
    # More of them come a few at a time: to wait takes longer than to quote.
    beats = min(per_second, BEATS_PER_SECOND)
    started = perf_counter()
    for number in range((WARM_UP_SECONDS + SECONDS) * beats):
        if receiver.done():
            break
        if number == WARM_UP_SECONDS * beats:
            took.clear()
        for _ in range(per_second // beats):
            quote(random.choice(tickers), Decimal(random.randint(10, 88)) / 100)
        await asyncio.sleep(max(0.0, started + (number + 1) / beats - perf_counter()))
    is_done.set()
    told_per_second = (WARM_UP_SECONDS + SECONDS) * per_second / (perf_counter() - started)
    quote(tickers[0], Decimal("0.05"))
    async with asyncio.timeout(5):
        await receiver
    if outstanding:
        # What came until then would be the figures of its best part.
        raise RuntimeError("the stream ended")
    percentiles = quantiles(took, n=100, method="inclusive")
    return Ticks(len(took), told_per_second, percentiles[49], percentiles[98], max(took))
