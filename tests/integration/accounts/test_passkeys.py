"""Passkeys, made and used with an authenticator of software, honest and otherwise."""

import json
import random
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from accounts import one_time_links, passkeys, relying_party, sessions
from accounts.models import OneTimeLink, Passkey, SignInTry, SpentChallenge, User
from tests.integration.accounts.authenticator import (
    VERIFIED,
    Authenticator,
    Flags,
    quoted,
    unquoted,
)
from tests.integration.accounts.conftest import error_of, make_credential, told
from tests.integration.visitors import (
    Visitor,
    key_session,
    make_account,
    make_user,
    person_session,
    session_of,
    visitor_with,
)

pytestmark = pytest.mark.django_db

HERE = "http://testserver"
ABROAD = "https://kalshi.example"


@pytest.fixture
def phone() -> Authenticator:
    return Authenticator()


@pytest.fixture
def vera() -> User:
    """She owns an account, and has nothing but its key yet."""
    return make_credential().account.owner


def person(user: User) -> Visitor:
    return visitor_with(person_session(user)[1])


def add(
    visitor: Visitor, phone: Authenticator, *, name="Phone", origin=HERE, request=None, **otherwise
):
    """Have the phone make a passkey, and hand it in."""
    request = request or {}
    options = visitor.post("passkeys/options", **request).json()
    credential = phone.create(options, origin, **otherwise)
    return visitor.post("passkeys", {"name": name, "credential": credential}, **request)


def answer(
    phone: Authenticator, visitor: Visitor | None = None, *, origin=HERE, request=None, **otherwise
) -> dict:
    """The phone's answer to a fresh challenge."""
    options = (visitor or Visitor()).post("login/passkey/options", **(request or {})).json()
    return phone.get(options, origin, **otherwise)


def sign_in(phone: Authenticator, visitor: Visitor | None = None, **otherwise):
    visitor = visitor or Visitor()
    request = otherwise.get("request") or {}
    return visitor.post("login/passkey", answer(phone, visitor, **otherwise), **request)


@pytest.fixture
def known(vera, phone) -> Passkey:
    """The phone has a passkey of Vera's."""
    assert add(person(vera), phone).status_code == 201
    return Passkey.objects.get()


def later(monkeypatch, **by) -> None:
    """Move the product's clock on."""
    then = timezone.now() + timedelta(**by)
    monkeypatch.setattr(timezone, "now", lambda: then)


# As browsers want the options


def is_base64url(text: object) -> bool:
    return isinstance(text, str) and quoted(unquoted(text)) == text


def test_options_to_make_one(vera, known):
    options = person(vera).post("passkeys/options").json()

    assert options["rp"] == {"id": "testserver", "name": "Kalshi Live"}
    assert is_base64url(options["challenge"])
    assert len(unquoted(options["challenge"])) >= 16
    assert unquoted(options["user"]["id"]) == vera.handle.bytes
    assert isinstance(options["user"]["name"], str)
    assert isinstance(options["user"]["displayName"], str)
    assert options["timeout"] == 300_000
    assert {"type": "public-key", "alg": -7} in options["pubKeyCredParams"]
    selection = options["authenticatorSelection"]
    assert selection["residentKey"] == "required"
    assert selection["requireResidentKey"] is True
    assert selection["userVerification"] == "required"
    assert "authenticatorAttachment" not in selection
    [excluded] = options["excludeCredentials"]
    assert excluded["type"] == "public-key"
    assert unquoted(excluded["id"]) == bytes(known.credential_id)


def test_options_tell_the_persons_name(phone):
    user = make_user("olga", "a long password")

    options = person(user).post("passkeys/options").json()

    assert (options["user"]["name"], options["user"]["displayName"]) == ("olga", "olga")


def test_options_to_sign_in_tell_nothing_of_who_is_here(known):
    options = Visitor().post("login/passkey/options").json()

    assert options["rpId"] == "testserver"
    assert options["userVerification"] == "required"
    assert options["timeout"] == 300_000
    assert is_base64url(options["challenge"])
    assert options.get("allowCredentials", []) == []


