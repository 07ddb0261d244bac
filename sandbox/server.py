"""
The sandbox on the network: REST under /trade-api/v2, WebSocket at /trade-api/ws/v2, both on one
port.

What is answered and sent is decided in `rest` and `session`; here it is moved.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import format_datetime
from random import Random

from aiohttp import web

from sandbox import catalogue, frames, keys, wire
from sandbox.account import Account, ApiKey
from sandbox.clock import MarketClock
from sandbox.connection import Connection
from sandbox.exchange import Exchange
from sandbox.faults import failure_text
from sandbox.fees import DIRECT
from sandbox.hands import Hands
from sandbox.keys import Credentials
from sandbox.limits import TIERS, Limits
from sandbox.rest import members, query, venue
from sandbox.routes import PUBLIC, SIGNED, SUBJECTS, Call
from sandbox.session import Session
from sandbox.signatures import KEY_HEADER, NotAuthenticated, signer
from sandbox.spoiling import spoil_answer
from sandbox.wire import Json

_REST_PATH = "/trade-api/v2"
_SOCKET_PATH = "/trade-api/ws/v2"
# What faults call the WebSocket's handshake.
_HANDSHAKE = "/ws"
_PING_SECONDS = 10.0
_OWN_FILLS_PER_MINUTE = 2.0
_LIFE_SECONDS = 0.25

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def utc_now() -> datetime:
    return datetime.now(UTC)


class Sandbox(Hands):
    """
    A running exchange, and the hands that move it.

    Args:
        clock: the exchange's time, which decides whether a signature is current.
        ping_seconds: between two Ping frames on a connection.
        usage_tier: whose rate limits hold; None lets everybody call as often as they like.

    `is_refusing` makes everything but /exchange/status answer 503.
    """

    def __init__(
        self,
        exchange: Exchange,
        account: Account,
        credentials: Credentials,
        *,
        clock: Callable[[], datetime] = utc_now,
        ping_seconds: float = _PING_SECONDS,
        speed: float = 1.0,
        usage_tier: str | None = None,
    ) -> None:
        super().__init__(
            exchange,
            account,
            credentials,
            clock=clock,
            market_clock=MarketClock(clock, speed=speed),
        )
        self.ping_seconds = ping_seconds
        self.api_base = ""
        self.ws_url = ""
        self._limits = Limits(TIERS[usage_tier]) if usage_tier is not None else None
        self._runner: web.AppRunner | None = None
        self._address = ("", 0)

    # Listening

    async def listen(self, host: str, port: int) -> None:
        """Serve at an address; port 0 takes a free one. OSError when it can't be had."""
        app = self.application()
        app.on_shutdown.append(self.close_connections)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self._address = (host, self._runner.addresses[0][1])
        address = f"{host}:{self._address[1]}"
        self.api_base = f"http://{address}{_REST_PATH}"
        self.ws_url = f"ws://{address}{_SOCKET_PATH}"

    async def stop_listening(self) -> None:
        """Refuse new connections as a host does on which nothing runs; those there are stay."""
        for site in list(self._runner.sites) if self._runner is not None else ():
            await site.stop()

    async def resume_listening(self) -> None:
        """Take new connections at the same address again."""
        if self._runner is not None and not self._runner.sites:
            await web.TCPSite(self._runner, *self._address).start()

    async def stop(self) -> None:
        """End every connection and stop serving."""
        if self._runner is not None:
            await self._runner.cleanup()

    def application(self) -> web.Application:
        """The routes; a web application for aiohttp's runner."""
        app = web.Application(middlewares=[self._fail, self._answer_errors])
        app.on_response_prepare.append(self._date)
        app.router.add_get(_SOCKET_PATH, self._socket)
        app.router.add_get(_REST_PATH + "/exchange/status", self._status)
        for path, answer in SIGNED.items():
            app.router.add_get(_REST_PATH + path, self._signed(path, answer))
        for path, answer_anyone in PUBLIC.items():
            app.router.add_get(_REST_PATH + path, self._public(path, answer_anyone))
        return app

    def _signed(self, path: str, answer: Callable[[Call, ApiKey], Json]) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            self._check_open()
            key = self._signer(request)
            return self._answer(request, answer(self._call(request, path), key))

        return handle

    def _public(self, path: str, answer: Callable[[Call], Json]) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            self._check_open()
            if KEY_HEADER in request.headers:
                # Nobody has to sign this, but who does must do it right.
                self._signer(request)
            return self._answer(request, answer(self._call(request, path)))

        return handle

    async def _status(self, request: web.Request) -> web.Response:
        return self._answer(request, venue.status(self.exchange))

    def _answer(self, request: web.Request, body: Json) -> web.Response:
        spoil_answer(self.faults.spoils, _path_of(request), body)
        return _json(200, body)

    def _call(self, request: web.Request, path: str) -> Call:
        return Call(
            exchange=self.told_of(SUBJECTS.get(path)),
            tier=self._limits.tier if self._limits is not None else TIERS["basic"],
            account_as_of=self.as_of("account"),
            path=request.match_info,
            query=_query_of(request),
        )

    def _signer(self, request: web.Request) -> ApiKey:
        """Who signed a request, once it is known that they may call again."""
        key = signer(
            request.headers,
            request.method,
            request.raw_path.partition("?")[0],
            key=self.exchange.key,
            now=self.now(),
        )
        path = request.path.removeprefix(_REST_PATH)
        now = asyncio.get_running_loop().time()
        if self._limits is not None and not self._limits.allow(key.user_id, path, now):
            raise query.too_many_requests()
        return key

    def _check_open(self) -> None:
        if self.is_refusing:
            raise query.unavailable()

    @web.middleware
    async def _answer_errors(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except NotAuthenticated as refused:
            return _json(401, query.error(refused.code, refused.message, refused.details))
        except query.Rejected as rejected:
            return _json(rejected.status, rejected.body)
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
            if request.path.endswith("/"):
                return web.Response(status=301, headers={"Location": request.path.rstrip("/")})
            return web.Response(status=404, text="404 page not found\n")

    @web.middleware
    async def _fail(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let a call meet the faults that lie in wait before it is answered."""
        path = _path_of(request)
        latency = self.faults.latency_of(path)
        # A WebSocket is answered before its handler ends, so it can only be asked for late.
        is_answer_late = latency.way == "back" and path != _HANDSHAKE
        if latency.seconds and not is_answer_late:
            await asyncio.sleep(latency.seconds)
        await self.flow.wait()
        response = await self._meet(path, request, handler)
        if latency.seconds and is_answer_late:
            await asyncio.sleep(latency.seconds)
            await self.flow.wait()
        return response

    async def _meet(self, path: str, request: web.Request, handler: Handler) -> web.StreamResponse:
        failed = self.faults.failure_of(path)
        if failed is not None:
            text, content_type = failure_text(failed)
            return web.Response(status=failed.status, text=text, content_type=content_type)
        return await handler(request)

    async def _date(self, request: web.Request, response: web.StreamResponse) -> None:
        # The exchange's clock, not the machine's: a client measures its own error by it.
        response.headers["Date"] = format_datetime(self.now(), usegmt=True)

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        self._check_open()
        key = self._signer(request)
        members.require_scope(key, "read")
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        session = Session(key, self._ticker_message, tickers_by_id=self.exchange.tickers_by_id)
        connection = Connection(
            socket, request.transport, session, self.faults, self.flow, self.now
        )
        if self.faults.handshake == "accept_then_close":
            await connection.say_goodbye()
            return socket
        self.connections.add(connection)
        try:
            await connection.run(self.ping_seconds)
        finally:
            self.connections.discard(connection)
        return socket

    def _ticker_message(self, ticker: str) -> frames.Message | None:
        market = self.exchange.markets.get(ticker)
        return None if market is None else frames.ticker_message(market)

    async def close_connections(self, app: web.Application) -> None:
        """Say goodbye to every connection, for the end of the process."""
        await asyncio.gather(*(each.say_goodbye() for each in self.connections))

    # Life

    async def live(self) -> None:
        """Do what time alone does to markets, for ever."""
        while True:
            self.advance()
            await asyncio.sleep(_LIFE_SECONDS)

    async def move(self, updates_per_minute: float) -> None:
        """Update the market at random moments, so many in a minute on average, for ever."""
        # Of its own: how long the world takes must not change what happens in it.
        moments = Random()
        mean_seconds = 60 / updates_per_minute
        chance = min(0.1, _OWN_FILLS_PER_MINUTE / updates_per_minute)
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            # After a standstill it goes on from now: what was missed is not made up for.
            due = max(due, loop.time() - 1) + moments.expovariate(1 / mean_seconds)
            await asyncio.sleep(max(0.0, due - loop.time()))
            self.step(chance)


def _path_of(request: web.Request) -> str:
    """The path below the version, by which faults name a call."""
    if request.path == _SOCKET_PATH:
        return _HANDSHAKE
    return request.path.removeprefix(_REST_PATH)


def _query_of(request: web.Request) -> query.Parameters:
    return query.Parameters({name: request.query.getall(name) for name in request.query})


def _json(status: int, body: Json) -> web.Response:
    return web.Response(status=status, text=wire.encode(body), content_type="application/json")


@asynccontextmanager
async def running_exchange(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    seed: int = 1,
    positions: int = 50,
    events_apart: bool = False,
    updates_per_minute: float = 0,
    credentials: Credentials | None = None,
    clock: Callable[[], datetime] = utc_now,
    ping_seconds: float = _PING_SECONDS,
    speed: float = 1.0,
    usage_tier: str | None = None,
    precision: Decimal = DIRECT,
) -> AsyncIterator[Sandbox]:
    """
    A sandbox that serves while the context lasts.

    Args:
        port: 0 takes a free one; the addresses are in `api_base` and `ws_url`.
        events_apart: every held market has an event of its own, instead of one event's markets
            being held together.
        updates_per_minute: of all markets together; 0 leaves the market still.
        credentials: the demonstration key, which may only read; None makes a new one.
        speed: how many times faster than here time goes by in the markets.
        usage_tier: whose rate limits hold; None for none.
        precision: the step of the member's balance in dollars, one of `fees.PRECISIONS`.
    Raises:
        OSError: the port cannot be listened on.
    """
    exchange, account = catalogue.world(
        positions=positions,
        seed=seed,
        now=clock(),
        events_apart=events_apart,
        precision=precision,
    )
    sandbox = Sandbox(
        exchange,
        account,
        credentials or keys.new_rsa(),
        clock=clock,
        ping_seconds=ping_seconds,
        speed=speed,
        usage_tier=usage_tier,
    )
    sandbox.add_key(sandbox.credentials, name="demonstration")
    tasks: list[asyncio.Task[None]] = []
    try:
        await sandbox.listen(host, port)
        tasks.append(asyncio.create_task(sandbox.live()))
        if updates_per_minute > 0:
            tasks.append(asyncio.create_task(sandbox.move(updates_per_minute)))
        yield sandbox
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await sandbox.stop()
