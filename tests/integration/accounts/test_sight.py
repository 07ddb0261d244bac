"""What a session sees, ends, forgets and may change: of a key, of the person, of somebody else."""

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts import credentials, one_time_links, sessions, sight, sign_in_load
from accounts.devices import Device
from accounts.errors import NotSignedIn
from accounts.models import (
    Account,
    Credential,
    OneTimeLink,
    Passkey,
    Session,
    ShownKey,
    SignInTry,
    User,
)
from accounts.turns import Turns
from tests.integration.accounts.conftest import error_of, make_credential
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

PASSWORD = "correct horse battery"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/1"
)


@pytest.fixture
def olga(db) -> User:
    """She owns A and B, and has a password."""
    return make_user("olga", PASSWORD)


@pytest.fixture
def vera(db) -> User:
    """She owns A and B, and has only keys."""
    return make_user()


@pytest.fixture
def a(olga) -> Account:
    return make_account(olga, name="A")


@pytest.fixture
def b(olga, a) -> Account:
    return make_account(olga, name="B")


def holder(*accounts: Account) -> Visitor:
    """Who has shown a key of each of these, in one session."""
    session = None
    for account in accounts:
        if not account.credentials.exists():
            make_credential(account, api_key_id=f"key of {account.pk}")
        session, token = key_session(account, session)
    return visitor_with(token)


def person(user: User, *, proved_minutes_ago: float = 0) -> Visitor:
    """Who has proved to be this user."""
    session, token = person_session(user)
    Session.objects.filter(pk=session.pk).update(
        proved_at=timezone.now() - timedelta(minutes=proved_minutes_ago)
    )
    return visitor_with(token)


def make_passkey(user: User, **fields) -> Passkey:
    return Passkey.objects.create(
        user=user,
        name="A phone",
        credential_id=uuid.uuid4().bytes,
        public_key=b"key",
        relying_party="localhost",
        **fields,
    )


def seen(visitor: Visitor) -> list[str]:
    return [account["name"] for account in visitor.get("accounts").json()["accounts"]]


def is_signed_in(visitor: Visitor) -> bool:
    return visitor.get("session").status_code == 200


# What is seen


def test_key_sees_its_account_alone(a, b):
    thief = holder(a)

    session = thief.get("session").json()
    assert [each["id"] for each in session["accounts"]] == [a.pk]
    assert session["of"] == "key"
    assert seen(thief) == ["A"]


def test_keys_shown_in_one_session_are_seen_together(a, b):
    assert seen(holder(b, a)) == ["A", "B"]


def test_person_sees_all(a, b, olga):
    session = person(olga).get("session").json()

    assert (session["of"], session["username"]) == ("person", "olga")
    assert [each["id"] for each in session["accounts"]] == [a.pk, b.pk]


def test_key_shown_in_a_session_of_the_person_changes_nothing_of_what_it_sees(a, b, olga):
    session, token = person_session(olga)
    key_session(a, session)

    assert seen(visitor_with(token)) == ["A", "B"]


def test_only_stored_keys_of_what_is_seen_are_told(a, b):
    mine = make_credential(a, api_key_id="key-of-a")
    make_credential(b, api_key_id="key-of-b")

    told = holder(a).get("session").json()["credentials"]

    assert [each["id"] for each in told] == [mine.pk]


def test_account_added_later_is_not_seen_by_an_older_session_of_a_key(a, olga):
    thief = holder(a)
    make_account(olga, name="B")

    assert seen(thief) == ["A"]


def calls_of(account: Account) -> list[tuple[str, str, object]]:
    """Each call that names an account or a key of it."""
    credential = account.credentials.get()
    return [
        ("get", f"positions?account={account.pk}", None),
        ("get", f"portfolio?account={account.pk}", None),
        ("post", f"refresh?account={account.pk}", None),
        ("patch", f"accounts/{account.pk}", {"name": "Mine"}),
        ("patch", f"accounts/{account.pk}", {"is_default": True}),
        ("delete", f"accounts/{account.pk}", None),
        ("delete", f"credentials/{credential.pk}", None),
    ]


def answers(visitor: Visitor, account: Account) -> list[int]:
    return [
        (
            getattr(visitor, method)(path, body) if body else getattr(visitor, method)(path)
        ).status_code
        for method, path, body in calls_of(account)
    ]


@pytest.mark.parametrize("who", ["key of A", "somebody else", "nobody"])
def test_what_is_not_seen_is_not_there(a, b, who):
    make_credential(b)
    visitor = {
        "key of A": lambda: holder(a),
        "somebody else": lambda: person(make_account().owner),
        "nobody": Visitor,
    }[who]()

    statuses = answers(visitor, b)

    assert statuses == [401 if who == "nobody" else 404] * 7
    assert Account.objects.get(pk=b.pk).name == "B"
    assert Credential.objects.filter(account=b).exists()


