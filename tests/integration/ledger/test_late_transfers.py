"""A transfer that is listed after points were stored which the exchange dates it before."""

import pytest

from ledger import points, return_reading
from ledger.models import EquityPoint
from ledger.periods import Period
from tests.integration.ledger.kept import at, balance, point, transfer

pytestmark = pytest.mark.django_db


def values(account) -> list[str]:
    rows = EquityPoint.objects.filter(account=account).order_by("at")
    assert all(row.cash == row.total_value for row in rows)
    return [f"{row.total_value:f}".rstrip("0").rstrip(".") for row in rows]


def minutes(account, *worth: str, first: float = 30) -> None:
    """Points, one a minute."""
    for number, value in enumerate(worth):
        point(account, first + 60 * number, value, cash=value)


@pytest.mark.parametrize(
    ("flow", "after"), [("-500", "500"), ("1000", "2000")], ids=["withdrawal", "deposit"]
)
def test_is_neither_profit_nor_loss_of_the_points_in_between(account, flow, after):
    balance(account, 20, "1000")
    minutes(account, "1000", "1000", after, after)
    balance(account, 140, after)

    transfer(account, 60, flow)

    assert values(account) == ["1000", after, after, after]
    returns = return_reading.read([account.pk], Period())
    assert returns.time_weighted_return == 0
    assert (returns.max_drawdown.amount, returns.max_drawdown.percent) == (0, 0)


def test_told_twice_counts_once(account):
    balance(account, 20, "1000")
    minutes(account, "1000", "1000")

    for _ in range(2):
        transfer(account, 60, "500")

    assert values(account) == ["1000", "1500"]


def test_counts_at_the_stage_that_moves_the_cash(account):
    balance(account, 20, "1000")
    minutes(account, "1000", "1000")

    transfer(account, 10, "500", status="pending")
    assert values(account) == ["1000", "1000"]
    transfer(account, 60, "500")
    assert values(account) == ["1000", "1500"]


def test_of_before_midnight_is_of_the_day_before(account):
    balance(account, -60, "1000")
    point(account, -90, "1000", cash="1000")
    point(account, -30, "1000", cash="1000")
    balance(account, 5, "2000")
    point(account, 30, "2000", cash="2000")

    transfer(account, -50, "1000")

    baseline = points.baseline(account.pk, at(60))
    assert (baseline.total_value, baseline.net_transfers) == (2000, 0)


@pytest.mark.parametrize(
    ("told", "expected"),
    [("1500", ["1000", "1500", "1500"]), ("1000.25", ["1000", "1500", "2000"])],
    ids=["contains it", "does not contain it"],
)
def test_balance_of_its_very_instant_tells_by_its_amount(account, told, expected):
    balance(account, 20, "1000")
    minutes(account, "1000", "1000", "1500")
    # Between 59 and 100 seconds after the start: the transfer's time lies within.
    balance(account, 100, told, known_for=41)

    transfer(account, 60, "500")

    assert values(account) == expected


def test_balance_whose_age_is_not_told_counts_as_some_seconds_old(account):
    balance(account, 20, "1000")
    minutes(account, "1000", "1000", "1500")
    told = balance(account, 100, "1500")
    told.known_since = None
    told.save()

    transfer(account, 60, "500")

    assert values(account) == ["1000", "1500", "1500"]


def test_of_years_ago_changes_nothing(account):
    balance(account, 20, "1000")
    minutes(account, "1000", "1000")

    transfer(account, -(10**8), "500")

    assert values(account) == ["1000", "1000"]


def test_without_a_balance_nothing_is_changed(account):
    minutes(account, "1000", "1000")

    transfer(account, 60, "500")

    assert values(account) == ["1000", "1000"]
