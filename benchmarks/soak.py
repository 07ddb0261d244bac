"""
Faults and load over a longer time: after each fault everything must be right again by itself.

    python -m benchmarks.soak [MINUTES]

Ten minutes unless told otherwise, at 50 updates a second. In each round something dies or is cut
while prices move and fills come; once it is back, the API must equal the exchange within ten
seconds. Prints the slowest recovery from each fault and what memory has grown to; ends with 1 if
anything was ever wrong for longer. Loopback only.
"""

import asyncio
import random
import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable
from decimal import Decimal
from time import monotonic

import httpx

from benchmarks.product import Product, resident_megabytes, running_product
from sandbox.server import Sandbox, running_exchange

POSITIONS = 50
STEPS_PER_SECOND = 50
CALM_SECONDS = 4
OUTAGE_SECONDS = 2
PATIENCE_SECONDS = 10

Fault = Callable[[Sandbox, Product], Awaitable[None]]


async def socket_cut(sandbox: Sandbox, product: Product) -> None:
    sandbox.drop_connections()


async def exchange_away(sandbox: Sandbox, product: Product) -> None:
    sandbox.is_refusing = True
    sandbox.drop_connections()
    await asyncio.sleep(OUTAGE_SECONDS)
    sandbox.is_refusing = False


async def worker_killed(sandbox: Sandbox, product: Product) -> None:
    product.worker.kill()
    product.worker.wait()
    await asyncio.sleep(OUTAGE_SECONDS)
    product.start_worker()


async def web_server_killed(sandbox: Sandbox, product: Product) -> None:
    product.web.kill()
    product.web.wait()
    await asyncio.sleep(OUTAGE_SECONDS)
    product.start_web()


FAULTS: list[Fault] = [socket_cut, exchange_away, worker_killed, web_server_killed]


async def move(sandbox: Sandbox) -> None:
    """Prices that wander, and a fill now and then."""
    while True:
        sandbox.step(own_fill_chance=0.02)
        await asyncio.sleep(1 / STEPS_PER_SECOND)


async def is_right(sandbox: Sandbox, product: Product, client: httpx.AsyncClient) -> bool:
    """Whether the API says what the exchange holds and quotes."""
    try:
        answer = await client.get("/api/v1/account/positions", headers={"Cookie": product.cookie})
    except httpx.TransportError:
        return False
    if answer.status_code != 200:
        return False
    told = {
        row["ticker"]: (Decimal(row["quantity"]), Decimal(row["exposure"]), row["yes_bid"])
        for row in answer.json()["positions"]
    }
    held = {}
    for position in sandbox.account.portfolios[0].positions.values():
        quote = sandbox.exchange.markets[position.ticker].tape.quote
        bid = f"{quote.yes_bid.normalize():f}" if quote.has_bid else None
        if position.quantity:
            held[position.ticker] = (position.quantity, position.exposure, bid)
    return told == held


async def recover(sandbox: Sandbox, product: Product, client: httpx.AsyncClient) -> float:
    """Seconds until all is right; TimeoutError if it takes too long."""
    started = monotonic()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await is_right(sandbox, product, client):
            await asyncio.sleep(0.05)
    return monotonic() - started


async def soak(minutes: float) -> bool:
    """Round after round until the time is over; whether all was right after each."""
    slowest: dict[str, float] = defaultdict(float)
    rounds = failures = 0
    ends_at = monotonic() + minutes * 60
    async with (
        running_exchange(positions=POSITIONS, updates_per_minute=0) as sandbox,
        running_product(sandbox) as product,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{product.port}") as client,
    ):
        while monotonic() < ends_at:
            fault = FAULTS[rounds % len(FAULTS)]
            rounds += 1
            movement = asyncio.create_task(move(sandbox))
            await asyncio.sleep(random.uniform(0, CALM_SECONDS))
            await fault(sandbox, product)
            movement.cancel()
            try:
                took = await recover(sandbox, product, client)
            except TimeoutError:
                failures += 1
                print(f"round {rounds}: not right {PATIENCE_SECONDS} s after {fault.__name__}")
            else:
                slowest[fault.__name__] = max(slowest[fault.__name__], took)
        worker, web = resident_megabytes(product.worker), resident_megabytes(product.web)
    print(f"{rounds} rounds, {failures} failures")
    for name, took in slowest.items():
        print(f"  right again after {name.replace('_', ' '):<20} slowest {took:.1f} s")
    print(f"memory: worker {worker:.0f} MB, web server {web:.0f} MB")
    return not failures


if __name__ == "__main__":
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10
    sys.exit(0 if asyncio.run(soak(minutes)) else 1)