def test_who_is_refused_is_told_the_same_as_of_what_is_nowhere(a, b):
    thief = holder(a)

    not_seen = thief.get(f"positions?account={b.pk}")
    nowhere = thief.get("positions?account=123456789")

    assert not_seen.content == nowhere.content
    assert error_of(not_seen) == (404, "not_found")


@pytest.mark.parametrize("number", [0, 2**31, 2**63 - 1, 2**63, 10**19 - 1, 10**30])
def test_ids_of_any_size_are_nowhere(a, olga, number):
    visitor = person(olga)

    deleted = [
        visitor.delete(f"{path}/{number}").status_code
        for path in ("accounts", "credentials", "passkeys")
    ]
    changed = visitor.patch(f"accounts/{number}", {"name": "Mine"}).status_code

    assert [*deleted, changed] == [404] * 4


# The default account


def default_of(visitor: Visitor) -> str:
    told = [each for each in visitor.get("accounts").json()["accounts"] if each["is_default"]]
    [default] = told
    by_itself = visitor.get("portfolio").json()["account_id"]
    assert by_itself == default["id"]
    return default["name"]


def test_persons_default_is_the_first_until_another_is_chosen(a, b, olga):
    visitor = person(olga)
    first = default_of(visitor)

    visitor.patch(f"accounts/{b.pk}", {"is_default": True})
    chosen = default_of(visitor)
    visitor.patch(f"accounts/{b.pk}", {"is_default": False})

    assert (first, chosen, default_of(visitor)) == ("A", "B", "A")


def test_default_of_a_session_of_keys_is_the_first_it_was_shown(a, b):
    assert default_of(holder(b, a)) == "B"


def test_default_of_a_session_of_keys_is_the_chosen_one_where_it_sees_it(a, b, olga):
    person(olga).patch(f"accounts/{b.pk}", {"is_default": True})

    assert default_of(holder(a)) == "A"
    assert default_of(holder(a, b)) == "B"


def test_default_that_is_forgotten_leaves_the_first(a, b, olga):
    visitor = person(olga)
    visitor.patch(f"accounts/{b.pk}", {"is_default": True})

    visitor.delete(f"accounts/{b.pk}")

    assert default_of(visitor) == "A"


def test_who_sees_a_part_does_not_choose(a, b):
    response = holder(a).patch(f"accounts/{a.pk}", {"is_default": True})

    assert error_of(response) == (403, "sign_in_again")
    assert not Account.objects.filter(is_chosen=True).exists()


def test_who_has_shown_all_keys_chooses(a, b):
    visitor = holder(a, b)

    response = visitor.patch(f"accounts/{b.pk}", {"is_default": True})

    assert (response.status_code, response.json()["is_default"]) == (200, True)
    assert default_of(visitor) == "B"


def test_account_that_was_not_the_default_stays_none_and_leaves_the_default_alone(a, b, olga):
    visitor = person(olga)
    visitor.patch(f"accounts/{b.pk}", {"is_default": True})

    response = visitor.patch(f"accounts/{a.pk}", {"is_default": False})

    assert response.json()["is_default"] is False
    assert default_of(visitor) == "B"


@pytest.mark.django_db(transaction=True)
def test_defaults_chosen_at_once_leave_one(a, b, olga):
    choices = [a.pk, b.pk] * 4
    visitors = [person(olga) for _ in choices]

    def choose(visitor, account_id):
        with closing(connection):
            return [
                visitor.patch(f"accounts/{account_id}", {"is_default": True}).status_code
                for _ in range(5)
            ]

    with ThreadPoolExecutor(len(visitors)) as threads:
        statuses = list(threads.map(choose, visitors, choices))

    assert statuses == [[200] * 5] * 8
    assert Account.objects.filter(is_chosen=True).count() == 1


def test_key_names_its_account(a, b):
    response = holder(a).patch(f"accounts/{a.pk}", {"name": "  Tuesdays  "})

    assert response.json()["name"] == "Tuesdays"
    assert Account.objects.get(pk=b.pk).name == "B"


@pytest.mark.parametrize("name", ["", "   ", "two\nlines", "\0", "x" * 61, "\u2028", 7, ["A"]])
def test_name_that_is_none_is_refused(a, name):
    response = holder(a).patch(f"accounts/{a.pk}", {"name": name})

    assert error_of(response) == (422, "invalid_request")
    assert Account.objects.get().name == "A"


# Forgetting


def test_key_forgets_its_account_alone(a, b, olga):
    make_credential(a)
    thief, also_there, other, owner = holder(a), holder(a), holder(b), person(olga)

    response = thief.post("logout", {"forget": True})

    assert response.status_code == 204
    assert list(Account.objects.all()) == [b]
    assert [each.account for each in Credential.objects.all()] == [b]
    assert not is_signed_in(thief)
    # It sees nothing any more.
    assert not is_signed_in(also_there)
    assert (seen(other), seen(owner)) == (["B"], ["B"])


