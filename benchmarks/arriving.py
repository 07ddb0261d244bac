"""
An account that holds much, just signed in: how long until it is live, and all titles read.

    python -m benchmarks.arriving [EVENTS...]

Each position is in an event of its own, and the exchange keeps the limits of the lowest tier. The
clock starts with the click on Sign in, so the check of the key is in it. Loopback only; ends by
itself.
"""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

import httpx

from benchmarks.product import sign_in, started_product, until_reconciled
from sandbox.server import running_exchange

EVENTS = (50, 230, 1000)
TIER = "basic"
TITLES_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Arrived:
    """Seconds since the click."""

    signed_in: float
    live: float
    titled: float


async def arrive(events: int) -> Arrived:
    """
    How soon so many events are there.

    Raises:
        TimeoutError: they are not.
    """
    async with (
        running_exchange(positions=events, events_apart=True, usage_tier=TIER) as sandbox,
        started_product(sandbox) as product,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{product.port}/api/v1/account") as client,
    ):
        titles = {ticker: event.title for ticker, event in sandbox.exchange.events.items()}
        begun = monotonic()
        await sign_in(client, sandbox)
        signed_in = monotonic() - begun
        await until_reconciled(client)
        live = monotonic() - begun
        async with asyncio.timeout(TITLES_SECONDS):
            while True:
                shown = (await client.get("/positions")).json()["positions"]
                if all(each["title"] == titles[each["event_ticker"]] for each in shown):
                    break
                await asyncio.sleep(0.05)
        if len({each["event_ticker"] for each in shown}) != events:
            raise RuntimeError(f"{len(shown)} positions are shown of {events} events")
        return Arrived(signed_in, live, monotonic() - begun)


async def main(counts: Sequence[int]) -> None:
    """Measure each, and print what it took."""
    print(f"{'events':>8} {'signed in':>10} {'live':>8} {'titles':>8}  seconds since the click")
    for count in counts:
        arrived = await arrive(count)
        print(
            f"{count:>8} {arrived.signed_in:>10.2f} {arrived.live:>8.2f} {arrived.titled:>8.2f}",
            flush=True,
        )


if __name__ == "__main__":
    asyncio.run(main([int(each) for each in sys.argv[1:]] or EVENTS))