def test_each_challenge_is_another():
    visitor = Visitor()

    challenges = {visitor.post("login/passkey/options").json()["challenge"] for _ in range(5)}

    assert len(challenges) == 5


def test_challenges_that_nobody_answers_leave_nothing_behind(vera):
    person(vera).post("passkeys/options")
    Visitor().post("login/passkey/options")

    assert not SpentChallenge.objects.exists()


# Good ones


def test_passkey_is_made(vera, phone):
    visitor = person(vera)

    response = add(visitor, phone, name="  Vera's phone ")

    made = Passkey.objects.get()
    [listed] = visitor.get("passkeys").json()["passkeys"]
    assert response.status_code == 201
    assert response.json() == listed
    assert listed == {
        "id": made.pk,
        "name": "Vera's phone",
        "created_at": listed["created_at"],
        "last_used_at": None,
        "works_here": True,
    }
    assert bytes(made.credential_id) == phone.held[0].credential_id


def test_passkey_signs_its_person_in(vera, known, phone, caplog):
    caplog.set_level("INFO", logger="accounts")
    visitor = Visitor()

    response = sign_in(phone, visitor)

    session = session_of(visitor.token)
    known.refresh_from_db()
    assert (response.status_code, response.json()["user_id"]) == (200, vera.pk)
    assert set(response.json()) == {"user_id", "expires_at"}
    assert (session.of, session.user) == ("person", vera)
    assert timezone.now() - session.proved_at < timedelta(minutes=1)
    assert known.last_used_at
    assert ("signed in", "passkey") in [
        (record.message, getattr(record, "by", None)) for record in caplog.records
    ]


def test_signing_in_ends_the_session_that_was_there(vera, known, phone):
    visitor = visitor_with(key_session(vera.accounts.get())[1])
    before = visitor.token

    sign_in(phone, visitor)

    assert session_of(before) is None
    assert visitor.get("session").json()["of"] == "person"


def test_signing_in_replaces_the_csrf_token(known, phone):
    visitor = Visitor()
    visitor.get("session")
    planted = visitor.browser.cookies["csrftoken"].value

    sign_in(phone, visitor)

    assert visitor.browser.cookies["csrftoken"].value != planted


def test_first_passkey_is_made_in_a_session_of_the_key(vera, phone):
    holder = visitor_with(key_session(vera.accounts.get())[1])

    first = add(holder, phone)
    second = holder.post("passkeys/options")

    assert first.status_code == 201
    assert error_of(second) == (403, "sign_in_again")


def test_passkey_that_does_not_count_signs_in_again_and_again(vera):
    synced = Authenticator(counts=False)
    add(person(vera), synced)

    statuses = [sign_in(synced).status_code for _ in range(3)]

    assert statuses == [200, 200, 200]
    assert Passkey.objects.get().sign_count == 0


def test_counts_are_kept(known, phone):
    for _ in range(3):
        sign_in(phone)

    known.refresh_from_db()
    assert known.sign_count == 3


def test_highest_count_is_kept(known, phone):
    response = sign_in(phone, count=2**32 - 1)

    known.refresh_from_db()
    assert (response.status_code, known.sign_count) == (200, 2**32 - 1)


def test_flags_of_synced_passkeys_are_fine(vera):
    synced = Authenticator(counts=False)
    flags = VERIFIED | Flags.BACKUP_ELIGIBLE | Flags.BACKED_UP

    made = add(person(vera), synced, flags=flags)

    assert (made.status_code, sign_in(synced, flags=flags).status_code) == (201, 200)


def test_several_passkeys_sign_the_same_person_in(vera, known, phone):
    key = Authenticator()
    add(person(vera), key, name="Key")

    assert [sign_in(each).json()["user_id"] for each in (phone, key)] == [vera.pk] * 2


# Answers that are no good, to sign in


def without_handle(credential: dict) -> dict:
    del credential["response"]["userHandle"]
    return credential


def test_answer_without_a_handle_is_of_the_passkey_all_the_same(known, phone):
    # The field is optional where it is told by whom the passkey is.
    response = Visitor().post("login/passkey", without_handle(answer(phone)))

    assert response.status_code == 200


