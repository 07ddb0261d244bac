"""Signed requests take the way that the settings name, and no other."""

import asyncio
from urllib.parse import urlsplit

import httpx
import pytest

from kalshi.environments import Environment
from kalshi.errors import Unavailable
from kalshi.messages import Subscribed
from kalshi.rest import Client
from kalshi.signing import SigningKey
from kalshi.socket import connect
from kalshi.transport import _tls
from sandbox.server import running_exchange
from tests.integration.kalshi import forward_proxy
from tests.integration.kalshi.forward_proxy import Proxy

VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "WS_PROXY", "WSS_PROXY", "SOCKS_PROXY"]


@pytest.fixture
async def exchange(credentials):
    async with running_exchange(positions=3, credentials=credentials) as exchange:
        yield exchange


@pytest.fixture
def key(exchange):
    return SigningKey.from_pem(exchange.private_key)


@pytest.fixture
async def proxy():
    proxy = Proxy()
    async with forward_proxy.running(proxy.handle) as proxy.port:
        yield proxy


@pytest.fixture
def proxies_in_the_environment(proxy, monkeypatch):
    """The process is told to use the proxy for everything."""
    for name in VARIABLES:
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv(name.lower(), f"http://127.0.0.1:{proxy.port}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)


@pytest.fixture
async def elsewhere(exchange, proxy, tmp_path, monkeypatch):
    """The sandbox by names that lead nowhere but through the proxy, in TLS."""
    authority, context = forward_proxy.certificate(
        tmp_path, "exchange.example", "stream.example", "localhost"
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    _tls.cache_clear()
    port = urlsplit(exchange.api_base).port
    async with forward_proxy.tls_before(port, context) as tls_port:
        proxy.ways = {"exchange.example:443": tls_port, "stream.example:443": tls_port}
        yield (
            "https://exchange.example" + urlsplit(exchange.api_base).path,
            "wss://stream.example" + urlsplit(exchange.ws_url).path,
        )
    _tls.cache_clear()


async def ask(environment, exchange, key):
    """One call, and one answered command."""
    async with Client(environment, exchange.key_id, key) as client:
        positions = await client.positions(0)
    async with connect(environment, exchange.key_id, key) as socket:
        socket.session.subscribe(["fill"])
        await socket.send_pending()
        return positions, await anext(socket)


@pytest.mark.usefixtures("proxies_in_the_environment")
async def test_trap_would_catch_who_heeds_the_environment(exchange, proxy):
    async with httpx.AsyncClient() as http:
        await http.get(exchange.api_base + "/exchange/status")

    assert proxy.asked == [f"GET {exchange.api_base}/exchange/status HTTP/1.1"]


@pytest.mark.usefixtures("proxies_in_the_environment")
async def test_proxies_of_the_environment_see_nothing(exchange, key, proxy):
    environment = Environment("sandbox", exchange.api_base, exchange.ws_url)

    positions, confirmed = await ask(environment, exchange, key)

    assert positions
    assert isinstance(confirmed, Subscribed)
    assert proxy.asked == []


async def test_loopback_is_reached_without_the_proxy(exchange, key, proxy):
    environment = Environment(
        "demo", exchange.api_base, exchange.ws_url, f"http://127.0.0.1:{proxy.port}"
    )

    positions, _ = await ask(environment, exchange, key)

    assert positions
    assert proxy.asked == []


@pytest.mark.parametrize("asked", [None, "alice:s@cret"])
async def test_rest_and_websocket_go_by_the_proxy(exchange, key, proxy, elsewhere, asked):
    proxy.credentials = asked
    shown = "alice:s%40cret@" if asked else ""
    environment = Environment("demo", *elsewhere, f"http://{shown}127.0.0.1:{proxy.port}")

    positions, confirmed = await ask(environment, exchange, key)

    assert positions
    assert isinstance(confirmed, Subscribed)
    assert proxy.asked == [
        "CONNECT exchange.example:443 HTTP/1.1",
        "CONNECT stream.example:443 HTTP/1.1",
    ]


async def test_proxy_may_speak_tls_itself(exchange, key, proxy, elsewhere, tmp_path):
    context = forward_proxy.server_context(tmp_path)
    async with forward_proxy.running(proxy.handle, context) as port:
        environment = Environment("demo", *elsewhere, f"https://localhost:{port}")

        positions, confirmed = await ask(environment, exchange, key)

    assert positions
    assert isinstance(confirmed, Subscribed)
    assert len(proxy.asked) == 2


@pytest.mark.parametrize("password", ["wrong", "hunter2"])
async def test_proxy_that_refuses_is_unavailability_and_is_not_quoted(
    exchange, key, proxy, elsewhere, password
):
    proxy.credentials = "alice:right"
    environment = Environment("demo", *elsewhere, f"http://alice:{password}@127.0.0.1:{proxy.port}")

    async with Client(environment, exchange.key_id, key) as client:
        with pytest.raises(Unavailable) as rest:
            await client.positions(0)
    with pytest.raises(Unavailable) as websocket:
        async with connect(environment, exchange.key_id, key):
            pass

    assert password not in f"{rest.value} {rest.value.__cause__!r}"
    assert password not in f"{websocket.value} {websocket.value.__cause__!r}"


async def test_proxy_that_is_gone_is_unavailability(exchange, key, elsewhere):
    async with forward_proxy.running(asyncio.sleep) as port:
        pass
    environment = Environment("demo", *elsewhere, f"http://127.0.0.1:{port}")

    async with Client(environment, exchange.key_id, key) as client:
        with pytest.raises(Unavailable):
            await client.positions(0)
    with pytest.raises(Unavailable):
        async with connect(environment, exchange.key_id, key):
            pass