def test_session_of_two_keys_goes_on_with_the_other(a, b):
    both = holder(a, b)

    holder(a).post("logout", {"forget": True})

    assert seen(both) == ["B"]
    assert default_of(both) == "B"


def test_key_of_the_last_account_forgets_who_has_no_other_way_in(vera):
    visitor = holder(make_account(vera))

    visitor.post("logout", {"forget": True})

    assert not User.objects.exists()
    assert not Session.objects.exists()


def test_key_does_not_forget_who_owns_another_account(vera):
    first, second = make_account(vera), make_account(vera)

    holder(first).post("logout", {"forget": True})

    assert User.objects.get() == vera
    assert list(Account.objects.all()) == [second]


@pytest.mark.parametrize("way_in", ["password", "passkey"])
def test_key_does_not_forget_who_has_another_way_in(a, olga, vera, way_in):
    if way_in == "passkey":
        olga = vera
        a = make_account(vera)
        make_passkey(vera)

    holder(a).post("logout", {"forget": True})

    assert User.objects.filter(pk=olga.pk).exists()
    owner = person(olga)
    assert seen(owner) == []
    assert error_of(owner.get("portfolio")) == (404, "no_account")
    assert owner.get("positions?account=all").json() == {"positions": [], "as_of": None}


def test_person_forgets_all(a, b, olga):
    make_credential(a)
    make_passkey(olga)
    one_time_links.recovery(olga)
    bystander = person(make_account().owner)

    response = person(olga).post("logout", {"forget": True})

    assert response.status_code == 204
    assert response.cookies["session"].value == ""
    assert not Account.objects.filter(owner=olga.pk).exists()
    assert not User.objects.filter(username="olga").exists()
    left = [Credential, Passkey, OneTimeLink]
    assert [model.objects.count() for model in left] == [0, 0, 0]
    assert is_signed_in(bystander)


@pytest.mark.parametrize("who", ["key", "person"])
def test_one_account_is_forgotten(a, b, olga, who):
    visitor = holder(a, b) if who == "key" else person(olga)

    response = visitor.delete(f"accounts/{a.pk}")

    assert response.status_code == 204
    assert seen(visitor) == ["B"]


def test_forgetting_the_last_account_forgets_who_has_no_other_way_in(vera):
    account = make_account(vera)
    visitor = holder(account)

    visitor.delete(f"accounts/{account.pk}")

    assert not User.objects.exists()
    assert not is_signed_in(visitor)


@pytest.mark.django_db(transaction=True)
def test_forgetting_is_announced(a, b, announced):
    session, token = key_session(a)
    visitor = visitor_with(token)
    announced()

    visitor.post("logout", {"forget": True})

    told = announced()
    assert ("credentials_changed", str(a.pk)) in told
    assert ("session_ended", str(session.pk)) in told
    assert ("credentials_changed", str(b.pk)) not in told


@pytest.mark.django_db(transaction=True)
def test_last_two_accounts_forgotten_at_once_take_the_user_along(vera):
    accounts = [make_account(vera) for _ in range(4)]
    visitors = [holder(account) for account in accounts]

    def forget(visitor):
        with closing(connection):
            return visitor.post("logout", {"forget": True}).status_code

    with ThreadPoolExecutor(len(visitors)) as threads:
        statuses = list(threads.map(forget, visitors))

    # Who comes when the user is gone is not signed in any more: as good.
    assert set(statuses) <= {204, 401}
    assert not User.objects.exists()


# Everywhere


def test_person_signs_out_everywhere(a, olga):
    others = [person(olga), holder(a), person(olga)]
    bystander = person(make_account().owner)
    visitor = person(olga)

    response = visitor.post("logout", {"everywhere": True})

    assert response.status_code == 204
    assert not any(is_signed_in(each) for each in [visitor, *others])
    assert is_signed_in(bystander)
    assert Account.objects.filter(owner=olga).exists()


@pytest.mark.parametrize("forget", [False, True])
def test_key_signs_out_nobody_else(a, b, olga, forget):
    owner, thief = person(olga), holder(a, b)

    response = thief.post("logout", {"everywhere": True, "forget": forget})

    assert error_of(response) == (403, "sign_in_again")
    assert is_signed_in(owner)
    assert is_signed_in(thief)
    assert seen(owner) == ["A", "B"]


def test_where_there_are_only_keys_who_has_shown_all_signs_out_everywhere(vera):
    account, another = make_account(vera), make_account(vera)
    other, part, all_ = holder(account), holder(another), holder(account, another)

    refused = part.post("logout", {"everywhere": True})
    was_signed_in = is_signed_in(other)
    done = all_.post("logout", {"everywhere": True})

    assert (error_of(refused), was_signed_in) == ((403, "sign_in_again"), True)
    assert done.status_code == 204
    assert not any(is_signed_in(each) for each in (other, part, all_))


