import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import psycopg
import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import throttle
from accounts.attempts import Attempt
from accounts.errors import ExchangeUnavailable, KeyRefused, MissingField, TooManyTries
from accounts.models import SignInTry
from accounts.throttle import Key

pytestmark = pytest.mark.django_db

HOME = Key("address", "10.0.0.7")
ELSEWHERE = Key("address", "10.0.0.8")
ADA = Key("name", "ada's digest")


def fail(times, *, seconds_ago=0.0, key=HOME):
    at = timezone.now() - timedelta(seconds=seconds_ago)
    SignInTry.objects.bulk_create(SignInTry(key=str(key), at=at) for _ in range(times))


# Who may try


def test_tenth_try_is_allowed_after_nine_failures():
    fail(9)

    throttle.reserve(HOME)

    assert SignInTry.objects.count() == 10


def test_tries_under_way_count_as_failed_ones_do():
    fail(5)
    for _ in range(5):
        throttle.reserve(HOME)

    with pytest.raises(TooManyTries):
        throttle.reserve(HOME)


def test_ten_failures_close_the_door_until_the_first_of_them_is_old():
    fail(1, seconds_ago=500)
    fail(9, seconds_ago=10)

    with pytest.raises(TooManyTries) as caught:
        throttle.reserve(HOME)

    assert 99 <= caught.value.retry_after_seconds <= 100


def test_failures_of_tomorrow_as_a_wrong_clock_counted_them_close_no_door():
    fail(20, seconds_ago=-86_400)

    throttle.reserve(HOME)

    assert SignInTry.objects.count() == 1


def test_only_the_newest_ten_tell_how_long_to_wait():
    fail(5, seconds_ago=500)
    fail(10, seconds_ago=10)

    with pytest.raises(TooManyTries) as caught:
        throttle.reserve(HOME)

    assert 589 <= caught.value.retry_after_seconds <= 590


def test_tries_of_ten_minutes_ago_no_longer_count():
    fail(10, seconds_ago=600)

    throttle.reserve(HOME)

    assert SignInTry.objects.filter(key=str(HOME)).count() == 1


def test_other_keys_are_not_counted():
    fail(10)

    assert throttle.reserve(ELSEWHERE)


@pytest.mark.parametrize(
    ("full", "told"),
    [
        pytest.param(HOME, "Too many failed tries from this address. Try again in ", id="address"),
        pytest.param(ADA, "Too many failed tries with this name. Try again in ", id="name"),
    ],
)
def test_try_of_two_keys_needs_a_place_of_each_and_takes_both_or_none(full, told):
    fail(10, key=full)

    with pytest.raises(TooManyTries, match=told):
        throttle.reserve(HOME, ADA)

    assert SignInTry.objects.count() == 10


@pytest.mark.django_db(transaction=True)
def test_of_fifty_tries_at_once_ten_pass():
    start = threading.Barrier(10, timeout=20)

    def try_five_times(_):
        with closing(connection):
            start.wait()
            return sum(passes() for _ in range(5))

    with ThreadPoolExecutor(10) as processes:
        passed = list(processes.map(try_five_times, range(10)))

    assert sum(passed) == 10
    assert SignInTry.objects.count() == 10


def passes():
    try:
        throttle.reserve(HOME)
    except TooManyTries:
        return False
    return True


@pytest.mark.django_db(transaction=True)
def test_tries_of_the_same_keys_in_another_order_do_not_block_each_other():
    start = threading.Barrier(8, timeout=20)

    def reserve(keys):
        with closing(connection):
            start.wait()
            return throttle.reserve(*keys)

    with ThreadPoolExecutor(8) as processes:
        places = list(processes.map(reserve, [(HOME, ADA), (ADA, HOME)] * 4))

    assert len({place for pair in places for place in pair}) == 16


@pytest.mark.django_db(transaction=True)
def test_try_waits_for_another_of_its_key_and_not_for_those_of_others(own_connection):
    number = throttle.lock_number(HOME)
    own_connection.execute(
        "SELECT pg_advisory_lock(%s::int, %s::int)", [throttle.LOCK_NAMESPACE, number]
    )
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '10ms'")

    try:
        other = throttle.reserve(ELSEWHERE)
        with pytest.raises(OperationalError) as caught:
            throttle.reserve(HOME)
    finally:
        # The next test has the same connection.
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")

    assert other
    assert isinstance(caught.value.__cause__, psycopg.errors.LockNotAvailable)


def test_refused_try_costs_one_query():
    fail(10)

    with (
        CaptureQueriesContext(
            connection,
        ) as queries,
        pytest.raises(TooManyTries),
    ):
        throttle.reserve(HOME, ADA)

    assert len(queries) == 1


def test_tries_that_no_longer_count_are_purged():
    fail(3, seconds_ago=601, key=ELSEWHERE)
    fail(2, seconds_ago=500)

    throttle.reserve(HOME)

    assert SignInTry.objects.count() == 3


# What counts


@pytest.mark.parametrize("error", [KeyRefused(), KeyboardInterrupt()], ids=["refused", "ended"])
def test_try_that_a_guesser_would_make_or_that_was_broken_off_counts(error):
    with pytest.raises(type(error)), Attempt("password", HOME.value, ADA):
        raise error

    assert SignInTry.objects.count() == 2


@pytest.mark.parametrize(
    "error", [MissingField(), ExchangeUnavailable(), ValueError()], ids=lambda error: str(error)
)
def test_try_that_fails_for_another_reason_does_not_count(error):
    with pytest.raises(type(error)), Attempt("password", HOME.value, ADA):
        raise error

    assert not SignInTry.objects.exists()


def test_success_takes_back_its_own_try_and_no_failure():
    fail(9)

    with Attempt("key", HOME.value):
        counted_meanwhile = SignInTry.objects.count()

    assert counted_meanwhile == 10
    assert SignInTry.objects.count() == 9


@pytest.mark.django_db(transaction=True)
def test_success_stays_one_when_the_database_goes_away_behind_it(own_connection, caplog):
    with Attempt("key", HOME.value):
        pid = connection.connection.info.backend_pid
        own_connection.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    connection.close()

    assert "sign-in still counts" in caplog.text
    assert SignInTry.objects.count() == 1
