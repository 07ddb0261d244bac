"""Signing in while the exchange, or what stands before it, answers something odd."""

import threading
from dataclasses import replace

import pytest

from accounts import key_check
from accounts.models import Account, Credential
from tests.integration.visitors import Visitor

pytestmark = pytest.mark.django_db

HTML = b"<!DOCTYPE html><html><head><title>Attention Required!</title></head></html>"
ROW = {
    "ticker": "KXGAME-1-A",
    "position_fp": "3.00",
    "market_exposure_dollars": "1.500000",
    "realized_pnl_dollars": "0.000000",
    "fees_paid_dollars": "0.010000",
}


@pytest.fixture
def alice() -> Visitor:
    return Visitor()


def error_of(response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"ticker": "KXGAME-1-B"},
        ROW | {"position_fp": "three"},
        ROW | {"market_exposure_dollars": None},
        "no row at all",
    ],
    ids=["empty", "ticker alone", "odd quantity", "no cost", "text"],
)
def test_odd_position_is_no_reason_to_refuse_the_key(alice, exchange, row):
    key = exchange.issue_key("alice")
    positions = {"market_positions": [ROW, row], "event_positions": [], "cursor": ""}
    exchange.instead["/portfolio/positions"] = (200, positions)

    assert alice.sign_in(key).status_code == 200
    assert Credential.objects.get().status == "usable"


@pytest.mark.parametrize(
    "record",
    [{}, {"api_key_id": 7}, {"api_key_id": "another", "subaccount": "x"}, None],
    ids=["empty", "number for an id", "odd subaccount", "null"],
)
def test_odd_record_of_another_key_costs_nothing(alice, exchange, record):
    key = exchange.issue_key("alice")
    own = {"api_key_id": key.api_key_id, "name": None, "scopes": ["read"]}
    exchange.instead["/api_keys"] = (200, {"api_keys": [record, own]})

    assert alice.sign_in(key).status_code == 200
    assert Credential.objects.get().scopes == ["read"]


@pytest.mark.parametrize(
    "record",
    [
        {"api_key_id": "a" * 5_000},
        {"api_key_id": "nul\0"},
        {"api_key_id": "another", "subaccount": -1},
        {"api_key_id": "another", "subaccount": 2**40},
        {"api_key_id": "a" * 128, "subaccount": 2**31 - 1, "scopes": ["x" * 64] * 100},
    ],
    ids=["long id", "NUL", "negative subaccount", "large subaccount", "all at their largest"],
)
def test_record_that_no_column_can_hold_costs_nothing(alice, exchange, record):
    key = exchange.issue_key("alice")
    own = {"api_key_id": key.api_key_id, "subaccount": 2**31 - 1, "scopes": ["x" * 64] * 100}
    exchange.keys[key.api_key_id] = replace(exchange.keys[key.api_key_id], subaccount=2**31 - 1)
    exchange.instead["/api_keys"] = (200, {"api_keys": [record, own]})

    response = alice.sign_in(key, accept_trading_key=True)

    assert response.status_code == 200
    assert Account.objects.get().subaccount == 2**31 - 1
    assert Credential.objects.get().scopes == ["x" * 64] * 100


@pytest.mark.parametrize("own", [{"subaccount": -1}, {"subaccount": 2**31}], ids=str)
def test_own_record_that_no_column_can_hold_is_as_if_it_were_not_listed(alice, exchange, own):
    key = exchange.issue_key("alice")
    record = {"api_key_id": key.api_key_id, "scopes": ["read"]} | own
    exchange.instead["/api_keys"] = (200, {"api_keys": [record]})

    assert error_of(alice.sign_in(key)) == (409, "trading_key_unconfirmed")


