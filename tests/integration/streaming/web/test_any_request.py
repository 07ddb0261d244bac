"""Whatever a server may hand us as a request, it is answered, and never as our own failure."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streaming.web.asgi import StreamingHandler
from tests.waiting import PATIENCE_SECONDS, START_SECONDS

PATHS = [
    "/",
    "/admin/",
    "/admin/login/",
    "/admin/tables/",
    "/api/v1/account/accounts",
    "/api/v1/account/accounts/1",
    "/api/v1/account/activity",
    "/api/v1/account/authenticate",
    "/api/v1/account/credentials/1",
    "/api/v1/account/fills",
    "/api/v1/account/day",
    "/api/v1/account/days",
    "/api/v1/account/equity",
    "/api/v1/account/invitations",
    "/api/v1/account/login",
    "/api/v1/account/login/passkey",
    "/api/v1/account/login/passkey/options",
    "/api/v1/account/logout",
    "/api/v1/account/passkeys/1",
    "/api/v1/account/password",
    "/api/v1/account/portfolio",
    "/api/v1/account/portfolio/explanation",
    "/api/v1/account/positions",
    "/api/v1/account/positions/KXNONE",
    "/api/v1/account/positions/KXNONE/note",
    "/api/v1/account/proof",
    "/api/v1/account/positions/T/candles",
    "/api/v1/account/positions/T/orderbook",
    "/api/v1/account/recover",
    "/api/v1/account/refresh",
    "/api/v1/account/session",
    "/api/v1/account/sessions/00000000-0000-0000-0000-000000000001",
    "/api/v1/account/statistics",
    "/api/v1/account/trades",
    "/api/v1/docs",
    "/api/v1/openapi.json",
    "/healthz",
    "/metrics",
    "/readyz",
    "/sse/positions",
    "/api/v1/account/settlements",
    "/api/v1/account/transfers",
    "/static/css/page.css",
]
HEADERS = [
    (b"accept", b"text/csv"),
    (b"authorization", b"Basic Og=="),
    (b"authorization", b"Bearer \xff"),
    (b"content-length", b"-1"),
    (b"content-length", b"99999999999999999999"),
    (b"content-length", b"nonsense"),
    (b"content-type", b"application/json"),
    (b"content-type", b"application/json; charset=nonsense"),
    (b"content-type", b"application/x-www-form-urlencoded"),
    (b"content-type", b"multipart/form-data"),
    (b"content-type", b"multipart/form-data; boundary="),
    (b"content-type", b"multipart/form-data; boundary=x"),
    (b"content-type", b"multipart/form-data; boundary=x; charset=idna"),
    (b"content-type", b"text/plain; charset*=nonsense'en'x"),
    (b"content-type", b"multipart/form-data; boundary=" + b"x" * 300),
    (b"content-type", b"\xff\xfe"),
    (b"cookie", b"session=; csrftoken="),
    (b"cookie", b"session=eyJhbGciOiJub25lIn0.e30.; csrftoken=\xff"),
    (b"cookie", b"=;;=\x00; session"),
    (b"host", b""),
    (b"host", b"[::1"),
    (b"host", b"127.0.0.1:99999"),
    (b"host", b"\xff"),
    (b"if-modified-since", b"nonsense"),
    (b"if-none-match", b'"'),
    (b"origin", b"null"),
    (b"range", b"bytes=5-2,-1,x"),
    (b"referer", b"http://[::1"),
    (b"upgrade", b"websocket"),
    (b"x-forwarded-for", b",,, \xff"),
]

methods = st.one_of(
    st.just("POST"),  # it reads most
    st.sampled_from(["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
paths = st.one_of(
    st.sampled_from(PATHS),
    st.sampled_from(
        [f"/api/v1/account/{name}" for name in ("authenticate", "login", "login/passkey")]
    ),
    st.builds("{}{}".format, st.sampled_from(PATHS), texts),
    st.builds("/{}".format, texts),
)
names = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=20).map(str.encode)
# Without it most of what changes something ends at the CSRF check.
csrf_pair = [(b"cookie", b"csrftoken=" + b"a" * 32), (b"x-csrftoken", b"a" * 32)]
headers = st.builds(
    lambda pair, others: pair + others,
    st.sampled_from([[], csrf_pair]),
    st.lists(
        st.one_of(st.sampled_from(HEADERS), st.tuples(names, st.binary(max_size=60))), max_size=6
    ),
)
bodies = st.lists(
    st.one_of(
        st.binary(max_size=200),
        st.sampled_from(
            [
                b"",
                b"{}",
                b"[" * 5000,
                b'{"environment": "sandbox"}',
                b'{"forget": 1e999, "everywhere": [null]}',
                b'--x\r\nContent-Disposition: form-data; name="a"; filename="\x00"\r\n\r\n1',
                b'{"username": "\\u0000", "password": "\\ud800"}',
                b'{"token": "\\ud800="}',
                b'{"id": "x", "rawId": 7, "response": {"clientDataJSON": "bnVsbA"}}',
                b"username=\x00&password=%ff",
                b"&".join(b"a=1" for _ in range(2000)),
            ]
        ),
    ),
    max_size=3,
)


@pytest.fixture
async def application(database) -> AsyncIterator[StreamingHandler]:
    """The application, started as a server starts it."""
    handler = StreamingHandler()
    told: asyncio.Queue[dict] = asyncio.Queue()
    heard: asyncio.Queue[dict] = asyncio.Queue()
    life = asyncio.create_task(handler({"type": "lifespan"}, told.get, heard.put))
    await told.put({"type": "lifespan.startup"})
    try:
        async with asyncio.timeout(START_SECONDS):
            assert (await heard.get())["type"] == "lifespan.startup.complete"
        yield handler
        await told.put({"type": "lifespan.shutdown"})
        async with asyncio.timeout(START_SECONDS):
            await life
    finally:
        life.cancel()


async def status_of(application, scope: dict, body: list[bytes]) -> int:
    """What the request is answered with; the client leaves when it has its answer."""
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in body]
    messages.append({"type": "http.request", "body": b"", "more_body": False})
    statuses: list[int] = []
    is_answered = asyncio.Event()

    async def receive() -> dict:
        if messages:
            return messages.pop(0)
        await is_answered.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])
            is_answered.set()

    async with asyncio.timeout(PATIENCE_SECONDS):
        await application(scope, receive, send)
    [status] = statuses
    return status


@pytest.mark.timeout(1500)
@settings(
    max_examples=1000,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(method=methods, path=paths, query=st.binary(max_size=60), headers=headers, body=bodies)
async def test_any_request_is_answered_and_never_by_a_failure_of_ours(
    application, method, path, query, headers, body
):
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1"), *headers],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
    }

    status = await status_of(application, scope, body)

    # No worker runs here, and the probe says so.
    assert status < 500 or (path == "/readyz" and status == 503)
