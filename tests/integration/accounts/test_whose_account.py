"""Which account a key opens, and whose it is then."""

import threading
from contextlib import closing
from dataclasses import replace

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections
from django.test import AsyncClient

from accounts import credentials
from accounts.models import Account, Credential, Session, User
from tests.integration.accounts.conftest import error_of, sign_in_async
from tests.integration.visitors import ACCOUNT, Visitor, session_of

pytestmark = pytest.mark.django_db


def test_second_key_of_an_account_becomes_its_credential(alice, exchange):
    first = alice.sign_in(exchange.issue_key("alice"))

    second = alice.sign_in(exchange.issue_key("alice"))

    assert second.json()["account"]["id"] == first.json()["account"]["id"]
    assert Credential.objects.filter(account_id=first.json()["account"]["id"]).count() == 2


def test_key_of_another_owner_makes_another_user(alice, charlie, exchange):
    first = alice.sign_in(exchange.issue_key("alice"))

    second = charlie.sign_in(exchange.issue_key("charlie"))

    assert second.json()["user_id"] != first.json()["user_id"]
    assert second.json()["account"]["id"] != first.json()["account"]["id"]


def test_account_of_a_key_shown_while_signed_in_becomes_ones_own(alice, exchange):
    first = alice.sign_in(exchange.issue_key("alice")).json()
    token = alice.token

    second = alice.sign_in(exchange.issue_key("charlie")).json()

    session = alice.get("session").json()
    assert second["user_id"] == first["user_id"] == session["user_id"]
    assert [each["id"] for each in session["accounts"]] == [
        first["account"]["id"],
        second["account"]["id"],
    ]
    assert session_of(alice.token) == session_of(token)


def test_account_of_another_user_stays_theirs(alice, charlie, exchange):
    alice.sign_in(exchange.issue_key("alice"))
    theirs = charlie.sign_in(exchange.issue_key("charlie")).json()

    response = alice.sign_in(exchange.issue_key("charlie"))

    assert error_of(response) == (409, "account_has_owner")
    assert Account.objects.get(pk=theirs["account"]["id"]).owner_id == theirs["user_id"]
    assert len(alice.get("session").json()["accounts"]) == 1
    assert Credential.objects.count() == 2


def test_key_of_a_deactivated_user_signs_nobody_in(alice, charlie, exchange):
    key = exchange.issue_key("alice")
    alice.sign_in(key)
    User.objects.update(is_active=False)

    response = charlie.sign_in(key)

    assert error_of(response) == (403, "deactivated")
    assert alice.get("session").status_code == 401


def test_key_that_may_no_longer_list_keys_stays_its_owners(alice, charlie, exchange):
    key = exchange.issue_key("alice")
    first = alice.sign_in(key).json()
    exchange.keys[key.api_key_id] = replace(exchange.keys[key.api_key_id], may_list=False)

    second = charlie.sign_in(key, accept_trading_key=True).json()

    assert second["account"]["id"] != first["account"]["id"]
    assert second["user_id"] == first["user_id"]
    assert [each["id"] for each in charlie.get("session").json()["accounts"]] == [
        second["account"]["id"]
    ]


def test_account_is_named_after_its_environment_at_first(alice, exchange):
    account = alice.sign_in(exchange.issue_key("alice")).json()["account"]

    assert account == {
        "id": account["id"],
        "name": "demo",
        "label": "Demo",
        "environment": "demo",
        "subaccount": 0,
        "is_default": True,
        "same_as": None,
        "created_at": account["created_at"],
    }


def test_same_key_in_another_environment_makes_another_account(alice, exchange):
    key = exchange.issue_key("alice")
    first = alice.sign_in(key, environment="demo")

    second = alice.sign_in(key, environment="production")

    assert second.json()["account"]["id"] != first.json()["account"]["id"]


def test_key_locked_to_a_subaccount_makes_an_account_of_that_subaccount(alice, exchange):
    first = alice.sign_in(exchange.issue_key("alice"))

    second = alice.sign_in(exchange.issue_key("alice", subaccount=3))

    assert second.json()["account"]["id"] != first.json()["account"]["id"]
    assert Account.objects.get(pk=second.json()["account"]["id"]).subaccount == 3


