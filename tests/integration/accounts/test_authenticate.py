import base64
import json
import logging

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from accounts import credentials, key_sign_in
from accounts.devices import Device
from accounts.encryption import Secret
from accounts.key_sign_in import ShownKey
from accounts.models import Account, Credential, Session
from kalshi.signing import SigningKey
from tests.integration.accounts.conftest import error_of
from tests.integration.accounts.exchange import Key
from tests.integration.visitors import ACCOUNT

pytestmark = pytest.mark.django_db


def nothing_is_stored():
    return not (Account.objects.exists() or Credential.objects.exists() or Session.objects.exists())


def test_good_key_signs_in(alice, exchange):
    key = exchange.issue_key("alice")

    response = alice.sign_in(key)

    account = Account.objects.get()
    credential = Credential.objects.get()
    session = Session.objects.get()
    assert response.status_code == 200
    assert response.json() == {
        "user_id": account.owner_id,
        "account": response.json()["account"],
        "expires_at": session.expires_at.isoformat().replace("+00:00", "Z"),
        "credential": {
            "id": credential.pk,
            "account_id": account.pk,
            "environment": "demo",
            "api_key_id_hint": f"…{key.api_key_id[-4:]}",
            "status": "usable",
            "scopes": ["read"],
            "created_at": response.json()["credential"]["created_at"],
            "checked_at": response.json()["credential"]["checked_at"],
        },
    }
    assert credential.private_key.reveal() == key.private_key


def test_sign_in_replaces_the_csrf_token(alice, exchange):
    alice.get("session")
    planted = alice.browser.cookies["csrftoken"].value

    alice.sign_in(exchange.issue_key("alice"))

    fresh = alice.browser.cookies["csrftoken"].value
    with_planted = alice.browser.post(ACCOUNT + "refresh", headers={"X-CSRFToken": planted})
    with_fresh = alice.browser.post(ACCOUNT + "refresh", headers={"X-CSRFToken": fresh})
    assert error_of(with_planted) == (403, "csrf_failed")
    assert with_fresh.status_code == 202


def test_refused_sign_in_leaves_the_csrf_token_as_it_is(alice, exchange):
    alice.get("session")
    before = alice.browser.cookies["csrftoken"].value

    alice.sign_in(Key("no-such-key", exchange.issue_key("alice").private_key))

    assert alice.browser.cookies["csrftoken"].value == before


def test_session_cookie_is_out_of_reach_of_scripts_and_other_sites(alice, exchange):
    response = alice.sign_in(exchange.issue_key("alice"))

    cookie = response.cookies["session"]
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert cookie["secure"] == ""
    assert cookie["max-age"] == 24 * 60 * 60


def test_session_cookie_is_secure_where_the_product_is_reached_by_https(alice, exchange, settings):
    settings.COOKIES_SECURE = True

    response = alice.sign_in(exchange.issue_key("alice"))

    assert response.cookies["session"]["secure"] is True


def test_sign_in_asks_nothing_of_the_balance(alice, exchange):
    alice.sign_in(exchange.issue_key("alice"))

    assert exchange.paths == [
        "/trade-api/v2/exchange/status",
        "/trade-api/v2/api_keys",
        "/trade-api/v2/portfolio/positions",
    ]


def test_key_is_shown_in_no_response_and_no_log(alice, exchange, everything_logged):
    key = exchange.issue_key("alice")
    secret = key.private_key.splitlines()[1]

    responses = [
        alice.sign_in(key),
        alice.sign_in(key, environment="nowhere"),
        alice.sign_in(Key(key.api_key_id, key.private_key.replace("BEGIN", "BEGUN"))),
        alice.sign_in(Key("two words", key.private_key)),
        alice.sign_in(key, private_key=[key.private_key]),
        alice.post("authenticate", [key.private_key]),
        alice.get("session"),
    ]

    assert [response.status_code for response in responses] == [200, 422, 422, 422, 422, 422, 200]
    assert secret not in "".join(response.content.decode() for response in responses)
    assert secret not in everything_logged.text
    assert key.api_key_id not in everything_logged.text


