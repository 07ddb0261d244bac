from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.models import Account
from positions import sums
from positions.documents import portfolio_document
from positions.models import AccountStream
from tests.told import NOON, amount


def account(number: int, environment: str = "demo", *, same_as: int | None = None) -> Account:
    return Account(pk=number, environment=environment, same_as_id=same_as)


def portfolio(positions_value: str | None = "5", unrealized_pnl: str | None = "1", **rest):
    figures = {"cash": Decimal(100), "exposure": Decimal(4), "reconciled_at": NOON}
    row = AccountStream(
        positions_value=amount(positions_value),
        unrealized_pnl=amount(unrealized_pnl),
        **figures | rest,
    )
    return portfolio_document(1, row)


# Which are added up


def test_environment_with_one_account_has_no_sum():
    assert sums.groups([account(1), account(2, "production")]) == []


def test_each_environment_has_its_own():
    accounts = [account(1), account(2, "production"), account(3), account(4, "production")]

    assert sums.groups(accounts) == [
        sums.Group("demo", members=(1, 3), counted=(1, 3)),
        sums.Group("production", members=(2, 4), counted=(2, 4)),
    ]


@pytest.mark.parametrize(
    ("same_as", "counted"),
    [
        pytest.param({1: None, 2: 1, 3: None}, (1, 3), id="one is the other"),
        pytest.param({1: 2, 2: None, 3: None}, (2, 3), id="the older is the newer"),
        pytest.param({1: None, 2: 1, 3: 1}, (1,), id="all are the first"),
        pytest.param({1: None, 2: 1, 3: 2}, (1,), id="by way of another"),
        pytest.param({1: 9, 2: None, 3: None}, (1, 2, 3), id="of one that is not seen"),
        pytest.param({1: 9, 2: 9, 3: None}, (1, 3), id="two of one that is not seen"),
        pytest.param({1: 2, 2: 1, 3: None}, (1, 3), id="each is the other"),
        pytest.param({1: 2, 2: 3, 3: 2}, (2,), id="into a circle"),
        pytest.param({1: 1, 2: None}, (1, 2), id="itself"),
    ],
)
def test_what_is_one_at_the_exchange_is_counted_once(same_as, counted):
    [group] = sums.groups(account(number, same_as=other) for number, other in same_as.items())

    assert group.counted == counted
    assert group.members == tuple(same_as)


# The sum


def test_figures_are_added_exactly():
    document = sums.sum_document(
        "demo",
        [
            portfolio("0.000001", "-0.1", cash=Decimal("0.1"), position_count=1, unpriced_count=0),
            portfolio(
                "1000000000000", "0.3", cash=Decimal("0.2"), position_count=2, unpriced_count=3
            ),
        ],
    )

    assert document["positions_value"] == "1000000000000.000001"
    assert (document["unrealized_pnl"], document["cash"]) == ("0.2", "0.3")
    assert (document["position_count"], document["unpriced_count"]) == (3, 3)
    assert (document["account_id"], document["version"]) == (None, None)
    assert document["environment"] == "demo"


def test_percent_is_of_what_the_priced_ones_cost():
    # (1 - 2) of (5 - 1) + (10 + 2).
    document = sums.sum_document("demo", [portfolio("5", "1"), portfolio("10", "-2")])

    assert document["unrealized_pnl_percent"] == "-6.25"


def test_percent_of_nothing_is_unknown():
    assert sums.sum_document("demo", [portfolio("0", "0")] * 2)["unrealized_pnl_percent"] is None


@pytest.mark.parametrize("unknown", ["cash", "exposure", "positions_value", "unrealized_pnl"])
def test_what_is_unknown_for_one_is_unknown_for_all(unknown):
    document = sums.sum_document("demo", [portfolio(), portfolio(**{unknown: None})])

    others = {"cash", "exposure", "positions_value", "unrealized_pnl"} - {unknown}
    assert document[unknown] is None
    assert all(document[other] is not None for other in others)


def test_account_that_was_never_opened_makes_all_unknown():
    document = sums.sum_document("demo", [portfolio(), portfolio_document(2, None)])

    known = {name for name, value in document.items() if value is not None}
    assert known == {"environment", "cash_provisional"}


def test_sum_is_as_old_as_the_oldest_of_it():
    early, late = NOON - timedelta(hours=1), NOON
    document = sums.sum_document(
        "demo",
        [
            portfolio(cash_as_of=late, reconciled_at=early, updated_at=early),
            portfolio(cash_as_of=early, reconciled_at=late, updated_at=late),
        ],
    )

    assert document["cash_as_of"] == document["reconciled_at"] == "2026-11-23T11:00:00Z"
    assert document["updated_at"] == "2026-11-23T12:00:00Z"


def test_rows_that_cannot_be_read_are_counted_over_all():
    document = sums.sum_document(
        "demo", [portfolio(left_out=["odd"]), portfolio(left_out=["a", "b"])]
    )

    assert document["unreadable_count"] == 3
