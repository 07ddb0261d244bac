"""
One worker with many accounts, some of them broken: what it takes, and whether the others notice.

    python -m benchmarks.accounts [ACCOUNTS [HOLDERS]]

Two hundred accounts of five positions unless told otherwise, each market held by four of them, at a
hundred quotes a second: four hundred rows a second. Four accounts are broken in four ways, then
accounts without a key are added, then somebody takes every connection that the database has left.
Prints what the worker took and how long a quote was under way to the healthy ones' rows; ends with
1 if one of those is wrong at the end. Loopback only; ends after some four minutes.
"""

import asyncio
import random
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from statistics import quantiles
from time import monotonic, perf_counter
from typing import TYPE_CHECKING

import httpx
import psycopg

from benchmarks.processes import Footprint, footprint
from benchmarks.product import (
    WORKER_NAME,
    Product,
    conninfo,
    environment_of,
    free_port,
    prepare,
    session,
    set_up_django,
)
from sandbox.commands import perform
from sandbox.server import Sandbox, running_exchange

if TYPE_CHECKING:
    from benchmarks.members import Member

ACCOUNTS = 200
HOLDERS = 4
POSITIONS = 5
WITHOUT_KEY = 300
QUOTES_PER_SECOND = 100
WARM_UP_SECONDS = 3
# Each phase has one reconciliation of each account, which comes every 55 seconds.
PHASE_SECONDS = 60
NO_CONNECTION_SECONDS = 8
# A second in which some tick took longer counts as slow.
SLOW_MILLISECONDS = 50
# Healthy accounts whose rows are read at each doorbell.
WATCHED = 20
PATIENCE_SECONDS = 120

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
            account_id, _, seq = (int(part) for part in rung.payload.split(":"))
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


@dataclass(frozen=True, slots=True)
class Taken:
    """What the worker takes of the machine, and of the database's sessions."""

    process: Footprint
    sessions: int


class Figures:
    """Measures phase after phase, and prints a line for each."""

    def __init__(self, product: Product, database: psycopg.Connection, took: list[Tick]) -> None:
        self._product = product
        self._database = database
        self._took = took
        print(
            f"{'':<36}{'ticks':>7}{'p50 ms':>8}{'p99 ms':>8}{'max ms':>8}{'slow s':>8}"
            f"{'threads':>9}{'sessions':>9}{'sockets':>8}{'MB':>6}{'CPU %':>7}"
        )

    async def measure(self, name: str, doing: Awaitable[object]) -> Taken:
        """Wait for what is done meanwhile; what the worker took at its end."""
        self._took.clear()
        before, began = footprint(self._product.worker), perf_counter()
        await doing
        after, seconds = footprint(self._product.worker), perf_counter() - began
        taken = Taken(after, self._sessions())
        self._print(name, before, taken, seconds)
        return taken

    def _print(self, name: str, before: Footprint, taken: Taken, seconds: float) -> None:
        after = taken.process
        cpu = (after.cpu_seconds - before.cpu_seconds) / seconds * 100
        milliseconds = [tick.milliseconds for tick in self._took]
        percentiles = quantiles(milliseconds, n=100, method="inclusive")
        slow = {int(tick.at) for tick in self._took if tick.milliseconds > SLOW_MILLISECONDS}
        print(
            f"{name:<36}{len(milliseconds):>7}{percentiles[49]:>8.1f}{percentiles[98]:>8.1f}"
            f"{max(milliseconds):>8.0f}{len(slow):>8}"
            f"{after.threads:>9}{taken.sessions:>9}{after.sockets:>8}{after.megabytes:>6.0f}"
            f"{cpu:>7.0f}",
            flush=True,
        )

    def _sessions(self) -> int:
        found = self._database.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", [WORKER_NAME]
        ).fetchone()
        return int(found[0]) if found else 0


async def until(condition: Callable[[], object], what: str) -> float:
    """Seconds until it holds; RuntimeError if it doesn't in time."""
    started = monotonic()
    while not condition():
        if monotonic() - started > PATIENCE_SECONDS:
            raise RuntimeError(f"not within {PATIENCE_SECONDS} s: {what}")
        await asyncio.sleep(0.05)
    return monotonic() - started


@contextmanager
def locked(environment: dict[str, str], account_id: int) -> Iterator[None]:
    """Another session holds the account's row for as long as this lasts."""
    with session(environment) as other, other.transaction():
        other.execute(
            "SELECT FROM positions_accountstream WHERE account_id = %s FOR UPDATE", [account_id]
        )
        yield


