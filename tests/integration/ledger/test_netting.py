"""Whether there was netting, over time."""

from datetime import timedelta

import pytest

from ledger import netting
from tests.told import at

pytestmark = pytest.mark.django_db


def told(account, *said: bool | None) -> list[bool]:
    """Say these, a second after each other; whether something was then switched."""
    return [
        netting.keep(account.pk, is_netting, at(second)) is not None
        for second, is_netting in enumerate(said)
    ]


def course(account, seconds: float) -> list[bool | None]:
    known = netting.course(account.pk)
    return [known.at(at(second)) for second in range(-1, int(seconds))]


def test_what_is_told_first_was_ever_so(account):
    assert told(account, True, True) == [False, False]
    assert course(account, 2) == [True, True, True]


def test_switches_leave_what_was_before(account):
    assert told(account, True, False, False, True) == [False, True, False, True]
    assert course(account, 4) == [True, True, False, False, True]


def test_what_is_not_told_for_a_while_is_not_forgotten(account):
    assert told(account, True, None, False) == [False, False, True]
    assert course(account, 3) == [True, True, True, False]


def test_while_nothing_is_told_nothing_is_known(account):
    told(account, True, None)

    assert course(account, 2) == [None, None, None]
    assert netting.now(account.pk) is None


def test_two_switches_at_one_time_keep_their_order(account):
    netting.keep(account.pk, True, at(0))
    netting.keep(account.pk, False, at(5))

    assert netting.keep(account.pk, True, at(3)) == at(5) + timedelta(microseconds=1)
    assert netting.course(account.pk).at(at(6))