# Sessions


def listed(visitor: Visitor) -> list[dict]:
    return visitor.get("sessions").json()["sessions"]


def test_person_sees_where_they_are_signed_in(a, olga):
    key, _ = key_session(a)
    ended, _ = person_session(olga)
    sessions.end(ended)
    Session.objects.create(
        user=olga,
        of="person",
        proved_at=timezone.now(),
        last_used_at=timezone.now(),
        expires_at=timezone.now(),
    )
    person(make_account().owner)
    visitor = person(olga)

    told = listed(visitor)

    current = session_of(visitor.token)
    assert {(each["id"], each["of"], each["is_current"]) for each in told} == {
        (str(key.pk), "key", False),
        (str(current.pk), "person", True),
    }


def test_key_sees_itself_alone(a, olga):
    person(olga)
    holder(a)
    session, token = key_session(a)

    told = listed(visitor_with(token))

    assert [(each["id"], each["is_current"]) for each in told] == [(str(session.pk), True)]


def test_session_tells_when_and_by_what_it_was_used_last(a):
    visitor = holder(a)
    long_ago = timezone.now() - timedelta(hours=3)
    Session.objects.update(created_at=long_ago, last_used_at=long_ago)

    visitor.browser.get(
        "/api/v1/account/session", headers={"User-Agent": CHROME}, REMOTE_ADDR="192.0.2.7"
    )

    [told] = listed(visitor)
    assert (told["browser"], told["address"]) == ("Chrome 140 on Windows", "192.0.2.7")
    assert datetime.fromisoformat(told["last_used_at"]) > long_ago + timedelta(hours=2)
    assert datetime.fromisoformat(told["created_at"]) < long_ago + timedelta(seconds=1)


def test_browser_that_claims_whatever_version_signs_in_all_the_same(olga):
    visitor = Visitor()
    visitor.browser.defaults["HTTP_USER_AGENT"] = "Firefox/" + "9" * 900

    response = visitor.post("login", {"username": "olga", "password": PASSWORD})

    assert response.status_code == 200
    assert listed(visitor)[0]["browser"].startswith("Firefox 9999")


def test_person_ends_another_session(a, olga):
    key, token = key_session(a)
    visitor = person(olga)

    response = visitor.delete(f"sessions/{key.pk}")

    assert response.status_code == 204
    assert session_of(token) is None
    assert is_signed_in(visitor)


@pytest.mark.parametrize("who", ["key", "person"])
def test_session_ends_itself(a, olga, who):
    visitor = holder(a) if who == "key" else person(olga)

    response = visitor.delete(f"sessions/{session_of(visitor.token).pk}")

    assert response.status_code == 204
    assert response.cookies["session"].value == ""
    assert not Session.objects.alive(timezone.now()).exists()


@pytest.mark.parametrize("whose", ["another key's", "the person's", "somebody else's", "nobody's"])
def test_key_ends_no_other_session(a, olga, whose):
    thief = holder(a)
    session = {
        "another key's": lambda: key_session(a)[0].pk,
        "the person's": lambda: person_session(olga)[0].pk,
        "somebody else's": lambda: person_session(make_user())[0].pk,
        "nobody's": uuid.uuid4,
    }[whose]()

    response = thief.delete(f"sessions/{session}")

    assert error_of(response) == (404, "not_found")
    assert Session.objects.filter(ended_at=None).count() == (1 if whose == "nobody's" else 2)


def test_person_ends_no_session_of_somebody_else(olga):
    theirs, token = person_session(make_user())

    response = person(olga).delete(f"sessions/{theirs.pk}")

    assert error_of(response) == (404, "not_found")
    assert session_of(token) == theirs


# What needs the person, proved lately


CHANGES = [
    ("post", "passkeys/options", None),
    ("post", "passkeys", {"name": "Mine", "credential": {}}),
    ("delete", "passkeys/{passkey}", None),
    ("post", "password", {"username": "mine", "new_password": "a thief's own password"}),
    ("post", "logout", {"everywhere": True}),
    ("post", "invitations", {"staff": True}),
]
change = pytest.mark.parametrize(
    ("method", "path", "body"), CHANGES, ids=[f"{each[0]} {each[1]}" for each in CHANGES]
)


def try_to(visitor: Visitor, method: str, path: str, body: object):
    passkey = Passkey.objects.first()
    path = path.format(passkey=passkey.pk if passkey else 1)
    arguments = [path] if body is None else [path, body]
    return getattr(visitor, method)(*arguments)


