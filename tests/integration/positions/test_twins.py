from decimal import Decimal

import pytest

from accounts.models import Account, AccountKey
from positions import twins
from positions.cash import CashBook
from positions.portfolio import Cash
from tests.integration.positions.conftest import open, write
from tests.integration.visitors import make_account, make_user
from tests.told import NOON, position, reconcile
from tests.told import row as untimed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner():
    return make_user()


def row(*figures: str, updated: float = 7):
    """A row as of the exchange's own second."""
    return untimed(*figures, updated=updated)


def hold(account: Account, *rows, cash: str = "98.0186") -> None:
    opened = open(account)
    opened.tracker.valuation.cash = CashBook(Cash(Decimal(cash), None, NOON))
    reconcile(opened.tracker, list(rows))
    write(opened.writer, opened.tracker)


def same_as() -> list[int | None]:
    twins.note()
    return list(Account.objects.order_by("pk").values_list("same_as_id", flat=True))


def test_equal_rows_of_two_keys_that_cannot_list_keys_are_one_account(owner, announced):
    first = make_account(owner, sole_key_id="a")
    second = make_account(owner, sole_key_id="b")
    hold(first, row("M", "10", "4", "0.5", "0.17"), row("N", "2", "1"))
    hold(second, row("M", "10", "4", "0.5", "0.17"), row("N", "2", "1"))

    assert same_as() == [None, first.pk]
    assert Account.objects.get(pk=second.pk).same_as == first


@pytest.mark.parametrize(("sent", "is_same"), [(7.4, True), (8.0, False)])
def test_row_that_the_stream_told_is_one_with_that_of_rest(owner, sent, is_same):
    """A frame is sent a moment after the change whose time REST tells."""
    first = make_account(owner, sole_key_id="a")
    hold(first, row("M", "10", "4", "0.5", "0.17"))
    followed = open(make_account(owner, sole_key_id="b"))
    reconcile(followed.tracker, [row("M", "9", "3.6", "0.5", "0.15", updated=1)])
    followed.tracker.apply_position(position("M", "10", "4", "0.5", "0.17", sent=sent), 101.0)
    followed.tracker.valuation.cash = CashBook(Cash(Decimal("98.0186"), None, NOON))
    write(followed.writer, followed.tracker)

    assert same_as() == [None, first.pk if is_same else None]


def test_third_key_is_the_first_account_too(owner):
    accounts = [make_account(owner, sole_key_id=name) for name in "abc"]
    for account in accounts:
        hold(account, row("M", "10", "4", "0.5", "0.17"))

    twins.note()

    assert same_as() == [None, accounts[0].pk, accounts[0].pk]


def test_key_that_the_other_account_lists_is_that_account_without_any_row(owner):
    listing = make_account(owner)
    AccountKey.objects.create(account=listing, environment="demo", subaccount=0, api_key_id="b")
    make_account(owner, sole_key_id="b")

    assert same_as() == [None, listing.pk]


@pytest.mark.parametrize(
    "other",
    [
        row("M", "11", "4", "0.5", "0.17"),
        row("M", "10", "5", "0.5", "0.17"),
        row("M", "10", "4", "0.6", "0.17"),
        row("M", "10", "4", "0.5", "0.18"),
        row("N", "10", "4", "0.5", "0.17"),
        row("M", "10", "4", "0.5", "0.17", updated=8),
        untimed("M", "10", "4", "0.5", "0.17"),
    ],
    ids=["quantity", "exposure", "realized", "fees", "market", "time", "no time"],
)
def test_rows_that_differ_are_of_two_accounts(owner, other):
    hold(make_account(owner, sole_key_id="a"), row("M", "10", "4", "0.5", "0.17"))
    hold(make_account(owner, sole_key_id="b"), other)

    assert same_as() == [None, None]


def test_one_row_that_differs_is_enough(owner):
    hold(make_account(owner, sole_key_id="a"), row("M", "10", "4"), row("N", "2", "1"))
    hold(make_account(owner, sole_key_id="b"), row("M", "10", "4"))

    assert same_as() == [None, None]


def test_cash_that_differs_is_of_two_accounts(owner):
    hold(make_account(owner, sole_key_id="a"), row("M", "10", "4"), cash="1")
    hold(make_account(owner, sole_key_id="b"), row("M", "10", "4"), cash="2")

    assert same_as() == [None, None]


def test_accounts_that_hold_nothing_tell_nothing(owner):
    hold(make_account(owner, sole_key_id="a"))
    hold(make_account(owner, sole_key_id="b"))

    assert same_as() == [None, None]


@pytest.mark.parametrize(
    "fields",
    [
        {"owner": None},
        {"environment": "production"},
        {"subaccount": 1},
    ],
    ids=["owner", "environment", "subaccount"],
)
def test_equal_rows_elsewhere_are_of_another_account(owner, fields):
    hold(make_account(owner, sole_key_id="a"), row("M", "10", "4", "0.5", "0.17"))
    fields = {"owner": owner, "sole_key_id": "b"} | fields
    hold(make_account(fields.pop("owner"), **fields), row("M", "10", "4", "0.5", "0.17"))

    assert same_as() == [None, None]


def test_accounts_that_both_list_their_keys_are_known_to_differ(owner):
    hold(make_account(owner), row("M", "10", "4", "0.5", "0.17"))
    hold(make_account(owner), row("M", "10", "4", "0.5", "0.17"))

    assert same_as() == [None, None]


def test_once_noted_it_stays_when_nothing_is_held_any_more(owner):
    first = make_account(owner, sole_key_id="a")
    second = make_account(owner, sole_key_id="b")
    for account in (first, second):
        hold(account, row("M", "10", "4", "0.5", "0.17"))
    twins.note()

    second.positions.all().delete()

    assert same_as() == [None, first.pk]


def test_when_the_first_is_forgotten_the_other_counts_again(owner):
    first = make_account(owner, sole_key_id="a")
    for account in (first, make_account(owner, sole_key_id="b")):
        hold(account, row("M", "10", "4", "0.5", "0.17"))
    twins.note()

    first.delete()

    assert same_as() == [None]
