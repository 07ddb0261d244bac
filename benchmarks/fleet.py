"""
A hundred accounts over two workers and two web servers, each of which is killed in its turn.

    python -m benchmarks.fleet [ACCOUNTS]

Each account has five positions and a client that reads its stream, and that goes to the other web
server when its own is gone, as behind a balancer. A hundred quotes a second, each of a market that
four accounts hold. Before each end the workers have shared the accounts between them. Ends with 1
if a client shows something else than the exchange after prices have come to rest. Exchange and
clients are one process, so one clock measures. Loopback only; ends after two minutes.
"""

import asyncio
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from decimal import Decimal
from itertools import cycle
from statistics import quantiles
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.holdings import market_count
from benchmarks.ports import free_port
from benchmarks.product import (
    Product,
    environment_of,
    events,
    living_workers,
    prepare,
    session,
    set_up_django,
)
from benchmarks.quotes import QUOTES_PER_SECOND, Quotes
from sandbox.server import Sandbox, running_exchange
from streaming.worker.sharing import UNEVEN, Sharing

if TYPE_CHECKING:
    from benchmarks.members import Member

ACCOUNTS = 100
QUIET_SECONDS = 10
# What the server tells browsers to wait before they come again.
RECONNECT_SECONDS = 1.0
START_SECONDS = 60
IMPORT_SECONDS = 120
FOLLOW_SECONDS = 20
REST_SECONDS = 5
SHARE_SECONDS = 60


class Viewer:
    """
    One account's page: its stream, opened again at the other web server when it ends.

    Attributes:
        milliseconds: from each quote to its arrival.
        followed_at: when the first quote since `asked_at` came, by the process's clock.
    """

    def __init__(self, member: "Member", cookie: str, ports: list[int], quotes: Quotes) -> None:
        self._tickers = member.tickers
        self._cookie = cookie
        self._ports = ports
        self._quotes = quotes
        self._bids: dict[str, Decimal | None] = {}
        self._is_live = False
        # When the quote was made that came last.
        self._newest: dict[str, float] = {}
        self.milliseconds: list[float] = []
        self.asked_at = 0.0
        self.followed_at: float | None = None

    @property
    def is_right(self) -> bool:
        """Whether it shows the exchange's prices of all that the account holds, as live."""
        held = {ticker: self._quotes.current[ticker] for ticker in self._tickers}
        return self._is_live and self._bids == held

    def ask(self) -> None:
        """From now on it matters when the next quote comes."""
        self.asked_at, self.followed_at = perf_counter(), None

    async def run(self) -> None:
        for port in cycle(self._ports):
            with suppress(OSError):
                stream = events(port, "/sse/positions", self._cookie)
                async with aclosing(stream):
                    async for event in stream:
                        self._take(event)
            self._is_live = False
            await asyncio.sleep(random.uniform(0.5, 1) * RECONNECT_SECONDS)

    def _take(self, event: dict) -> None:  # type: ignore[type-arg]  # JSON
        match event["type"]:
            case "snapshot":
                self._bids = {row["ticker"]: _bid(row) for row in event["positions"]}
                self._is_live = event["connection"]["status"] == "live"
            case "connection_status":
                self._is_live = event["status"] == "live"
            case "position":
                self._bids[event["ticker"]] = _bid(event)
                self._time(event["ticker"], _bid(event))

    def _time(self, ticker: str, bid: Decimal | None) -> None:
        if bid is None:
            return
        # Also when the market has another price by now: the slow ones are those that count.
        now, quoted_at = perf_counter(), self._quotes.quoted_at.get((ticker, bid))
        if quoted_at is None:
            return
        if quoted_at <= self._newest.get(ticker, 0.0):
            # Told again, for another figure's sake.
            return
        self._newest[ticker] = quoted_at
        self.milliseconds.append((now - quoted_at) * 1000)
        if self.followed_at is None and quoted_at > self.asked_at:
            self.followed_at = now


@dataclass(frozen=True, slots=True)
class Quiet:
    """Milliseconds from quotes to clients while all processes live."""

    ticks: int
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Killed:
    """
    What one process's end did.

    Attributes:
        seconds: until every client had a quote made after it.
        wrong: clients that showed something else than the exchange at rest.
    """

    what: str
    seconds: float
    wrong: int


