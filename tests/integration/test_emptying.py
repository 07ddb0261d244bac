"""What the tests do to be as good as new for the next one."""

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from accounts.models import Account
from positions.models import Market, Position
from tests.emptying import _GROWN_BYTES, empty_database
from tests.integration.blocking import wait_for_a_blocked_session
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


def test_who_still_writes_is_waited_for_whatever_it_waits_for(own_connection, in_thread):
    """As a killed worker's session, whose foreign keys are looked at when it commits."""
    make_account()
    own_connection.execute("BEGIN")
    own_connection.execute("LOCK TABLE positions_position IN ROW EXCLUSIVE MODE")
    emptied = in_thread(empty_database)
    wait_for_a_blocked_session()

    own_connection.execute("LOCK TABLE accounts_account IN ROW SHARE MODE")
    own_connection.execute("COMMIT")

    emptied.result(timeout=30)
    assert rows() == 0
