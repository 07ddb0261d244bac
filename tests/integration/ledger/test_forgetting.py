"""An account is forgotten while a worker writes what happened to it."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts import forgetting
from accounts.models import Account
from ledger import following, models, points, proving, recording
from positions.connection import ConnectionState
from positions.fencing import Fence
from positions.models import AccountStream, Market
from positions.portfolio import Changes
from tests.integration.blocking import wait_for_a_blocked_session
from tests.integration.ledger.holders import hold_event, taken_over
from tests.integration.ledger.kept import balance
from tests.integration.ledger.rows import fill, record
from tests.told import NOON, at, quote, reconcile, row

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account() -> Account:
    """It holds two markets, and its records begin with them."""
    account = hold_event()
    record(account, [fill(each, ticker=each, side="no", seconds=1) for each in ("E-A", "E-B")])
    return account


def record_of_a_market_that_is_there(account: Account) -> None:
    recording.record(account.pk, [fill("2", ticker="E-A", seconds=2)], NOON)


def what_follows_from_an_older_record(account: Account) -> None:
    # Another fee: the rows that are there are changed, and the trades made anew.
    models.Fill.objects.filter(account=account).update(fee=Decimal("0.5"))
    models.Trade.objects.filter(account=account).delete()
    following.follow_market(account.pk, Market.objects.get(ticker="E-A"))


def what_a_balance_proves(account: Account) -> None:
    proving.note(account.pk, at(5))


def positions_and_a_new_one(account: Account) -> None:
    opened = taken_over(account)
    rows = [row("E-A", "-20", "12"), row("E-B", "-10", "6"), row("E-C", "5", "2")]
    facts = next(iter(opened.tracker.markets.values()))
    state = opened.tracker.take_changes(NOON).positions[0].state
    reconcile(opened.tracker, rows, {"E-C": (facts, state, quote())})
    changes: Changes = opened.tracker.take_changes(NOON)
    assert changes.positions
    opened.writer.write(changes, ConnectionState("live", since=NOON), NOON)


def an_account_taken_over(account: Account) -> None:
    taken_over(account)


def a_point(account: Account) -> None:
    stream = AccountStream.objects.get(account=account)
    with Fence(account.pk, stream.epoch).held():
        points.add(account.pk, replace(POINT, at=at(70)))


POINT = points.Valued(at(10), Decimal(100), Decimal(90), Decimal(10), None, {})


@pytest.fixture
def told(account) -> None:
    """There is something that was not explained, and a point."""
    points.add(account.pk, POINT)
    for second, amount in ((1, "100"), (3, "90")):
        balance(account, second, amount)
    proving.note(account.pk, at(4))
    assert models.Unexplained.objects.exists()


@pytest.mark.parametrize(
    "written",
    [
        record_of_a_market_that_is_there,
        what_follows_from_an_older_record,
        what_a_balance_proves,
        positions_and_a_new_one,
        an_account_taken_over,
        a_point,
    ],
)
def test_account_that_is_written_is_forgotten_once_that_is_done(
    account, told, in_thread, monkeypatch, written
):
    # At the first attempt: neither waits for what the other has.
    monkeypatch.setattr(forgetting, "ATTEMPTS", 1)

    with transaction.atomic():
        written(account)
        forgotten = in_thread(forgetting.forget_accounts, account.owner, [account.pk])
        wait_for_a_blocked_session()

    forgotten.result(timeout=10)
    assert not Account.objects.exists()


def test_long_history_is_deleted_piece_by_piece(account, monkeypatch):
    """A million rows in one statement would take longer than the database gives it."""
    record(account, [fill(str(number), ticker="E-A", seconds=number) for number in range(2, 9)])
    monkeypatch.setattr(forgetting, "ROWS_AT_ONCE", 2)

    with CaptureQueriesContext(connection) as queries:
        forgetting.forget_accounts(account.owner, [account.pk])

    assert not Account.objects.exists()
    of_fills = [each for each in queries if each["sql"].startswith('DELETE FROM "ledger_fill"')]
    # Nine, by two; and what came since, with the account.
    assert len(of_fills) == 5 + 1


def test_all_that_is_kept_of_an_account_goes_with_it(account):
    kept = {relation.related_model for relation in forgetting._kept_of_accounts()}
    of_accounts = {
        model
        for app in ("positions", "ledger")
        for model in apps.get_app_config(app).get_models()
        if any(field.related_model is Account for field in model._meta.get_fields())
    }

    assert kept == of_accounts
    assert models.EventDecision in kept
