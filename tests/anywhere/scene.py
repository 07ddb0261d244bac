"""All of it together, brought up in the order in which the steps of `docs/operations.md` go."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from sandbox.server import Sandbox, running_exchange
from tests.anywhere import certificates, written
from tests.anywhere.places import Places
from tests.anywhere.product import Product
from tests.anywhere.servers import Database, Server, start_nginx, start_pgbouncer
from tests.anywhere.visitor import Visitor, quoted
from tests.processes import listens

POSITIONS = 20
STEPS_PER_SECOND = 20
START_SECONDS = 60
FIRST_DATABASE = "kalshi_live"


class NotMet(Exception):
    """What was to come true did not."""


@dataclass(slots=True)
class Scene:
    """What runs, and who watches it."""

    places: Places
    database: Database
    product: Product
    sandbox: Sandbox
    visitor: Visitor
    is_moving: bool = True

    async def until(
        self,
        condition: Callable[[], bool | Awaitable[bool]],
        what: str,
        seconds: float = START_SECONDS,
    ) -> float:
        """Seconds until it holds; NotMet if it doesn't in time."""
        begun = monotonic()
        while True:
            holds = condition()
            if holds is True or (not isinstance(holds, bool) and await holds):
                return monotonic() - begun
            if monotonic() - begun > seconds:
                raise NotMet(f"not within {seconds:.0f} s: {what}")
            await asyncio.sleep(0.05)

    async def move(self) -> None:
        """Prices that wander, until cancelled."""
        while True:
            if self.is_moving:
                self.sandbox.step()
            await asyncio.sleep(1 / STEPS_PER_SECOND)

    async def ticks_arrive(self) -> float:
        """Wait for ten more; the seconds that took."""
        before = self.visitor.ticks
        return await self.until(lambda: self.visitor.ticks >= before + 10, "ticks arrive")

    async def is_right(self) -> bool:
        """Whether stream and API say what the exchange quotes, and that it is live."""
        held = quoted(self.sandbox)
        return (
            self.visitor.status == "live"
            and self.visitor.bids == held
            and await self.visitor.positions() == held
        )

    async def all_is_right(self) -> float:
        """Let the market rest, and wait until all say the same as it; the seconds that took."""
        self.is_moving = False
        try:
            return await self.until(self.is_right, "stream, API and exchange say the same")
        finally:
            self.is_moving = True

    async def all_listen(self) -> bool:
        """Whether both web servers take connections."""
        return all([await listens(port) for port in self.places.web_ports.values()])

    async def answers(self, path: str, status: int = 200) -> bool:
        """Whether nginx passes on this answer."""
        return (await self.visitor.get(path)).status_code == status


@asynccontextmanager
async def scene(say: Callable[[str], None]) -> AsyncIterator[Scene]:
    """Everything brought up; all that was started is ended by its pid."""
    async with AsyncExitStack() as ends:
        folder = ends.enter_context(tempfile.TemporaryDirectory(prefix="kalshi-live-", dir="/tmp"))
        places = Places(Path(folder))
        places.prepare()
        authority, *_ = certificates.write(places.etc)
        for path in places.etc.glob("*.pem"):
            if "key" not in path.name:
                path.chmod(0o644)
        sandbox = await ends.enter_async_context(running_exchange(positions=POSITIONS))
        database, product = Database(places), Product(places)
        visitor = Visitor(places.origin, str(authority))
        ends.push_async_callback(visitor.close)
        all_of_it = Scene(places, database, product, sandbox, visitor)
        ends.push_async_callback(_stop_all, product)

        def runs(server: Server) -> None:
            ends.push_async_callback(asyncio.to_thread, server.stop)

        runs(await asyncio.to_thread(database.start))
        await all_of_it.until(
            lambda: asyncio.to_thread(database.answers), "PostgreSQL takes connections"
        )
        await asyncio.to_thread(database.make_role)
        await asyncio.to_thread(database.make, FIRST_DATABASE)
        runs(await asyncio.to_thread(start_pgbouncer, places))
        runs(await asyncio.to_thread(start_nginx, places))
        for port in (places.pooler_port, places.https_port):
            await all_of_it.until(lambda port=port: listens(port), f"port {port} is listened on")
        say("PostgreSQL with TLS, PgBouncer and nginx run")
        product.write_settings(sandbox, FIRST_DATABASE)
        await ends.enter_async_context(written.services_of_the_machine(places, product.obey))
        yield all_of_it


async def _stop_all(product: Product) -> None:
    for name in product.names:
        await asyncio.to_thread(product.stop, name)
