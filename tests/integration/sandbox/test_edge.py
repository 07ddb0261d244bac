"""What stands before the exchange: refusals, calls that take long, commands that nobody hears."""

import asyncio
import json
from decimal import Decimal

import aiohttp
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidStatus

from sandbox.commands import perform
from sandbox.keys import Credentials
from sandbox.server import Sandbox, running_exchange
from tests.integration.sandbox.client import connect, get, receive, signed, subscribe

UNAUTHORIZED = (
    '{"error":{"code":"authentication_error","message":"authentication_error",'
    '"details":"NOT_FOUND"}}'
)
UNAVAILABLE = '{"error":{"code":"service_unavailable","message":"service unavailable"}}'
JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"


def page(status: int) -> str:
    return f"<html><head><title>{status}</title></head><body></body></html>\n"


BODIES = [
    (401, "json", UNAUTHORIZED, JSON),
    (401, "html", page(401), HTML),
    (401, "text", "Unauthorized", TEXT),
    (401, "empty", "", TEXT),
    (403, "json", '{"error":{"code":"forbidden","message":"forbidden"}}', JSON),
    (403, "html", page(403), HTML),
    (403, "text", "Forbidden", TEXT),
    (403, "empty", "", TEXT),
    (429, "json", '{"error":"too many requests"}', JSON),
    (429, "html", page(429), HTML),
    (429, "text", "Too Many Requests", TEXT),
    (429, "empty", "", TEXT),
    (502, "json", UNAVAILABLE, JSON),
    (502, "html", page(502), HTML),
    (502, "text", "Bad Gateway", TEXT),
    (502, "empty", "", TEXT),
]


@pytest.mark.parametrize(("status", "body", "text", "kind"), BODIES)
async def test_handshake_is_refused_in_the_words_of_whoever_stands_there(
    sandbox: Sandbox, status: int, body: str, text: str, kind: str
) -> None:
    await perform(sandbox, {"do": "fail_answers", "path": "/ws", "status": status, "body": body})

    with pytest.raises(InvalidStatus) as refused:
        await connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key)

    response = refused.value.response
    assert (response.status_code, response.body) == (status, text.encode())
    assert response.headers["Content-Type"] == kind


async def test_call_is_refused_in_plain_text(sandbox: Sandbox) -> None:
    await perform(sandbox, {"do": "fail_answers", "status": 403, "body": "text"})

    refused = await get(sandbox, "/portfolio/balance")

    assert (refused.status_code, refused.text) == (403, "Forbidden")
    assert refused.headers["content-type"] == TEXT


# Latency of one call


async def test_slow_call_is_answered_after_quick_ones_that_were_made_later(
    sandbox: Sandbox,
) -> None:
    await perform(sandbox, {"do": "latency", "seconds": 3, "path": "/portfolio/positions"})
    answered: list[str] = []

    async def call(path: str) -> None:
        assert (await get(sandbox, path)).status_code == 200
        answered.append(path)

    slow = asyncio.create_task(call("/portfolio/positions"))
    await call("/portfolio/balance")
    await call("/portfolio/fills")
    await slow

    assert answered == ["/portfolio/balance", "/portfolio/fills", "/portfolio/positions"]


async def test_latency_of_a_path_stands_before_that_of_all(sandbox: Sandbox) -> None:
    loop = asyncio.get_running_loop()
    await perform(sandbox, {"do": "latency", "seconds": 5})
    await perform(sandbox, {"do": "latency", "seconds": 5, "path": "/portfolio"})
    await perform(sandbox, {"do": "latency", "seconds": 0, "path": "/portfolio/balance"})
    began = loop.time()

    response = await get(sandbox, "/portfolio/balance")

    assert response.status_code == 200
    assert loop.time() - began < 5


