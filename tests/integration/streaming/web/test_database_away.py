"""Trouble with the database is told as such wherever it strikes, and other trouble is not."""

import pytest
from django.db import DataError, InterfaceError, OperationalError

from accounts import sessions

PAGE = "/"


@pytest.fixture
def client(client):
    client.raise_request_exception = False
    return client


def failing(error: Exception):
    def fail(*args, **kwargs):
        raise error

    return fail


@pytest.mark.parametrize("error", [OperationalError("/a/path"), InterfaceError("/a/path")])
def test_page_says_that_the_database_is_away(client, monkeypatch, error):
    monkeypatch.setattr(sessions, "of_request", failing(error))

    response = client.get(PAGE)

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "2"
    assert response.headers["Cache-Control"] == "no-store"
    assert "The database cannot be reached" in response.content.decode()
    assert "/a/path" not in response.content.decode()


def test_call_says_so_in_the_shape_of_its_errors(client, monkeypatch):
    monkeypatch.setattr(sessions, "of_request", failing(OperationalError("/a/path")))
    client.cookies[sessions.COOKIE] = "any"

    response = client.get("/api/v1/account/session")

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "2"
    assert response.json()["error"]["code"] == "database_unavailable"


def test_trouble_in_a_middleware_is_told_too(client, monkeypatch):
    monkeypatch.setattr(
        "django.middleware.csrf.CsrfViewMiddleware.process_response",
        failing(OperationalError("lost while saving")),
    )

    response = client.get("/healthz")

    assert response.status_code == 503
    assert "The database cannot be reached" in response.content.decode()


@pytest.mark.parametrize("error", [DataError("ours"), ValueError("ours")])
def test_mistake_of_ours_is_no_trouble_with_the_database(client, monkeypatch, error):
    monkeypatch.setattr(sessions, "of_request", failing(error))

    response = client.get(PAGE)

    assert response.status_code == 500
    assert "Something went wrong" in response.content.decode()
