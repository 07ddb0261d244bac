import uuid
from datetime import datetime, timedelta

import jwt
import pytest
from django.test import Client
from django.utils import timezone

from accounts import credentials, sessions, sight
from accounts.models import Session
from tests.integration.visitors import ACCOUNT, key_session, make_account, session_of

pytestmark = pytest.mark.django_db


def claims_of(token, settings):
    return jwt.decode(token, settings.JWT_SECRET_KEY, algorithms=["HS256"])


def forged(session, settings, *, key=None, algorithm="HS256", **changes):
    now = timezone.now()
    claims = {
        "user_id": session.user_id,
        "sid": str(session.pk),
        "iat": now,
        "exp": now + timedelta(hours=1),
    } | changes
    present = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(present, key or settings.JWT_SECRET_KEY, algorithm=algorithm)


@pytest.fixture
def session():
    session, _ = key_session(make_account())
    return session


def request_with(rf, token):
    request = rf.get("/")
    request.COOKIES["session"] = token
    return request


def test_issued_token_stands_for_its_session():
    account = make_account()

    session, token = key_session(account)

    assert session_of(token) == session
    assert session_of(token).user == account.owner


def test_token_says_who_and_until_when(settings):
    session, token = key_session(make_account())

    claims = claims_of(token, settings)

    assert claims["user_id"] == session.user_id
    assert claims["exp"] == session.expires_at.timestamp()
    assert claims["exp"] - claims["iat"] == 24 * 60 * 60


def test_genuine_token_made_by_hand_is_accepted(session, settings):
    # So that the refusals below are for their own reasons.
    assert session_of(forged(session, settings)) == session


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"exp": timezone.now() - timedelta(seconds=1)}, id="expired"),
        pytest.param({"iat": timezone.now() + timedelta(hours=1)}, id="issued in the future"),
        pytest.param({"exp": None}, id="without expiry"),
        pytest.param({"iat": None}, id="without time of issue"),
        pytest.param({"sid": None}, id="without session"),
        pytest.param({"user_id": None}, id="without user"),
        pytest.param({"sid": str(uuid.uuid4())}, id="of an unknown session"),
        pytest.param({"sid": "1"}, id="of a session that is no UUID"),
        pytest.param({"user_id": 0}, id="of another user"),
        pytest.param({"user_id": "alice"}, id="of a user that is no number"),
        pytest.param({"key": "another key, of as many characters as it needs"}, id="forged"),
    ],
)
def test_token_is_refused(session, settings, changes):
    assert session_of(forged(session, settings, **changes)) is None


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_clock_of_the_issuer_may_be_ahead_by_half_a_minute(session, settings, claim):
    ahead = forged(session, settings, **{claim: timezone.now() + timedelta(seconds=25)})
    far_ahead = forged(session, settings, **{claim: timezone.now() + timedelta(seconds=35)})

    assert session_of(ahead) == session
    assert session_of(far_ahead) is None


def test_token_is_dead_at_its_expiry(session, settings):
    dying = forged(session, settings, exp=int(timezone.now().timestamp()))

    assert session_of(dying) is None


def test_token_signed_by_another_algorithm_is_refused(session, settings):
    settings.JWT_SECRET_KEY = "long enough for the other algorithm " * 2

    assert session_of(forged(session, settings)) == session
    assert session_of(forged(session, settings, algorithm="HS512")) is None


def test_token_without_a_signature_is_refused(session):
    claims = {
        "user_id": session.user_id,
        "sid": str(session.pk),
        "iat": timezone.now(),
        "exp": timezone.now() + timedelta(hours=1),
    }

    assert session_of(jwt.encode(claims, key=None, algorithm="none")) is None


@pytest.mark.parametrize("token", ["", "a.b.c", "nonsense", "é", "." * 10_000])
def test_nonsense_is_refused(token):
    assert session_of(token) is None


def test_token_of_an_ended_session_is_refused():
    session, token = key_session(make_account())

    sessions.end(session)

    assert session_of(token) is None
    assert sight.of_sessions([session.pk]) == {}


