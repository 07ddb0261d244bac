"""A token that we signed, but whose claims no sane issuer writes, is no session and no error."""

import base64
import json
import math
import time
from uuid import uuid4

import jwt
import pytest
from django.conf import settings
from django.test import Client, RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from accounts import sessions

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.text(),
    st.lists(st.integers()),
    st.dictionaries(st.text(), st.integers()),
    st.sampled_from([math.nan, math.inf, -math.inf, 1e300, -1e300, 10**30, -(10**30), 10**400]),
)
ODD_TIMES = (
    ODD | st.floats(max_value=-1) | st.integers(min_value=10**12) | st.integers(max_value=-1)
)
ODD_IDS = ODD | st.floats() | st.integers(min_value=2**63) | st.integers(max_value=0)
ODD_SESSIONS = ODD | st.floats() | st.integers()


def signed(**changes):
    now = int(time.time())
    claims = {"user_id": 1, "sid": str(uuid4()), "iat": now, "exp": now + 3600} | changes
    return jwt.encode(claims, settings.JWT_SECRET_KEY, algorithm="HS256")


def session_of(token):
    """Where the claims are sane this asks the database, which a unit test may not."""
    request = RequestFactory().get("/")
    request.COOKIES[sessions.COOKIE] = token
    return sessions.of_request(request)


def test_sane_token_is_looked_up():
    with pytest.raises(RuntimeError, match="Database access not allowed"):
        session_of(signed())


@pytest.mark.parametrize("claim", ["iat", "nbf", "exp"])
@given(value=ODD_TIMES)
def test_odd_time_is_no_session(claim, value):
    assert session_of(signed(**{claim: value})) is None


@given(value=ODD_IDS)
def test_odd_user_is_no_session(value):
    assert session_of(signed(user_id=value)) is None


@given(value=ODD_SESSIONS)
def test_odd_session_id_is_no_session(value):
    assert session_of(signed(sid=value)) is None


@given(
    claims=st.fixed_dictionaries(
        {"iat": ODD}, optional=dict.fromkeys(["exp", "user_id", "sid"], ODD)
    )
)
def test_odd_claims_together_are_no_session(claims):
    assert session_of(signed(**claims)) is None


@pytest.mark.parametrize("claim", ["iat", "exp", "user_id", "sid"])
def test_absent_claim_is_no_session(claim):
    claims = jwt.decode(signed(), options={"verify_signature": False})
    del claims[claim]

    assert session_of(jwt.encode(claims, settings.JWT_SECRET_KEY, algorithm="HS256")) is None


@pytest.mark.parametrize(
    "value",
    [1e300, -1e300, math.nan, math.inf, True, False, "1", [], 10**30, None],
    ids=str,
)
@pytest.mark.parametrize("claim", ["iat", "nbf", "exp", "user_id", "sid"])
def test_call_with_an_odd_token_is_not_signed_in(claim, value):
    browser = Client()
    browser.cookies[sessions.COOKIE] = signed(**{claim: value})

    response = browser.get("/api/v1/account/session")

    assert response.status_code == 401
    assert response.json()["error"]["code"] == "not_signed_in"


def part(text):
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "header",
    ["[" * 5_000, "{}", "[]", "1", "null", '{"alg": []}', '{"alg": null}', "1" * 5_000],
    ids=lambda header: header[:12],
)
def test_odd_header_is_no_session(header):
    assert session_of(f"{part(header)}.{part(json.dumps({}))}.AA") is None


def test_payload_nested_too_deep_is_no_session():
    algorithm = jwt.get_algorithm_by_name("HS256")
    signing_input = f"{part(json.dumps({'alg': 'HS256'}))}.{part('[' * 5_000)}"
    key = algorithm.prepare_key(settings.JWT_SECRET_KEY)
    signature = base64.urlsafe_b64encode(algorithm.sign(signing_input.encode(), key))

    assert session_of(f"{signing_input}.{signature.decode().rstrip('=')}") is None