@pytest.mark.parametrize(
    "otherwise",
    [
        pytest.param({"origin": "http://evil.example"}, id="another site"),
        pytest.param({"origin": "https://testserver"}, id="another scheme"),
        pytest.param({"origin": "http://testserver:81"}, id="another port"),
        pytest.param({"origin": "http://testserver.evil.example"}, id="a longer name"),
        pytest.param({"origin": "http://testserver/"}, id="no origin"),
        pytest.param({"origin": ""}, id="none"),
        pytest.param({"rp_id": "evil.example"}, id="another relying party"),
        pytest.param({"flags": Flags.USER_PRESENT}, id="the user was not verified"),
        pytest.param({"flags": Flags.USER_VERIFIED}, id="the user was not present"),
        pytest.param({"flags": Flags(0)}, id="nobody was there"),
        pytest.param({"kind": "webauthn.create"}, id="made, not got"),
        pytest.param({"user_handle": bytes(16)}, id="of another user"),
        pytest.param({"user_handle": b""}, id="of no user"),
        pytest.param({"challenge": quoted(bytes(56))}, id="a challenge of their own"),
        pytest.param({"challenge": quoted(b"")}, id="no challenge"),
    ],
)
def test_wrong_answer_opens_nothing_and_counts_as_a_try(known, phone, otherwise):
    visitor = Visitor()

    response = sign_in(phone, visitor, **otherwise)

    assert error_of(response) == (401, "wrong_passkey")
    assert "session" not in visitor.browser.cookies
    assert SignInTry.objects.count() == 1
    known.refresh_from_db()
    assert (known.sign_count, known.last_used_at) == (0, None)


def test_passkey_that_nobody_knows_opens_nothing(known):
    stranger = Authenticator()
    stranger.create({"challenge": "AA", "rp": {"id": "testserver"}, "user": {"id": "AA"}}, HERE)

    assert error_of(sign_in(stranger)) == (401, "wrong_passkey")


def test_signature_of_another_key_opens_nothing(known, phone):
    thief = Authenticator()
    thief.create(
        {"challenge": "AA", "rp": {"id": "testserver"}, "user": {"id": "AA"}},
        HERE,
        credential_id=phone.held[0].credential_id,
    )
    handle = phone.held[0].user_handle

    assert error_of(sign_in(thief, user_handle=handle)) == (401, "wrong_passkey")


def test_passkey_of_one_person_does_not_open_another(known, phone):
    other = make_account().owner
    key = Authenticator()
    add(person(other), key)

    response = sign_in(phone, user_handle=other.handle.bytes)

    assert error_of(response) == (401, "wrong_passkey")


@pytest.mark.parametrize("count", [0, 4, 5])
def test_count_that_has_not_grown_is_of_a_copy(known, phone, count):
    Passkey.objects.update(sign_count=5)

    assert error_of(sign_in(phone, count=count)) == (401, "wrong_passkey")
    assert Passkey.objects.get().sign_count == 5


def test_deleted_passkey_opens_nothing(vera, known, phone):
    deleted = person(vera).delete(f"passkeys/{known.pk}")

    assert deleted.status_code == 204
    assert error_of(sign_in(phone)) == (401, "wrong_passkey")


def is_signed_in(visitor: Visitor) -> bool:
    return visitor.get("session").status_code == 200


def test_sessions_of_the_person_end_elsewhere_with_the_passkey(vera, known, phone):
    thief, elsewhere, here = Visitor(), person(vera), person(vera)
    sign_in(phone, thief)
    key = visitor_with(key_session(vera.accounts.get())[1])
    bystander = person(make_user())

    here.delete(f"passkeys/{known.pk}")

    assert not any(is_signed_in(each) for each in (thief, elsewhere))
    assert all(is_signed_in(each) for each in (here, key, bystander))


def test_invitations_that_were_made_with_the_passkey_end_with_it(vera, known):
    one_time_links.invite(is_staff=True, made_by=vera)
    one_time_links.invite(is_staff=True, made_by=make_user())

    person(vera).delete(f"passkeys/{known.pk}")

    assert OneTimeLink.objects.exclude(made_by=vera).count() == OneTimeLink.objects.count() == 1