class Connections:
    """Takes whatever connection the database has left, and gives all back at the end."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._taken: list[psycopg.Connection] = []

    async def hold_all(self, seconds: float) -> None:
        """Also those that others let go of meanwhile."""
        until = monotonic() + seconds
        try:
            while monotonic() < until:
                with suppress(psycopg.OperationalError):
                    while True:
                        self._taken.append(await asyncio.to_thread(session, self._environment))
                await asyncio.sleep(0.02)
        finally:
            print(f"  {len(self._taken)} connections were taken for {seconds} s")
            for connection in self._taken:
                connection.close()


class Visitor:
    """Asks for the positions ten times a second."""

    def __init__(self, port: int, cookie: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers={"Cookie": cookie}, timeout=10
        )
        self.statuses: Counter[int] = Counter()
        self.slowest: dict[int, float] = {}

    async def run(self) -> None:
        while True:
            await self.ask()
            await asyncio.sleep(0.1)

    async def ask(self) -> int:
        """The status of one answer; 0 if there was none."""
        began = monotonic()
        try:
            status = (await self._client.get("/api/v1/account/positions")).status_code
        except httpx.TransportError:
            status = 0
        self.statuses[status] += 1
        self.slowest[status] = max(self.slowest.get(status, 0.0), monotonic() - began)
        return status

    async def close(self) -> None:
        """Ask no more."""
        await self._client.aclose()

    async def recover(self) -> float:
        """Seconds until an answer is good again."""
        began = monotonic()
        while await self.ask() != 200:
            await asyncio.sleep(0.02)
        return monotonic() - began

    def __str__(self) -> str:
        return ", ".join(
            f"{count} times {status} within {self.slowest[status]:.2f} s"
            for status, count in sorted(self.statuses.items())
        )


def wrong(
    database: psycopg.Connection, sandbox: Sandbox, quotes: Quotes, members: "list[Member]"
) -> list[str]:
    """What differs between the rows of these and the exchange, to the digit."""
    rows = database.execute(
        "SELECT account_id, ticker, quantity, exposure, realized_pnl, fees_paid, yes_bid, yes_ask,"
        " market_value, unrealized_pnl FROM positions_position AS position"
        " JOIN positions_market AS market ON market.id = market_id WHERE quantity <> 0"
    ).fetchall()
    told = {(row[0], row[1]): row[2:] for row in rows}
    values: dict[int, Decimal] = {}
    for row in rows:
        values[row[0]] = values.get(row[0], Decimal(0)) + (row[8] or 0)
    streams: dict[int, Decimal | None] = dict(
        database.execute("SELECT account_id, positions_value FROM positions_accountstream")
    )
    found = []
    for member in members:
        for ticker in member.tickers:
            held = member.account.portfolios[0].positions[ticker]
            bid = quotes.current[ticker]
            # A NO is sold at what is left of YES's ask.
            mark = bid if held.quantity > 0 else 1 - (bid + CENT)
            value = abs(held.quantity) * mark
            expected = (
                *(held.quantity, held.exposure, held.realized_pnl, held.fees_paid),
                *(bid, bid + CENT, value, value - held.exposure),
            )
            if told.get((member.account_id, ticker)) != expected:
                found.append(f"{member.account_id} {ticker}")
        if streams[member.account_id] != values.get(member.account_id):
            found.append(f"{member.account_id}: sum")
    return found


def live_count(database: psycopg.Connection, members: "list[Member]") -> int:
    """How many of these are live, as written."""
    found = database.execute(
        "SELECT count(*) FROM positions_accountstream"
        " WHERE status = 'live' AND account_id = ANY(%s)",
        [[member.account_id for member in members]],
    ).fetchone()
    return int(found[0]) if found else 0


def print_state_of(database: psycopg.Connection, what: str, member: "Member") -> None:
    """What is said of a broken account."""
    status, reason, left_out, silent = database.execute(
        "SELECT status, reason, left_out, worker.silent ->> account_id::text"
        " FROM positions_accountstream LEFT JOIN positions_worker AS worker"
        " ON worker.id = worker_id WHERE account_id = %s",
        [member.account_id],
    ).fetchone() or (None, None, None, None)
    print(f"  {what}: {status}, {reason}, left out {left_out}, silent for {silent} s")


class Trial:
    """
    The product with its members, brought through phase after phase.

    Attributes:
        failures: what was not as it must be.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        product: Product,
        database: psycopg.Connection,
        quotes: Quotes,
        members: "list[Member]",
        took: list[Tick],
    ) -> None:
        *self._healthy, self._keyless, self._locked, self._revoked, self._spoilt = members
        self._sandbox = sandbox
        self._product = product
        self._database = database
        self._quotes = quotes
        self._took = took
        self.failures: list[str] = []

    async def run(self) -> None:
        """All phases, in which accounts break one after the other and stay broken."""
        count = len(self._healthy) + 4
        seconds = await self._until_live(count - 1)
        print(f"{count} accounts: all live after {seconds:.1f} s", flush=True)
        await self._quotes.run(WARM_UP_SECONDS)
        figures = Figures(self._product, self._database, self._took)
        await figures.measure("all well but a key that is none", self._quotes.run(PHASE_SECONDS))
        await self._break()
        with locked(self._product.environment, self._locked.account_id):
            broken = await figures.measure("four accounts broken", self._quotes.run(PHASE_SECONDS))
            self._print_states()
            await self._add_accounts_without_key(count)
            more = await figures.measure(
                f"and {WITHOUT_KEY} without a key", self._quotes.run(PHASE_SECONDS)
            )
            # One session more: that of writes in trouble is given up and opened again.
            if more.sessions > broken.sessions + 1 or more.process.threads > broken.process.threads:
                self.failures.append("accounts without a key cost threads or sessions")
            await self._take_connections(figures)
        await self._until_right(count)

    async def _until_live(self, count: int) -> float:
        to_be_live = [*self._healthy, self._locked, self._revoked, self._spoilt]
        return await until(lambda: live_count(self._database, to_be_live) == count, "all live")

    async def _break(self) -> None:
        self._sandbox.revoke_key(self._revoked.credentials.api_key_id)
        await perform(
            self._sandbox,
            {
                "do": "spoil",
                "path": "/portfolio/positions",
                "field": "position_fp",
                "value": "nonsense",
                "row": self._spoilt.tickers[-1],
            },
        )
        refresh = "SELECT pg_notify('refresh_requested', %s)"
        self._database.execute(refresh, [str(self._spoilt.account_id)])

    def _print_states(self) -> None:
        print_state_of(self._database, "a key that is none", self._keyless)
        print_state_of(self._database, "a locked row", self._locked)
        print_state_of(self._database, "a revoked key", self._revoked)
        print_state_of(self._database, "a position that is nonsense", self._spoilt)

    async def _add_accounts_without_key(self, count: int) -> None:
        from benchmarks.members import new_account  # models, as below

        for _ in range(WITHOUT_KEY):
            await asyncio.to_thread(new_account)

        def are_taken_up() -> bool:
            found = self._database.execute(
                "SELECT count(*) FROM positions_accountstream WHERE worker_id IS NOT NULL"
            ).fetchone()
            return found == (count + WITHOUT_KEY,)

        seconds = await until(are_taken_up, "all taken up")
        print(f"  {WITHOUT_KEY} accounts without a key taken up within {seconds:.1f} s")

    async def _take_connections(self, figures: Figures) -> None:
        from benchmarks.members import cookie_of  # models, as below

        cookie = await asyncio.to_thread(cookie_of, self._healthy[0])
        visitor = Visitor(self._product.port, cookie)
        await visitor.recover()
        visitor.statuses.clear()
        asking = asyncio.create_task(visitor.run())
        taking = Connections(self._product.environment).hold_all(NO_CONNECTION_SECONDS)
        await figures.measure(
            "and no connection left",
            asyncio.gather(taking, self._quotes.run(NO_CONNECTION_SECONDS)),
        )
        asking.cancel()
        print(f"  meanwhile the web server answered {visitor}")
        print(f"  answered again {await visitor.recover():.2f} s after they were free")
        await visitor.close()
        if visitor.statuses.keys() - {200, 503}:
            self.failures.append("the web server answered neither well nor 503")

    async def _until_right(self, count: int) -> None:
        members = [*self._healthy, self._locked]
        # All but the one whose key is revoked.
        seconds = await self._until_live(count - 2)
        seconds += await until(
            lambda: not wrong(self._database, self._sandbox, self._quotes, members), "all right"
        )
        print(f"{len(members)} accounts right to the digit {seconds:.1f} s after all")
        if self._product.worker.poll() is not None:
            self.failures.append("the worker ended")