@pytest.mark.parametrize(
    "scopes",
    [None, "read", {}, 7, ["read", "nul\0"], ["read", "x" * 5_000], ["read"] * 5_000],
    ids=lambda scopes: f"{scopes!r:.20}",
)
def test_own_record_with_odd_scopes_counts_as_one_whose_scopes_are_not_told(
    alice, exchange, scopes
):
    key = exchange.issue_key("alice")
    own = {"api_key_id": key.api_key_id, "scopes": scopes}
    exchange.instead["/api_keys"] = (200, {"api_keys": [own]})

    assert error_of(alice.sign_in(key)) == (409, "trading_key_unconfirmed")
    assert alice.sign_in(key, accept_trading_key=True).status_code == 200
    # Of the account that lists it, not one of its own.
    assert Account.objects.get().sole_key_id == ""


@pytest.mark.parametrize(
    ("status", "answer"),
    [(502, HTML), (404, b"404 page not found"), (200, HTML), (200, {"exchange_active": None})],
    ids=["502", "404", "a page", "odd"],
)
def test_status_that_cannot_be_read_is_no_reason_to_refuse_the_key(alice, exchange, status, answer):
    exchange.instead["/exchange/status"] = (status, answer)

    assert alice.sign_in(exchange.issue_key("alice")).status_code == 200


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("body", [HTML, b"Forbidden", b"", b'{"message": "Forbidden"}'])
@pytest.mark.parametrize("path", ["/api_keys", "/portfolio/positions"])
def test_refusal_by_the_edge_is_told_as_such_and_is_no_failed_try(
    alice, exchange, path, status, body
):
    key = exchange.issue_key("alice")
    exchange.instead[path] = (status, body)

    answers = [alice.sign_in(key) for _ in range(11)]

    assert {error_of(answer) for answer in answers} == {(503, "exchange_unavailable")}
    assert "not judged" in answers[0].json()["error"]["message"]
    assert not Credential.objects.exists()


@pytest.mark.parametrize("status", [200, 401, 403])
@pytest.mark.parametrize("path", ["/api_keys", "/portfolio/positions"])
def test_answer_without_measure_is_told_as_such_and_is_no_failed_try(alice, exchange, path, status):
    key = exchange.issue_key("alice")
    exchange.instead[path] = (status, b" " * (8 * 2**20 + 1))

    answers = [alice.sign_in(key) for _ in range(11)]

    assert {error_of(answer) for answer in answers} == {(503, "exchange_unavailable")}
    assert "answer is too large" in answers[0].json()["error"]["message"]
    assert not Credential.objects.exists()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((429, {}), "too many requests from this account. Another program"),
        ((500, b"<html>"), "is not available at the moment (500). Try again"),
        ((400, {"error": {"code": "bad"}}), "rejected the request (400, bad). Try again"),
        ((200, {"market_positions": 7}), "this version does not understand"),
    ],
    ids=str,
)
def test_failure_is_told_as_what_it_is(alice, exchange, answer, words):
    exchange.instead["/portfolio/positions"] = answer

    told = alice.sign_in(exchange.issue_key("alice"))

    assert error_of(told) == (503, "exchange_unavailable")
    assert words in told.json()["error"]["message"]


def test_exchange_that_was_asked_too_much_is_asked_once_more(alice, exchange, monkeypatch):
    key = exchange.issue_key("alice")
    answers = iter([(429, {}), None, None])
    listed = exchange.answer

    def answer(path, query, headers):
        told = next(answers) if path.endswith("/api_keys") else None
        return told or listed(path, query, headers)

    monkeypatch.setattr(exchange, "answer", answer)

    assert alice.sign_in(key).status_code == 200


def test_silent_status_is_waited_for_by_nobody(alice, exchange, monkeypatch):
    monkeypatch.setattr(key_check, "STATUS_SECONDS", 0.05)
    key = exchange.issue_key("alice")
    answered = threading.Event()
    listed = exchange.answer

    def answer(path, query, headers):
        if path.endswith("/exchange/status"):
            assert answered.wait(20)
        return listed(path, query, headers)

    monkeypatch.setattr(exchange, "answer", answer)

    assert alice.sign_in(key).status_code == 200
    answered.set()
