from datetime import timedelta
from decimal import Decimal
from itertools import permutations

import pytest

from accounts.models import Account
from ledger.models import Trade
from ledger.recording import record
from ledger.records import Fill, Settlement
from ledger.trade_rows import trade_of
from tests.integration.visitors import make_account
from tests.told import NOON, at

pytestmark = pytest.mark.django_db

D = Decimal


@pytest.fixture
def account() -> Account:
    return make_account()


def fill(number: int, side: str, count: str, price: str, fee: str = "0", ticker="M") -> Fill:
    return Fill(f"t{number:04}", "o", ticker, at(number), side, D(count), D(price), D(fee))


def settled(seconds: float, quantity: str, cost: str, revenue: str, result="yes") -> Settlement:
    return Settlement("M", at(seconds), result, None, D(quantity), D(cost), D(revenue), D(0))


HISTORY = [
    fill(0, "yes", "10", "0.40", "0.1"),
    fill(1, "no", "15", "0.50", "0.1"),
    fill(2, "yes", "2", "0.50"),
    settled(3, "-3", "1.5", "3", "no"),
]


def rows(account: Account) -> list[Trade]:
    return list(Trade.objects.filter(account=account).order_by("market", "number"))


def test_records_of_a_market_make_its_trades(account):
    for each in HISTORY:
        record(account.pk, [each], NOON)

    first, second = rows(account)
    assert (first.number, first.side, first.closed_at, first.net_pnl) == (
        1,
        "yes",
        at(1),
        10 * D("0.5") - 4 - D("0.1") - D("0.066667"),
    )
    assert (second.number, second.side, second.count, second.result) == (2, "no", D(5), "no")
    assert (second.average_entry_price, second.fees_paid) == (D("0.5"), D("0.033333"))
    assert second.net_pnl == 2 * D("0.5") + 3 - D("2.5") - D("0.033333")


def test_trades_are_the_same_in_whatever_order_the_records_arrive(account):
    record(account.pk, HISTORY, NOON)
    expected = [trade_of(row) for row in rows(account)]

    for order in permutations(HISTORY):
        other = make_account()
        for each in order:
            record(other.pk, [each], NOON)
        assert [trade_of(row) for row in rows(other)] == expected


def test_appended_fill_changes_only_the_open_trade(account):
    record(account.pk, HISTORY[:2], NOON)
    [closed, _] = rows(account)

    record(account.pk, [fill(5, "no", "1", "0.50")], NOON)

    [same, changed] = rows(account)
    assert (trade_of(same), changed.count) == (trade_of(closed), D(6))


def test_fewer_trades_after_an_older_fill_leave_none_behind(account):
    record(account.pk, [fill(1, "no", "1", "0.5"), fill(2, "yes", "2", "0.5")], NOON)
    assert len(rows(account)) == 2

    record(account.pk, [fill(0, "no", "1", "0.5")], NOON)

    [only] = rows(account)
    assert (only.count, only.closed_at) == (D(2), at(2))


def test_closing_price_stays_with_a_trade_and_goes_with_another(account):
    record(account.pk, HISTORY[1:], NOON)
    Trade.objects.update(closing_price=D("0.6"))

    record(account.pk, [fill(2, "yes", "1", "0.3", ticker="OTHER")], NOON)
    record(account.pk, [Fill("zz", "o", "M", at(2.5), "no", D(1), D("0.1"), D(0))], NOON)
    assert rows(account)[0].closing_price == D("0.6")

    record(account.pk, [HISTORY[0]], NOON)
    assert rows(account)[0].closing_price is None


def test_other_accounts_and_markets_keep_their_trades(account):
    other = make_account()
    record(other.pk, HISTORY, NOON)
    record(account.pk, [fill(9, "yes", "1", "0.3", ticker="OTHER")], NOON)

    record(account.pk, HISTORY[1:], NOON)
    record(account.pk, HISTORY[:1], NOON)

    assert len(rows(other)) == 2
    assert len(rows(account)) == 3


def test_correction_of_a_settlement_changes_its_trade(account):
    record(account.pk, HISTORY, NOON)

    corrected = Settlement("M", at(3) + timedelta(1), "yes", None, D(-3), D("1.5"), D(0), D(0))
    record(account.pk, [corrected], NOON)

    [_, second] = rows(account)
    assert (second.closed_at, second.result) == (at(3), "yes")
    assert second.net_pnl == 2 * D("0.5") - D("2.5") - D("0.033333")
