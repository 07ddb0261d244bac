"""Streams over HTTP, from the real server."""

import asyncio
import gc
import json
import re
import signal
import socket
import threading
import zlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import httpx
import jwt
import psycopg
import pytest
from django.core.handlers.asgi import ASGIRequest

from accounts import sessions
from accounts.models import Account
from streaming.web import admission
from streaming.web.asgi import StreamingHandler
from streaming.web.counts import COUNTS
from tests.integration.streaming.clients import Client
from tests.processes import Process, listens
from tests.waiting import START_SECONDS, until

PATH = "/sse/positions"


def request(token: str, more: str = "") -> bytes:
    """What asks for a stream over a bare socket."""
    head = f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: session={token}\r\n{more}\r\n"
    return head.encode()


class GzipClient(Client):
    """A client that takes gzip, and reads what it can of each chunk."""

    def __init__(self) -> None:
        super().__init__()
        self.unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self.sent_bytes = 0

    def feed(self, data: bytes) -> None:
        self.sent_bytes += len(data)
        super().feed(self.unpacker.decompress(data))
        # Whatever was sent can be read: nothing waits for what comes next.
        assert self.received.endswith(b"\n\n")


@asynccontextmanager
async def streaming(
    port: int, token: str, client: Client | None = None, *, more: str = ""
) -> AsyncIterator[Client]:
    """
    A stream over a bare socket; `received` begins after the headers.

    Args:
        more: lines of the request's head, each with its end.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    client = client or Client()
    takes = "Accept-Encoding: gzip\r\n" if isinstance(client, GzipClient) else ""
    writer.write(request(token, takes + more))
    await reader.readuntil(b"\r\n\r\n")

    async def read() -> None:
        while size := int(await reader.readline(), 16):
            client.feed(await reader.readexactly(size))
            await reader.readexactly(2)
        client.is_ended = True

    reading = asyncio.create_task(read())
    try:
        yield client
    finally:
        reading.cancel()
        await asyncio.wait([reading])
        writer.close()
        if not reading.cancelled():
            # What the client found wrong.
            reading.result()


async def test_stream_without_a_session_is_refused(stranger):
    response = await stranger.get(PATH)

    assert response.status_code == 401
    assert response.json() == {"error": {"code": "not_signed_in", "message": "Sign in first."}}


async def test_stream_of_an_ended_session_is_refused(database, alice, web, browser):
    def end() -> None:
        for session in Account.objects.get(pk=alice).owner.sessions.all():
            sessions.end(session)

    await database.run(end)

    assert (await browser.get(PATH)).status_code == 401


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
async def test_only_get_opens_a_stream(browser, method):
    response = await browser.request(method, PATH)

    assert response.status_code == 405
    assert response.headers["Allow"] == "GET"


@pytest.mark.parametrize(
    ("accepted", "encoding"), [("gzip, deflate, br", "gzip"), ("identity", None), ("", None)]
)
async def test_stream_has_the_headers_that_keep_it_flowing(browser, worker, accepted, encoding):
    async with browser.stream("GET", PATH, headers={"Accept-Encoding": accepted}) as response:
        headers = response.headers
        first = await anext(response.aiter_bytes())

    assert response.status_code == 200
    assert headers["Content-Type"] == "text/event-stream"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Accel-Buffering"] == "no"
    assert "script-src" in headers["Content-Security-Policy"]
    assert headers.get("Content-Encoding") == encoding
    assert "Accept-Encoding" in headers["Vary"]
    assert "ETag" not in headers
    assert first.startswith(b"retry: 1000\n\n")


async def test_stream_brings_snapshot_and_changes(database, web, token, worker):
    await database.run(worker.write, {"A": "0.10"})
    async with streaming(web.port, token) as client:
        await until(lambda: client.bids == {"A": "0.1"})

        await database.run(worker.write, {"A": "0.20"})
        await until(lambda: client.bids == {"A": "0.2"})

    assert client.received.startswith(b"retry: 1000\n\n")
    assert client.types[0] == "snapshot"


async def test_compressed_stream_brings_the_same_in_a_fraction(database, web, token, worker):
    bids = {f"MARKET-{number}": "0.1" for number in range(500)}
    await database.run(worker.write, bids)
    packed = GzipClient()
    async with streaming(web.port, token) as plain, streaming(web.port, token, packed):
        await until(lambda: plain.bids == packed.bids == bids)
        snapshot_bytes = packed.sent_bytes

        await database.run(worker.write, {"MARKET-1": "0.20"})
        await until(lambda: plain.bids["MARKET-1"] == packed.bids["MARKET-1"] == "0.2")
        await database.run(worker.write, closed=["MARKET-2"])
        await until(lambda: len(plain.bids) == len(packed.bids) == 499)

    assert packed.types[0] == "snapshot"
    assert packed.positions == plain.positions
    assert snapshot_bytes < len(plain.received) / 5


async def test_compressed_stream_comes_to_its_proper_end(database, web, token, worker):
    await database.run(worker.write, {"A": "0.10"})
    packed = GzipClient()
    async with streaming(web.port, token, packed):
        await until(lambda: packed.events)

        await web.stop(seconds=30)

        await until(lambda: packed.is_ended)
    assert packed.received.endswith(b"retry: 1000\n\n")
    assert packed.unpacker.eof


async def test_idle_stream_brings_a_comment_at_least_every_fifteen_seconds(
    database, web, token, worker
):
    async with streaming(web.port, token) as client:
        await until(lambda: b"\n:\n\n" in client.received, seconds=15)


@pytest.mark.parametrize("last_event_id", ["0", "999999", "nonsense"])
async def test_any_last_event_id_is_answered_by_a_snapshot(browser, worker, last_event_id):
    client = Client()

    async with browser.stream("GET", PATH, headers={"Last-Event-ID": last_event_id}) as response:
        async for chunk in response.aiter_bytes():
            client.feed(chunk)
            if client.events:
                break

    assert client.types[0] == "snapshot"


async def test_token_of_some_age_is_renewed_by_the_stream(web, token, worker, settings):
    claims = jwt.decode(token, settings.JWT_SECRET_KEY, algorithms=["HS256"])
    issued_at = datetime.now(UTC) - timedelta(minutes=10)
    old = jwt.encode({**claims, "iat": issued_at}, settings.JWT_SECRET_KEY, algorithm="HS256")
    async with (
        httpx.AsyncClient(base_url=web.origin, cookies={"session": old}) as browser,
        browser.stream("GET", PATH) as response,
    ):
        renewed = response.cookies["session"]
        cookie = response.headers["Set-Cookie"]

    assert renewed != old
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


async def test_fresh_token_is_not_renewed(browser, worker):
    async with browser.stream("GET", PATH) as response:
        assert "Set-Cookie" not in response.headers


@pytest.fixture
def roomy(settings) -> None:
    """One session may have many streams."""
    settings.STREAMS_PER_SESSION = 1000


async def test_streams_need_neither_threads_nor_database_sessions_of_their_own(
    roomy, database, web, token, worker
):
    async def sessions_of_database() -> int:
        [(number,)] = await database.fetch(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = user"
        )
        return number

    await database.run(worker.write, {"A": "0.10"})
    async with AsyncExitStack() as streams:
        first = await streams.enter_async_context(streaming(web.port, token))
        await until(lambda: first.events)
        await until(database.is_listened_to)
        before = (threading.active_count(), await sessions_of_database())

        clients = [
            await streams.enter_async_context(streaming(web.port, token)) for _ in range(200)
        ]
        await until(lambda: all(client.events for client in clients))
        await database.run(worker.write, {"A": "0.20"})
        await until(lambda: all(client.bids == {"A": "0.2"} for client in clients))

        after = (threading.active_count(), await sessions_of_database())
    assert after == before


async def test_open_stream_keeps_nothing_of_its_request(web, token, worker):
    async with streaming(web.port, token) as client:
        await until(lambda: client.events)

        await until(lambda: not requests_for_streams())


def requests_for_streams() -> list[ASGIRequest]:
    """Those that are kept; what refers to itself alone is waste."""
    gc.collect()
    found = [each for each in gc.get_objects() if type(each) is ASGIRequest]
    return [each for each in found if each.path == PATH]


async def test_who_leaves_while_the_session_is_looked_at_frees_the_seat(web, token, monkeypatch):
    handler = web.server._application
    is_looked_at = threading.Event()

    def look(requests):
        is_looked_at.wait(10)
        return [None for _ in requests]

    monkeypatch.setattr(admission, "_look", look)
    opened = COUNTS.streams_opened
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", web.port)
        writer.write(request(token))
        await until(lambda: handler._seats.taken == 1)
        await until(lambda: handler._admission._looks)

        writer.close()

        # Long before anybody has looked.
        await until(lambda: handler._seats.taken == 0)
    finally:
        is_looked_at.set()
    assert COUNTS.streams_opened == opened


async def test_closed_browser_leaves_nothing_behind(database, web, token, worker):
    hub = web.server._application.hub
    async with streaming(web.port, token) as client:
        await until(lambda: client.events)

    await until(lambda: not hub._streams)
    assert hub._accounts == {}


async def test_stopping_ends_open_streams_before_they_are_cut_off(database, web, token, worker):
    await database.run(worker.write, {"A": "0.10"})
    async with AsyncExitStack() as streams:
        clients = [await streams.enter_async_context(streaming(web.port, token)) for _ in range(20)]
        await until(lambda: all(client.events for client in clients))

        await web.stop(seconds=30)

        await until(lambda: all(client.is_ended for client in clients))
    assert all(client.received.endswith(b"retry: 1000\n\n") for client in clients)


async def test_stream_ends_whole_before_a_proxy_would_cut_it_off_and_is_resumed(
    database, web, token, worker, settings
):
    await database.run(worker.write, {"A": "0.10", "B": "0.20"})
    settings.STREAM_SECONDS = 1
    async with streaming(web.port, token) as client:
        await until(lambda: client.is_ended)
    assert client.received.endswith(b"retry: 1000\n\n")
    last_event_id = client.version

    # What happens while nobody listens.
    await database.run(worker.write, {"A": "0.11"}, closed=["B"])
    settings.STREAM_SECONDS = 3600
    more = f"Last-Event-ID: {last_event_id}\r\n"
    async with streaming(web.port, token, more=more) as client:
        await until(lambda: client.bids == {"A": "0.11"})
        await database.run(worker.write, {"A": "0.12"})
        await until(lambda: client.bids == {"A": "0.12"})

    assert client.types[0] == "snapshot"
    assert client.events[0]["version"] > last_event_id


@pytest.fixture
async def serving(database, start_process) -> tuple[Process, int]:
    """The web server as a process, and its port."""
    process = start_process("serve", "--port", "0")
    served = await until(
        lambda: re.search(r"Serving http://localhost:(\d+)", process.said), seconds=START_SECONDS
    )
    port = int(served[1])
    await until(lambda: listens(port))
    return process, port


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_told_to_stop_the_server_ends_its_streams_and_exits_with_success(
    worker, token, serving, number
):
    process, port = serving
    async with streaming(port, token) as client:
        await until(lambda: client.events)

        process.signal(number)
        code = await asyncio.to_thread(process.exit_code)

        await until(lambda: client.is_ended)
    assert code == 0
    assert "Traceback" not in process.said
    assert client.received.endswith(b"retry: 1000\n\n")


async def test_told_to_stop_the_server_cuts_off_a_client_that_stopped_reading(
    database, worker, token, serving
):
    await database.run(worker.write, {f"MARKET-{number}": "0.10" for number in range(500)})
    process, port = serving
    frozen = socket.create_connection(("127.0.0.1", port))
    # Holds a fraction of the snapshot.
    frozen.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader, writer = await asyncio.open_connection(sock=frozen, limit=4096)
    writer.write(request(token))
    await reader.readuntil(b"event: snapshot")

    code = await asyncio.to_thread(process.stop)

    rest = await reader.read()
    writer.close()
    assert code == 0
    assert not rest.endswith(b"0\r\n\r\n")


async def test_stream_while_the_database_is_away_is_refused_for_now(database, web, browser, worker):
    # Its thread tries to connect anew for the request.
    with patch("postgres.backend.base.DatabaseWrapper.get_new_connection") as connect:
        connect.side_effect = psycopg.OperationalError("connection to /a/path failed")
        await database.fetch(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = user"
        )
        response = await browser.get(PATH)

    assert response.status_code == 503
    assert response.json()["error"]["code"] == "database_unavailable"


async def test_server_that_does_not_announce_its_start_is_told_what_streams_need(
    database, token, caplog
):
    handler = StreamingHandler()
    transport = httpx.ASGITransport(app=handler, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://127.0.0.1", cookies={"session": token}
    ) as browser:
        response = await browser.get(PATH)

    assert response.status_code == 500
    assert any("lifespan" in str(record.exc_info) for record in caplog.records)


async def test_page_names_script_src(stranger):
    response = await stranger.get("/healthz")

    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert json.loads(response.content) == {"status": "ok"}
