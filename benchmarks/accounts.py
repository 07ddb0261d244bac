"""
One worker with many accounts, some of them broken: what it takes, and whether the others notice.

    python -m benchmarks.accounts [ACCOUNTS [HOLDERS]]

Two hundred accounts of five positions unless told otherwise, each market held by four of them, at a
hundred quotes a second: four hundred rows a second. Four accounts are broken in four ways, then
accounts without a key are added, then somebody takes every connection that the database has left.
Prints what the worker took and how long a quote was under way to the healthy ones' rows; ends with
1 if these tick on more slowly than before, or one of them is wrong at the end. Loopback only; ends
after some four minutes.
"""

import asyncio
import sys
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING

import psycopg

from benchmarks.hindrances import Connections, Visitor, locked
from benchmarks.holdings import HOLDERS, market_count
from benchmarks.ports import free_port
from benchmarks.product import (
    Product,
    conninfo,
    environment_of,
    prepare,
    session,
    set_up_django,
)
from benchmarks.quotes import Quotes, Tick, watch
from benchmarks.rows import live_count, print_state_of, wrong
from benchmarks.taken import Figures, Taken
from sandbox.commands import perform
from sandbox.server import Sandbox, running_exchange

if TYPE_CHECKING:
    from benchmarks.members import Member

ACCOUNTS = 200
WITHOUT_KEY = 300
WARM_UP_SECONDS = 3
# Each phase has one reconciliation of each account, which comes every 55 seconds.
PHASE_SECONDS = 60
NO_CONNECTION_SECONDS = 8
# Healthy accounts whose rows are read at each doorbell.
WATCHED = 20
PATIENCE_SECONDS = 120
# What goes wrong elsewhere may cost the healthy accounts so many of their ticks, and keep none of
# them back for so long: on a machine that is slow itself a tick takes seconds now and then.
LEAST_OF_TICKS = 0.9
LONGEST_MILLISECONDS = 10_000.0


async def until(condition: Callable[[], object], what: str) -> float:
    """Seconds until it holds; RuntimeError if it doesn't in time."""
    started = monotonic()
    while not condition():
        if monotonic() - started > PATIENCE_SECONDS:
            raise RuntimeError(f"not within {PATIENCE_SECONDS} s: {what}")
        await asyncio.sleep(0.05)
    return monotonic() - started


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
        well = await figures.measure(
            "all well but a key that is none", self._quotes.run(PHASE_SECONDS)
        )
        await self._break()
        with locked(self._product.environment, self._locked.account_id):
            broken = await figures.measure("four accounts broken", self._quotes.run(PHASE_SECONDS))
            self._compare("four accounts broken", broken, well)
            self._print_states()
            await self._add_accounts_without_key(count)
            more = await figures.measure(
                f"and {WITHOUT_KEY} without a key", self._quotes.run(PHASE_SECONDS)
            )
            self._compare(f"{WITHOUT_KEY} without a key", more, well)
            # One session more: that of writes in trouble is given up and opened again.
            if more.sessions > broken.sessions + 1 or more.process.threads > broken.process.threads:
                self.failures.append("accounts without a key cost threads or sessions")
            await self._take_connections(figures, well)
        await self._until_right(count)

    def _compare(self, name: str, taken: Taken, well: Taken) -> None:
        if taken.ticks_per_second < LEAST_OF_TICKS * well.ticks_per_second:
            self.failures.append(
                f"{name}: {taken.ticks_per_second:.0f} ticks a second to healthy accounts, "
                f"{well.ticks_per_second:.0f} before"
            )
        if taken.longest_milliseconds > LONGEST_MILLISECONDS:
            self.failures.append(
                f"{name}: a healthy account's tick took {taken.longest_milliseconds:.0f} ms"
            )

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

    async def _take_connections(self, figures: Figures, well: Taken) -> None:
        from benchmarks.members import cookie_of  # models, as below

        cookie = await asyncio.to_thread(cookie_of, self._healthy[0])
        visitor = Visitor(self._product.port, cookie)
        await visitor.recover()
        visitor.statuses.clear()
        asking = asyncio.create_task(visitor.run())
        taking = Connections(self._product.environment).hold_all(NO_CONNECTION_SECONDS)
        none_left = await figures.measure(
            "and no connection left",
            asyncio.gather(taking, self._quotes.run(NO_CONNECTION_SECONDS)),
        )
        self._compare("no connection left", none_left, well)
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
    markets = market_count(count, holders)
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
            trial = Trial(sandbox, product, database, quotes, members, took)
            try:
                product.start_worker()
                product.start_web()
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