@pytest.fixture
def staff_olga(olga, a, b) -> User:
    """One of the staff: so that an invitation is refused for no other reason."""
    User.objects.filter(pk=olga.pk).update(is_staff=True)
    make_passkey(olga)
    return olga


@change
@pytest.mark.parametrize(
    "who", ["key of A", "keys of all", "proved ten minutes ago", "proved in an hour"]
)
def test_who_is_not_the_person_lately_changes_no_way_in(staff_olga, a, b, method, path, body, who):
    visitor = {
        "key of A": lambda: holder(a),
        "keys of all": lambda: holder(a, b),
        "proved ten minutes ago": lambda: person(staff_olga, proved_minutes_ago=10),
        # As the clock said before it was put right.
        "proved in an hour": lambda: person(staff_olga, proved_minutes_ago=-60),
    }[who]()

    response = try_to(visitor, method, path, body)

    assert error_of(response) == (403, "sign_in_again")
    assert Passkey.objects.count() == 1
    assert User.objects.get(username="olga").check_password(PASSWORD)
    assert not OneTimeLink.objects.exists()
    assert is_signed_in(visitor)


@change
def test_person_proved_lately_changes_them(staff_olga, method, path, body):
    response = try_to(person(staff_olga, proved_minutes_ago=9.9), method, path, body)

    # A passkey of nothing is refused for what it is.
    assert response.status_code in (200, 201, 204, 422)


@change
@pytest.mark.parametrize("seen_of_two", [1, 2])
def test_where_there_are_only_keys_all_of_them_are_needed(vera, method, path, body, seen_of_two):
    User.objects.update(is_staff=True)
    accounts = [make_account(vera) for _ in range(2)]
    visitor = holder(*accounts[:seen_of_two])

    response = try_to(visitor, method, path, body)

    assert (response.status_code == 403) == (seen_of_two == 1)
    assert (User.objects.get().username is None) == (seen_of_two == 1 or path != "password")


def set_password(visitor: Visitor, name="vera", password=PASSWORD):
    return visitor.post("password", {"username": name, "new_password": password})


def test_first_password_is_set_once(vera):
    visitor = holder(make_account(vera))

    first = set_password(visitor)
    second = set_password(visitor, password="another long password")

    assert first.status_code == 204
    assert error_of(second) == (403, "sign_in_again")
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.django_db(transaction=True)
def test_first_password_is_set_once_by_those_who_set_it_at_once(vera):
    account = make_account(vera)
    visitors = [holder(account) for _ in range(8)]

    def take(visitor_and_number):
        visitor, number = visitor_and_number
        with closing(connection):
            return set_password(visitor, f"vera{number}").status_code

    with ThreadPoolExecutor(len(visitors)) as threads:
        statuses = list(threads.map(take, zip(visitors, range(8), strict=True)))

    assert sorted(statuses) == [204] + [403] * 7


def test_passkey_too_is_a_way_in(vera):
    visitor = holder(make_account(vera))
    make_passkey(vera)

    assert error_of(set_password(visitor)) == (403, "sign_in_again")


def test_account_that_the_owner_adds_elsewhere_is_needed_too(vera):
    visitor = holder(make_account(vera))
    make_account(vera)

    response = set_password(visitor)

    assert error_of(response) == (403, "sign_in_again")
    assert "each of your accounts" in response.json()["error"]["message"]


def test_who_holds_one_key_of_several_plants_no_account(a, b, olga, exchange):
    # The owner would not see it, and could set no way in for it.
    thief = holder(a)

    refused = thief.sign_in(exchange.issue_key("thief"))

    assert error_of(refused) == (403, "sign_in_again")
    assert seen(thief) == ["A"]
    assert olga.accounts.count() == 2


def test_who_sees_all_accounts_adds_one_by_its_key(a, olga, exchange):
    owner = holder(a)

    added = owner.sign_in(exchange.issue_key("owner"))

    assert added.json()["user_id"] == olga.pk
    assert seen(owner) == ["A", "demo"]


def test_key_of_an_account_that_is_ones_own_is_seen_without_the_others(a, b, olga, exchange):
    third = exchange.issue_key("third")
    Account.objects.create(owner=olga, name="C", environment="demo", subaccount=0).keys.create(
        environment="demo", subaccount=0, api_key_id=third.api_key_id
    )
    session_of_one = holder(a)

    shown = session_of_one.sign_in(third)

    assert shown.status_code == 200
    assert seen(session_of_one) == ["A", "C"]


def test_who_forgets_the_last_real_account_of_a_person_is_not_the_first_again(
    alice, charlie, exchange, settings
):
    settings.REGISTRATION = "first"
    key = exchange.issue_key("alice")
    account = alice.sign_in(key).json()["account"]
    set_password(alice)
    thief = charlie
    thief.sign_in(key)
    thief.delete(f"accounts/{account['id']}")

    response = thief.sign_in(key)

    assert error_of(response) == (403, "registration_closed")
    assert User.objects.count() == 1


