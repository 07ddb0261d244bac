import asyncio
import base64
import http
import json
import logging
import tracemalloc
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from websockets import ConnectionClosed
from websockets.asyncio.server import serve

from kalshi.environments import Environment
from kalshi.errors import (
    AnswerTooLarge,
    ClockSkew,
    KeyRefused,
    RateLimited,
    ScopeRefused,
    TurnedAway,
    Unavailable,
)
from kalshi.messages import Ok, Subscribed, Ticker, Unknown
from kalshi.protocol import Undecodable
from kalshi.signing import SigningKey
from kalshi.socket import MAXIMUM_MESSAGE_BYTES, connect
from tests.waiting import PATIENCE_SECONDS, until

KEY_ID = "5d1e2a3c-9a55-4c1e-8f0e-2b7a61f0c001"
PAYLOADS = Path(__file__).parents[2] / "payloads" / "kalshi"
PEM = (PAYLOADS / "keys" / "ed25519.pem").read_text()
FRAMES = json.loads((PAYLOADS / "frames.json").read_text())
REFUSALS = json.loads((PAYLOADS / "refusals.json").read_text())
PATH = "/trade-api/ws/v2"


@pytest.fixture
def key():
    return SigningKey.from_pem(PEM)


@asynccontextmanager
async def exchange(handler, **options):
    """A WebSocket server that treats each connection with `handler`, and its environment."""
    async with (
        serve(handler, "127.0.0.1", 0, **options) as server,
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        port = server.sockets[0].getsockname()[1]
        yield Environment(
            "sandbox", f"http://127.0.0.1:{port}/trade-api/v2", f"ws://127.0.0.1:{port}{PATH}"
        )


async def silent(connection):
    await connection.wait_closed()


def refusing(status, body, **headers):
    """A handshake hook that answers with an HTTP error."""

    def process_request(connection, request):
        response = connection.respond(status, body)
        for name, value in headers.items():
            response.headers.pop(name, None)
            response.headers[name] = value
        return response

    return process_request


async def test_handshake_is_signed(key):
    requests = []

    def keep(connection, request):
        requests.append(request)

    public = load_pem_private_key(PEM.encode(), None).public_key()
    async with (
        exchange(silent, process_request=keep) as environment,
        connect(environment, KEY_ID, key, clock=lambda: 1763900000.1239),
    ):
        (request,) = requests

    assert request.path == PATH
    assert request.headers["KALSHI-ACCESS-KEY"] == KEY_ID
    public.verify(
        base64.b64decode(request.headers["KALSHI-ACCESS-SIGNATURE"]),
        b"1763900000123GET/trade-api/ws/v2",
    )


async def test_commands_go_out_and_messages_come_in(key):
    async def answer(connection):
        command = json.loads(await connection.recv())
        body = {"channel": command["params"]["channels"][0], "sid": 1}
        await connection.send(json.dumps({"type": "subscribed", "id": command["id"], "msg": body}))
        await connection.send(json.dumps(FRAMES["ticker"]) + "\n")
        await connection.wait_closed()

    async with exchange(answer) as environment, connect(environment, KEY_ID, key) as socket:
        socket.session.subscribe(["ticker"], [FRAMES["ticker"]["msg"]["market_ticker"]])
        await socket.send_pending()
        confirmation = await anext(socket)
        ticker = await anext(socket)

    assert confirmation == Subscribed("ticker", 1)
    assert isinstance(ticker, Ticker)
    assert socket.session.is_ready


async def test_confirmation_sends_what_waited_for_it(key):
    received = []

    async def answer(connection):
        received.append(json.loads(await connection.recv()))
        await connection.send(
            '{"type": "subscribed", "id": 1, "msg": {"channel": "ticker", "sid": 1}}'
        )
        received.append(json.loads(await connection.recv()))
        await connection.send('{"type": "ok", "id": 2, "sid": 1}')
        await connection.wait_closed()

    async with (
        exchange(answer) as environment,
        connect(environment, KEY_ID, key) as socket,
        asyncio.timeout(30),
    ):
        socket.session.subscribe(["ticker"], ["KXA"])
        await socket.send_pending()
        socket.session.subscribe(["ticker"], ["KXA", "KXB"])
        await anext(socket)
        await anext(socket)

    assert [command["cmd"] for command in received] == ["subscribe", "update_subscription"]
    assert socket.session.is_ready


@pytest.mark.parametrize("garbage", ["half a fra", b"\xff\xfe", b"\x00"])
async def test_garbage_does_not_end_the_connection(key, garbage):
    async def send(connection):
        await connection.send(garbage)
        await connection.send('{"type": "news"}')
        await connection.wait_closed()

    async with exchange(send) as environment, connect(environment, KEY_ID, key) as socket:
        first, second = await anext(socket), await anext(socket)

    assert isinstance(first, Undecodable)
    assert second == Unknown("news")


async def test_text_that_is_not_unicode_does_not_end_the_connection(key):
    async def send(connection):
        await connection.send(b"\xff\xff", text=True)
        await connection.send('{"type": "news"}')
        await connection.wait_closed()

    async with exchange(send) as environment, connect(environment, KEY_ID, key) as socket:
        first, second = await anext(socket), await anext(socket)

    assert isinstance(first, Undecodable)
    assert second == Unknown("news")


async def test_confirmation_of_many_thousand_markets_is_read(key):
    tickers = [f"KXMVECROSSCATEGORY-S2026ABCDEF-{number:08}" for number in range(20_000)]
    ok = json.dumps({"type": "ok", "id": 1, "sid": 1, "msg": {"market_tickers": tickers}})

    async def send(connection):
        await connection.send(ok)
        await connection.wait_closed()

    async with exchange(send) as environment, connect(environment, KEY_ID, key) as socket:
        event = await anext(socket)

    assert event == Ok(1, 1, tuple(tickers))


@pytest.mark.parametrize(
    "frame",
    ["x" * (MAXIMUM_MESSAGE_BYTES + 1), ["x" * 1_000] * 1_100],
    ids=["one frame", "in fragments"],
)
async def test_message_without_measure_ends_the_connection(key, frame):
    async def send(connection):
        with suppress(ConnectionClosed):
            await connection.send(frame)
        await connection.wait_closed()

    async with exchange(send) as environment, connect(environment, KEY_ID, key) as socket:
        with pytest.raises(AnswerTooLarge, match="too large"):
            await anext(socket)
        socket.session.subscribe(["fill"])
        with pytest.raises(AnswerTooLarge):
            await socket.send_pending()


async def test_exchange_that_finds_ours_too_long_is_gone(key):
    async def close(connection):
        await connection.close(1009)

    async with exchange(close) as environment, connect(environment, KEY_ID, key) as socket:
        with pytest.raises(Unavailable, match="gone"):
            await anext(socket)


async def test_exchange_has_to_wait_for_who_does_not_read(key):
    async def flood(connection):
        with suppress(ConnectionClosed):
            while True:
                await connection.send("x" * (MAXIMUM_MESSAGE_BYTES // 2))

    async with (
        exchange(flood, write_limit=0) as environment,
        connect(environment, KEY_ID, key, dead_after_seconds=3) as socket,
    ):
        transport = socket._connection.transport
        await until(lambda: not transport.is_reading())
        waiting = len(socket._connection.recv_messages.frames)
        event = await anext(socket)

    assert 16 <= waiting <= 18
    assert isinstance(event, Undecodable)


@pytest.mark.parametrize(
    "frame", ["[" * 2**20, "[[],[]" + ",[]" * 340_000 + "]"], ids=["deep", "many"]
)
async def test_frame_of_brackets_costs_nothing_but_itself(key, frame):
    async def send(connection):
        await connection.send(frame)
        await connection.send('{"type": "news"}')
        await connection.wait_closed()

    async with exchange(send) as environment, connect(environment, KEY_ID, key) as socket:
        tracemalloc.start()
        first, second = await anext(socket), await anext(socket)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert isinstance(first, Undecodable)
    assert second == Unknown("news")
    # What arrives is held a few times over on its way; as lists it would be 30 MB.
    assert peak < 8 * 2**20


@pytest.mark.parametrize("size", [100_000, 2_000_000], ids=["long", "without measure"])
async def test_refusal_with_a_long_body_is_no_verdict(key, size):
    body = json.dumps(REFUSALS["unknown_key"] | {"padding": "x" * size})
    hook = refusing(http.HTTPStatus.UNAUTHORIZED, body)

    async with exchange(silent, process_request=hook) as environment:
        with pytest.raises(Unavailable):
            async with connect(environment, KEY_ID, key):
                pass


@pytest.mark.parametrize("code", [1000, 1001, 1011])
async def test_every_close_is_unavailability(key, code):
    async def close(connection):
        await connection.close(code)

    async with exchange(close) as environment, connect(environment, KEY_ID, key) as socket:
        with pytest.raises(Unavailable):
            await anext(socket)


async def test_reset_without_a_close_is_unavailability(key):
    async def reset(connection):
        connection.transport.abort()

    async with exchange(reset) as environment, connect(environment, KEY_ID, key) as socket:
        with pytest.raises(Unavailable):
            await anext(socket)


async def test_sending_on_a_closed_connection_is_unavailability(key):
    async def close(connection):
        await connection.close()

    async with exchange(close) as environment, connect(environment, KEY_ID, key) as socket:
        with pytest.raises(Unavailable):
            await anext(socket)
        socket.session.subscribe(["fill"])

        with pytest.raises(Unavailable):
            await socket.send_pending()


async def test_nobody_listening_is_unavailability(key):
    async with exchange(silent) as environment:
        pass

    with pytest.raises(Unavailable):
        async with connect(environment, KEY_ID, key):
            pass


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, json.dumps(REFUSALS["unknown_key"]), KeyRefused),
        (401, json.dumps(REFUSALS["wrong_signature"]), KeyRefused),
        (403, '{"error": {"code": "forbidden"}}', ScopeRefused),
        (403, "Forbidden", TurnedAway),
        (401, "<html>Access denied</html>", TurnedAway),
        (401, "", TurnedAway),
        (429, '{"error": "too many requests"}', RateLimited),
        (502, "<html>", Unavailable),
        (200, "a web page", Unavailable),
    ],
)
async def test_refused_handshake_is_the_same_error_as_from_rest(key, status, body, kind):
    hook = refusing(http.HTTPStatus(status), body)

    async with exchange(silent, process_request=hook) as environment:
        with pytest.raises(kind):
            async with connect(environment, KEY_ID, key):
                pass


