"""What a browser keeps for when the server is away is nobody's, and changes with the page."""

import json
import re

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage

from streaming.web import offline
from tests.integration.visitors import make_account, make_user, person_session, visitor_with

pytestmark = pytest.mark.django_db

TYPES = {
    "/shell": "text/html",
    "/service-worker.js": "text/javascript",
    "/manifest.webmanifest": "application/manifest+json",
}


def shell_of(worker: str) -> dict:
    """What the service worker is told to keep."""
    return json.loads(re.search(r"keepShell\(self, (.*)\);", worker)[1])


@pytest.mark.parametrize("path", list(TYPES))
def test_is_the_same_for_everybody(client, path, django_assert_num_queries):
    olga = make_user("olga", "an orchard in late October")
    make_account(olga)
    _, token = person_session(olga)

    with django_assert_num_queries(0):
        answers = [client.get(path), visitor_with(token).browser.get(path)]

    assert answers[0].content == answers[1].content
    assert [dict(answer.cookies) for answer in answers] == [{}, {}]
    assert [answer.headers.get("Vary") for answer in answers] == [None, None]


@pytest.mark.parametrize(("path", "content_type"), list(TYPES.items()))
def test_may_be_kept_but_is_asked_for_again(client, path, content_type):
    answer = client.get(path)

    assert answer.headers["Content-Type"] == f"{content_type}; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"


def test_shell_is_the_dashboard_without_an_account(client):
    text = client.get("/shell").content.decode()

    assert "<portfolio-summary-bar" in text
    assert "data-shell" in text
    assert "<option" not in re.search(r'<select id="account">.*?</select>', text, re.DOTALL)[0]
    assert not re.search("data-user|data-session|csrf", text)


def test_all_that_the_shell_loads_is_kept(client):
    page = client.get("/shell").content.decode()

    loaded = set(re.findall(r'(?:href|src)="(/static/[^"]+\.(?:js|css|svg))"', page))

    kept = set(shell_of(client.get("/service-worker.js").content.decode())["files"])
    assert loaded
    assert loaded <= kept
    assert staticfiles_storage.url("js/offline/shell.js") in kept
    assert not any("/admin/" in file for file in kept)


def test_whatever_is_kept_is_there(client):
    shell = shell_of(client.get("/service-worker.js").content.decode())

    statuses = {path: client.head(path).status_code for path in [shell["page"], *shell["files"]]}

    assert set(statuses.values()) == {200}


def test_version_changes_with_the_shell(client, settings):
    before = shell_of(offline._service_worker())
    settings.MARK_PRICE = "last"

    after = shell_of(offline._service_worker())

    assert before["version"] != after["version"]


def test_nothing_is_kept_while_the_names_of_files_say_nothing_of_their_content(settings):
    settings.DEBUG = True

    assert shell_of(offline._service_worker())["files"] == []


def test_page_can_be_installed(client):
    page = client.get("/").content.decode()
    manifest = client.get("/manifest.webmanifest").json()

    assert '<link rel="manifest" href="/manifest.webmanifest">' in page
    assert (manifest["start_url"], manifest["display"]) == ("/", "standalone")
    assert {(icon["sizes"], icon["purpose"]) for icon in manifest["icons"]} == {
        ("192x192", "any"),
        ("512x512", "any"),
        ("512x512", "maskable"),
    }
    for icon in manifest["icons"]:
        assert client.head(icon["src"]).headers["Content-Type"] == "image/png"


def test_who_is_not_in_gets_no_page_of_somebody(client):
    assert "data-user" not in client.get("/").content.decode()


def test_page_says_whose_it_is():
    olga = make_user("olga", "an orchard in late October")
    _, token = person_session(olga)

    page = visitor_with(token).browser.get("/").content.decode()

    assert f'<body class="dashboard" data-user="{olga.pk}">' in page
