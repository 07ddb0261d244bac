"""Whatever is wrong, and wherever: programs are told in JSON, people on a page of the product."""

import re
from uuid import UUID

import pytest
from asgiref.sync import async_to_sync
from django.core.files.base import ContentFile
from django.db import OperationalError
from django.test import AsyncClient, Client
from django.urls import get_resolver

from tests.integration.config.failing_urls import SECRET

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls("tests.integration.config.failing_urls"),
]

FAILURES = [
    ("fails/bad-request", 400, "malformed_request", "Not understood"),
    ("fails/suspicious", 400, "malformed_request", "Not understood"),
    ("fails/multipart", 400, "malformed_request", "Not understood"),
    ("fails/fields", 400, "malformed_request", "Not understood"),
    ("fails/files", 400, "malformed_request", "Not understood"),
    ("fails/body-read-twice", 400, "malformed_request", "Not understood"),
    ("fails/client-left", 400, "malformed_request", "Not understood"),
    ("fails/not-signed-in", 401, "not_signed_in", "Not signed in"),
    ("fails/permission", 403, "forbidden", "Not allowed"),
    ("answers/forbidden", 403, "forbidden", "Not allowed"),
    ("fails/not-found", 404, "not_found", "Not found"),
    ("nothing-there", 404, "not_found", "Not found"),
    ("answers/method", 405, "method_not_allowed", "Not possible here"),
    ("fails/too-large", 413, "request_too_large", "Too large"),
    ("fails/tries", 429, "too_many_tries", "Too many requests"),
    ("answers/limit", 429, "too_many_requests", "Too many requests"),
    ("fails/bug", 500, "internal_error", "Something went wrong"),
    ("answers/broken", 500, "internal_error", "Something went wrong"),
    ("fails/database", 503, "database_unavailable", "Back in a moment"),
    ("fails/connection", 503, "database_unavailable", "Back in a moment"),
    ("fails/read-only", 503, "database_unavailable", "Back in a moment"),
    ("fails/away", 503, "database_unavailable", "Back in a moment"),
    ("answers/unavailable", 503, "unavailable", "Back in a moment"),
]
IDS = [path for path, *_ in FAILURES]
STYLE_SHEET = '<link rel="stylesheet" href="/static/css/page.'

MIDDLEWARES = {
    "csrf": "django.middleware.csrf.CsrfViewMiddleware.process_response",
    "messages": "django.contrib.messages.middleware.MessageMiddleware.process_response",
}


@pytest.fixture
def client():
    return Client(raise_request_exception=False)


@pytest.fixture
def async_client():
    return AsyncClient(raise_request_exception=False)


def failing(error):
    def fail(*args, **kwargs):
        raise error

    return fail


def code_of(response):
    """Of a body that is the contract's and nothing else."""
    (name, error), *others = response.json().items()
    assert (name, set(error), others) == ("error", {"code", "message"}, [])
    assert error["message"]
    return error["code"]


@pytest.mark.parametrize("under", ["/api/", "/sse/"])
@pytest.mark.parametrize(("path", "status", "code", "title"), FAILURES, ids=IDS)
def test_programs_are_told_in_the_contract_s_shape(client, under, path, status, code, title):
    response = client.get(under + path)

    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/json"
    assert code_of(response) == code
    assert SECRET not in response.text


@pytest.mark.parametrize(("path", "status", "code", "title"), FAILURES, ids=IDS)
def test_people_are_told_on_a_page_of_the_product(client, path, status, code, title):
    response = client.get(f"/{path}")

    assert response.status_code == status
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert f"<h1>{title}</h1>" in response.text
    assert STYLE_SHEET in response.text
    assert SECRET not in response.text


@pytest.mark.parametrize("under", ["/", "/api/", "/sse/"])
@pytest.mark.parametrize(("path", "status", "code", "title"), FAILURES, ids=IDS)
def test_under_asgi_the_same_is_told(async_client, under, path, status, code, title):
    response = async_to_sync(async_client.get)(under + path)

    assert response.status_code == status
    assert (title if under == "/" else code) in response.content.decode()
    assert SECRET not in response.content.decode()