def test_token_of_a_deleted_user_is_refused():
    account = make_account()
    session, token = key_session(account)

    account.owner.delete()

    assert session_of(token) is None
    assert sight.of_sessions([session.pk]) == {}


def test_sessions_are_alive_until_their_newest_token_expires():
    account = make_account()
    expired, _ = key_session(account)
    Session.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    current = Session.objects.create(
        user=account.owner,
        of="key",
        last_used_at=timezone.now(),
        expires_at=timezone.now() + timedelta(hours=1),
    )

    seen = sight.of_sessions([expired.pk, current.pk, uuid.uuid4()])

    assert seen.keys() == {current.pk}


def test_ending_one_session_leaves_the_others_of_the_account_alone():
    account = make_account()
    ended, _ = key_session(account)
    _, token = key_session(account)

    sessions.end(ended)

    assert session_of(token)


@pytest.mark.django_db(transaction=True)
def test_end_of_a_session_is_announced(announced):
    session, _ = key_session(make_account())

    sessions.end(session)

    assert announced() == [("session_ended", str(session.pk))]


# Renewal


def test_token_of_some_age_is_renewed_when_used(rf, session, settings):
    old = forged(session, settings, iat=timezone.now() - timedelta(minutes=6))
    Session.objects.update(expires_at=timezone.now() + timedelta(hours=1))
    request = request_with(rf, old)

    used = sessions.of_request(request)

    renewed = claims_of(request.META[sessions.RENEWED], settings)
    assert renewed["sid"] == str(session.pk)
    assert renewed["exp"] == Session.objects.get().expires_at.timestamp()
    assert used.expires_at == Session.objects.get().expires_at
    assert used.expires_at > timezone.now() + timedelta(hours=23)


def test_older_token_stays_good_beside_the_renewed_one(rf, session, settings):
    old = forged(session, settings, iat=timezone.now() - timedelta(minutes=6))
    request = request_with(rf, old)

    sessions.of_request(request)

    assert session_of(old) == session
    assert session_of(request.META[sessions.RENEWED]) == session


def test_ending_a_session_kills_its_older_tokens_as_well(rf, session, settings):
    old = forged(session, settings, iat=timezone.now() - timedelta(minutes=6))
    request = request_with(rf, old)
    sessions.of_request(request)

    sessions.end(session)

    assert session_of(old) is None
    assert session_of(request.META[sessions.RENEWED]) is None


def test_young_token_is_not_renewed(rf, session, settings, django_assert_num_queries):
    young = forged(session, settings, iat=timezone.now() - timedelta(minutes=4))
    request = request_with(rf, young)

    with django_assert_num_queries(1):
        sessions.of_request(request)

    assert sessions.RENEWED not in request.META


def test_request_without_a_session_asks_the_database_nothing(rf, django_assert_num_queries):
    with django_assert_num_queries(0):
        session = sessions.of_request(rf.get("/"))

    assert session is None


def test_expired_sessions_are_purged_at_the_next_sign_in():
    account = make_account()
    expired, _ = key_session(account)
    Session.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    current, _ = key_session(account)

    assert list(Session.objects.all()) == [current]
    assert expired != current


# Endpoints


def test_session_endpoint_tells_the_user_and_the_credentials(alice, exchange):
    first = alice.sign_in(exchange.issue_key("alice")).json()
    second = alice.sign_in(exchange.issue_key("alice")).json()

    response = alice.get("session")

    assert response.json() == {
        "user_id": second["user_id"],
        "username": None,
        "of": "key",
        "expires_at": second["expires_at"],
        "is_staff": True,
        "has_password": False,
        "passkey_count": 0,
        "accounts": [second["account"]],
        "credentials": [second["credential"], first["credential"]],
    }


def test_session_endpoint_without_a_session_still_sets_the_csrf_cookie():
    visitor = Client()

    response = visitor.get(f"{ACCOUNT}session")

    assert response.status_code == 401
    assert response.json()["error"]["code"] == "not_signed_in"
    assert response.cookies["csrftoken"].value