def test_bug_is_told_without_its_trace_and_logged_without_the_key(
    alice, exchange, settings, everything_logged
):
    key = exchange.issue_key("alice")
    settings.ENCRYPTION_SECRET_KEY = ["not a Fernet key"]

    response = alice.sign_in(key)

    assert error_of(response) == (500, "internal_error")
    assert "Traceback" not in response.content.decode()
    assert key.private_key.splitlines()[1] not in everything_logged.text
    assert "request failed" in everything_logged.text


@pytest.mark.parametrize("api_key_id", ["00000000-0000-0000-0000-000000000000", "no-uuid"])
def test_unknown_key_id_is_refused(alice, exchange, api_key_id):
    key = exchange.issue_key("alice")

    response = alice.sign_in(Key(api_key_id, key.private_key))

    assert error_of(response) == (401, "key_refused")
    assert nothing_is_stored()
    assert "session" not in alice.browser.cookies


def test_private_key_of_another_key_id_is_refused(alice, exchange):
    mine, other = exchange.issue_key("alice"), exchange.issue_key("bob")

    response = alice.sign_in(Key(other.api_key_id, mine.private_key))

    assert error_of(response) == (401, "key_refused")
    assert nothing_is_stored()


def test_key_that_may_not_read_the_portfolio_is_refused(alice, exchange):
    response = alice.sign_in(exchange.issue_key("alice", may_read=False))

    assert error_of(response) == (403, "key_scope")
    assert nothing_is_stored()


@pytest.mark.parametrize("scope", ["write", "write::trade"])
def test_key_that_can_trade_needs_confirmation(alice, exchange, scope):
    key = exchange.issue_key("alice", scopes=["read", scope])

    refused = alice.sign_in(key)
    stored_after_refusal = not nothing_is_stored()
    accepted = alice.sign_in(key, accept_trading_key=True)

    assert error_of(refused) == (409, "trading_key_unconfirmed")
    assert not stored_after_refusal
    assert accepted.status_code == 200
    assert accepted.json()["credential"]["scopes"] == ["read", scope]


def test_key_whose_scopes_the_exchange_does_not_tell_needs_confirmation(alice, exchange):
    key = exchange.issue_key("alice", may_list=False)

    refused = alice.sign_in(key)
    accepted = alice.sign_in(key, accept_trading_key=True)

    assert error_of(refused) == (409, "trading_key_unconfirmed")
    assert accepted.json()["credential"]["scopes"] == []


@pytest.mark.parametrize(
    "private_key",
    [
        "no key at all",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_private_key_that_does_not_parse_is_refused_unasked(alice, exchange, private_key):
    key = exchange.issue_key("alice")

    response = alice.sign_in(Key(key.api_key_id, private_key))

    assert error_of(response) == (422, "invalid_private_key")
    assert exchange.paths == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_request"),
        ({"environment": "moon", "api_key_id": "a", "private_key": "b"}, "invalid_request"),
        ({"environment": "demo", "api_key_id": "a", "private_key": 1}, "invalid_request"),
        ({"environment": "demo"}, "missing_field"),
        ({"environment": "demo", "api_key_id": "a"}, "missing_field"),
        ({"environment": "demo", "private_key": "b"}, "missing_field"),
        ({"environment": "demo", "api_key_id": "a", "private_key": ""}, "missing_field"),
        ({"environment": "demo", "api_key_id": " ", "private_key": "b"}, "missing_field"),
        ({"environment": "sandbox", "api_key_id": "a"}, "missing_field"),
        ({"environment": "sandbox"}, "unknown_environment"),
        (
            {"environment": "sandbox", "api_key_id": "a", "private_key": "b"},
            "unknown_environment",
        ),
    ],
)
def test_incomplete_request_is_told_what_is_wrong(alice, body, code):
    response = alice.post("authenticate", body)

    assert error_of(response) == (422, code)
    assert response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        pytest.param({}, "“environment” is missing.", id="missing"),
        pytest.param(
            {"environment": "moon"},
            "“environment” must be 'production', 'demo' or 'sandbox'.",
            id="not one of them",
        ),
        pytest.param(
            {"environment": "demo", "private_key": "x" * 20_001},
            "“private_key” is too long: at most 20000.",
            id="too long a key",
        ),
        pytest.param(
            {"environment": "demo", "api_key_id": "x" * 20_001},
            "“api_key_id” is too long: at most 20000.",
            id="too long an ID",
        ),
        pytest.param(
            {"environment": "demo", "accept_trading_key": "moon", "private_key": 7},
            "“accept_trading_key” must be true or false. “private_key” must be text.",
            id="two at once",
        ),
    ],
)
def test_wrong_field_is_told_in_sentences(alice, body, told):
    response = alice.post("authenticate", body)

    assert response.status_code == 422
    assert response.json()["error"] == {"code": "invalid_request", "message": told}


