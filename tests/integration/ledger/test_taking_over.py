"""What a worker that takes an account over learns of it from the ledger."""

from decimal import Decimal

import pytest

from accounts.models import Account
from ledger import portfolio_explanation, recording
from ledger.models import Followed
from ledger.records import Settlement
from positions.cash import Balance
from positions.connection import ConnectionState
from tests.integration.ledger.holders import hold_event, taken_over
from tests.told import NOON, at

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account() -> Account:
    return hold_event()


def pays(
    account: Account, second: float, value: int, *, ticker: str = "E-C", is_told: bool = True
) -> None:
    """A market pays for ten YES; its value may be told by its result alone."""
    payout = Settlement(
        ticker=ticker,
        at=at(second),
        result="yes" if value else "no",
        value=Decimal(value) if is_told else None,
        quantity=Decimal(10),
        exposure=Decimal(4),
        revenue=Decimal(10 * value),
        fees_paid=Decimal(0),
    )
    recording.record(account.pk, [payout], at(second))


def collateral(account: Account) -> Decimal | None:
    return taken_over(account).tracker.take_changes().worth.collateral_returned


@pytest.mark.parametrize(
    ("values", "collateral_returned"),
    [([], 10), ([0], 10), ([1], 20), ([1, 0], 10), ([0, 1], 20)],
    ids=["none", "its NO", "its YES", "corrected to NO", "corrected to YES"],
)
def test_event_is_decided_by_what_a_market_has_paid(account, values, collateral_returned):
    for second, value in enumerate(values):
        pays(account, second, value)

    assert collateral(account) == collateral_returned


def test_result_decides_where_no_value_is_told(account):
    pays(account, 1, 1, is_told=False)

    assert collateral(account) == 20


def test_event_of_another_market_is_not_decided(account):
    pays(account, 1, 1, ticker="OTHER-C")

    assert collateral(account) == 10


@pytest.mark.parametrize(
    ("is_netting", "collateral_returned"), [(True, 10), (False, 0), (None, None)]
)
def test_netting_is_as_the_exchange_said_last(account, is_netting, collateral_returned):
    Followed.objects.filter(account=account).update(is_netting=is_netting)

    assert collateral(account) == collateral_returned


def test_collateral_of_a_decided_event_is_explained_as_it_is_shown(account):
    pays(account, 1, 1)
    opened = taken_over(account)
    opened.tracker.valuation.cash.told(Balance(Decimal(100), None, NOON, NOON, NOON))
    changes = opened.tracker.take_changes(NOON)
    opened.writer.write(changes, ConnectionState("live", since=NOON), NOON)

    explanations = {each.field: each for each in portfolio_explanation.explained(account.pk)}

    assert changes.worth.collateral_returned == 20
    assert [each.value for each in explanations["collateral_returned"].given] == [20]
