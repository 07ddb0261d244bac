from datetime import datetime
from decimal import Decimal

import pytest

from sandbox.account import Account
from sandbox.exchange import Exchange
from sandbox.transfers import TransferStatus


def test_deposit_is_cash_less_its_fee_once_it_is_applied(
    exchange: Exchange, alice: Account, now: datetime
) -> None:
    portfolio = alice.portfolios[0]

    transfer = exchange.transfer(alice, "deposit", 10_000, now, fee_cents=25, status="pending")
    before = portfolio.cash
    portfolio.finish_transfer(transfer.transfer_id, "applied", now)

    assert before == 1000
    assert portfolio.cash == Decimal("1099.75")
    assert portfolio.transfers[transfer.transfer_id].finalized_at == now


def test_withdrawal_takes_its_fee_too_and_comes_back_whole(
    exchange: Exchange, alice: Account, now: datetime
) -> None:
    portfolio = alice.portfolios[0]

    transfer = exchange.transfer(alice, "withdrawal", 10_000, now, fee_cents=200)
    after = portfolio.cash
    portfolio.finish_transfer(transfer.transfer_id, "returned", now)

    assert after == Decimal(898)
    assert portfolio.cash == 1000


def test_failed_transfer_changes_nothing(exchange: Exchange, alice: Account, now: datetime) -> None:
    transfer = exchange.transfer(alice, "deposit", 10_000, now, status="failed")

    assert transfer.status == "failed"
    assert alice.portfolios[0].cash == 1000


def test_more_than_the_cash_cannot_be_withdrawn(
    exchange: Exchange, alice: Account, now: datetime
) -> None:
    with pytest.raises(ValueError, match="more than the cash"):
        exchange.transfer(alice, "withdrawal", 100_001, now)

    assert alice.portfolios[0].cash == 1000
    assert alice.portfolios[0].transfers == {}


@pytest.mark.parametrize(("amount", "fee"), [(0, 0), (-5, 0), (100, -1), (100, 101)], ids=str)
def test_amount_and_fee_make_sense(
    exchange: Exchange, alice: Account, now: datetime, amount: int, fee: int
) -> None:
    with pytest.raises(ValueError, match="an amount is above 0"):
        exchange.transfer(alice, "deposit", amount, now, fee_cents=fee)


@pytest.mark.parametrize(
    ("first", "then"),
    [("applied", "applied"), ("failed", "applied"), ("applied", "failed"), ("pending", "returned")],
)
def test_transfer_does_not_go_back(
    exchange: Exchange,
    alice: Account,
    now: datetime,
    first: TransferStatus,
    then: TransferStatus,
) -> None:
    transfer = exchange.transfer(alice, "deposit", 100, now, status=first)

    with pytest.raises(ValueError, match="cannot become"):
        alice.portfolios[0].finish_transfer(transfer.transfer_id, then, now)