@pytest.mark.parametrize("under", ["/", "/api/", "/sse/"])
@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("answers/method", "Allow", "GET, PUT"),
        ("answers/limit", "Retry-After", "5"),
        ("answers/unavailable", "Retry-After", "5"),
        ("fails/tries", "Retry-After", "17"),
        ("fails/database", "Retry-After", "2"),
    ],
)
def test_header_that_says_what_to_do_is_kept(client, under, path, name, value):
    response = client.get(under + path)

    assert response.headers[name] == value


@pytest.mark.parametrize("under", ["/", "/api/", "/sse/"])
@pytest.mark.parametrize(("path", "status", "code", "title"), FAILURES, ids=IDS)
def test_error_is_kept_by_no_cache(client, under, path, status, code, title):
    response = client.get(under + path)

    assert response.headers["Cache-Control"] == "no-store"


# What fails before a view


@pytest.mark.parametrize("path", ["/", "/api/v1/account/session", "/sse/positions", "/admin/"])
def test_unknown_host_is_refused(client, path):
    response = client.get(path, headers={"Host": "elsewhere.example"})

    assert response.status_code == 400
    assert ("Not understood" if path in ("/", "/admin/") else "malformed_request") in response.text


def test_form_without_its_token_is_told_on_a_page():
    browser = Client(enforce_csrf_checks=True)

    response = browser.post("/admin/login/", {"username": "ada", "password": "secret"})

    assert response.status_code == 403
    assert "<h1>Not allowed</h1>" in response.text
    assert "comes from a page of this server" in response.text


def test_call_without_its_token_is_told_in_json():
    browser = Client(enforce_csrf_checks=True)

    response = browser.post("/api/v1/account/logout")

    assert response.status_code == 403
    assert code_of(response) == "csrf_failed"


@pytest.mark.parametrize("middleware", MIDDLEWARES)
@pytest.mark.parametrize("path", ["/healthz", "/api/v1/account/session", "/sse/positions"])
def test_database_that_fails_in_a_middleware_is_told(client, monkeypatch, middleware, path):
    monkeypatch.setattr(MIDDLEWARES[middleware], failing(OperationalError(SECRET)))

    response = client.get(path)

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "2"
    assert ("Back in a moment" if path == "/healthz" else "database_unavailable") in response.text


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary="])
@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/api/v1/account/authenticate", "malformed_request"),
        ("/api/v1/account/logout", "malformed_request"),
        ("/admin/login/", "Not understood"),
    ],
)
def test_form_without_a_boundary_is_not_understood(content_type, path, told):
    browser = Client(enforce_csrf_checks=True, raise_request_exception=False)
    browser.get("/api/v1/account/session")

    response = browser.post(path, b"nonsense", content_type=content_type)

    assert response.status_code == 400
    assert told in response.text


@pytest.mark.parametrize(
    ("setting", "form"),
    [
        ("DATA_UPLOAD_MAX_NUMBER_FIELDS", {"a": "1", "b": "2", "c": "3"}),
        (
            "DATA_UPLOAD_MAX_NUMBER_FILES",
            {"a": ContentFile(b"1", "a"), "b": ContentFile(b"2", "b")},
        ),
    ],
)
@pytest.mark.parametrize(
    ("path", "told"),
    [("/api/v1/account/logout", "malformed_request"), ("/admin/login/", "Not understood")],
)
def test_form_of_too_many_parts_is_refused(settings, setting, form, path, told):
    setattr(settings, setting, 1)
    browser = Client(enforce_csrf_checks=True, raise_request_exception=False)
    browser.get("/api/v1/account/session")

    response = browser.post(path, form)

    assert response.status_code == 400
    assert told in response.text


def test_body_that_is_too_large_is_refused(settings, client):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    client.get("/api/v1/account/session")

    response = client.post(
        "/api/v1/account/authenticate", "{}" + " " * 20, content_type="application/json"
    )

    assert response.status_code == 413
    assert code_of(response) == "request_too_large"


# Methods


def addresses():
    """Every address of the product itself, with a value for each of its parts."""
    found = []
    for pattern in get_resolver("config.urls").url_patterns:
        parts = getattr(pattern, "url_patterns", None)
        if str(pattern.pattern) == "admin/":
            continue
        for each in parts or [pattern]:
            prefix = "" if each is pattern else str(pattern.pattern)
            found.append("/" + _with_values(prefix + str(each.pattern)))
    # django-ninja lists one for each method.
    return list(dict.fromkeys(found))