class Fleet:
    """Two workers, two web servers, and a client for each account."""

    def __init__(self, products: list[Product], viewers: list[Viewer], quotes: Quotes) -> None:
        self._products = products
        self._viewers = viewers
        self._quotes = quotes
        self._quoting = asyncio.Event()

    async def run(self) -> tuple[Quiet, list[Killed]]:
        """
        Measure in quiet, then kill one after the other.

        Raises:
            RuntimeError: it does not come to be right at first.
        """
        moving = asyncio.create_task(self._move())
        try:
            if await self._wrong_at_rest(START_SECONDS):
                raise RuntimeError(f"not all right within {START_SECONDS} s of the start")
            # Else the figures would be those of an import.
            async with asyncio.timeout(IMPORT_SECONDS):
                while not await asyncio.to_thread(self._is_imported):
                    await asyncio.sleep(0.5)
            await self._until_shared()
            quiet = await self._quiet()
            first, second = self._products
            return quiet, [
                await self._kill("a worker", first.worker, first.start_worker),
                await self._kill("the other worker", second.worker, second.start_worker),
                await self._kill("a web server", first.web, first.start_web),
                await self._kill("the other web server", second.web, second.start_web),
            ]
        finally:
            moving.cancel()

    def _is_imported(self) -> bool:
        with session(self._products[0].environment) as database:
            found = database.execute(
                "SELECT (SELECT count(*) FROM ledger_followed),"
                " (SELECT count(*) FROM ledger_hole WHERE filled_at IS NULL),"
                " (SELECT count(*) FROM ledger_fill WHERE cash_flow IS NULL)"
            ).fetchone()
        return found == (len(self._viewers), 0, 0)

    async def _quiet(self) -> Quiet:
        for viewer in self._viewers:
            viewer.milliseconds.clear()
        self._quoting.set()
        await asyncio.sleep(QUIET_SECONDS)
        took = [each for viewer in self._viewers for each in viewer.milliseconds]
        percentiles = quantiles(took, n=100, method="inclusive")
        return Quiet(len(took), percentiles[49], percentiles[98])

    async def _kill(
        self, what: str, process: subprocess.Popen[bytes], start: Callable[[], None]
    ) -> Killed:
        self._quoting.set()
        process.kill()
        for viewer in self._viewers:
            viewer.ask()
        await asyncio.to_thread(process.wait)
        with suppress(TimeoutError):
            async with asyncio.timeout(FOLLOW_SECONDS):
                while not all(viewer.followed_at for viewer in self._viewers):
                    await asyncio.sleep(0.02)
        took = [(viewer.followed_at or float("inf")) - viewer.asked_at for viewer in self._viewers]
        wrong = await self._wrong_at_rest(REST_SECONDS)
        start()
        await self._until_all_live()
        await self._until_shared()
        return Killed(what, max(took), wrong)

    async def _until_all_live(self) -> None:
        """Else the next one's end would leave nobody to take over."""
        environment = self._products[0].environment
        async with asyncio.timeout(START_SECONDS):
            for product in self._products:
                await product.answers()
            while len(await asyncio.to_thread(living_workers, environment)) < len(self._products):
                await asyncio.sleep(0.1)

    async def _until_shared(self) -> None:
        """Else one worker's end might cost nobody anything, or everybody."""
        if not Sharing.has_many(len(self._viewers)):
            return
        environment = self._products[0].environment
        async with asyncio.timeout(SHARE_SECONDS):
            while True:
                counts = await asyncio.to_thread(living_workers, environment)
                if len(counts) == len(self._products) and min(counts) > UNEVEN * max(counts):
                    return
                await asyncio.sleep(0.1)

    async def _wrong_at_rest(self, seconds: float) -> int:
        """How many clients are not right although nothing has moved for so long."""
        self._quoting.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not all(viewer.is_right for viewer in self._viewers):
                    await asyncio.sleep(0.02)
        return sum(not viewer.is_right for viewer in self._viewers)

    async def _move(self) -> None:
        while True:
            await self._quoting.wait()
            await self._quotes.run(1 / QUOTES_PER_SECOND)


def _bid(row: dict) -> Decimal | None:  # type: ignore[type-arg]  # JSON
    return None if row["yes_bid"] is None else Decimal(row["yes_bid"])


@asynccontextmanager
async def running_fleet(sandbox: Sandbox, count: int) -> AsyncIterator[Fleet]:
    """Two of each process, on a database of their own, and the clients."""
    environment = environment_of(sandbox)
    await prepare(environment)
    set_up_django(environment)
    # Models, which can be imported only now.
    from benchmarks.members import cookie_of, open_members, store

    active = [each.ticker for each in sandbox.exchange.markets.values() if each.status == "active"]
    quotes = Quotes(sandbox, active[: market_count(count)])
    for ticker in active:
        quotes.move(ticker)
    members = open_members(sandbox, count, active[: market_count(count) + 1])
    await asyncio.to_thread(store, members)
    products = [Product(free_port(), environment) for _ in range(2)]
    ports = [product.port for product in products]
    cookies = await asyncio.to_thread(lambda: [cookie_of(member) for member in members])
    viewers = [
        # One half begins at the one web server, one at the other.
        Viewer(member, cookie, ports if number % 2 else ports[::-1], quotes)
        for number, (member, cookie) in enumerate(zip(members, cookies, strict=True))
    ]
    clients = []
    try:
        for product in products:
            product.start_worker()
            product.start_web()
        for product in products:
            await product.answers()
        clients = [asyncio.create_task(viewer.run()) for viewer in viewers]
        yield Fleet(products, viewers, quotes)
    finally:
        for client in clients:
            client.cancel()
        for product in products:
            await asyncio.to_thread(product.stop)


async def measure(count: int = ACCOUNTS) -> tuple[Quiet, list[Killed]]:
    """The figures of so many accounts."""
    async with (
        running_exchange(positions=market_count(count) + 1, updates_per_minute=0) as sandbox,
        running_fleet(sandbox, count) as fleet,
    ):
        return await fleet.run()


async def main(count: int) -> int:
    """Print the figures; how many clients were wrong at some end."""
    quiet, killed = await measure(count)
    print(f"{count} accounts, two workers, two web servers: {asdict(quiet)}")
    for each in killed:
        print(f"{each.what} killed: all follow after {each.seconds:.1f} s, {each.wrong} wrong")
    return sum(each.wrong for each in killed)


if __name__ == "__main__":
    sys.exit(1 if asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else ACCOUNTS)) else 0)
