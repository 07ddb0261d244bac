import asyncio
from decimal import Decimal

import aiohttp
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from sandbox import keys
from sandbox.keys import Credentials
from sandbox.server import Sandbox, running_exchange
from tests.integration.sandbox.client import connect, receive, signed, subscribe


def first_active(sandbox: Sandbox) -> str:
    return next(
        market.ticker for market in sandbox.exchange.markets.values() if market.status == "active"
    )


async def test_snapshot_of_every_held_market_has_the_published_shape(sandbox: Sandbox) -> None:
    held = list(sandbox.account.portfolios[0].positions)

    async with connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key) as socket:
        await subscribe(socket, "ticker", market_tickers=held, send_initial_snapshot=True)
        frames = [await receive(socket) for _ in held]

    assert [frame["msg"]["market_ticker"] for frame in frames] == held


async def test_changed_quote_is_heard(sandbox: Sandbox) -> None:
    ticker = first_active(sandbox)

    async with connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key) as socket:
        await subscribe(socket, "ticker", market_tickers=[ticker])
        sandbox.set_quote(ticker, Decimal("0.21"), Decimal("0.24"))
        frame = await receive(socket)

    assert frame["msg"]["yes_bid_dollars"] == "0.2100"
    assert frame["msg"]["yes_ask_dollars"] == "0.2400"


async def test_fill_is_heard_with_its_position_and_market(sandbox: Sandbox) -> None:
    ticker = first_active(sandbox)

    async with connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key) as socket:
        await subscribe(socket, "market_positions", "fill", "ticker")
        sandbox.fill(ticker, "yes", Decimal("1.50"), Decimal("0.30"))
        frames = [await receive(socket) for _ in range(3)]

    assert [frame["type"] for frame in frames] == ["fill", "market_position", "ticker"]
    assert frames[0]["msg"]["post_position_fp"] == frames[1]["msg"]["position_fp"]


async def test_determination_is_heard(sandbox: Sandbox) -> None:
    ticker = first_active(sandbox)

    async with connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key) as socket:
        await subscribe(socket, "market_lifecycle_v2")
        sandbox.determine(ticker, Decimal(1))
        frame = await receive(socket)

    assert (frame["seq"], frame["msg"]["result"]) == (1, "yes")


async def test_moving_market_is_heard(credentials: Credentials) -> None:
    async with (
        running_exchange(credentials=credentials, updates_per_minute=60_000) as sandbox,
        connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key) as socket,
        asyncio.timeout(60),
    ):
        await subscribe(socket, "ticker")
        frames = [await receive(socket) for _ in range(200)]

    assert {frame["type"] for frame in frames} == {"ticker"}
    assert len({frame["msg"]["market_ticker"] for frame in frames}) > 10


async def test_unsigned_handshake_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(sandbox.ws_url, "unknown", sandbox.private_key)

    assert refused.value.response.status_code == 401
    assert b"NOT_FOUND" in refused.value.response.body


async def test_handshake_of_a_key_that_may_not_read_is_refused(sandbox: Sandbox) -> None:
    narrow = keys.new_ed25519()
    sandbox.add_key(narrow, scopes=("write::transfer",))

    with pytest.raises(InvalidStatus) as refused:
        await connect(sandbox.ws_url, narrow.api_key_id, narrow.private_key)

    assert refused.value.response.status_code == 403


async def test_refusing_exchange_takes_no_connection(sandbox: Sandbox) -> None:
    sandbox.is_refusing = True

    with pytest.raises(InvalidStatus) as refused:
        await connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key)

    assert refused.value.response.status_code == 503


async def test_dropped_connection_ends_without_a_close_frame(sandbox: Sandbox) -> None:
    async with connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key) as socket:
        await subscribe(socket, "fill")
        sandbox.drop_connections()
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()

    assert closed.value.rcvd is None


async def test_revoked_key_loses_its_connection_and_the_others_keep_theirs(
    sandbox: Sandbox,
) -> None:
    revoked = keys.new_ed25519()
    sandbox.add_key(revoked)

    async with (
        connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key) as kept,
        connect(sandbox.ws_url, revoked.api_key_id, revoked.private_key) as lost,
    ):
        await subscribe(kept, "ticker")
        await subscribe(lost, "ticker")
        sandbox.revoke_key(revoked.api_key_id)
        with pytest.raises(ConnectionClosed):
            await lost.recv()
        sandbox.trade(first_active(sandbox), Decimal("0.30"))
        frame = await receive(kept)

    assert frame["type"] == "ticker"


async def test_reader_that_does_not_read_delays_nobody(sandbox: Sandbox) -> None:
    ticker = first_active(sandbox)

    async with (
        connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key) as reading,
        connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key) as idle,
        asyncio.timeout(60),
    ):
        await subscribe(idle, "ticker")
        await subscribe(reading, "ticker")
        # What does not read has its transport stopped, as a frozen process would.
        idle.transport.pause_reading()
        for count in range(1, 5001):
            sandbox.trade(ticker, Decimal("0.30"), Decimal(count))
        for _ in range(4999):
            await reading.recv()
        last = await receive(reading)
        idle.transport.abort()

    assert last["msg"]["last_trade_size_fp"] == "5000.00"


async def test_server_pings_with_a_heartbeat(credentials: Credentials) -> None:
    async with (
        running_exchange(credentials=credentials, ping_seconds=0.01) as sandbox,
        aiohttp.ClientSession() as session,
        session.ws_connect(
            sandbox.ws_url,
            headers=signed(sandbox.ws_url, sandbox.key_id, sandbox.private_key),
            autoping=False,
        ) as socket,
    ):
        pings = [await socket.receive(timeout=30) for _ in range(2)]

    assert [(ping.type, ping.data) for ping in pings] == [
        (aiohttp.WSMsgType.PING, b"heartbeat"),
        (aiohttp.WSMsgType.PING, b"heartbeat"),
    ]


async def test_stopping_exchange_says_goodbye(credentials: Credentials) -> None:
    async with running_exchange(credentials=credentials) as sandbox:
        socket = await connect(sandbox.ws_url, sandbox.key_id, sandbox.private_key)
        await subscribe(socket, "fill")

    with pytest.raises(ConnectionClosed) as closed:
        await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001
    assert sandbox.connection_count == 0
