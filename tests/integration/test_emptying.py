"""What the tests do to be as good as new for the next one."""

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import OperationalError, connection
from psycopg.errors import DeadlockDetected

from accounts.models import Account
from positions.models import Market, Position
from tests import emptying
from tests.emptying import _GROWN_BYTES, empty_database
from tests.integration.positions.conftest import hold, open
from tests.integration.visitors import make_account

pytestmark = pytest.mark.django_db(transaction=True)


def size_of(model) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size(%s)", [model._meta.db_table])
        return cursor.fetchone()[0]


def rows() -> int:
    return sum(model.objects.count() for model in (Account, Market, Position))


def test_nothing_is_left_but_what_migrations_made():
    hold(open(make_account()), 3)
    assert Position.objects.count() == 3
    kept = ContentType.objects.count(), Permission.objects.count()

    empty_database()

    assert rows() == 0
    assert (ContentType.objects.count(), Permission.objects.count()) == kept


def test_table_that_has_grown_shrinks_again():
    Market.objects.bulk_create(
        Market(environment="demo", ticker=f"M{number}", event_ticker="A" * 60)
        for number in range(8_000)
    )
    make_account()
    assert size_of(Market) > _GROWN_BYTES

    empty_database()

    assert (rows(), size_of(Market)) == (0, 0)


def test_who_is_chosen_to_give_up_a_deadlock_tries_again(monkeypatch):
    """With a killed worker's session, say, whose foreign keys are looked at when it commits."""
    make_account()
    empty = emptying._empty_database

    def given_up() -> None:
        monkeypatch.setattr(emptying, "_empty_database", empty)
        raise OperationalError from DeadlockDetected()

    monkeypatch.setattr(emptying, "_empty_database", given_up)

    empty_database()

    assert rows() == 0