# Keys as people paste them


@pytest.mark.parametrize("pasted", [" {}\n", '"{}"', "API Key ID: {}", "KALSHI_API_KEY_ID={}"])
def test_key_id_is_stored_without_what_stood_around_it(alice, exchange, pasted):
    key = exchange.issue_key("alice")

    response = alice.sign_in(Key(pasted.format(key.api_key_id), key.private_key))

    assert response.status_code == 200
    assert Credential.objects.get().api_key_id == key.api_key_id


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(lambda pem: pem.replace("\n", r"\n"), id="escaped"),
        pytest.param(lambda pem: base64.b64encode(pem.encode()).decode(), id="base64"),
    ],
)
def test_key_pasted_in_another_form_signs_in_and_serves_the_worker(alice, exchange, form):
    key = exchange.issue_key("alice")

    response = alice.sign_in(Key(key.api_key_id, form(key.private_key)))

    revealed = credentials.reveal(response.json()["credential"]["id"])
    assert revealed.key.sign(b"") == SigningKey.from_pem(key.private_key).sign(b"")


@pytest.mark.parametrize(
    "api_key_id", ["two words", "line\nbreak", "schlüssel", "x" * 129, "\ud800", "x" * 20_000]
)
def test_key_id_that_fits_no_header_is_refused_in_a_sentence(alice, exchange, api_key_id):
    key = exchange.issue_key("alice")

    response = alice.sign_in(Key(api_key_id, key.private_key))

    message = response.json()["error"]["message"]
    assert error_of(response) == (422, "invalid_api_key_id")
    assert "such as 5d1e2a3c-" in message or "looks like 5d1e2a3c-" in message
    assert "pattern" not in message
    assert api_key_id not in message
    assert exchange.paths == []


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(lambda pem: pem, id="as it is"),
        pytest.param(lambda pem: base64.b64encode(pem.encode()).decode(), id="base64"),
        pytest.param(lambda pem: pem.splitlines()[1], id="its body"),
    ],
)
@pytest.mark.parametrize("private_key", ["", "5d1e2a3c-9a55-4c1e-8f0e-2b7a61f0c001"])
def test_private_key_in_the_field_of_the_id_is_told_and_never_repeated(
    alice, exchange, everything_logged, form, private_key
):
    key = exchange.issue_key("alice")
    pasted = form(key.private_key)

    response = alice.sign_in(Key(pasted, private_key))

    assert error_of(response) == (422, "invalid_api_key_id")
    assert "a key in the place of the API key ID" in response.json()["error"]["message"]
    assert pasted[-60:-30] not in response.content.decode()
    assert pasted[-60:-30] not in everything_logged.text
    assert exchange.paths == []


def test_id_in_the_field_of_the_private_key_is_told_and_never_repeated(
    alice, exchange, everything_logged
):
    key = exchange.issue_key("alice")

    response = alice.sign_in(Key(key.api_key_id, key.api_key_id))

    assert error_of(response) == (422, "invalid_private_key")
    assert "API key ID in the place of the private key" in response.json()["error"]["message"]
    assert key.api_key_id not in response.content.decode()
    assert key.api_key_id not in everything_logged.text
    assert exchange.paths == []


def test_body_that_is_no_json_is_malformed(alice):
    alice.get("session")
    token = alice.browser.cookies["csrftoken"].value

    response = alice.browser.post(
        f"{ACCOUNT}authenticate",
        "{",
        content_type="application/json",
        headers={"X-CSRFToken": token},
    )

    assert error_of(response) == (400, "malformed_request")


