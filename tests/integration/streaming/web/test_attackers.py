"""Connections that mean harm, over bare sockets, to the real server: bounded, and told why."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress

import httpx
import pytest
from django.conf import settings as django_settings

from accounts.models import Account
from streaming.web import http_connection
from streaming.web.counts import COUNTS
from streaming.web.edge import AT_ONCE
from streaming.web.http_connection import HEAD_BYTES
from tests.integration.visitors import key_session
from tests.waiting import until

GOOD = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def large_file() -> bytes:
    """The address of one that is larger than what the kernel holds for who does not read."""
    path = next((django_settings.STATIC_ROOT / "admin/js/vendor/xregexp").glob("xregexp.*.js"))
    return b"/static/" + path.relative_to(django_settings.STATIC_ROOT).as_posix().encode()


class Wire:
    """One bare connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        with suppress(ConnectionError):
            await self._writer.drain()

    async def answer(self) -> tuple[int, bytes]:
        """The status and the body of the next answer."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return int(head.split()[1]), await self._reader.readexactly(length)

    async def is_closed(self) -> bool:
        """True, once the other side is done."""
        async with asyncio.timeout(10):
            with suppress(ConnectionError):
                await self._reader.read()
        return True

    def close(self) -> None:
        self._writer.close()


@pytest.fixture
async def connect(web) -> AsyncIterator[Callable]:
    async with AsyncExitStack() as wires:

        async def connect(*, takes_bytes: int = 2**20) -> Wire:
            taking = socket.socket()
            # Before it connects: else the kernel lets it grow to megabytes.
            taking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, takes_bytes)
            taking.setblocking(False)
            await asyncio.get_running_loop().sock_connect(taking, ("127.0.0.1", web.port))
            wire = Wire(*await asyncio.open_connection(sock=taking, limit=takes_bytes))
            wires.callback(wire.close)
            return wire

        yield connect


class TestHead:
    @pytest.mark.parametrize(
        "head",
        [
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * HEAD_BYTES + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X: x\r\n" * (HEAD_BYTES // 5) + b"\r\n",
            b"GET /" + b"x" * HEAD_BYTES + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nX" + b"x" * HEAD_BYTES + b": x\r\n\r\n",
        ],
        ids=["long value", "many headers", "long address", "long name"],
    )
    async def test_head_that_is_too_large_is_refused(self, connect, head):
        wire = await connect()

        await wire.send(head)

        assert (await wire.answer())[0] == 431
        assert await wire.is_closed()

    async def test_head_without_an_end_is_given_up(self, connect):
        wire = await connect()

        await wire.send(b"GET / HTTP/1.1\r\nX: ")
        for _ in range(HEAD_BYTES // 1024 + 1):
            await wire.send(b"x" * 1024)

        assert (await wire.answer())[0] == 431
        assert await wire.is_closed()

    async def test_head_without_an_end_is_given_up_while_an_answer_is_under_way(self, web, connect):
        wire = await connect(takes_bytes=2048)
        await wire.send(b"GET " + large_file() + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await until(lambda: web.server.server_state.tasks)
        [connection] = web.server.server_state.connections

        await wire.send(b"GET / HTTP/1.1\r\nX: ")
        await until(lambda: connection._is_in_head)
        await wire.send(b"x" * (HEAD_BYTES + 1))

        await until(connection.transport.is_closing)
        assert await wire.is_closed()

    async def test_head_begun_behind_a_request_is_refused_if_it_comes_too_slowly(
        self, connect, monkeypatch
    ):
        monkeypatch.setattr(http_connection, "HEAD_SECONDS", 2.0)
        wire = await connect()

        await wire.send(GOOD + b"GET /healthz HTTP/1.1\r\n")

        assert [(await wire.answer())[0] for _ in range(2)] == [200, 408]
        assert await wire.is_closed()

    async def test_head_in_pieces_behind_a_request_is_answered(self, connect):
        wire = await connect()

        await wire.send(GOOD + GOOD[:10])
        first, _ = await wire.answer()
        await wire.send(GOOD[10:])

        assert (first, (await wire.answer())[0]) == (200, 200)

    async def test_head_below_the_limit_is_answered(self, connect):
        wire = await connect()

        await wire.send(GOOD[:-2] + b"X: " + b"x" * (HEAD_BYTES - 1024) + b"\r\n\r\n")

        assert (await wire.answer())[0] == 200

    @pytest.mark.parametrize("before", [b"", GOOD], ids=["first", "second"])
    async def test_head_that_comes_too_slowly_is_refused(self, connect, monkeypatch, before):
        monkeypatch.setattr(http_connection, "HEAD_SECONDS", 2.0)
        wire = await connect()
        if before:
            await wire.send(before)
            await wire.answer()

        await wire.send(b"GET /healthz HTTP/1.1\r\n")
        await wire.send(b"X: x\r\n")

        assert (await wire.answer())[0] == 408
        assert await wire.is_closed()

    async def test_connection_that_asks_nothing_is_closed(self, connect, monkeypatch):
        monkeypatch.setattr(http_connection, "HEAD_SECONDS", 0.1)
        wires = [await connect() for _ in range(20)]

        assert all([await wire.is_closed() for wire in wires])

    async def test_connection_may_ask_again_and_again(self, connect, monkeypatch):
        monkeypatch.setattr(http_connection, "HEAD_SECONDS", 3)
        wire = await connect()

        async with asyncio.timeout(40):
            for _ in range(4):
                await asyncio.sleep(1)  # a person who clicks: longer than the limit altogether
                await wire.send(GOOD)
                assert (await wire.answer())[0] == 200

    async def test_requests_sent_without_waiting_are_all_answered(self, connect):
        wire = await connect()

        await wire.send(GOOD * 5)

        assert [(await wire.answer())[0] for _ in range(5)] == [200] * 5

    async def test_requests_without_end_that_wait_for_no_answer_are_not_piled_up(
        self, web, connect, caplog
    ):
        wires = [await connect() for _ in range(10)]

        await asyncio.gather(*(wire.send(GOOD * 5000) for wire in wires))

        assert all([await wire.is_closed() for wire in wires])
        await until(lambda: not web.server.server_state.connections)
        await until(lambda: not web.server.server_state.tasks)
        assert caplog.records == []

    async def test_client_that_leaves_before_its_answers_is_no_error(self, web, connect, caplog):
        for _ in range(20):
            wire = await connect()
            await wire.send(GOOD * 3)
            wire.close()

        await until(lambda: not web.server.server_state.connections)
        await until(lambda: not web.server.server_state.tasks)
        assert caplog.records == []


class TestBody:
    async def test_large_body_is_refused_unread(self, connect):
        wire = await connect()

        await wire.send(
            b"POST /api/v1/account/authenticate HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Content-Length: 300000000\r\n\r\n"
        )

        status, body = await wire.answer()
        assert status == 413
        assert json.loads(body)["error"]["code"] == "request_too_large"
        assert await wire.is_closed()

    async def test_large_body_that_does_not_say_its_length_is_given_up(self, connect):
        wire = await connect()

        await wire.send(
            b"POST /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for _ in range(10):
            await wire.send(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")

        assert (await wire.answer())[0] == 413
        assert await wire.is_closed()


class TestTrailers:
    CHUNKED = b"POST /api/v1/account/refresh HTTP/1.1\r\nHost: 127.0.0.1\r\n" + (
        b"Transfer-Encoding: chunked\r\n\r\n"
    )

    async def test_trailers_are_no_headers(self, database, token, worker, connect):
        signed_in = b"Cookie: session=" + token.encode() + b"; csrftoken=" + b"a" * 32
        wire = await connect()

        await wire.send(
            self.CHUNKED + b"0\r\n" + signed_in + b"\r\nX-CSRFToken: " + b"a" * 32 + b"\r\n\r\n"
        )

        status, body = await wire.answer()
        assert (status, json.loads(body)["error"]["code"]) == (403, "csrf_failed")

    @pytest.mark.parametrize(
        "endless", [b"x" * 1024, b"x: " + b"x" * 1019 + b"\r\n"], ids=["one", "many"]
    )
    async def test_trailers_without_end_are_given_up(self, connect, endless):
        wire = await connect()

        await wire.send(self.CHUNKED + b"0\r\n" + (b"X: " if b":" not in endless else b""))
        for _ in range(1200):
            await wire.send(endless)

        assert await wire.is_closed()


async def test_slow_readers_keep_nobody_from_an_answer(web, connect, stranger):
    slow = [await connect(takes_bytes=2048) for _ in range(AT_ONCE + 8)]
    for wire in slow:
        await wire.send(b"GET " + large_file() + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    await until(lambda: len(web.server.server_state.tasks) == len(slow))

    statuses = [
        (await stranger.get(path)).status_code for path in ("/healthz", "/", "/api/v1/docs")
    ]

    assert statuses == [200, 200, 200]
    assert len(web.server.server_state.tasks) == len(slow)


async def test_websocket_is_refused_without_a_traceback(connect, caplog):
    wire = await connect()

    await wire.send(
        b"GET /sse/positions HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
        b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )

    status, body = await wire.answer()
    assert status == 400
    assert json.loads(body)["error"]["code"] == "no_websocket"
    assert caplog.records == []


async def test_more_connections_than_there_may_be_are_told_so(web, connect, monkeypatch):
    monkeypatch.setattr(web.server.config, "limit_concurrency", 3)
    held = [await connect() for _ in range(3)]
    await until(lambda: len(web.server.server_state.connections) == 3)

    refused = await (await connect()).answer()
    held[0].close()
    await until(lambda: len(web.server.server_state.connections) < 3)
    let_in = await connect()
    await let_in.send(GOOD)

    assert refused == (503, b"Too many connections. Try again later.\n")
    assert (await let_in.answer())[0] == 200


async def test_client_that_takes_nothing_is_cut_off(
    database, web, token, worker, connect, monkeypatch
):
    monkeypatch.setattr(http_connection, "TAKE_SECONDS", 0.2)
    await database.run(worker.write, {f"MARKET-{number}": "0.10" for number in range(1000)})
    wire = await connect(takes_bytes=4096)
    opened = COUNTS.streams_opened

    await wire.send(
        b"GET /sse/positions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Cookie: session=" + token.encode() + b"\r\n\r\n"
    )

    await until(lambda: COUNTS.streams_opened > opened)
    await until(lambda: not web.server.server_state.connections)
    await until(lambda: not web.server._application.hub._streams)


class TestStreams:
    @pytest.fixture
    def few(self, settings) -> None:
        settings.STREAMS_PER_SESSION = 2
        settings.STREAMS_TOTAL = 3

    async def test_session_has_only_so_many_streams(self, few, web, browser, worker):
        async with AsyncExitStack() as streams:
            for _ in range(2):
                await streams.enter_async_context(browser.stream("GET", "/sse/positions"))

            refused = await browser.get("/sse/positions")

        await until(lambda: web.server._application._seats.taken == 0)
        assert refused.status_code == 429
        assert refused.json()["error"]["code"] == "too_many_streams"
        assert refused.headers["Retry-After"] == "10"
        async with browser.stream("GET", "/sse/positions") as again:
            assert again.status_code == 200

    async def test_server_has_only_so_many_streams(self, few, database, web, alice, worker):
        def sign_in() -> str:
            return key_session(Account.objects.get(pk=alice))[1]

        async with AsyncExitStack() as streams:
            for _ in range(3):
                token = await database.run(sign_in)
                browser = await streams.enter_async_context(
                    httpx.AsyncClient(base_url=web.origin, cookies={"session": token})
                )
                await streams.enter_async_context(browser.stream("GET", "/sse/positions"))

            refused = await browser.get("/sse/positions")

        assert refused.status_code == 429
        assert refused.json()["error"]["code"] == "too_many_streams"

    async def test_streams_asked_for_at_once_are_counted_all(self, few, browser, worker):
        statuses: list[int] = []
        is_over = asyncio.Event()

        async def watch() -> None:
            async with browser.stream("GET", "/sse/positions") as response:
                statuses.append(response.status_code)
                await is_over.wait()

        watching = [asyncio.create_task(watch()) for _ in range(20)]
        await until(lambda: len(statuses) == 20)
        is_over.set()
        await asyncio.gather(*watching)

        assert statuses.count(200) == 2
        assert statuses.count(429) == 18
