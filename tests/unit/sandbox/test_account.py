from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.account import Portfolio
from sandbox.fees import TAKER_RATE, fill_fee
from sandbox.position import OutcomeSide, Position

NOW = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)

sides = st.sampled_from(["yes", "no"])
counts = st.decimals("0.01", "500", places=2)
yes_prices = st.decimals("0.0001", "0.9999", places=4)
trades = st.lists(st.tuples(sides, counts, yes_prices), min_size=1, max_size=12)


def traded(*trades: tuple[OutcomeSide, str, str]) -> Position:
    position = Position("A")
    for side, count, yes_price in trades:
        position = position.after(side, Decimal(count), Decimal(yes_price), Decimal("0.06"), NOW)
    return position


def booked(trades: list[tuple[OutcomeSide, Decimal, Decimal]]) -> Portfolio:
    portfolio = Portfolio(0, Decimal(1000), NOW)
    for number, (side, count, yes_price) in enumerate(trades):
        price = yes_price if side == "yes" else 1 - yes_price
        portfolio.book(
            "A",
            side,
            count,
            yes_price,
            fee=fill_fee(count, price, TAKER_RATE).dollars,
            is_taker=True,
            trade_id=f"trade {number}",
            order_id="order",
            at=NOW,
        )
    return portfolio


@pytest.mark.parametrize(
    ("trades", "quantity", "exposure", "realized_pnl"),
    [
        # 10 * 0.60
        ([("yes", "10", "0.60")], "10", "6", "0"),
        # 10 * (1 - 0.60)
        ([("no", "10", "0.60")], "-10", "4", "0"),
        # 10 * 0.60 + 30 * 0.40
        ([("yes", "10", "0.60"), ("yes", "30", "0.40")], "40", "18", "0"),
        # sold 4 of them for 0.75: 4 * (0.75 - 0.60)
        ([("yes", "10", "0.60"), ("no", "4", "0.75")], "6", "3.6", "0.6"),
        # NO bought at 0.40 and sold at 0.30: 4 * (0.30 - 0.40)
        ([("no", "10", "0.60"), ("yes", "4", "0.70")], "-6", "2.4", "-0.4"),
        # all 10 sold at a loss of 0.10 each
        ([("yes", "10", "0.60"), ("no", "10", "0.50")], "0", "0", "-1"),
        # through zero: 10 sold for 0.50, 5 more NO bought at 0.50
        ([("yes", "10", "0.60"), ("no", "15", "0.50")], "-5", "2.5", "-1"),
    ],
    ids=["buy yes", "buy no", "add", "reduce yes", "reduce no", "close", "cross zero"],
)
def test_position_follows_average_cost(
    trades: list[tuple[OutcomeSide, str, str]], quantity: str, exposure: str, realized_pnl: str
) -> None:
    position = traded(*trades)

    assert position.quantity == Decimal(quantity)
    assert position.exposure == Decimal(exposure)
    assert position.realized_pnl == Decimal(realized_pnl)


def test_fees_of_open_contracts_are_those_not_yet_closed() -> None:
    # 0.06 for 10 opened; 4 closed take 0.024 along. Then 0.06 for 9: 6 close, 3 open with a third.
    reduced = traded(("yes", "10", "0.60"), ("no", "4", "0.75"))
    crossed = traded(("yes", "10", "0.60"), ("no", "4", "0.75"), ("no", "9", "0.75"))

    assert (reduced.fees_paid, reduced.open_fees) == (Decimal("0.12"), Decimal("0.036"))
    assert (crossed.fees_paid, crossed.open_fees) == (Decimal("0.18"), Decimal("0.02"))


def test_money_traded_counts_what_was_paid_and_what_was_received() -> None:
    # 10 * 0.60 paid, 4 * 0.75 received
    position = traded(("yes", "10", "0.60"), ("no", "4", "0.75"))

    assert position.total_traded == Decimal("9")
    assert position.volume == Decimal("14")


@given(trades)
def test_cash_is_the_starting_cash_and_the_sum_of_the_flows(
    trades: list[tuple[OutcomeSide, Decimal, Decimal]],
) -> None:
    portfolio = booked(trades)

    assert portfolio.cash == 1000 + sum(fill.cash_flow for fill in portfolio.fills)
    assert portfolio.cash == portfolio.cash.quantize(Decimal("0.0001"))


@given(trades)
def test_flows_before_fees_are_realized_pnl_less_exposure(
    trades: list[tuple[OutcomeSide, Decimal, Decimal]],
) -> None:
    portfolio = booked(trades)

    position = portfolio.positions["A"]
    flows = sum(fill.cash_flow + fill.fee for fill in portfolio.fills)
    assert flows == position.realized_pnl - position.exposure


@given(trades)
def test_quantity_is_the_signed_sum_of_the_fills(
    trades: list[tuple[OutcomeSide, Decimal, Decimal]],
) -> None:
    portfolio = booked(trades)

    position = portfolio.positions["A"]
    bought = sum(fill.count for fill in portfolio.fills if fill.outcome_side == "yes")
    sold = sum(fill.count for fill in portfolio.fills if fill.outcome_side == "no")
    assert position.quantity == bought - sold == portfolio.fills[-1].post_quantity
    assert position.fees_paid == sum(fill.fee for fill in portfolio.fills)


@given(trades)
def test_exposure_is_never_negative_and_nothing_when_flat(
    trades: list[tuple[OutcomeSide, Decimal, Decimal]],
) -> None:
    flat_after = booked(trades).positions["A"]
    closing: OutcomeSide = "no" if flat_after.quantity > 0 else "yes"

    flat = flat_after.after(closing, abs(flat_after.quantity), Decimal("0.5"), Decimal(0), NOW)

    assert flat_after.exposure >= 0
    assert (flat.quantity, flat.exposure, flat.open_fees) == (0, 0, 0)