def test_form_is_malformed(alice):
    alice.get("session")
    token = alice.browser.cookies["csrftoken"].value

    response = alice.browser.post(
        f"{ACCOUNT}authenticate", {"environment": "demo"}, headers={"X-CSRFToken": token}
    )

    assert error_of(response) == (400, "malformed_request")


def test_exchange_that_cannot_be_reached_is_told_as_such(alice, exchange):
    key = exchange.issue_key("alice")
    exchange.close()

    response = alice.sign_in(key)

    assert error_of(response) == (503, "exchange_unavailable")
    assert "127.0.0.1" not in response.content.decode()
    assert nothing_is_stored()


def test_exchange_in_maintenance_is_told_as_such(alice, exchange):
    exchange.active = False

    response = alice.sign_in(exchange.issue_key("alice"))

    assert error_of(response) == (503, "maintenance")
    assert nothing_is_stored()


def test_clocks_that_differ_are_told_as_such(alice, exchange):
    exchange.clock_is_off = True

    response = alice.sign_in(exchange.issue_key("alice"))

    assert error_of(response) == (503, "clock_skew")
    assert nothing_is_stored()


def test_sign_in_without_the_csrf_token_is_refused(alice, exchange):
    key = exchange.issue_key("alice")
    alice.get("session")

    response = alice.browser.post(
        f"{ACCOUNT}authenticate",
        json.dumps({"environment": "demo", **vars(key)}),
        content_type="application/json",
    )

    assert error_of(response) == (403, "csrf_failed")
    assert exchange.paths == []


# The sandbox's own key


@pytest.fixture
def sandbox(settings, exchange, tmp_path):
    settings.SANDBOX_DIR = tmp_path
    here = exchange.environment("sandbox")
    settings.KALSHI_ENVIRONMENTS = settings.KALSHI_ENVIRONMENTS | {"sandbox": here}
    key = exchange.issue_key("sandbox")
    (tmp_path / "credentials.json").write_text(json.dumps(vars(key)))
    return tmp_path


def test_sandbox_opens_with_its_own_key_from_loopback(alice, sandbox):
    response = alice.post("authenticate", {"environment": "sandbox"}, REMOTE_ADDR="127.0.0.1")

    assert response.status_code == 200
    assert response.json()["credential"]["environment"] == "sandbox"


@pytest.mark.parametrize(
    "origin",
    [
        {"REMOTE_ADDR": "192.168.1.20"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "192.168.1.20"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_FORWARDED": "for=127.0.0.1"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_REAL_IP": "127.0.0.1"},
    ],
)
def test_sandbox_does_not_open_with_its_own_key_from_elsewhere(alice, sandbox, origin):
    response = alice.post("authenticate", {"environment": "sandbox"}, **origin)

    assert error_of(response) == (403, "loopback_only")


@pytest.mark.parametrize("written", ["", "[]", '{"api_key_id": "a"}'])
def test_sandbox_that_never_ran_is_unavailable(alice, sandbox, written):
    (sandbox / "credentials.json").write_text(written)

    response = alice.post("authenticate", {"environment": "sandbox"})

    assert error_of(response) == (503, "exchange_unavailable")


# Without HTTP


def test_signed_in_does_not_show_its_token(exchange):
    key = exchange.issue_key("alice")
    shown = ShownKey("demo", key.api_key_id, Secret.seal(key.private_key), invitation="secret")

    signed_in = async_to_sync(key_sign_in.authenticate)(shown, session=None, device=Device())

    assert signed_in.token not in repr(signed_in)
    assert key.private_key not in repr(signed_in)
    assert "secret" not in repr(shown)


def test_get_is_no_way_to_sign_in():
    assert Client().get(f"{ACCOUNT}authenticate").status_code == 405


def test_signing_in_is_logged_by_number_only(alice, exchange, caplog):
    caplog.set_level(logging.INFO, logger="accounts")

    account = alice.sign_in(exchange.issue_key("alice")).json()["account"]

    [record] = [record for record in caplog.records if record.message == "signed in"]
    assert record.account_id == account["id"]
