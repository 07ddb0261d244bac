"""What the soak's faults happen to: an exchange that moves, the product, and who watches it."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from decimal import Decimal
from time import monotonic

import httpx
import psycopg

from benchmarks.product import Product, events, session
from sandbox.server import Sandbox

STEPS_PER_SECOND = 50
# Longer than a stream is silent while prices move.
SILENCE_SECONDS = 3

# Of each ticker quantity, exposure, bid, and what of it is unreadable.
Holdings = dict[str, tuple[Decimal, Decimal, str | None, str | None]]


class NotMet(Exception):
    """What must hold while a fault lasts did not."""


class Scene:
    """
    The exchange, the product on it, and a trader who has the page open.

    Attributes:
        said: what the stream said of the connection, in the order it was first said.
        now: what it said last.
        measured: the longest seconds of what a fault measures while it lasts, by what that is.
    """

    def __init__(self, sandbox: Sandbox, product: Product, client: httpx.AsyncClient) -> None:
        self.sandbox = sandbox
        self.product = product
        self.said: dict[str, None] = {}
        self.now = ""
        self.measured: dict[str, float] = {}
        self._client = client
        self._is_moving = True

    # The exchange

    async def move(self) -> None:
        """Prices that wander, and a fill now and then."""
        while True:
            if self._is_moving:
                self.sandbox.step(own_fill_chance=0.02)
            await asyncio.sleep(1 / STEPS_PER_SECOND)

    @contextmanager
    def still(self) -> Iterator[None]:
        """Nothing moves."""
        self._is_moving = False
        try:
            yield
        finally:
            self._is_moving = True

    def quantity(self, ticker: str) -> Decimal:
        """What the exchange says is held."""
        return self.sandbox.account.portfolios[0].positions[ticker].quantity

    def a_holding(self) -> str:
        """A ticker that is held in a market that trades."""
        return random.choice(
            [
                position.ticker
                for position in self.sandbox.account.portfolios[0].positions.values()
                if position.quantity
                and self.sandbox.exchange.markets[position.ticker].status == "active"
            ]
        )

    # The trader

    async def ask(self, path: str = "positions") -> httpx.Response:
        """One answer of the API."""
        return await self._client.get(
            f"/api/v1/account/{path}", headers={"Cookie": self.product.cookie}
        )

    async def refresh(self) -> None:
        """Ask for a reconciliation, or an attempt to connect."""
        await self._client.post(
            "/api/v1/account/refresh",
            headers={"Cookie": self.product.cookie, "X-CSRFToken": self.product.csrf_token},
        )

    async def listen(self) -> None:
        """Have the page open: note what the stream says, and open it again when it ends."""
        while True:
            with suppress(OSError, TimeoutError, StopAsyncIteration):
                stream = events(self.product.port, "/sse/positions", self.product.cookie)
                async with aclosing(stream):
                    while True:
                        self._hear(await asyncio.wait_for(anext(stream), SILENCE_SECONDS))
            await asyncio.sleep(0.1)

    def _hear(self, event: dict[str, object]) -> None:
        told = event.get("connection") if event["type"] == "snapshot" else event
        if event["type"] in ("snapshot", "connection_status") and isinstance(told, dict):
            self.now = f"{told['status']} {told['reason'] or ''}".strip()
            self.said[self.now] = None

    async def told(self) -> Holdings | None:
        """What the API says is held; None without an answer."""
        try:
            answer = await self.ask()
        except httpx.TransportError:
            return None
        if answer.status_code != 200:
            return None
        return {
            row["ticker"]: (
                Decimal(row["quantity"]),
                Decimal(row["exposure"]),
                row["yes_bid"],
                row["unreadable"],
            )
            for row in answer.json()["positions"]
        }

    def held(self) -> Holdings:
        """What the exchange says is held."""
        held: Holdings = {}
        for position in self.sandbox.account.portfolios[0].positions.values():
            quote = self.sandbox.exchange.markets[position.ticker].tape.quote
            bid = f"{quote.yes_bid.normalize():f}" if quote.has_bid else None
            if position.quantity:
                held[position.ticker] = (position.quantity, position.exposure, bid, None)
        return held

    async def is_right(self) -> bool:
        """Whether the API says what the exchange holds and quotes, and says that it is live."""
        return self.now == "live" and await self.told() == self.held()

    async def difference(self) -> str:
        """What the API says otherwise than the exchange, in words."""
        told, held = await self.told(), self.held()
        if told is None:
            return "no answer"
        return "; ".join(
            f"{ticker} is {told.get(ticker)}, should be {held.get(ticker)}"
            for ticker in sorted(told.keys() | held.keys())
            if told.get(ticker) != held.get(ticker)
        )

    async def has_unreadable(self) -> bool:
        """Whether the API tells of rows that can't be understood."""
        answer = await self.ask("portfolio")
        return answer.status_code == 200 and answer.json()["unreadable_count"] > 0

    async def others_are_right(self, ticker: str) -> bool:
        """Whether all is right but that position."""
        told, held = await self.told(), self.held()
        return told is not None and (
            {**told, ticker: None} == {**held, ticker: None} and self.now == "live"
        )

    # Waiting

    def note(self, what: str, seconds: float) -> None:
        """Keep it if it is the longest."""
        self.measured[what] = max(seconds, self.measured.get(what, 0.0))

    async def until(
        self, condition: Callable[[], bool | Awaitable[bool]], seconds: float, what: str
    ) -> float:
        """Seconds until it holds; NotMet if it doesn't in time."""
        started = monotonic()
        while True:
            holds = condition()
            if holds is True or (not isinstance(holds, bool) and await holds):
                return monotonic() - started
            if monotonic() - started > seconds:
                raise NotMet(f"not within {seconds} s: {what}; it says {self.now}")
            await asyncio.sleep(0.02)

    async def until_said(self, reason: str, seconds: float) -> None:
        """Wait until the stream gives this reason, and note how long that took."""
        took = await self.until(lambda: self.now.endswith(reason), seconds, f"it says {reason}")
        self.note("said", took)

    async def until_not_live(self, seconds: float) -> None:
        """Wait until the stream says that prices are not live, and note how long that took."""
        self.note("said", await self.until(lambda: self.now != "live", seconds, "it is noticed"))

    # The database

    async def database(self, query: str, *parameters: object) -> list[tuple[object, ...]]:
        """The rows of a query beside the product."""
        return await asyncio.to_thread(self._query, query, parameters)

    def _query(self, query: str, parameters: tuple[object, ...]) -> list[tuple[object, ...]]:
        with session(self.product.environment) as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    async def begin_anew(self) -> None:
        """
        Let the next failure be the first of a series: by a fresh worker.

        Failures within half a minute are waited for ever longer; here a day's come in minutes.
        """
        self.product.worker.terminate()
        await asyncio.to_thread(self.product.worker.wait, 15)
        await self.until(lambda: self.now != "live", 5, "the end of the worker is seen")
        self.product.start_worker()
        await self.until(lambda: self.now == "live", 10, "it is live again")
        self.said.clear()
        self.measured.clear()


@asynccontextmanager
async def running_scene(sandbox: Sandbox, product: Product) -> AsyncIterator[Scene]:
    """A scene whose page is open while this lasts."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{product.port}", timeout=10) as client:
        scene = Scene(sandbox, product, client)
        listening = asyncio.create_task(scene.listen())
        try:
            yield scene
        finally:
            listening.cancel()


@contextmanager
def locked_account(connection: psycopg.Connection) -> Iterator[None]:
    """Hold the row of the only account's stream."""
    with connection.transaction():
        connection.execute("SELECT FROM positions_accountstream FOR UPDATE")
        yield