async def test_skewed_clock_is_told_with_the_exchange_time(key):
    body = json.dumps(REFUSALS["expired_timestamp"])
    hook = refusing(http.HTTPStatus.UNAUTHORIZED, body, Date="Thu, 11 Jun 2026 06:29:08 GMT")

    async with exchange(silent, process_request=hook) as environment:
        with pytest.raises(ClockSkew) as skew:
            async with connect(environment, KEY_ID, key):
                pass

    assert skew.value.server_time == datetime(2026, 6, 11, 6, 29, 8, tzinfo=UTC)


async def test_redirect_is_not_followed(key):
    visitors = []

    async def visited(connection):
        visitors.append(connection.request.headers)

    async with exchange(visited) as elsewhere:
        hook = refusing(http.HTTPStatus.TEMPORARY_REDIRECT, "", Location=elsewhere.ws_url)
        async with exchange(silent, process_request=hook) as environment:
            with pytest.raises(Unavailable, match="redirect"):
                async with connect(environment, KEY_ID, key):
                    pass

    assert visitors == []


async def test_silent_peer_is_noticed(key):
    async def freeze(connection):
        connection.transport.pause_reading()
        await connection.wait_closed()

    async with (
        exchange(freeze, close_timeout=0.1) as environment,
        asyncio.timeout(30),
        connect(environment, KEY_ID, key, dead_after_seconds=0.3) as socket,
    ):
        with pytest.raises(Unavailable):
            await anext(socket)