def test_no_session_ends_with_a_passkey_that_is_not_there(vera, known):
    elsewhere = person(vera)

    refused = person(vera).delete(f"passkeys/{known.pk + 1}")

    assert error_of(refused) == (404, "not_found")
    assert is_signed_in(elsewhere)


def test_passkey_deleted_while_it_signs_in_opens_nothing(vera, known, phone, monkeypatch):
    look_at = passkeys.sign_in

    def deleted_then(*arguments):
        passkey = look_at(*arguments)
        person(vera).delete(f"passkeys/{known.pk}")
        return passkey

    monkeypatch.setattr(passkeys, "sign_in", deleted_then)
    thief = Visitor()

    refused = sign_in(phone, thief)

    assert error_of(refused) == (401, "not_signed_in")
    assert not is_signed_in(thief)


def test_passkey_of_a_deactivated_user_opens_nothing(known, phone):
    User.objects.update(is_active=False)

    assert error_of(sign_in(phone)) == (401, "wrong_passkey")


def test_passkey_deleted_after_the_challenge_opens_nothing(known, phone):
    good = answer(phone)
    Passkey.objects.all().delete()

    assert error_of(Visitor().post("login/passkey", good)) == (401, "wrong_passkey")


# Challenges


def test_challenge_serves_once(known, phone):
    good = answer(phone)

    first = Visitor().post("login/passkey", good)
    second = Visitor().post("login/passkey", good)

    assert first.status_code == 200
    assert error_of(second) == (401, "wrong_passkey")


def test_challenge_that_was_answered_wrongly_has_served(vera):
    synced = Authenticator(counts=False)
    add(person(vera), synced)
    options = Visitor().post("login/passkey/options").json()
    Visitor().post("login/passkey", synced.get(options, HERE, flags=Flags.USER_PRESENT))

    response = Visitor().post("login/passkey", synced.get(options, HERE))

    assert error_of(response) == (401, "wrong_passkey")


@pytest.mark.parametrize(("seconds", "status"), [(290, 200), (301, 401)])
def test_challenge_is_good_for_five_minutes(known, phone, monkeypatch, seconds, status):
    good = answer(phone)
    later(monkeypatch, seconds=seconds)

    assert Visitor().post("login/passkey", good).status_code == status


def test_time_of_a_challenge_cannot_be_moved(known, phone):
    challenge = unquoted(Visitor().post("login/passkey/options").json()["challenge"])
    until = int.from_bytes(challenge[16:24]) + 600
    moved = challenge[:16] + until.to_bytes(8) + challenge[24:]

    assert error_of(sign_in(phone, challenge=quoted(moved))) == (401, "wrong_passkey")


def test_challenge_of_another_servers_secret_is_none(known, phone, settings):
    options = Visitor().post("login/passkey/options").json()
    settings.SECRET_KEY = "another server's secret of fifty characters or more"

    response = Visitor().post("login/passkey", phone.get(options, HERE))

    assert error_of(response) == (401, "wrong_passkey")


def test_challenge_to_make_one_does_not_serve_to_sign_in(vera, known, phone):
    options = person(vera).post("passkeys/options").json()

    assert error_of(sign_in(phone, challenge=options["challenge"])) == (401, "wrong_passkey")


def test_challenge_to_sign_in_makes_none(vera, phone):
    challenge = Visitor().post("login/passkey/options").json()["challenge"]

    response = add(person(vera), phone, challenge=challenge)

    assert error_of(response) == (422, "passkey_refused")


@pytest.mark.parametrize("whose", ["another session's", "another user's"])
def test_challenge_is_of_its_session(vera, phone, whose):
    other = person(vera if whose == "another session's" else make_account().owner)
    challenge = other.post("passkeys/options").json()["challenge"]

    response = add(person(vera), phone, challenge=challenge)

    assert error_of(response) == (422, "passkey_refused")
    assert not Passkey.objects.exists()


def test_challenge_makes_one_passkey(vera, phone):
    visitor = person(vera)
    options = visitor.post("passkeys/options").json()
    first = {"name": "1", "credential": phone.create(options, HERE, credential_id=b"1" * 16)}
    second = {"name": "2", "credential": phone.create(options, HERE, credential_id=b"2" * 16)}

    statuses = [visitor.post("passkeys", body).status_code for body in (first, second)]

    assert statuses == [201, 422]


