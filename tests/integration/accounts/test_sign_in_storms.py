"""Sign-ins that fail again and again, or all at once: slowed, told in the log, and no burden."""

import asyncio
import threading
from contextlib import closing

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections
from django.test import AsyncClient

from accounts import sign_in_load
from accounts.models import SignInTry
from accounts.turns import Turns
from tests.integration.accounts.conftest import error_of, sign_in_async, told
from tests.integration.accounts.exchange import Key

pytestmark = pytest.mark.django_db


async def hang_up_while_the_exchange_is_asked(exchange):
    asked, may_answer = threading.Event(), threading.Event()
    exchange.on_positions = lambda: (asked.set(), may_answer.wait(10))
    request = asyncio.create_task(sign_in_async(AsyncClient(), exchange.issue_key("alice")))
    await asyncio.to_thread(asked.wait, 10)
    request.cancel()
    await asyncio.wait([request])
    may_answer.set()
    assert request.cancelled()


# Too many tries


def test_address_that_failed_ten_times_has_to_wait(alice, exchange):
    good = exchange.issue_key("alice")
    for _ in range(10):
        alice.sign_in(Key("unknown", good.private_key))

    response = alice.sign_in(good)

    assert error_of(response) == (429, "too_many_tries")
    assert 540 <= int(response.headers["Retry-After"]) <= 600


def test_other_addresses_need_not_wait(alice, exchange):
    good = exchange.issue_key("alice")
    for _ in range(10):
        alice.sign_in(Key("unknown", good.private_key))
    body = {"environment": "demo", **vars(good)}

    response = alice.post("authenticate", body, REMOTE_ADDR="10.0.0.7")

    assert response.status_code == 200


def test_addresses_of_one_network_are_one_visitor(alice, exchange):
    good = exchange.issue_key("alice")
    bad = {"environment": "demo", "api_key_id": "unknown", "private_key": good.private_key}
    for host in range(10):
        alice.post("authenticate", bad, REMOTE_ADDR=f"2001:db8::{host}")

    neighbour = alice.post("authenticate", bad, REMOTE_ADDR="2001:db8::ffff")
    stranger = alice.post("authenticate", bad, REMOTE_ADDR="2001:db8:0:1::")

    assert error_of(neighbour) == (429, "too_many_tries")
    assert error_of(stranger) == (401, "key_refused")


@pytest.mark.django_db(transaction=True)
def test_try_counts_while_the_exchange_is_asked(alice, exchange):
    counted = []

    def count():
        with closing(connection):
            counted.append(SignInTry.objects.count())

    exchange.on_positions = count

    alice.sign_in(exchange.issue_key("alice"))

    assert counted == [1]
    assert not SignInTry.objects.exists()


@pytest.mark.django_db(transaction=True)
async def test_try_whose_visitor_hangs_up_counts(exchange):
    await hang_up_while_the_exchange_is_asked(exchange)

    counted = await sync_to_async(SignInTry.objects.count)()
    await sync_to_async(connections.close_all)()
    assert counted == 1


def test_only_what_a_guesser_would_do_counts_as_a_failed_try(alice, exchange):
    reading = exchange.issue_key("alice")
    alice.sign_in(reading)
    alice.sign_in(exchange.issue_key("alice", scopes=["read", "write"]))
    alice.post("authenticate", {"environment": "demo"})
    exchange.active = False
    alice.sign_in(reading)

    counted_before = SignInTry.objects.count()
    exchange.active = True
    alice.sign_in(Key("unknown", reading.private_key))
    alice.sign_in(Key(reading.api_key_id, "no key"))
    alice.sign_in(exchange.issue_key("alice", may_read=False))

    assert counted_before == 0
    assert SignInTry.objects.count() == 3


# Too many at once


@pytest.mark.parametrize("work", ["KEYS", "CHECKS"])
def test_sign_in_beyond_what_is_worked_on_at_once_is_told_to_come_again(
    alice, exchange, monkeypatch, work
):
    monkeypatch.setattr(sign_in_load, work, Turns(at_once=0, waiting=0, wait_seconds=1))

    response = alice.sign_in(exchange.issue_key("alice"))

    assert error_of(response) == (503, "busy")
    assert response.headers["Retry-After"] == "5"
    assert exchange.paths == []
    assert not SignInTry.objects.exists()


def test_who_tried_too_often_takes_no_part_of_that_work(alice, exchange, monkeypatch):
    bad = Key("unknown", exchange.issue_key("alice").private_key)
    for _ in range(10):
        alice.sign_in(bad)
    monkeypatch.setattr(sign_in_load, "KEYS", Turns(at_once=0, waiting=0, wait_seconds=1))

    response = alice.sign_in(bad)

    assert error_of(response) == (429, "too_many_tries")


def test_storm_beyond_that_work_is_logged_once_an_address(alice, exchange, monkeypatch, caplog):
    key = exchange.issue_key("alice")
    monkeypatch.setattr(sign_in_load, "KEYS", Turns(at_once=0, waiting=0, wait_seconds=1))

    for _ in range(3):
        alice.sign_in(key)

    assert told(caplog) == [("sign-in refused", "127.0.0.1", "key", "busy")]


@pytest.mark.django_db(transaction=True)
async def test_visitor_who_hangs_up_leaves_the_exchange_to_others(exchange, monkeypatch):
    monkeypatch.setattr(sign_in_load, "CHECKS", Turns(at_once=1, waiting=0, wait_seconds=1))

    await hang_up_while_the_exchange_is_asked(exchange)

    response = await sign_in_async(AsyncClient(), exchange.issue_key("alice"))
    await sync_to_async(connections.close_all)()
    assert response.status_code == 200


# In the log


def test_each_failed_try_is_logged_by_address_and_reason(alice, exchange, caplog):
    key = exchange.issue_key("alice")

    alice.sign_in(Key("unknown", key.private_key))
    alice.sign_in(Key("unknown", key.private_key))
    alice.sign_in(Key(key.api_key_id, "no key"))

    assert told(caplog) == [
        ("sign-in failed", "127.0.0.1", "key", "key_refused"),
        ("sign-in failed", "127.0.0.1", "key", "key_refused"),
        ("sign-in failed", "127.0.0.1", "key", "invalid_private_key"),
    ]


def test_what_can_be_repeated_without_an_end_is_logged_once(alice, caplog):
    for _ in range(3):
        alice.post("authenticate", {"environment": "demo"})

    assert told(caplog) == [("sign-in failed", "127.0.0.1", "key", "missing_field")]


def test_refused_tries_are_logged_once_an_address(alice, exchange, caplog):
    bad = Key("unknown", exchange.issue_key("alice").private_key)
    for _ in range(10):
        alice.sign_in(bad)
    caplog.clear()

    for _ in range(3):
        alice.sign_in(bad)

    assert told(caplog) == [("sign-in refused", "127.0.0.1", "key", "too_many_tries")]


def test_failed_sign_in_is_logged_without_anything_that_was_typed(
    alice, exchange, everything_logged
):
    key = exchange.issue_key("alice")

    alice.sign_in(Key("typed-id", key.private_key))
    alice.sign_in(Key("typed id", key.private_key))
    alice.sign_in(Key(key.api_key_id, "typed key"))

    assert len(told(everything_logged)) == 3
    assert "typed" not in everything_logged.text
    assert key.api_key_id not in everything_logged.text
    assert key.private_key.splitlines()[1] not in everything_logged.text
