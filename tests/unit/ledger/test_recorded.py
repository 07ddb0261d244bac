"""Ours against theirs: what was recorded of the exchange, on production and demo in 2026."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ledger.flows import NOTHING, effect_of, settled_revenue
from ledger.records import Fill, Settlement
from positions.pnl import Holding
from tests.replayed import replay

NOON = datetime(2026, 6, 11, 12, tzinfo=UTC)


def test_demo_position_of_three_fills():
    """99¢, 99¢ and 52¢ with fees of 0.07¢ and 1.75¢: the exchange then showed this row."""
    fills = [
        Fill(f"t{n}", "o", "M", NOON + timedelta(seconds=n), "yes", Decimal(1), *map(Decimal, each))
        for n, each in enumerate([("0.99", "0.0007"), ("0.99", "0.0007"), ("0.52", "0.0175")])
    ]

    *_, (_, last) = replay(fills)

    shown = Holding(Decimal("3.00"), Decimal("2.500000"), Decimal(0), Decimal("0.018900"))
    assert last.after == shown


def test_demo_balance_after_two_fills():
    """$100 before, and `balance_dollars` was 98.0186 after the first two."""
    fills = [
        Fill(
            f"t{n}", "o", "M", NOON + timedelta(seconds=n), "yes", Decimal(1), Decimal("0.99"), fee
        )
        for n, fee in enumerate([Decimal("0.0007")] * 2)
    ]

    flows = sum(effect.cash_flow for _, effect in replay(fills))

    assert 100 + flows == Decimal("98.0186")


def test_demo_position_of_no():
    bought = Fill("t", "o", "M", NOON, "no", Decimal(1), Decimal("0.73"), Decimal("0.0138"))

    after = effect_of(NOTHING, bought).after

    assert (after.quantity, after.exposure) == (Decimal("-1.00"), Decimal("0.730000"))


@pytest.mark.parametrize(
    ("quantity", "cost", "value", "revenue"),
    [
        # Contracts (NO below 0), what they had cost, and in cents the value of YES and the payout.
        ("10", "0.4", 0, 0),
        ("10", "0.1", 0, 0),
        ("20", "2.6", 0, 0),
        ("20", "6.6", 0, 0),
        ("10", "2.7", 0, 0),
        ("15", "11.1", 100, 1500),
        ("10", "2.8", 0, 0),
        ("10", "0.8", 0, 0),
        ("10", "1.3", 0, 0),
        ("3", "1.56", 100, 300),
        ("5", "1.2", 0, 0),
        ("-10", "1.6", 0, 1000),
        ("-20", "3", 100, 0),
        ("1", "0.51", 0, 0),
        ("1", "0.28", 0, 0),
        ("1", "0.52", 100, 100),
        ("1", "0.27", 0, 0),
        ("21", "2.73", 0, 0),
        ("20", "3", 100, 2000),
        ("1", "0.48", 0, 0),
        ("11.27", "3.0429", 0, 0),
        ("1", "0.48", 100, 100),
    ],
)
def test_production_settlements(quantity, cost, value, revenue):
    held, yes_value = Decimal(quantity), Decimal(value) / 100

    paid = settled_revenue(held, yes_value)

    assert paid == Decimal(revenue) / 100
    settlement = Settlement(
        "M", NOON, "yes", yes_value, held, Decimal(cost), paid, fees_paid=Decimal(0)
    )
    effect = effect_of(Holding(held, Decimal(cost), Decimal(0), Decimal(0)), settlement)
    assert effect.realized_pnl == Decimal(revenue) / 100 - Decimal(cost)
    assert effect.after == Holding(Decimal(0), Decimal(0), effect.realized_pnl, Decimal(0))
