import re

import pytest
from django.core import serializers
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import passwords, sign_in_load
from accounts.errors import Busy, TooManyTries, WrongPassword
from accounts.models import KnownNetwork, SignInTry
from accounts.turns import Turns
from tests.hashers import CountingHasher
from tests.integration.accounts.conftest import told
from tests.integration.visitors import make_user

pytestmark = pytest.mark.django_db

HOME = "2001:db8::7"
NEXT_ROOM = "2001:db8::8"
CAFE = "192.0.2.7"


@pytest.fixture(autouse=True)
def ada():
    return make_user("ada", password="right")


@pytest.fixture
def check(rf):
    def check(username, password, *, address=CAFE):
        request = rf.post("/", REMOTE_ADDR=address)
        return passwords.check(request, username=username, password=password)

    return check


@pytest.fixture
def guess(check):
    """Try a wrong password from so many addresses, once from each."""

    def guess(username, times=10):
        for host in range(times):
            with pytest.raises(WrongPassword):
                check(username, "wrong", address=f"10.0.0.{host}")

    return guess


def test_name_and_its_password_tell_the_user(check, ada, caplog):
    caplog.set_level("INFO", logger="accounts")

    user = check("ada", "right")

    [record] = caplog.records
    assert user == ada
    assert (record.message, record.user_id, record.by) == ("signed in", ada.pk, "password")
    assert not SignInTry.objects.exists()


@pytest.mark.parametrize("written", ["Ada", "ADA", "\uff41da"], ids=["Ada", "ADA", "full width"])
def test_name_is_known_however_its_letters_are_written(check, ada, written):
    assert check(written, "right") == ada


@pytest.mark.parametrize(
    ("username", "password"),
    [("ada", "wrong"), ("ada", ""), ("", "right"), ("nobody", "right")],
)
def test_any_other_pair_is_refused_and_counted_by_address_and_name(check, username, password):
    with pytest.raises(WrongPassword) as caught:
        check(username, password)

    assert (caught.value.status, caught.value.code) == (401, "wrong_password")
    assert SignInTry.objects.count() == 2


def test_user_who_may_not_sign_in_is_refused_as_with_a_wrong_password(check, ada):
    ada.is_active = False
    ada.save()

    with pytest.raises(WrongPassword):
        check("ada", "right")


@pytest.mark.parametrize("odd", ["\0", "a\0da", "\ud800", "x" * 30_000], ids=ascii)
def test_whatever_was_typed_is_at_most_wrong(check, odd):
    with pytest.raises(WrongPassword):
        check(odd, "right")
    with pytest.raises(WrongPassword):
        check("ada", odd)


# By address


def test_ten_wrong_passwords_close_the_door_to_their_network(check):
    for number in range(10):
        with pytest.raises(WrongPassword):
            check(f"name {number}", "wrong", address=HOME)

    with pytest.raises(TooManyTries, match="from this address"):
        check("ada", "right", address=NEXT_ROOM)


def test_keys_and_passwords_are_counted_together(check, alice, exchange):
    for number in range(10):
        with pytest.raises(WrongPassword):
            check(f"name {number}", "wrong", address="127.0.0.1")

    response = alice.sign_in(exchange.issue_key("alice"))

    assert response.status_code == 429


# By name


@pytest.mark.parametrize("name", ["ada", "nobody"])
def test_ten_wrong_passwords_from_anywhere_slow_a_name_that_exists_or_not(check, guess, name):
    guess(name)

    with pytest.raises(TooManyTries, match="with this name") as caught:
        check(name, "right")

    assert 540 <= caught.value.retry_after_seconds <= 600


@pytest.mark.parametrize("variant", ["ADA", "ａｄａ"])
def test_name_written_otherwise_is_the_same_name(check, guess, variant):
    guess(variant)

    with pytest.raises(TooManyTries, match="with this name"):
        check("ada", "right")


def test_other_names_are_not_slowed(check, guess, ada):
    guess("bob")

    assert check("ada", "right") == ada


def test_stranger_cannot_lock_an_owner_out_of_a_network_they_signed_in_from(check, guess, ada):
    check("ada", "right", address=HOME)

    guess("ada")

    assert check("ada", "right", address=NEXT_ROOM) == ada


def test_owners_own_mistakes_do_not_slow_the_name_elsewhere(check, ada):
    check("ada", "right", address=HOME)
    for _ in range(10):
        with pytest.raises(WrongPassword):
            check("ada", "wrong", address=HOME)

    assert check("ada", "right", address=CAFE) == ada


def test_network_known_to_one_name_is_not_known_to_another(check, guess):
    make_user("bob", password="right")
    check("bob", "right", address=HOME)

    guess("ada")

    with pytest.raises(TooManyTries, match="with this name"):
        check("ada", "right", address=HOME)


def test_wrong_password_makes_no_network_known(check):
    with pytest.raises(WrongPassword):
        check("ada", "wrong")

    assert not KnownNetwork.objects.exists()


def test_keys_are_not_slowed_by_what_happens_to_a_name(guess, alice, exchange):
    guess("ada")

    assert alice.sign_in(exchange.issue_key("ada")).status_code == 200


# Alike for names that exist and others


def work_of(check, name):
    """How many passwords are hashed, and the statements without their values."""
    hashed_before = CountingHasher.hashed
    with CaptureQueriesContext(connection) as queries, pytest.raises(WrongPassword):
        check(name, "wrong")
    statements = [re.sub("WHERE.*|'[^']*'| *-?[0-9]+", "", query["sql"]) for query in queries]
    return CountingHasher.hashed - hashed_before, statements


def test_unknown_name_takes_the_same_work_as_a_known_one(check):
    known, unknown = work_of(check, "ada"), work_of(check, "nobody")

    assert known == unknown
    assert known[0] == 1


def test_what_was_typed_is_neither_stored_nor_logged(check, guess, everything_logged):
    with pytest.raises(WrongPassword):
        check("password in the wrong field", "and another")
    check("ada", "right")
    rows = [*SignInTry.objects.all(), *KnownNetwork.objects.all()]

    stored = serializers.serialize("json", rows)

    assert len(rows) == 3
    assert "wrong field" not in stored + everything_logged.text
    assert "another" not in stored + everything_logged.text
    assert "ada" not in stored


def test_failures_are_logged_by_address_and_refusals_once(check, caplog):
    for _ in range(10):
        with pytest.raises(WrongPassword):
            check("ada", "wrong", address=HOME)
    for _ in range(3):
        with pytest.raises(TooManyTries):
            check("ada", "wrong", address=HOME)

    assert told(caplog) == [
        *[("sign-in failed", "2001:db8::/64", "password", "wrong_password")] * 10,
        ("sign-in refused", "2001:db8::/64", "password", "too_many_tries"),
    ]


# Too many at once


def test_password_beyond_those_looked_at_at_once_is_told_to_come_again(check, monkeypatch, caplog):
    monkeypatch.setattr(sign_in_load, "PASSWORDS", Turns(at_once=0, waiting=0, wait_seconds=1))
    hashed_before = CountingHasher.hashed

    with pytest.raises(Busy):
        check("ada", "right")

    assert CountingHasher.hashed == hashed_before
    assert not SignInTry.objects.exists()
    assert told(caplog) == [("sign-in refused", CAFE, "password", "busy")]