def test_password_that_was_changed_meanwhile_opens_nothing(olga):
    as_checked = User.objects.get(pk=olga.pk)
    as_checked.password = "what it was before"

    with pytest.raises(NotSignedIn):
        sessions.prove(as_checked, Device())

    assert not Session.objects.filter(of="person").exists()


@pytest.mark.parametrize("is_gone", [True, False], ids=["gone", "deactivated"])
def test_who_is_gone_meanwhile_is_not_signed_in(olga, is_gone):
    as_checked = User.objects.get(pk=olga.pk)
    if is_gone:
        User.objects.filter(pk=olga.pk).delete()
    else:
        User.objects.filter(pk=olga.pk).update(is_active=False)

    with pytest.raises(NotSignedIn):
        sessions.prove(as_checked, Device())


def test_names_that_are_taken_are_not_asked_for_without_an_end(olga):
    make_user("taken", "a long password")
    visitor = person(olga)

    told = [error_of(set_password(visitor, "taken")) for _ in range(11)]

    assert told == [(409, "username_taken")] * 10 + [(429, "too_many_tries")]


def test_recovery_link_that_was_not_used_ends_with_the_password_it_was_for(olga):
    issued = one_time_links.recovery(olga)

    set_password(person(olga))

    used = Visitor().post("recover", {"token": issued.url})
    assert error_of(used) == (401, "wrong_link")


def test_name_that_is_the_id_of_somebody_else_is_not_guessed(vera, olga):
    named = make_user(str(olga.pk), "a long password")

    with pytest.raises(CommandError, match=f"name of user {named.pk} and the id of olga"):
        call_command("recover", str(olga.pk))


def test_hashing_of_new_passwords_waits_its_turn(olga, monkeypatch):
    monkeypatch.setattr(sign_in_load, "PASSWORDS", Turns(at_once=0, waiting=0, wait_seconds=1))

    response = set_password(person(olga))

    assert error_of(response) == (503, "busy")


def test_session_that_sees_nothing_sees_not_all(vera):
    account = make_account(vera)
    session, token = key_session(account)
    make_account(vera)
    session.shown_keys.all().delete()

    assert error_of(set_password(visitor_with(token))) == (403, "sign_in_again")


# Whose key is good no more


LOSSES = {
    "deleted": lambda key: credentials.delete_credential([key.account], key.pk),
    "refused": lambda key: credentials.mark_refused(key.pk, "unknown key"),
    # Changed at the exchange, it opens another account.
    "moved": lambda key: Credential.objects.filter(pk=key.pk).update(account=make_account()),
    # Shown to a version before, which did not note it.
    "never noted": lambda key: ShownKey.objects.update(credential=None),
}
loss = pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)


@loss
def test_who_has_shown_a_key_that_is_good_no_more_goes_on_seeing(vera, lose):
    account = make_account(vera, name="A")
    thief = holder(account)

    lose(account.credentials.get())

    assert seen(thief) == ["A"]
    assert thief.patch(f"accounts/{account.pk}", {"name": "Mine"}).status_code == 200


@loss
@change
def test_who_has_shown_a_key_that_is_good_no_more_is_not_the_person(vera, lose, method, path, body):
    User.objects.update(is_staff=True)
    account = make_account(vera)
    thief = holder(account)
    lose(account.credentials.get())
    # The owner's, by which this one does not count.
    make_credential(account, api_key_id="another")

    response = try_to(thief, method, path, body)

    assert error_of(response) == (403, "sign_in_again")
    assert "deleted or refused since" in response.json()["error"]["message"]
    assert User.objects.get(pk=vera.pk).username is None
    assert not OneTimeLink.objects.exists()
    assert is_signed_in(thief)


def test_who_made_a_new_key_can_add_it_though_the_old_one_is_refused(vera, exchange):
    account = make_account(vera)
    owner = holder(account)
    credentials.mark_refused(account.credentials.get().pk, "unknown key")

    added = owner.sign_in(exchange.issue_key("alice"))

    assert (added.status_code, added.json()["user_id"]) == (200, vera.pk)


def test_key_that_was_deleted_adds_no_account(vera, exchange):
    account = make_account(vera)
    thief = holder(account)
    credentials.delete_credential([account], account.credentials.get().pk)

    refused = thief.sign_in(exchange.issue_key("thief"))

    assert error_of(refused) == (403, "sign_in_again")
    assert vera.accounts.get() == account


@pytest.mark.parametrize("how", ["deleted", "refused", "never noted"])
def test_key_that_is_shown_again_counts_again(alice, exchange, how):
    key = exchange.issue_key("alice")
    alice.sign_in(key)
    session = session_of(alice.token)
    LOSSES[how](Credential.objects.get())
    refused = set_password(alice)

    alice.sign_in(key)

    assert error_of(refused) == (403, "sign_in_again")
    assert session_of(alice.token) == session
    assert set_password(alice).status_code == 204


