"""
How far one of each goes: one worker's updates, one web server's clients, one large account.

    python -m benchmarks.scale

Exchange, clients and the one stream that is timed share the two cores with the product. Loopback
only; ends after some four minutes.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter

import httpx

from benchmarks.processes import footprint, resident_megabytes
from benchmarks.product import Product, events, running_product
from benchmarks.readers import Readers, reading
from benchmarks.tick_to_stream import Ticks, measure
from sandbox.server import Sandbox, running_exchange

FEW_POSITIONS, LARGE_ACCOUNT = 50, 500
# So many that what each takes is not lost in what a worker takes anyhow.
MANY_POSITIONS = 5_000
ANSWERS = 200
FEW_CLIENTS, MANY_CLIENTS = 10, 1_000
# A second; the second of each is what is aimed for.
UPDATES = (1_000, 5_000)
EVENTS_OF_A_CLIENT = (20, 100)
# A worker that has just read an account gives back what it took for the reading.
SETTLE_SECONDS = 5
# So many streams are more than one session, and than a server, may have by itself.
SETTINGS = {"STREAMS_PER_SESSION": "1100", "STREAMS_TOTAL": "10000"}


@dataclass(frozen=True, slots=True)
class Load:
    """
    One stream's ticks beside the other clients, and what was taken meanwhile.

    Attributes:
        events: a second, to all other clients together.
        least: of these events, to the one that had fewest.
        worker, web: per cent of a core.
    """

    ticks: Ticks
    events: float
    least: float
    worker: float
    web: float


@asynccontextmanager
async def product_with(positions: int) -> AsyncIterator[tuple[Sandbox, Product]]:
    """The product, signed in to an account that holds so many, whose prices stand still."""
    async with (
        running_exchange(positions=positions, updates_per_minute=0) as sandbox,
        running_product(sandbox, **SETTINGS) as product,
    ):
        yield sandbox, product


async def answers(product: Product) -> list[float]:
    """Milliseconds of each `GET positions`, one after the other."""
    took = []
    address = f"http://127.0.0.1:{product.port}/api/v1/account"
    async with httpx.AsyncClient(base_url=address, headers={"Cookie": product.cookie}) as client:
        for _ in range(ANSWERS):
            began = perf_counter()
            (await client.get("/positions")).raise_for_status()
            took.append((perf_counter() - began) * 1000)
    return took


async def under_load(sandbox: Sandbox, product: Product, others: Readers, per_second: int) -> Load:
    """A stream's ticks while the exchange tells of so many a second."""
    async with aclosing(events(product.port, "/sse/positions", product.cookie)) as stream:
        await others.counts()
        worker, web, began = footprint(product.worker), footprint(product.web), perf_counter()
        ticks = await measure(sandbox, stream, per_second)
        seconds = perf_counter() - began
        counts = await others.counts()
    return Load(
        ticks,
        sum(counts) / seconds,
        min(counts) / seconds,
        (footprint(product.worker).cpu_seconds - worker.cpu_seconds) / seconds * 100,
        (footprint(product.web).cpu_seconds - web.cpu_seconds) / seconds * 100,
    )


async def worker_memory(positions: int) -> float:
    """Megabytes of a worker that feeds one account with so many positions, at rest."""
    async with product_with(positions) as (_, product):
        await asyncio.sleep(SETTLE_SECONDS)
        return resident_megabytes(product.worker)


def print_load(what: str, load: Load) -> None:
    """A line of the table."""
    ticks = load.ticks
    print(
        f"{what:<44}{ticks.per_second:>9.0f}{ticks.p50:>9.1f}{ticks.p99:>9.1f}"
        f"{load.events:>11.0f}{load.least:>9.1f}{load.worker:>10.0f}{load.web:>7.0f}",
        flush=True,
    )


async def main() -> None:
    """Measure and print."""
    head = f"{'told/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'events/s':>11}{'least/s':>9}"
    head += f"{'worker %':>10}{'web %':>7}"
    async with product_with(LARGE_ACCOUNT) as (sandbox, product):
        took = await answers(product)
        print(
            f"GET positions, {LARGE_ACCOUNT} positions: middle {median(took):.1f} ms, "
            f"99 of 100 {quantiles(took, n=100, method='inclusive')[98]:.1f} ms"
        )
        print(f"{'':<44}{head}", flush=True)
        async with reading(product, FEW_CLIENTS) as others:
            for rate in UPDATES:
                what = f"{LARGE_ACCOUNT} positions, {FEW_CLIENTS} clients, {rate} updates/s"
                print_load(what, await under_load(sandbox, product, others, rate))
    async with (
        product_with(FEW_POSITIONS) as (sandbox, product),
        reading(product, MANY_CLIENTS) as others,
    ):
        for rate in EVENTS_OF_A_CLIENT:
            what = f"{FEW_POSITIONS} positions, {MANY_CLIENTS} clients, {rate} updates/s"
            print_load(what, await under_load(sandbox, product, others, rate))
    few, many = await worker_memory(FEW_POSITIONS), await worker_memory(MANY_POSITIONS)
    each = (many - few) * 1000 / (MANY_POSITIONS - FEW_POSITIONS)
    print(
        f"worker's memory: {few:.0f} MB with {FEW_POSITIONS} positions, {many:.0f} MB with "
        f"{MANY_POSITIONS}: {each:.1f} kB for each further one"
    )


if __name__ == "__main__":
    asyncio.run(main())