def test_answered_challenges_are_forgotten_when_they_would_have_expired(known, phone, monkeypatch):
    for _ in range(3):
        sign_in(phone)
    later(monkeypatch, minutes=6)

    sign_in(phone)

    assert SpentChallenge.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_same_answer_at_once_serves_once(known, phone):
    good = answer(phone)

    def send(visitor):
        with closing(connection):
            return visitor.post("login/passkey", good).status_code

    with ThreadPoolExecutor(4) as threads:
        statuses = list(threads.map(send, [Visitor() for _ in range(4)]))

    assert sorted(statuses) == [200, 401, 401, 401]


@pytest.mark.django_db(transaction=True)
def test_of_copies_that_answer_at_once_with_one_count_one_is_taken(known, phone):
    answers = [answer(phone, count=7) for _ in range(4)]

    def send(good):
        with closing(connection):
            return Visitor().post("login/passkey", good).status_code

    with ThreadPoolExecutor(4) as threads:
        statuses = list(threads.map(send, answers))

    assert sorted(statuses) == [200, 401, 401, 401]


# Answers that are no good, to make one


@pytest.mark.parametrize(
    "otherwise",
    [
        pytest.param({"origin": "http://evil.example"}, id="another site"),
        pytest.param({"origin": "https://testserver"}, id="another scheme"),
        pytest.param({"rp_id": "evil.example"}, id="another relying party"),
        pytest.param({"flags": Flags.USER_PRESENT}, id="the user was not verified"),
        pytest.param({"flags": Flags.USER_VERIFIED}, id="the user was not present"),
        pytest.param({"kind": "webauthn.get"}, id="got, not made"),
        pytest.param({"challenge": quoted(bytes(56))}, id="a challenge of their own"),
        pytest.param({"credential_id": b"x" * 1024}, id="an id longer than there may be"),
    ],
)
def test_wrong_answer_makes_no_passkey(vera, phone, otherwise):
    response = add(person(vera), phone, **otherwise)

    assert error_of(response) == (422, "passkey_refused")
    assert not Passkey.objects.exists()


def test_longest_id_is_fine(vera, phone):
    assert add(person(vera), phone, credential_id=b"x" * 1023).status_code == 201
    assert sign_in(phone).status_code == 200


def test_challenge_to_make_one_is_good_for_five_minutes(vera, phone, monkeypatch):
    visitor = person(vera)
    options = visitor.post("passkeys/options").json()
    credential = phone.create(options, HERE)
    later(monkeypatch, seconds=301)

    response = visitor.post("passkeys", {"name": "Phone", "credential": credential})

    assert error_of(response) == (422, "passkey_refused")


@pytest.mark.parametrize("whose", ["one's own", "somebody else's"])
def test_same_passkey_is_made_once(vera, known, phone, whose):
    user = vera if whose == "one's own" else make_account().owner

    response = add(person(user), phone, credential_id=bytes(known.credential_id))

    assert error_of(response) == (422, "passkey_refused")
    assert "known here already" in response.json()["error"]["message"]
    assert Passkey.objects.get() == known
    assert sign_in(phone, held=phone.held[0]).json()["user_id"] == vera.pk


@pytest.fixture
def nineteen(vera) -> None:
    Passkey.objects.bulk_create(
        Passkey(
            user=vera,
            name=f"Key {number}",
            credential_id=bytes([number]) * 16,
            public_key=b"key",
            relying_party="testserver",
        )
        for number in range(19)
    )


def test_person_has_twenty_passkeys_at_most(vera, phone, nineteen):
    visitor = person(vera)
    two = [visitor.post("passkeys/options").json() for _ in range(2)]

    responses = [
        visitor.post("passkeys", {"name": "One more", "credential": phone.create(options, HERE)})
        for options in two
    ]
    asked = visitor.post("passkeys/options")

    assert responses[0].status_code == 201
    assert error_of(responses[1]) == (409, "too_many_passkeys")
    assert error_of(asked) == (409, "too_many_passkeys")
    assert vera.passkeys.count() == 20