def _with_values(pattern: str) -> str:
    pattern = pattern.replace("<ticker>", "KXNONE")
    return re.sub(r"<uuidstr:\w+>", str(UUID(int=1)), re.sub(r"<int:\w+>", "1", pattern))


ADDRESSES = [address for address in addresses() if address != "/api/v1/"]


def test_walk_finds_the_addresses():
    assert {"/", "/healthz", "/sse/positions", "/api/v1/account/credentials/1"} < set(ADDRESSES)


KNOWN = {
    ("PATCH", "/api/v1/account/accounts/1"),
    ("PUT", "/api/v1/account/positions/KXNONE/note"),
}
UNKNOWN_METHODS = [
    (method, address)
    for method in ("PUT", "PATCH", "OPTIONS", "TRACE", "BREW")
    for address in ADDRESSES
    if (method, address) not in KNOWN
]


METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}


@pytest.mark.parametrize(("method", "address"), UNKNOWN_METHODS)
def test_method_that_is_not_there_is_told_with_those_that_are(address, method):
    browser = Client(enforce_csrf_checks=True, raise_request_exception=False)

    response = browser.generic(method, address)

    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) <= METHODS
    assert response.headers["Cache-Control"] == "no-store"
    assert ("method_not_allowed" in response.text) == address.startswith(("/api/", "/sse/"))
    assert ("<h1>Not possible here</h1>" in response.text) != address.startswith(("/api/", "/sse/"))


@pytest.mark.parametrize("method", ["PUT", "DELETE", "BREW"])
def test_static_file_tells_its_methods_on_a_page(client, method):
    response = client.generic(method, "/static/css/page.css")

    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD"
    assert "<h1>Not possible here</h1>" in response.text


def test_static_file_tells_its_methods_under_asgi_too(async_client):
    response = async_to_sync(async_client.delete)("/static/css/page.css")

    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD"
    assert "<h1>Not possible here</h1>" in response.content.decode()


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/openapi.json", "/api/v1/docs"])
def test_head_is_answered_as_get(client, path):
    assert client.head(path).status_code == client.get(path).status_code == 200


def test_head_of_a_call_needs_a_session_as_get_does(client):
    assert client.head("/api/v1/account/positions").status_code == 401


def test_probe_tells_its_reasons_although_it_is_no_success(client):
    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["reasons"]


# DEBUG


def test_debugging_keeps_the_shape_for_programs(client, settings):
    settings.DEBUG = True

    assert code_of(client.get("/api/fails/bug")) == "internal_error"
    assert code_of(client.get("/sse/nothing-there")) == "not_found"


def test_debugging_shows_django_s_technical_pages_to_people(client, settings):
    settings.DEBUG = True

    assert "Traceback" in client.get("/fails/bug").text
    assert "tried these URL patterns" in client.get("/nothing-there").text
    assert "<h1>Not possible here</h1>" in client.get("/answers/method").text


def test_admin_s_own_refusal_is_told_on_a_page(admin_client):
    response = admin_client.get("/admin/accounts/account/add/")

    assert response.status_code == 403
    assert "<h1>Not allowed</h1>" in response.text


@pytest.mark.parametrize("under", ["/api/", "/", "/sse/"])
@pytest.mark.parametrize(
    ("path", "errors"),
    [
        ("fails/bug", 1),
        ("answers/broken", 1),
        ("fails/database", 0),
        ("fails/away", 0),
        ("fails/connection", 0),
    ],
)
def test_trouble_of_ours_is_an_error_in_the_log_and_what_passes_is_none(
    client, caplog, under, path, errors
):
    client.get(f"{under}{path}")

    told = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(told) >= errors
    assert bool(told) is bool(errors)


@pytest.mark.parametrize("middleware", MIDDLEWARES.values(), ids=MIDDLEWARES)
@pytest.mark.parametrize(
    ("error", "level"), [(RuntimeError("no"), "ERROR"), (OperationalError("away"), "WARNING")]
)
def test_what_fails_in_a_middleware_is_in_the_log(
    client, caplog, monkeypatch, middleware, error, level
):
    monkeypatch.setattr(middleware, failing(error))

    client.get("/answers/method")

    assert level in {record.levelname for record in caplog.records}
