"""
How long a tick takes: from the exchange's frame to the bytes of an SSE client.

    python -m benchmarks.tick_to_stream

Fifty positions, a hundred updates a second. The exchange and the client are this process, so one
clock measures; worker, web server and PostgreSQL are processes of their own. Beside it, in the same
run, the simplest relay (`relay.py`). Loopback only; ends after a minute.
"""

import asyncio
import random
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import aclosing
from decimal import Decimal
from pathlib import Path
from statistics import quantiles
from time import perf_counter

from benchmarks.processes import resident_megabytes
from benchmarks.product import events, free_port, running_product
from sandbox.server import Sandbox, running_exchange

POSITIONS = 50
UPDATES_PER_SECOND = 100
WARM_UP_SECONDS = 3
SECONDS = 15


async def measure(sandbox: Sandbox, stream: AsyncIterator[dict[str, object]]) -> list[float]:
    """Milliseconds from each quote to its arrival; fails if a last state never arrives."""
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
    started = perf_counter()
    for number in range((WARM_UP_SECONDS + SECONDS) * UPDATES_PER_SECOND):
        if number == WARM_UP_SECONDS * UPDATES_PER_SECOND:
            took.clear()
        quote(random.choice(tickers), Decimal(random.randint(10, 88)) / 100)
        await asyncio.sleep(max(0.0, started + (number + 1) / UPDATES_PER_SECOND - perf_counter()))
    is_done.set()
    quote(tickers[0], Decimal("0.05"))
    async with asyncio.timeout(5):
        await receiver
    return took


async def through_the_product(sandbox: Sandbox) -> list[float]:
    """The product's figures; prints its memory too."""
    async with running_product(sandbox) as product:
        async with aclosing(events(product.port, "/sse/positions", product.cookie)) as stream:
            took = await measure(sandbox, stream)
        worker, web = resident_megabytes(product.worker), resident_megabytes(product.web)
        print(f"memory: worker {worker:.0f} MB, web server {web:.0f} MB")
    return took


async def through_the_relay(sandbox: Sandbox) -> list[float]:
    """The relay's figures."""
    port = free_port()
    with tempfile.NamedTemporaryFile("w") as key_file:
        key_file.write(sandbox.private_key)
        key_file.flush()
        relay = subprocess.Popen(
            [
                *(sys.executable, "-m", "benchmarks.relay", sandbox.api_base, sandbox.ws_url),
                *(sandbox.key_id, key_file.name, str(port)),
                *(ticker for ticker in sandbox.account.portfolios[0].positions),
            ],
            cwd=Path(__file__).resolve().parent.parent,
        )
        try:
            async with asyncio.timeout(10):
                while not sandbox.connection_count:
                    await asyncio.sleep(0.05)
                await asyncio.sleep(0.5)
            async with aclosing(events(port, "/")) as stream:
                return await measure(sandbox, stream)
        finally:
            relay.terminate()
            await asyncio.to_thread(relay.wait, 10)


def row(name: str, took: list[float]) -> str:
    """One line of the table."""
    percentiles = quantiles(took, n=100, method="inclusive")
    return (
        f"{name:<28}{len(took):>7}{percentiles[49]:>9.2f}{percentiles[98]:>9.2f}{max(took):>9.2f}"
    )


async def main() -> None:
    """Measure both and print them side by side."""
    async with running_exchange(positions=POSITIONS, updates_per_minute=0) as sandbox:
        relay = await through_the_relay(sandbox)
        product = await through_the_product(sandbox)
    print(f"tick to SSE bytes, {POSITIONS} positions, {UPDATES_PER_SECOND} updates/s")
    print(f"{'':<28}{'ticks':>7}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}")
    print(row("relay, no database", relay))
    print(row("Kalshi Live", product))


if __name__ == "__main__":
    asyncio.run(main())