def test_key_locked_to_the_primary_subaccount_is_of_the_primary_account(alice, exchange):
    first = alice.sign_in(exchange.issue_key("alice"))

    second = alice.sign_in(exchange.issue_key("alice", subaccount=0))

    assert second.json()["account"]["id"] == first.json()["account"]["id"]


def test_key_that_may_not_list_keys_is_an_account_of_its_own(alice, exchange):
    silent = exchange.issue_key("alice", may_list=False)
    first = alice.sign_in(silent, accept_trading_key=True)

    listing_it = alice.sign_in(exchange.issue_key("alice"))
    again = alice.sign_in(silent, accept_trading_key=True)

    assert listing_it.json()["account"]["id"] != first.json()["account"]["id"]
    assert again.json()["account"]["id"] == first.json()["account"]["id"]


def test_account_is_known_by_a_key_id_it_once_listed(alice, exchange):
    unused = exchange.issue_key("alice")
    used = exchange.issue_key("alice")
    first = alice.sign_in(used)
    del exchange.keys[used.api_key_id]

    second = alice.sign_in(unused)

    assert second.json()["account"]["id"] == first.json()["account"]["id"]


def test_account_is_known_by_a_key_id_added_at_a_later_sign_in(alice, exchange):
    first_key = exchange.issue_key("alice")
    first = alice.sign_in(first_key)
    second_key = exchange.issue_key("alice")
    alice.sign_in(first_key)
    del exchange.keys[first_key.api_key_id]

    second = alice.sign_in(second_key)

    assert second.json()["account"]["id"] == first.json()["account"]["id"]


def test_key_that_signs_in_again_is_usable_again_and_stored_once(alice, exchange):
    key = exchange.issue_key("alice")
    first = alice.sign_in(key)
    credentials.mark_refused(first.json()["credential"]["id"], "unknown key")

    second = alice.sign_in(key)

    assert second.json()["credential"]["id"] == first.json()["credential"]["id"]
    assert second.json()["credential"]["status"] == "usable"
    assert Credential.objects.get().refused_at is None


def test_key_whose_lock_was_changed_moves_to_the_account_of_its_subaccount(alice, exchange):
    key = exchange.issue_key("alice")
    first = alice.sign_in(key)
    exchange.keys[key.api_key_id] = replace(exchange.keys[key.api_key_id], subaccount=5)

    second = alice.sign_in(key)

    assert second.json()["account"]["id"] != first.json()["account"]["id"]
    assert Credential.objects.get().account_id == second.json()["account"]["id"]


@pytest.mark.django_db(transaction=True)
def test_sign_ins_of_the_same_new_key_at_once_make_one_account(exchange):
    key = exchange.issue_key("alice")
    # Both are checked before either is stored.
    both_checked = threading.Barrier(2, timeout=10)
    exchange.on_positions = both_checked.wait
    visitors = [Visitor(), Visitor()]
    responses = []

    def sign_in(visitor):
        with closing(connection):
            responses.append(visitor.sign_in(key))

    threads = [threading.Thread(target=sign_in, args=[visitor]) for visitor in visitors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)

    assert [response.status_code for response in responses] == [200, 200]
    assert Account.objects.count() == 1
    assert Credential.objects.count() == 1
    assert Session.objects.count() == 2


@pytest.mark.django_db(transaction=True)
async def test_key_signs_in_on_an_asynchronous_server(exchange):
    browser = AsyncClient(enforce_csrf_checks=True)

    response = await sign_in_async(browser, exchange.issue_key("alice"))
    session = await browser.get(f"{ACCOUNT}session")
    # Of the thread that asynchronous code runs the ORM in.
    await sync_to_async(connections.close_all)()

    assert response.status_code == 200
    assert session.json()["user_id"] == response.json()["user_id"]


@pytest.mark.django_db(transaction=True)
def test_sign_in_announces_that_the_credentials_changed(alice, exchange, announced):
    account = alice.sign_in(exchange.issue_key("alice")).json()["account"]

    assert announced() == [("credentials_changed", str(account["id"]))]