@pytest.mark.parametrize(("way", "is_new"), [("there", True), ("back", False)])
async def test_late_answer_is_of_when_it_was_asked_for_or_of_when_it_is_given(
    sandbox: Sandbox, way: str, is_new: bool
) -> None:
    path = "/portfolio/balance"
    await perform(sandbox, {"do": "latency", "seconds": 3, "path": path, "way": way})
    before = sandbox.account.portfolios[0].cash

    late = asyncio.create_task(get(sandbox, path))
    # Answered once the call itself has arrived: it was made before, and is only late.
    await get(sandbox, "/portfolio/fills")
    await get(sandbox, "/portfolio/fills")
    await perform(sandbox, {"do": "deposit", "dollars": 7})
    told = Decimal((await late).json()["balance_dollars"])

    assert (told > before + 6) is is_new


async def test_refusal_is_late_as_well(sandbox: Sandbox) -> None:
    loop = asyncio.get_running_loop()
    await perform(
        sandbox, {"do": "latency", "seconds": "0.2", "path": "/markets/NONE", "way": "back"}
    )
    began = loop.time()

    response = await get(sandbox, "/markets/NONE")

    assert response.status_code == 404
    assert loop.time() - began >= 0.2


async def test_late_handshake_leaves_frames_as_quick_as_they_were(sandbox: Sandbox) -> None:
    loop = asyncio.get_running_loop()
    await perform(sandbox, {"do": "latency", "seconds": 3, "path": "/ws"})
    began = loop.time()
    async with connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key) as socket:
        opened = loop.time()
        await subscribe(socket, "ticker")
        subscribed = loop.time()

    assert opened - began >= 3
    assert subscribed - opened < 3


# Commands without an answer


async def command(socket: ClientConnection, name: str, **params: object) -> None:
    await socket.send(json.dumps({"id": 7, "cmd": name, "params": params}))


def first_active(sandbox: Sandbox) -> str:
    return next(
        market.ticker for market in sandbox.exchange.markets.values() if market.status == "active"
    )


async def test_muted_exchange_goes_on_with_data_and_hears_no_command(sandbox: Sandbox) -> None:
    async with connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key) as socket:
        await subscribe(socket, "ticker")
        await perform(sandbox, {"do": "mute"})
        await command(socket, "subscribe", channels=["fill"])
        await command(socket, "list_subscriptions")
        # A pong comes after all that was sent before its ping was heard of.
        await (await socket.ping())
        sandbox.trade(first_active(sandbox), Decimal("0.30"), Decimal(3))
        data = await receive(socket)
        await perform(sandbox, {"do": "unmute"})
        await command(socket, "list_subscriptions")
        listed = await receive(socket)

    assert data["msg"]["last_trade_size_fp"] == "3.00"
    assert listed["msg"] == [{"channel": "ticker", "sid": 1}]


async def test_muted_channel_hears_none_of_its_own_commands(sandbox: Sandbox) -> None:
    async with connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key) as socket:
        await subscribe(socket, "ticker", market_tickers=["A"])
        await perform(sandbox, {"do": "mute", "channel": "ticker"})
        await command(socket, "subscribe", channels=["ticker"], market_tickers=["B"])
        await command(
            socket, "update_subscription", sids=[1], action="add_markets", market_tickers=["C"]
        )
        await command(socket, "unsubscribe", sids=[1])
        await command(socket, "subscribe", channels=["fill"])
        answered = await receive(socket)
        await perform(sandbox, {"do": "clear"})
        await command(
            socket, "update_subscription", sid=1, action="add_markets", market_tickers=["D"]
        )
        confirmed = await receive(socket)

    assert (answered["type"], answered["msg"]["channel"]) == ("subscribed", "fill")
    assert confirmed["msg"] == {"market_tickers": ["A", "D"]}


async def test_muted_exchange_still_pings(credentials: Credentials) -> None:
    async with (
        running_exchange(credentials=credentials, ping_seconds=0.01) as sandbox,
        aiohttp.ClientSession() as session,
        session.ws_connect(
            sandbox.ws_url,
            headers=signed(sandbox.ws_url, sandbox.key_id, sandbox.private_key),
            autoping=False,
        ) as socket,
    ):
        await perform(sandbox, {"do": "mute"})
        await socket.send_json({"id": 1, "cmd": "list_subscriptions"})
        received = [await socket.receive(timeout=5) for _ in range(5)]

    assert {(each.type, each.data) for each in received} == {(aiohttp.WSMsgType.PING, b"heartbeat")}
