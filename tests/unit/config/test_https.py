import io
import json

import pytest
from django.core.exceptions import MiddlewareNotUsed
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse

from config.https import HttpsMiddleware, answer_to_http

ORIGIN = "https://kalshi.home.example:8443"
PROBES = ("/healthz", "/readyz")


def request_for(
    path: str,
    *,
    method: str = "GET",
    scheme: str = "http",
    client: str = "203.0.113.7",
    query: bytes = b"",
    **headers: str,
) -> HttpRequest:
    """As an ASGI server makes it."""
    sent = {"host": "visitor.example", **headers}
    scope = {
        "type": "http",
        "method": method,
        "scheme": scheme,
        "path": path,
        "query_string": query,
        "client": (client, 50000),
        "headers": [
            (name.replace("_", "-").encode(), value.encode()) for name, value in sent.items()
        ],
    }
    return ASGIRequest(scope, io.BytesIO())


def answer(request: HttpRequest) -> HttpResponse | None:
    return answer_to_http(request, origin=ORIGIN, probes=PROBES)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/api/v1/account/session", "/sse/positions", "/healthz"])
def test_what_came_by_https_passes(method, path):
    assert answer(request_for(path, method=method, scheme="https")) is None


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("path", "query", "target"),
    [
        ("/", b"", "/"),
        (
            "/api/v1/account/positions",
            b"account=1&a=%20",
            "/api/v1/account/positions?account=1&a=%20",
        ),
        ("/static/js/store.js", b"", "/static/js/store.js"),
        ("/sse/positions", b"", "/sse/positions"),
        pytest.param("/ü \r\n?x", b"", "/%C3%BC%20%0D%0A%3Fx", id="signs that end a header"),
        pytest.param("//evil.example/", b"", "/evil.example/", id="another host"),
        pytest.param(".evil.example/", b"", "/.evil.example/", id="our host and more"),
        pytest.param("@evil.example/", b"", "/@evil.example/", id="our host as a user"),
    ],
)
def test_reading_by_http_is_sent_to_our_own_origin(method, path, query, target):
    response = answer(request_for(path, method=method, query=query))

    assert (response.status_code, response["Location"]) == (301, ORIGIN + target)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/api/v1/account/authenticate", "/api/v1/none", "/sse/positions"])
def test_writing_by_http_is_refused_in_the_apis_words(method, path):
    response = answer(request_for(path, method=method))

    assert response.status_code == 403
    assert json.loads(response.content) == {
        "error": {"code": "https_needed", "message": "This server answers by https only."}
    }


def test_writing_elsewhere_by_http_is_refused_on_a_page():
    response = answer(request_for("/admin/login/", method="POST"))

    assert (response.status_code, response["Content-Type"]) == (403, "text/html; charset=utf-8")
    assert b"This server answers by https only." in response.content


@pytest.mark.parametrize(
    "headers",
    [
        {"x_forwarded_proto": "https"},
        {"x_forwarded_ssl": "on"},
        {"x_forwarded_scheme": "https"},
        {"x_url_scheme": "https"},
        {"forwarded": "proto=https"},
        {"front_end_https": "on"},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_header_alone_makes_no_https(headers):
    assert answer(request_for("/", **headers)).status_code == 301


@pytest.mark.parametrize("path", PROBES)
@pytest.mark.parametrize("client", ["127.0.0.1", "::1"])
def test_probe_of_this_machine_passes(path, client):
    assert answer(request_for(path, client=client)) is None


@pytest.mark.parametrize(
    "visit",
    [
        pytest.param({"path": "/healthz"}, id="probe from elsewhere"),
        pytest.param(
            {"path": "/healthz", "client": "127.0.0.1", "x_forwarded_for": "203.0.113.7"},
            id="probe through a proxy",
        ),
        pytest.param({"path": "/", "client": "127.0.0.1"}, id="page from this machine"),
        pytest.param({"path": "/healthz/", "client": "127.0.0.1"}, id="like a probe"),
    ],
)
def test_all_else_from_this_machine_is_sent_on(visit):
    assert answer(request_for(**visit)).status_code == 301


@pytest.mark.parametrize("origin", [None, "http://localhost:8000"])
def test_without_https_it_is_not_used(origin, settings):
    settings.PUBLIC_ORIGIN = origin
    settings.COOKIES_SECURE = False

    with pytest.raises(MiddlewareNotUsed):
        HttpsMiddleware(lambda request: HttpResponse())


@pytest.fixture
def deployed(settings) -> None:
    settings.PUBLIC_ORIGIN = ORIGIN
    settings.COOKIES_SECURE = True


def test_it_stands_in_a_synchronous_chain(deployed):
    middleware = HttpsMiddleware(lambda request: HttpResponse("answered"))

    assert middleware(request_for("/", scheme="https")).content == b"answered"
    assert middleware(request_for("/")).status_code == 301


async def test_it_stands_in_an_asynchronous_chain(deployed):
    async def answered(request: HttpRequest) -> HttpResponse:
        return HttpResponse("answered")

    middleware = HttpsMiddleware(answered)

    assert (await middleware(request_for("/", scheme="https"))).content == b"answered"
    assert (await middleware(request_for("/"))).status_code == 301


@pytest.mark.parametrize(
    ("path", "sent", "status"),
    [
        ("/metrics", "Bearer secret", 200),
        ("/metrics", "Bearer wrong", 301),
        ("/", "Bearer secret", 301),
        ("/healthz", "Bearer secret", 301),
    ],
)
def test_who_may_read_the_metrics_may_ask_by_http(deployed, settings, path, sent, status):
    settings.METRICS_TOKEN = "secret"
    middleware = HttpsMiddleware(lambda request: HttpResponse("answered"))

    assert middleware(request_for(path, authorization=sent)).status_code == status
