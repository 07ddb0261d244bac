"""
The control page and its API, on a port of its own that only this machine can reach.

It carries no password, so a page from elsewhere must not be able to use it through the browser of
somebody who sits here: requests must name this very address as their host, and come from the
control page or from no page at all.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from importlib import resources
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from sandbox import wire
from sandbox.command_fields import BadCommand
from sandbox.commands import COMMANDS, perform
from sandbox.scenarios import Scenarios
from sandbox.server import Sandbox
from sandbox.wire import Json

LOOPBACK = "127.0.0.1"
_HOSTS = (LOOPBACK, "localhost")
_PAGE = Path(str(resources.files("sandbox"))) / "page"
# With their types: what a machine takes a script for depends on what is installed there.
_FILES = {
    "/": ("control.html", "text/html; charset=utf-8"),
    "/control.js": ("control.js", "text/javascript; charset=utf-8"),
    "/control.css": ("control.css", "text/css; charset=utf-8"),
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_LISTED_ENTRIES = 20

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Control:
    """The web application that moves a sandbox."""

    def __init__(self, sandbox: Sandbox, gateway: str | None = None) -> None:
        self._sandbox = sandbox
        self._scenarios = Scenarios(sandbox)
        self._near = (LOOPBACK, gateway)

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._guard])
        for path, (name, content_type) in _FILES.items():
            app.router.add_get(path, _file(name, content_type))
        app.router.add_get("/state", self._state)
        app.router.add_post("/commands", self._command)
        app.router.add_post("/scenarios/{name}", self._play)
        app.on_cleanup.append(self._stop)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """
        Let in what comes from this machine and no other page.

        A name that somebody else's DNS points here fails by its Host, another page by its Origin,
        and a form that sends none by its content type.
        """
        if request.remote not in self._near or not _is_ours(request):
            return _json(403, {"error": "only the control page of this machine may ask"})
        try:
            response = await handler(request)
        except web.HTTPException as error:
            response = web.Response(status=error.status, text=error.reason)
        response.headers.update(_HEADERS)
        return response

    async def _state(self, request: web.Request) -> web.Response:
        return _json(200, state(self._sandbox, self._scenarios))

    async def _command(self, request: web.Request) -> web.Response:
        try:
            command = json.loads(await request.text(), parse_float=Decimal)
            if not isinstance(command, dict):
                raise BadCommand("a command is an object")
            told = await perform(self._sandbox, command)
        except (ValueError, RecursionError):
            return _json(400, {"error": "that is no JSON"})
        except BadCommand as bad:
            return _json(400, {"error": str(bad)})
        return _json(200, dict(told))

    async def _play(self, request: web.Request) -> web.Response:
        try:
            self._scenarios.start(request.match_info["name"])
        except BadCommand as bad:
            return _json(404, {"error": str(bad)})
        return _json(200, {})

    async def _stop(self, app: web.Application) -> None:
        await self._scenarios.stop()


@asynccontextmanager
async def running_control(
    sandbox: Sandbox, *, port: int = 0, gateway: str | None = None
) -> AsyncIterator[str]:
    """
    The control page of a sandbox while the context lasts; yields its address.

    Args:
        gateway: in a container of which only the machine's loopback is published, where the machine
            comes from; then the page is listened for on all addresses.
    Raises:
        OSError: the port cannot be listened on.
    """
    app = Control(sandbox, gateway).application()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, None if gateway else LOOPBACK, port).start()
        yield f"http://{LOOPBACK}:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


def state(sandbox: Sandbox, scenarios: Scenarios) -> Json:
    """What the page shows: markets, the account, the faults that lie in wait, and what to do."""
    exchange, faults = sandbox.exchange, sandbox.faults
    portfolio = sandbox.account.portfolios[0]
    return {
        "api_base": sandbox.api_base,
        "ws_url": sandbox.ws_url,
        "key": sandbox.key_id,
        "time": wire.time(sandbox.market_clock.now()),
        "speed": sandbox.market_clock.speed,
        "connections": sandbox.connection_count,
        "exchange_active": exchange.exchange_active,
        "trading_active": exchange.trading_active,
        "cash": wire.price(portfolio.cash),
        "ledger": [
            {
                "kind": entry.kind,
                "dollars": wire.money(entry.dollars),
                "reference": entry.reference,
                "time": wire.time(entry.at),
            }
            for entry in portfolio.ledger.entries[: -_LISTED_ENTRIES - 1 : -1]
        ],
        "faults": {
            "latency_seconds": faults.latency_seconds,
            "path_latencies": {
                path: {"seconds": each.seconds, "way": each.way}
                for path, each in faults.path_latencies.items()
            },
            "lag_seconds": {subject: lag.total_seconds() for subject, lag in sandbox.lags.items()},
            "clock_skew_seconds": faults.clock_skew.total_seconds(),
            "is_frozen": not sandbox.flow.is_set(),
            "is_refusing": sandbox.is_refusing,
            "handshake": faults.handshake,
            "frames": list(faults.frames),
            "spoils": [
                {
                    "path": each.path,
                    "row": each.row,
                    "field": each.field,
                    "value": each.value,
                    "times": each.times,
                }
                for each in faults.spoils
            ],
            "muted": sorted(channel or "all commands" for channel in faults.muted),
            "answers": [
                {"status": each.status, "body": each.body, "path": each.path, "times": each.times}
                for each in faults.answers
            ],
        },
        "markets": [
            {
                "ticker": market.ticker,
                "name": f"{market.title} {market.yes_sub_title}",
                "status": market.status,
                "yes_bid": wire.price(market.tape.quote.yes_bid),
                "yes_ask": wire.price(market.tape.quote.yes_ask),
                "last_price": wire.price(market.tape.last_price),
                "quantity": wire.count(
                    portfolio.positions[market.ticker].quantity
                    if market.ticker in portfolio.positions
                    else Decimal(0)
                ),
            }
            for market in exchange.markets.values()
            if not exchange.is_archived(market)
        ],
        "commands": [
            {"do": name, "fields": command.fields, "what": command.what}
            for name, command in COMMANDS.items()
        ],
        "scenarios": scenarios.names(),
        "playing": scenarios.playing,
    }


def _is_ours(request: web.Request) -> bool:
    host = urlsplit(f"//{request.host}").hostname
    origin = request.headers.get("Origin")
    return (
        host in _HOSTS
        and (origin is None or origin == f"http://{request.host}")
        and (_is_link(request) or _site(request) in ("none", "same-origin"))
        and (request.method == "GET" or request.content_type == "application/json")
    )


def _site(request: web.Request) -> str:
    return request.headers.get("Sec-Fetch-Site", "none")


def _is_link(request: web.Request) -> bool:
    """Whether somebody follows a link to the page: what it shows, the other page can't read."""
    return (
        request.method == "GET"
        and request.path == "/"
        and request.headers.get("Sec-Fetch-Mode") == "navigate"
        and request.headers.get("Sec-Fetch-Dest") == "document"
    )


def _file(name: str, content_type: str) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.FileResponse(_PAGE / name, headers={"Content-Type": content_type})

    return answer


def _json(status: int, body: Json) -> web.Response:
    return web.Response(status=status, text=wire.encode(body), content_type="application/json")