def test_times_are_told_in_utc(alice, exchange):
    alice.sign_in(exchange.issue_key("alice"))

    told = alice.get("session").json()["expires_at"]

    assert told.endswith("Z")
    assert datetime.fromisoformat(told) == Session.objects.get().expires_at


def test_used_session_is_renewed_in_the_browser(alice, exchange, settings):
    alice.sign_in(exchange.issue_key("alice"))
    session = Session.objects.get()
    old = forged(session, settings, iat=timezone.now() - timedelta(minutes=6))
    alice.browser.cookies["session"] = old

    response = alice.get("session")

    assert response.status_code == 200
    assert alice.token != old
    assert response.cookies["session"]["httponly"] is True


def test_logout_kills_every_token_and_clears_the_cookie(alice, exchange, settings):
    alice.sign_in(exchange.issue_key("alice"))
    token = alice.token
    older = forged(Session.objects.get(), settings, iat=timezone.now() - timedelta(minutes=4))

    response = alice.post("logout", {"forget": False})

    assert response.status_code == 204
    assert response.content == b""
    assert response.cookies["session"].value == ""
    assert session_of(token) is None
    assert session_of(older) is None


def test_logout_needs_no_body(alice, exchange):
    alice.sign_in(exchange.issue_key("alice"))

    response = alice.post("logout")

    assert response.status_code == 204
    assert alice.get("session").status_code == 401


def test_logout_keeps_the_keys(alice, exchange):
    account = alice.sign_in(exchange.issue_key("alice")).json()["account"]

    alice.post("logout", {"forget": False})

    assert len(credentials.held_by(account["id"]).usable) == 1


@pytest.mark.parametrize(("method", "path"), [("post", "logout"), ("delete", "credentials/1")])
def test_endpoint_without_a_session_is_refused(alice, method, path):
    response = getattr(alice, method)(path)

    assert response.status_code == 401
    assert response.json()["error"]["code"] == "not_signed_in"


@pytest.mark.parametrize(("method", "path"), [("post", "logout"), ("delete", "credentials/1")])
def test_unsafe_endpoint_without_the_csrf_token_is_refused(alice, exchange, method, path):
    alice.sign_in(exchange.issue_key("alice"))

    response = getattr(alice.browser, method)(ACCOUNT + path, content_type="application/json")

    assert response.status_code == 403
    assert response.json()["error"]["code"] == "csrf_failed"
    assert alice.get("session").status_code == 200


def test_many_are_recognised_by_as_few_questions_as_one(rf, settings, django_assert_num_queries):
    account = make_account()
    now = timezone.now()
    old, fresh, ended = (key_session(account)[0] for _ in range(3))
    sessions.end(ended)
    tokens = [
        forged(old, settings, iat=now - timedelta(minutes=6)),
        forged(fresh, settings),
        forged(ended, settings),
        forged(old, settings),
        "no token",
    ]
    requests = [request_with(rf, token) for token in tokens]

    # The sessions, and the one renewal: two in a transaction, which is two more here.
    with django_assert_num_queries(5):
        found = sessions.of_requests(requests)

    assert found == [old, fresh, None, old, None]
    renewed = [request.META.get(sessions.RENEWED) for request in requests]
    assert [token is not None for token in renewed] == [True, False, False, False, False]
    assert claims_of(renewed[0], settings)["exp"] == found[0].expires_at.timestamp()


def test_one_that_ends_while_it_is_used_is_left_out_and_no_other(rf, settings, monkeypatch):
    account = make_account()
    kept, ended = (key_session(account)[0] for _ in range(2))
    read = sessions._living

    def ended_after_the_read(ids):
        living = read(ids)
        sessions.end(ended)
        return living

    monkeypatch.setattr(sessions, "_living", ended_after_the_read)
    issued_at = timezone.now() - timedelta(minutes=6)
    requests = [
        request_with(rf, forged(session, settings, iat=issued_at)) for session in (kept, ended)
    ]

    assert sessions.of_requests(requests) == [kept, None]
    # Its browser may have another session's cookie by now.
    assert [sessions.RENEWED in request.META for request in requests] == [True, False]