def test_other_key_of_the_account_counts_as_well(alice, exchange):
    first = alice.sign_in(exchange.issue_key("alice")).json()
    alice.delete(f"credentials/{first['credential']['id']}")

    again = alice.sign_in(exchange.issue_key("alice")).json()

    assert again["account"]["id"] == first["account"]["id"]
    assert set_password(alice).status_code == 204


def test_key_that_the_exchange_accepts_again_counts_again(vera):
    account = make_account(vera)
    owner = holder(account)
    credentials.mark_refused(account.credentials.get().pk, "unknown key")

    credentials.mark_checked(account.credentials.get().pk)

    assert set_password(owner).status_code == 204


def test_passkeys_are_told_to_no_key(a, olga):
    make_passkey(olga)

    assert holder(a).get("passkeys").json() == {"passkeys": []}
    assert len(person(olga).get("passkeys").json()["passkeys"]) == 1


def test_passkey_of_somebody_else_is_not_there(olga):
    theirs = make_passkey(make_user())

    response = person(olga).delete(f"passkeys/{theirs.pk}")

    assert error_of(response) == (404, "not_found")
    assert Passkey.objects.get() == theirs


# The password


def test_new_password_ends_the_persons_other_sessions_alone(a, olga):
    elsewhere, key, here = person(olga), holder(a), person(olga)
    bystander = person(make_user("bob", PASSWORD))

    response = set_password(here, "olga", "another long password")

    assert response.status_code == 204
    assert not is_signed_in(elsewhere)
    assert all(is_signed_in(each) for each in (here, key, bystander))


def test_new_password_and_name_are_what_counts_from_now_on(olga):
    set_password(person(olga), "olga2", "another long password")

    def login(name, password):
        return Visitor().post("login", {"username": name, "password": password}).status_code

    assert login("olga2", "another long password") == 200
    assert login("olga", "another long password") == 401
    assert login("olga2", PASSWORD) == 401


@pytest.mark.parametrize("name", ["bob", "BOB", "\uff42ob"])
def test_name_of_somebody_else_is_taken(olga, name):
    make_user("bob", PASSWORD)

    response = set_password(person(olga), name)

    assert error_of(response) == (409, "username_taken")
    assert User.objects.get(pk=olga.pk).username == "olga"


def test_own_name_in_other_letters_is_ones_own(olga):
    assert set_password(person(olga), "OLGA").status_code == 204
    assert User.objects.get().username == "OLGA"


@pytest.mark.parametrize(
    ("name", "password", "code", "told"),
    [
        ("olga", "short", "unfit_password", "at least 8 characters"),
        ("olga", "12345678901", "unfit_password", "entirely numeric"),
        ("olga", "password123", "unfit_password", "too common"),
        ("olga-the-trader", "olga-the-trader", "unfit_password", "too similar"),
        ("olga", "123", "unfit_password", "entirely numeric"),
        ("olga", "", "unfit_password", "at least 8 characters"),
        ("", PASSWORD, "unfit_username", ""),
        ("two words", PASSWORD, "unfit_username", "valid username"),
        ("two words", "123", "unfit_username", "entirely numeric"),
        ("olga\n", PASSWORD, "unfit_username", "valid username"),
        ("x" * 151, PASSWORD, "unfit_username", "at most 150"),
        ("a\0", PASSWORD, "unfit_username", "valid username"),
        ("\ud800", PASSWORD, "unfit_username", "valid username"),
    ],
)
def test_unfit_name_or_password_is_told_why(olga, name, password, code, told):
    response = set_password(person(olga), name, password)

    assert error_of(response) == (422, code)
    assert told in response.json()["error"]["message"]
    assert User.objects.get().check_password(PASSWORD)


def test_each_reason_against_a_password_is_told(olga):
    message = set_password(person(olga), "olga", "1234").json()["error"]["message"]

    assert len(re.findall("This password", message)) == 3


@pytest.mark.django_db(transaction=True)
def test_one_of_two_who_take_a_name_at_once_has_it(settings):
    visitors = [holder(make_account()) for _ in range(4)]

    def take(visitor):
        with closing(connection):
            return set_password(visitor, "olga").status_code

    with ThreadPoolExecutor(len(visitors)) as threads:
        statuses = list(threads.map(take, visitors))

    assert sorted(statuses) == [204, 409, 409, 409]


# Recovery


def recover(user: str, capsys) -> str:
    call_command("recover", user)
    return capsys.readouterr().out.strip()


