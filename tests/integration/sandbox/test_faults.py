"""Each fault as a client meets it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from sandbox.commands import perform
from sandbox.keys import Credentials
from sandbox.server import Sandbox, running_exchange
from tests.integration.sandbox.client import connect, get, receive, subscribe
from tests.unit.sandbox.published import answer


def active(sandbox: Sandbox) -> str:
    return next(
        market.ticker for market in sandbox.exchange.markets.values() if market.status == "active"
    )


def change(sandbox: Sandbox, *counts: int) -> None:
    for count in counts:
        sandbox.trade(active(sandbox), Decimal("0.30"), Decimal(count))


async def heard(sandbox: Sandbox, fault: str, *counts: int) -> list[str]:
    """The sizes of trades as a client hears of them, once one was heard in good order."""
    async with (
        connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key) as socket,
        asyncio.timeout(30),
    ):
        await subscribe(socket, "ticker")
        change(sandbox, 1)
        await socket.recv()
        await perform(sandbox, {"do": f"{fault}_frame"})
        change(sandbox, *counts)
        frames = [await receive(socket) for _ in counts]
        frames += [await receive(socket)] if fault in ("duplicate", "stale") else []
    return [frame["msg"]["last_trade_size_fp"] for frame in frames]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("duplicate", ["2.00", "2.00", "3.00"]),
        ("reorder", ["3.00", "2.00"]),
        ("stale", ["2.00", "1.00", "3.00"]),
    ],
)
async def test_frames_come_twice_out_of_order_or_again(
    sandbox: Sandbox, fault: str, expected: list[str]
) -> None:
    assert await heard(sandbox, fault, 2, 3) == expected


async def test_garbage_is_a_whole_frame_that_says_nothing(sandbox: Sandbox) -> None:
    async with connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key) as socket:
        await subscribe(socket, "ticker")
        await perform(sandbox, {"do": "garbage_frame"})
        change(sandbox, 1)
        with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
            json.loads(await socket.recv())
        change(sandbox, 2)
        frame = await receive(socket)

    assert frame["msg"]["last_trade_size_fp"] == "2.00"


async def test_half_a_frame_ends_the_connection(sandbox: Sandbox) -> None:
    async with connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key) as socket:
        await subscribe(socket, "ticker")
        await perform(sandbox, {"do": "half_frame"})
        change(sandbox, 1)
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()

    assert closed.value.rcvd is None


async def test_reset_is_a_reset(sandbox: Sandbox) -> None:
    async with connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key) as socket:
        await subscribe(socket, "ticker")
        await perform(sandbox, {"do": "reset"})
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()

    assert isinstance(closed.value.__cause__, ConnectionResetError)


async def test_refused_connections_come_back_at_the_same_address(sandbox: Sandbox) -> None:
    await perform(sandbox, {"do": "refuse"})
    with pytest.raises(OSError, match=r"refused|failed"):
        await connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key)
    with pytest.raises(httpx.ConnectError):
        await get(sandbox, "/exchange/status")

    await perform(sandbox, {"do": "accept"})

    assert (await get(sandbox, "/exchange/status")).status_code == 200
    assert (await get(sandbox, "/portfolio/balance")).status_code == 200


async def test_accepted_connection_is_closed_at_once(sandbox: Sandbox) -> None:
    await perform(sandbox, {"do": "accept_then_close"})

    async with connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key) as socket:
        with pytest.raises(ConnectionClosed):
            await socket.recv()

    assert sandbox.connection_count == 0


async def test_frozen_exchange_sends_nothing_and_goes_on(credentials: Credentials) -> None:
    async with (
        running_exchange(credentials=credentials, ping_seconds=0.01) as sandbox,
        connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key) as socket,
    ):
        await subscribe(socket, "ticker")
        await perform(sandbox, {"do": "freeze"})
        change(sandbox, 7)
        call = asyncio.create_task(get(sandbox, "/portfolio/balance"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.recv(), 0.2)
        is_answered = call.done()
        await perform(sandbox, {"do": "thaw"})
        frame = await receive(socket)
        response = await call

    assert not is_answered
    assert frame["msg"]["last_trade_size_fp"] == "7.00"
    assert response.status_code == 200


async def test_latency_delays_frames_and_answers_and_keeps_their_order(sandbox: Sandbox) -> None:
    loop = asyncio.get_running_loop()
    async with connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key) as socket:
        await subscribe(socket, "ticker")
        await perform(sandbox, {"do": "latency", "seconds": "0.3"})
        began = loop.time()
        change(sandbox, *range(1, 101))
        frames = [await receive(socket) for _ in range(100)]
        frames_took = loop.time() - began
        began = loop.time()
        await get(sandbox, "/exchange/status")
        answer_took = loop.time() - began

    assert [float(frame["msg"]["last_trade_size_fp"]) for frame in frames] == list(range(1, 101))
    assert frames_took >= 0.3
    # One after the other they would take 30 seconds.
    assert frames_took < 15
    assert answer_took >= 0.3


async def test_ended_channel_says_why_and_can_be_had_again(sandbox: Sandbox) -> None:
    async with connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key) as socket:
        await subscribe(socket, "ticker", "fill")
        await perform(sandbox, {"do": "fail_channel", "channel": "ticker"})
        error = await receive(socket)
        await subscribe(socket, "ticker")

    assert (error["sid"], error["msg"]) == (1, {"code": 10, "msg": "Channel error"})


async def test_refused_command_is_answered_with_its_error_and_the_next_is_carried_out(
    sandbox: Sandbox,
) -> None:
    add = {"sids": [1], "action": "add_markets", "market_tickers": ["KXA"]}
    async with connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key) as socket:
        await subscribe(socket, "ticker", "fill")
        await perform(sandbox, {"do": "refuse_commands", "channel": "ticker", "code": 26})
        # It is about the other.
        await socket.send(json.dumps({"id": 7, "cmd": "unsubscribe", "params": {"sids": [2]}}))
        unsubscribed = await receive(socket)
        await socket.send(json.dumps({"id": 8, "cmd": "update_subscription", "params": add}))
        refused = await receive(socket)
        await socket.send(json.dumps({"id": 9, "cmd": "update_subscription", "params": add}))
        done = await receive(socket)

    assert (unsubscribed["id"], unsubscribed["type"]) == (7, "unsubscribed")
    assert (refused["id"], refused["sid"], refused["type"]) == (8, 1, "error")
    assert refused["msg"] == {"code": 26, "msg": "Subscription market limit exceeded"}
    assert (done["id"], done["type"]) == (9, "ok")


@pytest.mark.parametrize(
    ("command", "status", "text"),
    [
        ({"status": 429}, 429, '{"error":"too many requests"}'),
        ({"status": 502, "body": "html"}, 502, "<html>"),
        ({"status": 504, "body": "empty"}, 504, ""),
    ],
    ids=str,
)
async def test_failing_call_is_answered_so_and_the_next_is_not(
    sandbox: Sandbox, command: dict[str, object], status: int, text: str
) -> None:
    await perform(sandbox, {"do": "fail_answers", "path": "/portfolio", **command})

    unaffected = await get(sandbox, "/api_keys")
    failed = await get(sandbox, "/portfolio/balance")
    after = await get(sandbox, "/portfolio/balance")

    assert failed.status_code == status
    assert failed.text.startswith(text)
    assert (unaffected.status_code, after.status_code) == (200, 200)


async def test_handshake_fails_by_its_own_path(sandbox: Sandbox) -> None:
    await perform(sandbox, {"do": "fail_answers", "path": "/ws", "status": 401})

    with pytest.raises(Exception, match="401"):
        await connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key)


async def test_wrong_clock_refuses_signatures_and_shows_in_the_date(sandbox: Sandbox) -> None:
    await perform(sandbox, {"do": "skew", "seconds": 40})

    response = await get(sandbox, "/portfolio/balance")

    assert response.json()["error"]["code"] == "header_timestamp_expired"
    told = parsedate_to_datetime(response.headers["Date"])
    assert told - datetime.now(UTC) > timedelta(seconds=35)


async def test_pause_on_thursday_cuts_the_stream_and_leaves_rest(sandbox: Sandbox) -> None:
    async with connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key) as socket:
        await subscribe(socket, "ticker")
        await perform(sandbox, {"do": "thursday", "seconds": 7200})
        with pytest.raises(ConnectionClosed):
            await socket.recv()
    status = answer((await get(sandbox, "/exchange/status")).json(), "ExchangeStatus")
    balance = await get(sandbox, "/portfolio/balance")
    await perform(sandbox, {"do": "reopen"})

    assert (status["exchange_active"], status["trading_active"]) == (True, False)
    assert "exchange_estimated_resume_time" in status
    assert balance.status_code == 200
    sandbox.trade(active(sandbox), Decimal("0.30"))


async def test_maintenance_stops_all_but_the_status(sandbox: Sandbox) -> None:
    await perform(sandbox, {"do": "maintenance", "seconds": 60})

    assert (await get(sandbox, "/exchange/status")).json()["exchange_active"] is False
    assert (await get(sandbox, "/portfolio/balance")).status_code == 503


async def test_everything_goes_well_again(sandbox: Sandbox) -> None:
    for command in ("refuse", "freeze", "accept_then_close"):
        await perform(sandbox, {"do": command})
    await perform(sandbox, {"do": "maintenance", "seconds": 60})
    await perform(sandbox, {"do": "fail_answers", "times": 0})

    await perform(sandbox, {"do": "clear"})

    assert (await get(sandbox, "/portfolio/balance")).status_code == 200
    async with connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key) as socket:
        await subscribe(socket, "ticker")