@pytest.mark.django_db(transaction=True)
def test_at_once_too(vera, phone, nineteen):
    bodies = []
    for _ in range(4):
        visitor = person(vera)
        options = visitor.post("passkeys/options").json()
        bodies.append((visitor, {"name": "One", "credential": phone.create(options, HERE)}))

    def send(visitor_and_body):
        with closing(connection):
            visitor, body = visitor_and_body
            return visitor.post("passkeys", body).status_code

    with ThreadPoolExecutor(4) as threads:
        statuses = list(threads.map(send, bodies))

    assert sorted(statuses) == [201, 409, 409, 409]
    assert vera.passkeys.count() == 20


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "\0", "x" * 101, 7, None])
def test_passkey_has_a_name_of_one_line(vera, phone, name):
    response = add(person(vera), phone, name=name)

    assert error_of(response) == (422, "invalid_request")
    assert not Passkey.objects.exists()


def test_session_that_ends_before_the_answer_makes_none(vera, phone):
    visitor = person(vera)
    options = visitor.post("passkeys/options").json()
    sessions.end_all(vera)

    response = visitor.post(
        "passkeys", {"name": "Phone", "credential": phone.create(options, HERE)}
    )

    assert error_of(response) == (401, "not_signed_in")


@pytest.mark.django_db(transaction=True)
def test_first_passkey_is_made_once_by_those_who_make_it_at_once(vera):
    account = vera.accounts.get()
    bodies = []
    for _ in range(6):
        visitor = visitor_with(key_session(account)[1])
        options = visitor.post("passkeys/options").json()
        bodies.append(
            (visitor, {"name": "Phone", "credential": Authenticator().create(options, HERE)})
        )

    def send(visitor_and_body):
        with closing(connection):
            visitor, body = visitor_and_body
            return visitor.post("passkeys", body).status_code

    with ThreadPoolExecutor(6) as threads:
        statuses = list(threads.map(send, bodies))

    assert sorted(statuses) == [201] + [403] * 5


# Garbage