async def test_pings_are_answered_and_count_as_signs_of_life(key):
    answered = asyncio.Event()

    async def ping(connection):
        await connection.recv()
        await (await connection.ping(b"heartbeat"))
        answered.set()
        await connection.wait_closed()

    async with exchange(ping) as environment, connect(environment, KEY_ID, key) as socket:
        opened = socket.last_seen
        socket.session.subscribe(["fill"])
        await socket.send_pending()
        await answered.wait()

        assert opened < socket.last_seen <= datetime.now(UTC)


async def test_iteration_may_be_taken_up_again(key):
    async def send(connection):
        await connection.send('{"type": "first"}')
        await connection.send('{"type": "second"}')
        await connection.wait_closed()

    seen = []
    async with exchange(send) as environment, connect(environment, KEY_ID, key) as socket:
        async for event in socket:
            seen.append(event)
            break
        async for event in socket:
            seen.append(event)
            break

    assert seen == [Unknown("first"), Unknown("second")]


async def test_signature_is_not_logged_even_at_debug(key, caplog):
    caplog.set_level(logging.DEBUG)

    async with exchange(silent) as environment, connect(environment, KEY_ID, key):
        pass

    ours = [record for record in caplog.records if record.name.startswith("kalshi")]
    client_records = [record for record in caplog.records if record.name == "websockets.client"]
    assert ours == client_records == []
