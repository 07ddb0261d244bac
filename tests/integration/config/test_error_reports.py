"""Django's technical pages show how an error came about, and none of the secrets at hand."""

import html

import pytest
from django.test import AsyncClient, Client

from config.error_reports import HIDDEN
from tests.integration.config.leaking_urls import DATABASE_PASSWORD, PRIVATE_KEY

pytestmark = pytest.mark.urls("tests.integration.config.leaking_urls")

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoxfQ.c2lnbmF0dXJl"
HEADERS = {
    "Authorization": "Bearer metrics-bearer",
    "X-CSRFToken": "csrf-token-of-the-header",
    "X-Api-Key": "key-of-the-header",
}
COOKIES = {
    "session": TOKEN,
    "admin_session": "session-of-the-admin",
    "csrftoken": "csrf-token-of-the-cookie",
    "other": "cookie-of-another-program",
}
FORM = {"private_key": PRIVATE_KEY, "password": "pass-of-the-form", "api_key_id": "id-of-the-form"}


@pytest.fixture(autouse=True)
def debugging(settings, monkeypatch):
    settings.DEBUG = True
    settings.METRICS_TOKEN = "metrics-token-setting"
    # The dictionary itself is put back: what the connections look at is that one.
    with_password = settings.DATABASES["default"] | {"PASSWORD": DATABASE_PASSWORD}
    monkeypatch.setitem(settings.DATABASES, "default", with_password)


@pytest.fixture
def browser():
    browser = Client(raise_request_exception=False)
    browser.cookies.load(COOKIES)
    return browser


def secrets_of(settings):
    return [
        *PRIVATE_KEY.splitlines()[1:-1],
        settings.SECRET_KEY,
        settings.JWT_SECRET_KEY,
        *settings.ENCRYPTION_SECRET_KEY,
        settings.METRICS_TOKEN,
        DATABASE_PASSWORD,
        "another-password",
        "metrics-bearer",
        "-of-the-header",
        *COOKIES.values(),
        "pass-of-the-form",
        "id-of-the-form",
        "link-token",
    ]


@pytest.mark.parametrize("accept", ["text/html", "text/plain", "application/json"])
@pytest.mark.parametrize("path", ["/leak", "/leak?token=link-token"])
def test_report_tells_the_error_without_a_secret(browser, settings, accept, path):
    response = browser.post(path, FORM, headers={**HEADERS, "Accept": accept})

    shown = html.unescape(response.text)
    assert response.status_code == 500
    assert "RuntimeError" in shown
    assert "gave up" in shown
    assert "cannot connect by" in shown
    assert [secret for secret in secrets_of(settings) if secret in shown] == []
    assert [secret for secret in secrets_of(settings) if repr(secret)[1:-1] in shown] == []


def test_report_shows_what_is_no_secret(browser):
    page = html.unescape(browser.post("/leak", FORM, headers=HEADERS).text)

    assert "'what one wants to see'" in page
    assert "db.example" in page
    assert "private_key" in page
    assert "another program" not in page
    assert HIDDEN in page


@pytest.mark.parametrize("name", ["session", "admin_session", "csrftoken", "other"])
def test_cookie_is_shown_by_its_name_alone(browser, name):
    page = browser.get("/leak").text

    assert f"<td>{name}</td>" in page
    assert COOKIES[name] not in page


async def test_report_under_asgi_shows_no_secret_of_the_server_s_own_frames(settings):
    browser = AsyncClient(raise_request_exception=False)
    browser.cookies.load(COOKIES)

    response = await browser.post("/leak?token=link-token", FORM, headers=HEADERS)

    shown = html.unescape(response.content.decode())
    assert "gave up" in shown
    assert [secret for secret in secrets_of(settings) if secret in shown] == []