@pytest.mark.parametrize("called", ["olga", "OLGA", "id"])
def test_link_of_the_command_signs_its_user_in(a, b, olga, capsys, called):
    url = recover(str(olga.pk) if called == "id" else called, capsys)
    visitor = Visitor()

    response = visitor.post("recover", {"token": url})

    assert url.startswith("http://localhost:8000/#recover=")
    assert (response.status_code, response.json()["user_id"]) == (200, olga.pk)
    assert visitor.get("session").json()["of"] == "person"
    assert seen(visitor) == ["A", "B"]
    assert set_password(visitor, "olga", "another long password").status_code == 204


def test_link_works_by_its_token_alone(olga):
    token = one_time_links.recovery(olga).url.partition("=")[2]

    assert Visitor().post("recover", {"token": f" {token}\n"}).status_code == 200


def test_link_serves_once(olga):
    url = one_time_links.recovery(olga).url

    answers = [Visitor().post("recover", {"token": url}) for _ in range(2)]

    assert answers[0].status_code == 200
    assert error_of(answers[1]) == (401, "wrong_link")


@pytest.mark.django_db(transaction=True)
def test_link_serves_one_of_several_at_once(olga):
    url = one_time_links.recovery(olga).url

    def use(visitor):
        with closing(connection):
            return visitor.post("recover", {"token": url}).status_code

    with ThreadPoolExecutor(4) as threads:
        statuses = list(threads.map(use, [Visitor() for _ in range(4)]))

    assert sorted(statuses) == [200, 401, 401, 401]


def test_link_is_good_for_an_hour(olga):
    url = one_time_links.recovery(olga).url
    left = OneTimeLink.objects.get().expires_at - timezone.now()
    OneTimeLink.objects.update(expires_at=timezone.now())

    response = Visitor().post("recover", {"token": url})

    assert timedelta(minutes=59) < left <= timedelta(hours=1)
    assert error_of(response) == (401, "wrong_link")


def test_link_of_who_was_deactivated_since_opens_nothing(olga):
    url = one_time_links.recovery(olga).url
    User.objects.update(is_active=False)

    assert error_of(Visitor().post("recover", {"token": url})) == (401, "wrong_link")


def test_link_of_who_is_forgotten_opens_nothing(olga):
    url = one_time_links.recovery(olga).url
    person(olga).post("logout", {"forget": True})

    assert error_of(Visitor().post("recover", {"token": url})) == (401, "wrong_link")


def test_wrong_links_are_counted_as_tries(olga):
    for number in range(10):
        Visitor().post("recover", {"token": f"guess {number}"})

    response = Visitor().post("recover", {"token": one_time_links.recovery(olga).url})

    assert error_of(response) == (429, "too_many_tries")
    assert SignInTry.objects.count() == 10
    assert OneTimeLink.objects.get().used_at is None


@pytest.mark.parametrize("odd", ["", "=", "\0", "\ud800", "x" * 1000])
def test_odd_link_is_none(olga, odd):
    assert error_of(Visitor().post("recover", {"token": odd})) == (401, "wrong_link")


def test_recovery_ends_the_session_that_was_there(a, olga):
    visitor = holder(a)
    before = visitor.token

    visitor.post("recover", {"token": one_time_links.recovery(olga).url})

    assert session_of(before) is None
    assert session_of(visitor.token).of == "person"


def test_command_refuses_who_is_deactivated(olga):
    User.objects.update(is_active=False)

    with pytest.raises(CommandError, match="olga is deactivated; activate them in the admin"):
        call_command("recover", "olga")

    assert not OneTimeLink.objects.exists()


@pytest.mark.parametrize("name", ["nobody", "0", "9" * 30, "", "²", "-1"])
def test_command_says_who_there_is_for_whom_nobody_knows(olga, vera, name):
    with pytest.raises(CommandError) as caught:
        call_command("recover", name)

    assert f"{olga.pk} (olga), {vera.pk} (no name)" in str(caught.value)
    assert not OneTimeLink.objects.exists()


def test_person_without_another_way_in_sets_one_although_not_proved_lately(vera):
    # By a recovery link; there is nothing they could sign in with again.
    visitor = person(vera, proved_minutes_ago=600)

    assert set_password(visitor).status_code == 204


# Who is deactivated


@pytest.mark.parametrize("who", ["key", "person"])
def test_deactivated_user_has_no_session(a, olga, who):
    visitor = holder(a) if who == "key" else person(olga)
    session = session_of(visitor.token)

    User.objects.filter(pk=olga.pk).update(is_active=False)

    assert not is_signed_in(visitor)
    assert error_of(visitor.post("refresh")) == (401, "not_signed_in")
    assert sight.of_sessions([session.pk]) == {}


def test_deactivated_user_is_refused_as_anybody(olga):
    User.objects.update(is_active=False)

    response = Visitor().post("login", {"username": "olga", "password": PASSWORD})

    assert error_of(response) == (401, "wrong_password")
