"""The API's documentation as a browser gets it."""

import html
import re

import pytest

from config.api import api

PAGE = "/api/v1/docs"


@pytest.fixture
def page(client):
    return client.get(PAGE).text


def calls_of(document):
    return [
        f"<code><b>{method.upper()}</b> {path}</code>"
        for path, operations in document["paths"].items()
        for method in operations
    ]


def test_every_call_and_every_shape_is_documented(page):
    document = api.get_openapi_schema()

    assert [call for call in calls_of(document) if call not in page] == []
    shapes = document["components"]["schemas"]
    assert [name for name in shapes if f'id="shape-{name}"' not in page] == []


def test_what_is_documented_of_a_call_is_there(page):
    text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", page)))

    assert "Sign in with an API key of the exchange; signed in, add its account to yours." in text
    assert 'environment "production" or "demo" or "sandbox"' in text
    assert "accept_trading_key true or false, else false · may be left out" in text
    assert "credential_id in the path whole number" in text
    assert "200 OK: SignedInOut user_id whole number" in text
    assert "401 Unauthorized: ErrorOut" in text


def test_every_link_inside_the_page_leads_somewhere(page):
    links = set(re.findall(r'href="#([^"]+)"', page))
    anchors = re.findall(r' id="([^"]+)"', page)

    assert len(anchors) == len(set(anchors))
    assert links
    assert links <= set(anchors)


def test_page_needs_no_script_and_no_style_of_its_own(page):
    assert "<script" not in page
    assert "style=" not in page
    assert "<style" not in page
    assert '<link rel="stylesheet" href="/static/css/page.' in page


def test_page_lives_under_the_rules_of_every_other(client):
    policy = client.get(PAGE).headers["Content-Security-Policy"]

    assert policy == client.get("/healthz").headers["Content-Security-Policy"]
    assert "unsafe" not in policy


def test_document_for_programs_is_linked_and_there(client, page):
    assert 'href="/api/v1/openapi.json"' in page
    assert client.get("/api/v1/openapi.json").json()["openapi"].startswith("3.")
