"""`manage.py serve` behind a proxy on this machine that speaks https."""

from collections.abc import AsyncIterator

import httpx
import pytest

from benchmarks.ports import free_port
from tests.processes import listens
from tests.waiting import PATIENCE_SECONDS, START_SECONDS, until

ORIGIN = "https://kalshi.home.example"

# What the proxy adds to a visitor's request.
BY_HTTPS = {
    "Host": "kalshi.home.example",
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Proto": "https",
}
BY_HTTP = BY_HTTPS | {"X-Forwarded-Proto": "http"}


@pytest.fixture
async def server(start_process) -> AsyncIterator[httpx.AsyncClient]:
    """Requests to the server's own port."""
    port = free_port()
    start_process("serve", "--port", str(port), TEST_PUBLIC_ORIGIN=ORIGIN)
    await until(lambda: listens(port), seconds=START_SECONDS)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_SECONDS
    ) as client:
        yield client


async def test_only_what_came_by_https_is_answered(server):
    by_https = await server.get("/", headers=BY_HTTPS)
    by_http = await server.get("/?reason=expired", headers=BY_HTTP)
    without_a_word = await server.get("/", headers={"Host": "evil.example"})
    stream = await server.get("/sse/positions", headers=BY_HTTP)

    assert by_https.status_code == 200
    assert by_https.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "; Secure" in by_https.headers["Set-Cookie"]
    assert (by_http.status_code, by_http.headers["Location"]) == (301, f"{ORIGIN}/?reason=expired")
    assert (without_a_word.status_code, without_a_word.headers["Location"]) == (301, f"{ORIGIN}/")
    assert (stream.status_code, stream.headers["Location"]) == (301, f"{ORIGIN}/sse/positions")
    assert "Set-Cookie" not in by_http.headers


async def test_key_sent_by_http_is_refused(server):
    refused = await server.post(
        "/api/v1/account/authenticate", headers=BY_HTTP, json={"private_key": "in clear text"}
    )

    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "https_needed")


async def test_api_by_https_wants_the_csrf_token_of_our_origin(server):
    page = await server.get("/", headers=BY_HTTPS)
    token = page.cookies["csrftoken"]
    posted = BY_HTTPS | {"Cookie": f"csrftoken={token}", "X-CSRFToken": token}

    ours = await server.post(
        "/api/v1/account/logout", headers=posted | {"Origin": ORIGIN}, json={"forget": False}
    )
    others = await server.post(
        "/api/v1/account/logout",
        headers=posted | {"Origin": "http://kalshi.home.example"},
        json={"forget": False},
    )

    assert ours.json()["error"]["code"] == "not_signed_in"
    assert others.json()["error"]["code"] == "csrf_failed"


async def test_this_machine_may_probe_by_http(server):
    direct = await server.get("/healthz")
    through_the_proxy = await server.get("/healthz", headers=BY_HTTP)

    assert direct.json() == {"status": "ok"}
    assert through_the_proxy.status_code == 301
