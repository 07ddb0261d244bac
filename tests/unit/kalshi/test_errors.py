import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi.errors import (
    ClockSkew,
    KalshiError,
    KeyRefused,
    RateLimited,
    RequestRejected,
    ScopeRefused,
    ServerFailed,
    TurnedAway,
    Unavailable,
    error_of_response,
)


def error(status, body=b"", date=None):
    return error_of_response(
        status, body if isinstance(body, bytes) else json.dumps(body).encode(), date
    )


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ("unknown_key", "does not know this API key ID"),
        ("wrong_signature", "does not belong to this API key ID"),
        ("missing_signature", "does not accept this API key"),
    ],
)
def test_refused_key_is_told_apart_by_its_cause(refusals, cause, words):
    refused = error(401, refusals[cause])

    assert isinstance(refused, KeyRefused)
    assert words in str(refused)


def test_expired_timestamp_is_a_clock_and_not_a_key(refusals):
    skew = error(401, refusals["expired_timestamp"], "Thu, 11 Jun 2026 06:29:08 GMT")

    assert isinstance(skew, ClockSkew)
    assert skew.server_time == datetime(2026, 6, 11, 6, 29, 8, tzinfo=UTC)
    assert "06:29:08 UTC" in str(skew)


@pytest.mark.parametrize("date", [None, "", "yesterday", "Thu, 99 Jun 2026 06:29:08 GMT"])
def test_expired_timestamp_without_a_usable_date_has_no_server_time(refusals, date):
    skew = error(401, refusals["expired_timestamp"], date)

    assert isinstance(skew, ClockSkew)
    assert skew.server_time is None


@pytest.mark.parametrize(
    ("cause", "status", "code"),
    [
        ("not_found", 404, "not_found"),
        ("body_not_decoded", 400, "bad_request"),
        ("limit_over_maximum", 400, None),
    ],
)
def test_rejected_request_keeps_status_and_code(refusals, cause, status, code):
    rejected = error(status, refusals[cause])

    assert isinstance(rejected, RequestRejected)
    assert (rejected.status, rejected.code) == (status, code)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (403, b'{"error": {"code": "forbidden"}}', ScopeRefused),
        (429, b'{"error": "too many requests"}', RateLimited),
        (404, b"404 page not found", RequestRejected),
        (408, b"", Unavailable),
        (301, b"", Unavailable),
        (502, b"<html><h1>Bad Gateway</h1></html>", ServerFailed),
        (503, b"", ServerFailed),
        (503, b'{"error": {"code": "service_unavailable"}}', ServerFailed),
    ],
)
def test_status_decides_where_the_body_says_nothing(status, body, kind):
    assert type(error(status, body)) is kind


@given(status=st.integers(300, 599), body=st.binary(), date=st.none() | st.text())
def test_no_answer_makes_reading_its_error_fail(status, body, date):
    assert isinstance(error_of_response(status, body, date), KalshiError)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["error", "code", "details"]), inner)
    ),
)


@given(status=st.integers(400, 499), body=json_values)
def test_no_json_makes_reading_its_error_fail(status, body):
    assert isinstance(error(status, body), KalshiError)


def test_deeply_nested_body_is_no_reason_to_fail():
    assert isinstance(error(400, b'{"error":' * 100_000), RequestRejected)


@pytest.mark.parametrize("code", ["<script>", "a" * 65, "two words", 7, None, ["x"]])
def test_code_that_is_not_a_plain_word_is_not_repeated(code):
    rejected = error(400, {"error": {"code": code}})

    assert rejected.code is None
    assert str(rejected) == "The exchange rejected the request (400)."


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"Forbidden",
        b"<!DOCTYPE html><html><head><title>Access denied</title></head></html>",
        b'{"message": "Forbidden"}',
        b'{"error": "unauthorized"}',
        b'{"error": {"code": null}}',
        b'["authentication_error"]',
    ],
)
def test_refusal_without_the_exchanges_own_error_is_no_verdict_on_the_key(status, body):
    turned_away = error(status, body)

    assert type(turned_away) is TurnedAway
    assert isinstance(turned_away, Unavailable)
    assert f"{status}" in str(turned_away)


@pytest.mark.parametrize("code", ["AccessDenied", "unauthorized", "token_expired"])
def test_code_of_a_gateway_is_no_verdict_on_the_key(code):
    assert type(error(401, {"error": {"code": code, "message": "no"}})) is TurnedAway


@pytest.mark.parametrize("code", ["authentication_error", "signature_is_missing_from_headers"])
def test_the_exchanges_own_words_are_a_verdict_on_the_key(code):
    assert type(error(401, {"error": {"code": code}})) is KeyRefused


@pytest.mark.parametrize("status", [400, 401, 403, 503])
def test_error_without_measure_is_not_read(refusals, status):
    padded = refusals["unknown_key"] | {"padding": "x" * 70_000}

    refused = error(status, padded)

    assert not isinstance(refused, KeyRefused)
    assert not isinstance(refused, ScopeRefused)