GARBAGE = [
    [],
    "x",
    7,
    {},
    {"id": None},
    {"id": 7, "response": {}},
    {"id": "x", "rawId": "x", "type": "public-key", "response": None},
    {"id": "x", "rawId": "x", "type": "public-key", "response": []},
    {"id": "x", "rawId": "x", "type": "public-key", "response": {"clientDataJSON": None}},
    {"id": "\ud800", "rawId": "\0", "response": {"clientDataJSON": "\ud800"}},
    {"id": "é", "response": {"clientDataJSON": "é"}},
    {"response": {"clientDataJSON": quoted(b"{}")}},
    {"response": {"clientDataJSON": quoted(b"[" * 2000)}},
    {"response": {"clientDataJSON": quoted(b"7")}},
    {"response": {"clientDataJSON": quoted(b"null")}},
    {"response": {"clientDataJSON": quoted(b"\xff\xfe")}},
    {"response": {"clientDataJSON": quoted(b'{"type": [], "challenge": {}, "origin": 1}')}},
    {"response": {"clientDataJSON": quoted(b'{"challenge": "A"}')}},
    {"response": {"clientDataJSON": quoted(b'{"challenge": "\\ud800"}')}},
    {"response": {"clientDataJSON": "A" * 30_000}},
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_opens_nothing(known, garbage):
    response = Visitor().post("login/passkey", garbage)

    assert response.status_code in (401, 422)
    assert set(response.json()["error"]) == {"code", "message"}


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_makes_no_passkey(vera, garbage):
    response = person(vera).post("passkeys", {"name": "Phone", "credential": garbage})

    assert response.status_code == 422
    assert not Passkey.objects.exists()


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_database_that_is_away_is_no_wrong_passkey(known, phone, monkeypatch, error):
    def fail(*args, **kwargs):
        raise error("away")

    monkeypatch.setattr(passkeys, "purge", fail)

    signed_in, made = sign_in(phone), add(person(known.user), phone)

    assert error_of(signed_in) == error_of(made) == (503, "database_unavailable")


ODD = [None, True, 7, -1, 1e300, "", "x", "\0", "\ud800", [], {}, [[]], {"a": 1}, "A" * 5000]
# What an honest browser sends too, and nothing hangs on.
IRRELEVANT = {
    "authenticatorAttachment",
    "clientExtensionResults",
    "transports",
    "userHandle",
}


def mutated(credential: dict, chance: random.Random) -> tuple[dict, str]:
    """The answer with one thing in it changed, and the name of that."""
    changed = json.loads(json.dumps(credential))
    inside = changed["response"] if chance.random() < 0.7 else changed
    name = chance.choice(sorted(inside))
    match chance.randrange(4):
        case 0:
            del inside[name]
        case 1:
            inside[name] = chance.choice(ODD)
        case _ if isinstance(inside[name], str):
            inside[name] = quoted(spoiled(unquoted_or_bytes(inside[name]), chance))
        case _:
            inside[name] = chance.choice(ODD)
    return changed, name


def unquoted_or_bytes(text: str) -> bytes:
    try:
        return unquoted(text)
    except ValueError:
        return text.encode()


def spoiled(data: bytes, chance: random.Random) -> bytes:
    """Some bytes flipped, cut off, put in or doubled."""
    spoiled = bytearray(data)
    for _ in range(chance.choice([1, 1, 1, 3, 20])):
        at = chance.randrange(len(spoiled) + 1)
        match chance.randrange(4):
            case 0:
                spoiled[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del spoiled[at:]
            case 2:
                spoiled[at:at] = chance.randbytes(chance.choice([1, 8, 300]))
            case _:
                spoiled[at:at] = spoiled[:at]
    return bytes(spoiled[:20_000])


@pytest.mark.parametrize("seed", range(4))
def test_good_answer_with_anything_changed_never_breaks_anything(known, phone, seed):
    chance = random.Random(seed)
    visitor = Visitor()
    answered: list[tuple[int, str]] = []

    for _ in range(60):
        SignInTry.objects.all().delete()
        changed, name = mutated(answer(phone, visitor), chance)
        answered.append((Visitor().post("login/passkey", changed).status_code, name))

    assert {status for status, _ in answered} <= {200, 401, 422}
    assert {name for status, name in answered if status == 200} <= IRRELEVANT


@pytest.mark.parametrize("seed", range(4))
def test_good_new_passkey_with_anything_changed_never_breaks_anything(vera, phone, seed):
    chance = random.Random(seed)
    visitor = person(vera)
    answered: list[tuple[int, str]] = []

    for _ in range(60):
        Passkey.objects.all().delete()
        options = visitor.post("passkeys/options").json()
        changed, name = mutated(phone.create(options, HERE), chance)
        response = visitor.post("passkeys", {"name": "Phone", "credential": changed})
        answered.append((response.status_code, name))

    assert {status for status, _ in answered} <= {201, 422}
    # An attestation of no kind signs nothing: a key that was changed on its way is just another.
    assert {name for status, name in answered if status == 201} <= IRRELEVANT | {
        "attestationObject"
    }


# Too many tries


def test_ten_wrong_passkeys_close_the_door(known, phone, caplog):
    for _ in range(10):
        sign_in(phone, flags=Flags.USER_PRESENT)

    response = sign_in(phone)

    assert error_of(response) == (429, "too_many_tries")
    assert 540 <= int(response.headers["Retry-After"]) <= 600
    assert told(caplog)[0] == ("sign-in failed", "127.0.0.1", "passkey", "wrong_passkey")


def test_good_passkeys_are_not_counted(known, phone):
    for _ in range(12):
        assert sign_in(phone).status_code == 200

    assert not SignInTry.objects.exists()


def test_who_has_to_wait_spends_no_challenge(known, phone):
    for _ in range(10):
        sign_in(phone, flags=Flags.USER_PRESENT)
    spent = SpentChallenge.objects.count()
    good = answer(phone)

    Visitor().post("login/passkey", good)

    assert SpentChallenge.objects.count() == spent
    elsewhere = Visitor().post("login/passkey", good, REMOTE_ADDR="192.0.2.7")
    assert elsewhere.status_code == 200


# Where


def reached_at(address: str) -> dict[str, str]:
    """How a request comes in at this address of ours."""
    port = re.search(r":(\d+)$", address)
    return {"HTTP_HOST": address, "SERVER_PORT": port[1] if port else "80"}


@pytest.mark.parametrize(
    ("public", "host", "rp_id", "origin"),
    [
        (None, "localhost:8000", "localhost", "http://localhost:8000"),
        (None, "localhost", "localhost", "http://localhost"),
        (None, "127.0.0.1:8000", "localhost", "http://localhost:8000"),
        (None, "[::1]:8000", "localhost", "http://localhost:8000"),
        (None, "[::1]", "localhost", "http://localhost"),
        (ABROAD, "testserver", "kalshi.example", ABROAD),
        (f"{ABROAD}:8443", "testserver", "kalshi.example", f"{ABROAD}:8443"),
        ("http://127.0.0.1:9000", "127.0.0.1:9000", "localhost", "http://localhost:9000"),
        ("http://localhost:9000", "127.0.0.1:9000", "localhost", "http://localhost:9000"),
    ],
)
def test_passkey_is_made_and_used_for_the_host_by_its_name(
    vera, phone, settings, public, host, rp_id, origin
):
    settings.PUBLIC_ORIGIN = public
    there = reached_at(host)
    visitor = person(vera)
    options = visitor.post("passkeys/options", **there).json()

    made = add(visitor, phone, origin=origin, request=there)

    assert options["rp"]["id"] == rp_id
    assert made.status_code == 201
    assert Passkey.objects.get().relying_party == rp_id
    assert sign_in(phone, origin=origin, request=there).status_code == 200


def test_passkey_of_localhost_works_at_each_of_its_addresses(vera, phone):
    add(person(vera), phone, origin="http://localhost:8000", request=reached_at("[::1]:8000"))

    statuses = [
        sign_in(
            phone, origin="http://localhost:8000", request=reached_at(f"{host}:8000")
        ).status_code
        for host in ("localhost", "127.0.0.1", "[::1]")
    ]

    assert statuses == [200, 200, 200]


def test_page_of_another_port_of_this_machine_signs_nobody_in(vera, phone):
    # Any program of any user of the machine may serve one; the relying party is the same.
    there = reached_at("localhost:8000")
    add(person(vera), phone, origin="http://localhost:8000", request=there)

    response = sign_in(phone, origin="http://localhost:9999", request=there)

    assert error_of(response) == (401, "wrong_passkey")


def test_port_that_the_sender_names_is_not_ours(vera, phone):
    add(person(vera), phone, origin="http://localhost:8000", request=reached_at("localhost:8000"))
    # As relayed by the program whose page it was.
    relayed = {"HTTP_HOST": "localhost:9999", "SERVER_PORT": "8000"}

    response = sign_in(phone, origin="http://localhost:9999", request=relayed)

    assert error_of(response) == (401, "wrong_passkey")


def test_loopback_is_not_who_asks_where_there_is_a_public_origin(vera, phone, settings):
    settings.PUBLIC_ORIGIN = ABROAD

    response = add(
        person(vera), phone, origin="http://localhost:8000", request=reached_at("localhost:8000")
    )

    assert error_of(response) == (422, "passkey_refused")


def test_passkeys_of_a_host_that_changed_are_told_to_be_of_no_use(vera, known, phone, settings):
    settings.PUBLIC_ORIGIN = ABROAD

    [listed] = person(vera).get("passkeys").json()["passkeys"]
    options = Visitor().post("login/passkey/options").json()

    assert listed["works_here"] is False
    assert list(relying_party.orphans(options["rpId"])) == [known]


def test_host_that_is_none_of_ours_is_told_no_options(known):
    response = Visitor().post("login/passkey/options", HTTP_HOST="evil.example")

    assert response.status_code == 400


# Another site


@pytest.mark.parametrize("path", ["login/passkey", "login/passkey/options"])
def test_sign_in_needs_the_csrf_token(known, phone, path):
    visitor = Visitor()
    good = answer(phone, visitor)

    response = visitor.browser.post(
        f"/api/v1/account/{path}", json.dumps(good), content_type="application/json"
    )

    assert error_of(response) == (403, "csrf_failed")
    assert "session" not in visitor.browser.cookies