async def measure(count: int, holders: int) -> bool:
    """Whether every healthy account was right at the end."""
    markets = max(20, count * POSITIONS // holders)
    async with running_exchange(positions=markets + 1, updates_per_minute=0) as sandbox:
        environment = environment_of(sandbox)
        await prepare(environment)
        set_up_django(environment)
        # Models, which can be imported only now.
        from benchmarks.members import open_members, spoil_key, store

        active = [
            market.ticker
            for market in sandbox.exchange.markets.values()
            if market.status == "active"
        ]
        quotes = Quotes(sandbox, active[:markets])
        for ticker in quotes.tickers:
            quotes.move(ticker)
        members = open_members(sandbox, count, quotes.tickers)
        await asyncio.to_thread(store, members)
        await asyncio.to_thread(spoil_key, members[-4])

        product = Product(free_port(), environment)
        took: list[Tick] = []
        healthy = [member.account_id for member in members[:-4]]
        watched = set(healthy[:: max(1, len(healthy) // WATCHED)])
        with session(environment) as database:
            watching = asyncio.create_task(watch(conninfo(environment), watched, quotes, took))
            product.start_worker()
            product.start_web()
            trial = Trial(sandbox, product, database, quotes, members, took)
            try:
                await trial.run()
            except RuntimeError as failure:
                trial.failures.append(str(failure))
            finally:
                watching.cancel()
                await asyncio.to_thread(product.stop)
    for failed in trial.failures:
        print(f"failed: {failed}")
    return not trial.failures


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    accounts, per_market, *_ = [*numbers, *(ACCOUNTS, HOLDERS)[len(numbers) :]]
    sys.exit(0 if asyncio.run(measure(accounts, per_market)) else 1)
