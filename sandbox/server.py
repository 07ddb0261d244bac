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

from aiohttp import WSMsgType, web

from sandbox import catalogue, keys, rest, wire
from sandbox.account import Account, ApiKey, OutcomeSide
from sandbox.exchange import Exchange, Happening
from sandbox.keys import Credentials
from sandbox.market import Quote
from sandbox.session import Session
from sandbox.signatures import KEY_HEADER, NotAuthenticated, signer
from sandbox.wire import Json

_REST_PATH = "/trade-api/v2"
_SOCKET_PATH = "/trade-api/ws/v2"
_PING_SECONDS = 10.0
_OWN_FILLS_PER_MINUTE = 2.0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def utc_now() -> datetime:
    return datetime.now(UTC)


class Sandbox:
    """
    A running exchange, and the hands that move it.

    Each of the methods that move it acts at once and sends what members would hear of it.

    Args:
        clock: the exchange's time, which decides whether a signature is current.
        ping_seconds: between two Ping frames on a connection.

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
    ) -> None:
        self.exchange = exchange
        self.account = account
        self.credentials = credentials
        self.clock = clock
        self.ping_seconds = ping_seconds
        self.is_refusing = False
        self.api_base = ""
        self.ws_url = ""
        self._connections: set[_Connection] = set()

    @property
    def key_id(self) -> str:
        return self.credentials.api_key_id

    @property
    def private_key(self) -> str:
        """The demonstration key in PEM."""
        return self.credentials.private_key

    @property
    def connection_count(self) -> int:
        return len(self._connections)

    # Hands

    def set_quote(
        self,
        ticker: str,
        yes_bid: Decimal,
        yes_ask: Decimal,
        *,
        yes_bid_size: Decimal = Decimal(100),
        yes_ask_size: Decimal = Decimal(100),
    ) -> None:
        """
        Quote a market; a size of 0 leaves that side empty. ValueError as `Exchange.set_quote`.
        """
        quote = Quote(yes_bid, yes_bid_size, yes_ask, yes_ask_size)
        self._tell(self.exchange.set_quote(ticker, quote, self.clock()))

    def trade(self, ticker: str, yes_price: Decimal, count: Decimal = Decimal(1)) -> None:
        """Let others trade."""
        self._tell(self.exchange.trade(ticker, yes_price, count, self.clock()))

    def fill(
        self,
        ticker: str,
        side: OutcomeSide,
        count: Decimal,
        yes_price: Decimal,
        *,
        is_taker: bool = True,
        account: Account | None = None,
        subaccount: int = 0,
    ) -> None:
        """Let a member's order trade; the demonstration account's unless another is named."""
        happened = self.exchange.fill(
            account or self.account,
            ticker,
            side,
            count,
            yes_price,
            self.clock(),
            is_taker=is_taker,
            subaccount=subaccount,
        )
        self._tell(happened)

    def close(self, ticker: str) -> None:
        """End trading in a market."""
        self._tell(self.exchange.close(ticker, self.clock()))

    def determine(self, ticker: str, yes_value: Decimal) -> None:
        """Decide a market: a YES contract pays `yes_value`."""
        self._tell(self.exchange.determine(ticker, yes_value, self.clock()))

    def step(self, own_fill_chance: float = 0.0) -> None:
        """One random update."""
        self._tell(self.exchange.step(self.clock(), own_fill_chance))

    def open_account(self, cash: dict[int, Decimal] | None = None) -> Account:
        """A second member, with $1,000 in the primary subaccount unless told otherwise."""
        return self.exchange.open_account(cash or {0: Decimal(1000)}, self.clock())

    def add_key(
        self,
        credentials: Credentials,
        *,
        scopes: tuple[str, ...] = ("read",),
        subaccount: int | None = None,
        account: Account | None = None,
        name: str = "sandbox",
    ) -> None:
        """Let a key sign for a member."""
        key = ApiKey(
            api_key_id=credentials.api_key_id,
            user_id=(account or self.account).user_id,
            name=name,
            scopes=scopes,
            public_key=credentials.loaded().public_key(),
            subaccount=subaccount,
        )
        self.exchange.add_key(key)

    def revoke_key(self, api_key_id: str) -> None:
        """Forget a key and cut its connections."""
        self.exchange.revoke_key(api_key_id)
        for connection in self._connections:
            if connection.session.key.api_key_id == api_key_id:
                connection.cut()

    def drop_connections(self) -> None:
        """Cut every WebSocket as the exchange does: without a close frame."""
        for connection in self._connections:
            connection.cut()

    def _tell(self, happened: tuple[Happening, ...]) -> None:
        sent_at_ms = int(self.clock().timestamp() * 1000)
        for happening in happened:
            for message in wire.messages(happening):
                for connection in self._connections:
                    connection.publish(message, sent_at_ms)

    # Network

    def application(self) -> web.Application:
        """The routes; a web application for aiohttp's runner."""
        app = web.Application(middlewares=[self._answer_errors])
        app.on_response_prepare.append(self._date)
        app.router.add_get(_SOCKET_PATH, self._socket)
        signed: dict[str, Callable[[ApiKey, web.Request], Json]] = {
            "/api_keys": lambda key, request: rest.api_keys(self.exchange, key),
            "/portfolio/balance": lambda key, request: rest.balance(
                self.exchange, key, request.query
            ),
            "/portfolio/positions": lambda key, request: rest.positions(
                self.exchange, key, request.query
            ),
            "/portfolio/fills": lambda key, request: rest.fills(self.exchange, key, request.query),
        }
        public: dict[str, Callable[[web.Request], Json]] = {
            "/markets": lambda request: rest.markets(self.exchange, request.query),
            "/markets/{ticker}": lambda request: rest.market(
                self.exchange, request.match_info["ticker"]
            ),
            "/events/{event_ticker}": lambda request: rest.event(
                self.exchange, request.match_info["event_ticker"], request.query
            ),
        }
        for path, answer in signed.items():
            app.router.add_get(_REST_PATH + path, self._signed(answer))
        for path, answer_anyone in public.items():
            app.router.add_get(_REST_PATH + path, self._public(answer_anyone))
        app.router.add_get(_REST_PATH + "/exchange/status", self._status)
        return app

    def _signed(self, answer: Callable[[ApiKey, web.Request], Json]) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            self._check_open()
            return _json(200, answer(self._signer(request), request))

        return handle

    def _public(self, answer: Callable[[web.Request], Json]) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            self._check_open()
            if KEY_HEADER in request.headers:
                # Nobody has to sign this, but who does must do it right.
                self._signer(request)
            return _json(200, answer(request))

        return handle

    async def _status(self, request: web.Request) -> web.Response:
        return _json(200, wire.exchange_status(self.exchange))

    def _signer(self, request: web.Request) -> ApiKey:
        return signer(
            request.headers,
            request.method,
            request.raw_path.partition("?")[0],
            key=self.exchange.key,
            now=self.clock(),
        )

    def _check_open(self) -> None:
        if self.is_refusing:
            raise rest.unavailable()

    @web.middleware
    async def _answer_errors(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except NotAuthenticated as refused:
            return _json(401, rest.error(refused.code, refused.message, refused.details))
        except rest.Rejected as rejected:
            return _json(rejected.status, rejected.body)
        except web.HTTPNotFound:
            return web.Response(status=404, text="404 page not found\n")

    async def _date(self, request: web.Request, response: web.StreamResponse) -> None:
        # The exchange's clock, not the machine's: a client measures its own error by it.
        response.headers["Date"] = format_datetime(self.clock(), usegmt=True)

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        self._check_open()
        key = self._signer(request)
        rest.require_scope(key, "read")
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        connection = _Connection(socket, request.transport, Session(key, self._ticker_message))
        self._connections.add(connection)
        try:
            await connection.run(self.clock, self.ping_seconds)
        finally:
            self._connections.discard(connection)
        return socket

    def _ticker_message(self, ticker: str) -> wire.Message | None:
        market = self.exchange.markets.get(ticker)
        return None if market is None else wire.ticker_message(market)

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
            if self.exchange.exchange_active:
                self.step(chance)

    async def close_connections(self, app: web.Application) -> None:
        """Say goodbye to every connection, for the end of the process."""
        await asyncio.gather(*(each.say_goodbye() for each in self._connections))


class _Connection:
    """One WebSocket: a task that sends what its session has queued, and a loop that feeds it."""

    def __init__(
        self, socket: web.WebSocketResponse, transport: asyncio.Transport | None, session: Session
    ) -> None:
        self.session = session
        self._socket = socket
        self._transport = transport
        self._news = asyncio.Event()

    def publish(self, message: wire.Message, sent_at_ms: int) -> None:
        if self.session.publish(message, sent_at_ms):
            self._news.set()

    def cut(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    async def say_goodbye(self) -> None:
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(1):
                await self._socket.close(code=1001)

    async def run(self, clock: Callable[[], datetime], ping_seconds: float) -> None:
        """Serve until either side ends it."""
        sender = asyncio.create_task(self._send(ping_seconds))
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    now = asyncio.get_running_loop().time()
                    self.session.receive(message.data, now, int(clock().timestamp() * 1000))
                    self._news.set()
                if self.session.is_flooded:
                    self.cut()
        finally:
            sender.cancel()
            with suppress(asyncio.CancelledError):
                await sender

    async def _send(self, ping_seconds: float) -> None:
        loop = asyncio.get_running_loop()
        ping_at = loop.time() + ping_seconds
        # The other side is gone: the reading loop hears of it too and ends.
        with suppress(ConnectionError):
            while True:
                self._news.clear()
                while (frame := self.session.next_frame(loop.time())) is not None:
                    await self._socket.send_str(frame)
                    if loop.time() >= ping_at:
                        break
                if loop.time() >= ping_at:
                    await self._socket.ping(b"heartbeat")
                    ping_at = loop.time() + ping_seconds
                    continue
                waiting = self.session.seconds_to_data(loop.time())
                pause = ping_at - loop.time()
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(pause, waiting or pause)):
                        await self._news.wait()


def _json(status: int, body: Json) -> web.Response:
    return web.Response(status=status, text=wire.encode(body), content_type="application/json")


@asynccontextmanager
async def running_exchange(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    seed: int = 1,
    positions: int = 50,
    updates_per_minute: float = 0,
    credentials: Credentials | None = None,
    clock: Callable[[], datetime] = utc_now,
    ping_seconds: float = _PING_SECONDS,
) -> AsyncIterator[Sandbox]:
    """
    A sandbox that serves while the context lasts.

    Args:
        port: 0 takes a free one; the addresses are in `api_base` and `ws_url`.
        updates_per_minute: of all markets together; 0 leaves the market still.
        credentials: the demonstration key, which may only read; None makes a new one.
    Raises:
        OSError: the port cannot be listened on.
    """
    exchange, account = catalogue.world(positions=positions, seed=seed, now=clock())
    sandbox = Sandbox(
        exchange, account, credentials or keys.new_rsa(), clock=clock, ping_seconds=ping_seconds
    )
    sandbox.add_key(sandbox.credentials, name="demonstration")
    app = sandbox.application()
    app.on_shutdown.append(sandbox.close_connections)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    movement: asyncio.Task[None] | None = None
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        address = f"{host}:{runner.addresses[0][1]}"
        sandbox.api_base = f"http://{address}{_REST_PATH}"
        sandbox.ws_url = f"ws://{address}{_SOCKET_PATH}"
        if updates_per_minute > 0:
            movement = asyncio.create_task(sandbox.move(updates_per_minute))
        yield sandbox
    finally:
        if movement is not None:
            movement.cancel()
            with suppress(asyncio.CancelledError):
                await movement
        await runner.cleanup()
