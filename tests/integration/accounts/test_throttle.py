from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import throttle
from accounts.errors import TooManyTries
from accounts.models import SignInFailure

pytestmark = pytest.mark.django_db


def fail(times, *, seconds_ago=0.0, address="10.0.0.7"):
    at = timezone.now() - timedelta(seconds=seconds_ago)
    SignInFailure.objects.bulk_create(SignInFailure(address=address, at=at) for _ in range(times))


def test_nine_failures_are_allowed():
    fail(9)

    assert throttle.check("10.0.0.7") is None


def test_ten_failures_close_the_door_until_the_first_of_them_is_old():
    fail(1, seconds_ago=500)
    fail(9, seconds_ago=10)

    with pytest.raises(TooManyTries) as caught:
        throttle.check("10.0.0.7")

    assert 99 <= caught.value.retry_after_seconds <= 100


def test_only_the_newest_ten_tell_how_long_to_wait():
    fail(5, seconds_ago=500)
    fail(10, seconds_ago=10)

    with pytest.raises(TooManyTries) as caught:
        throttle.check("10.0.0.7")

    assert 589 <= caught.value.retry_after_seconds <= 590


def test_failures_of_ten_minutes_ago_no_longer_count():
    fail(10, seconds_ago=600)

    assert throttle.check("10.0.0.7") is None


def test_failures_that_no_longer_count_are_purged():
    fail(3, seconds_ago=601, address="10.0.0.8")
    fail(2, seconds_ago=500)

    throttle.record_failure("10.0.0.7")

    assert SignInFailure.objects.count() == 3
