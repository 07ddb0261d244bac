"""Every kind of response carries the same rules for browsers."""

import gc
import re
from contextlib import closing

import pytest
from asgiref.sync import async_to_sync
from django.contrib.staticfiles.storage import staticfiles_storage
from django.test import AsyncClient, Client

from config.static_files import StaticFilesMiddleware

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls("tests.integration.config.failing_urls"),
]

STYLE_SHEET = "/static/css/page.css"
# What is asked for, and what comes: method, path, headers, status, whether caches may have it.
KINDS = [
    pytest.param("GET", "/", {}, 200, False, id="page"),
    pytest.param("HEAD", "/", {}, 200, False, id="head of a page"),
    pytest.param("GET", "/shell", {}, 200, True, id="shell"),
    pytest.param("GET", "/service-worker.js", {}, 200, True, id="service worker"),
    pytest.param("GET", "/manifest.webmanifest", {}, 200, True, id="manifest"),
    pytest.param("GET", STYLE_SHEET, {}, 200, True, id="static file"),
    pytest.param("GET", STYLE_SHEET, {"Range": "bytes=0-9"}, 206, True, id="part of a static file"),
    pytest.param("GET", STYLE_SHEET, {"If-None-Match": "known"}, 304, True, id="unchanged file"),
    pytest.param("GET", STYLE_SHEET, {"Range": "bytes=9999999-"}, 416, False, id="no such part"),
    pytest.param("POST", STYLE_SHEET, {}, 405, False, id="static file by another method"),
    pytest.param("GET", "/static/none.css", {}, 404, False, id="no such static file"),
    pytest.param("GET", "/healthz", {}, 200, False, id="health"),
    pytest.param("GET", "/readyz", {}, 503, False, id="readiness"),
    pytest.param("GET", "/api/v1/openapi.json", {}, 200, False, id="call"),
    pytest.param("GET", "/api/v1/docs", {}, 200, False, id="documentation"),
    pytest.param("GET", "/api/v1/account/session", {}, 401, False, id="refused call"),
    pytest.param("GET", "/api/v1/nothing", {}, 404, False, id="unknown call"),
    pytest.param("POST", "/sse/positions", {}, 405, False, id="stream by another method"),
    pytest.param("GET", "/nothing", {}, 404, False, id="unknown page"),
    pytest.param("GET", "/fails/bug", {}, 500, False, id="bug"),
    pytest.param("GET", "/fails/database", {}, 503, False, id="database away"),
    pytest.param("GET", "/", {"Host": "elsewhere.example"}, 400, False, id="unknown host"),
    pytest.param("GET", "/admin", {}, 301, True, id="redirect by its slash"),
    pytest.param("GET", "/admin/", {}, 302, False, id="admin to its sign-in"),
    pytest.param("GET", "/admin/login/", {}, 200, False, id="admin's sign-in"),
]


def rules_of(response):
    return {
        name: response.headers.get(name)
        for name in (
            "Cross-Origin-Resource-Policy",
            "Cross-Origin-Opener-Policy",
            "X-Content-Type-Options",
            "Referrer-Policy",
        )
    }


RULES = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


@async_to_sync
async def asked(browser, method, path, **request):
    return await browser.generic(method, path, **request)


@pytest.fixture
def known():
    """The style sheet's ETag, for those who send it back."""
    return Client().head(STYLE_SHEET).headers["ETag"]


@pytest.mark.parametrize(("method", "path", "headers", "status", "may_be_kept"), KINDS)
def test_response_carries_the_rules(known, method, path, headers, status, may_be_kept):
    browser = Client(raise_request_exception=False)
    sent = {name: value.replace("known", known) for name, value in headers.items()}

    with closing(browser.generic(method, path, headers=sent)) as response:
        pass

    assert response.status_code == status
    assert rules_of(response) == RULES
    assert "Access-Control-Allow-Origin" not in response.headers
    assert "script-src 'self';" in response.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert response.headers["Permissions-Policy"]
    assert ("no-store" in response.headers.get("Cache-Control", "")) != may_be_kept


@pytest.mark.parametrize(("method", "path", "headers", "status", "may_be_kept"), KINDS)
def test_response_under_asgi_carries_them_too(known, method, path, headers, status, may_be_kept):
    browser = AsyncClient(raise_request_exception=False)
    sent = {name: value.replace("known", known) for name, value in headers.items()}

    with closing(asked(browser, method, path, headers=sent)) as response:
        pass

    assert response.status_code == status
    assert rules_of(response) == RULES
    assert response.headers["Permissions-Policy"]
    assert ("no-store" in response.headers.get("Cache-Control", "")) != may_be_kept


@pytest.mark.parametrize("path", ["/", "/api/v1/docs", "/nothing", "/healthz", STYLE_SHEET])
def test_page_of_ours_makes_no_markup_from_text(client, path):
    policy = client.head(path).headers["Content-Security-Policy"]

    assert (
        "require-trusted-types-for 'script'; trusted-types stream-worker service-worker" in policy
    )


def test_admin_s_own_scripts_may_make_markup(admin_client):
    policy = admin_client.get("/admin/").headers["Content-Security-Policy"]

    assert "trusted-types" not in policy


def test_page_loads_from_its_own_origin_and_nothing_but_what_it_needs(client):
    policy = client.get("/").headers["Content-Security-Policy"]

    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert {name: sources for name, sources in rules.items() if name.endswith("-src")} == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "worker-src": "'self'",
    }


def test_file_of_a_visitor_who_hangs_up_is_closed(rf):
    middleware = StaticFilesMiddleware(lambda request: None)
    response = middleware(rf.get(staticfiles_storage.url("css/page.css")))
    file = response.file_to_stream

    # As Django forgets it, without closing it.
    del response
    gc.collect()

    assert file.closed


def test_hashed_static_file_is_kept_for_ever(client):
    response = client.head(staticfiles_storage.url("css/page.css"))

    assert "immutable" in response.headers["Cache-Control"]


def test_device_is_out_of_reach_but_for_passkeys_and_the_full_screen(client):
    policy = client.get("/").headers["Permissions-Policy"]

    features = dict(re.findall(r"([a-z-]+)=\((.*?)\)", policy))
    assert {name for name, who in features.items() if who} == {
        "publickey-credentials-get",
        "publickey-credentials-create",
        "fullscreen",
    }
    assert {"camera", "microphone", "geolocation", "usb", "payment", "serial"} < set(features)
    assert policy.count("=") == len(features)
