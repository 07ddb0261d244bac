"""What a request makes the server log: where it went, and neither a secret nor a lie."""

import io
import logging
from urllib.parse import quote

import pytest
from asgiref.sync import async_to_sync
from django.db import OperationalError
from django.test import AsyncClient, Client

from config.logs import EventFormatter
from tests.integration.config.test_refusals import FAILURES, IDS, MIDDLEWARES, failing

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls("tests.integration.config.failing_urls"),
]

QUERY = "?token=one-time-secret"
FORGED = "2026-11-28T12:00:00+0000 INFO accounts: signed in account=7"


@pytest.fixture
def log(monkeypatch):
    """What the console shows; every logger of Django's and ours writes to it."""
    console = next(
        handler
        for handler in logging.getLogger("django").handlers
        if isinstance(handler.formatter, EventFormatter)
    )
    monkeypatch.setattr(console, "stream", io.StringIO())
    return console.stream


@pytest.fixture
def client():
    return Client(enforce_csrf_checks=True, raise_request_exception=False)


@pytest.mark.parametrize("under", ["/", "/api/", "/sse/"])
@pytest.mark.parametrize(("path", "status", "code", "title"), FAILURES, ids=IDS)
def test_refusal_is_logged_with_its_path_alone(log, client, under, path, status, code, title):
    client.get(f"{under}{path}{QUERY}")

    assert f"{under}{path}" in log.getvalue()
    assert "one-time-secret" not in log.getvalue()


@async_to_sync
async def asked(path):
    return await AsyncClient(raise_request_exception=False).get(path)


@pytest.mark.parametrize(("path", "status", "code", "title"), FAILURES, ids=IDS)
def test_under_asgi_it_is_logged_so_too(log, path, status, code, title):
    asked(f"/{path}{QUERY}")

    assert f"/{path}" in log.getvalue()
    assert "one-time-secret" not in log.getvalue()


@pytest.mark.parametrize(
    ("method", "path", "request_"),
    [
        pytest.param("POST", "/admin/login/", {}, id="form without its token"),
        pytest.param("POST", "/api/v1/account/logout", {}, id="call without its token"),
        pytest.param(
            "POST",
            "/admin/login/",
            {"secure": True, "headers": {"Referer": f"https://elsewhere.example/{QUERY}"}},
            id="form from elsewhere",
        ),
        pytest.param("BREW", "/healthz", {}, id="unknown method"),
        pytest.param("POST", "/static/css/page.css", {}, id="static file by another method"),
        pytest.param("GET", "/", {"headers": {"Host": "elsewhere.example"}}, id="unknown host"),
        pytest.param("GET", "/api/v1/account/session", {}, id="no session"),
    ],
)
def test_what_is_refused_before_a_view_is_logged_without_its_query(
    log, client, method, path, request_
):
    client.cookies["csrftoken"] = "a" * 32

    response = client.generic(method, path + QUERY, **request_)

    assert response.status_code >= 400
    assert log.getvalue()
    assert "one-time-secret" not in log.getvalue()


def test_unknown_host_is_one_line_of_the_log(log, client):
    client.get("/", headers={"Host": "elsewhere.example"})

    [line] = log.getvalue().splitlines()
    assert "Invalid HTTP_HOST header: 'elsewhere.example'" in line


@pytest.mark.parametrize("middleware", MIDDLEWARES)
def test_trouble_in_a_middleware_is_logged_without_the_query(log, client, monkeypatch, middleware):
    monkeypatch.setattr(MIDDLEWARES[middleware], failing(OperationalError("lost")))

    client.get(f"/healthz{QUERY}")

    assert "OperationalError" in log.getvalue()
    assert "one-time-secret" not in log.getvalue()


@pytest.mark.parametrize("under", ["/", "/api/", "/sse/", "/api/fails/", "/static/"])
@pytest.mark.parametrize("line_break", ["\n", "\r", "\r\n", "\u2028", "\x85", "\x1b[2K\x1b[1A"])
def test_path_cannot_forge_a_line(log, client, under, line_break):
    client.get(under + quote(f"{line_break}{FORGED}"))

    assert FORGED in log.getvalue()
    assert not any(line.startswith("2026") for line in log.getvalue().splitlines()[1:])
    assert "\x1b" not in log.getvalue()


@pytest.mark.parametrize("header", ["Host", "Origin", "Referer", "User-Agent", "Cookie"])
def test_header_cannot_forge_a_line(log, client, header):
    client.post("/admin/login/", secure=True, headers={header: f"https://a\n{FORGED}\r{FORGED}"})

    assert not any(line.startswith("2026") for line in log.getvalue().splitlines()[1:])
