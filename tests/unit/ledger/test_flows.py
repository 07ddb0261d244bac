"""The law of every flow, by hand and for any history."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.flows import NOTHING, effect_of, settled_revenue
from ledger.records import Fill, Settlement
from positions.pnl import Holding
from tests.replayed import replay

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def bought(side: str, count: str, price: str, fee: str = "0", *, second: int = 0) -> Fill:
    at = NOON + timedelta(seconds=second)
    return Fill(f"t{second}", "o", "M", at, side, Decimal(count), Decimal(price), Decimal(fee))


def paid(value: str, quantity: str, exposure: str, *, second: int = 99) -> Settlement:
    value_, quantity_ = Decimal(value), Decimal(quantity)
    return Settlement(
        ticker="M",
        at=NOON + timedelta(seconds=second),
        result={"1": "yes", "0": "no"}.get(value, "scalar"),
        value=value_,
        quantity=quantity_,
        exposure=Decimal(exposure),
        revenue=settled_revenue(quantity_, value_),
        fees_paid=Decimal(0),
    )


def held(quantity: str, exposure: str, realized: str = "0", fees: str = "0") -> Holding:
    return Holding(*(Decimal(each) for each in (quantity, exposure, realized, fees)))


@pytest.mark.parametrize(
    ("before", "record", "cash_flow", "realized", "after"),
    [
        # 10 at 40¢ with 17¢ of fee.
        (
            held("0", "0"),
            bought("yes", "10", "0.40", "0.17"),
            "-4.17",
            "0",
            held("10", "4", "0", "0.17"),
        ),
        # NO at 73¢.
        (held("0", "0"), bought("no", "1", "0.73"), "-0.73", "0", held("-1", "0.73")),
        # YES sold at 55¢ is NO bought at 45¢, and pays a dollar for the pair.
        (
            held("10", "4"),
            bought("no", "4", "0.45", "0.07"),
            "2.13",
            "0.60",
            held("6", "2.4", "0.60", "0.07"),
        ),
        # All of it: what it had cost goes to the last digit.
        (
            held("3", "1.000001"),
            bought("no", "3", "0.50"),
            "1.50",
            "0.499999",
            held("0", "0", "0.499999"),
        ),
        # A third of a dollar for one of three, half even at six decimals.
        (
            held("3", "1"),
            bought("no", "1", "0.60"),
            "0.40",
            "0.066667",
            held("2", "0.666667", "0.066667"),
        ),
        # Through nothing to the other side: five sold at 60¢, two NO held at 40¢.
        (held("5", "2"), bought("no", "7", "0.40"), "2.20", "1.00", held("-2", "0.80", "1.00")),
        # A loss.
        (held("-10", "8"), bought("yes", "10", "0.70"), "3.00", "-5.00", held("0", "0", "-5.00")),
        # The outcome: yes, no, and the rest of a dollar for scalar.
        (held("10", "4"), paid("1", "10", "4"), "10", "6", held("0", "0", "6")),
        (held("10", "4"), paid("0", "10", "4"), "0", "-4", held("0", "0", "-4")),
        (held("-10", "4"), paid("0.37", "-10", "4"), "6.30", "2.30", held("0", "0", "2.30")),
        # What they cost the books know, whatever the row tells.
        (held("10", "4"), paid("1", "10", "3"), "10", "6", held("0", "0", "6")),
        # But where the row is of others than those, it is all that is known.
        (held("8", "4"), paid("1", "10", "3"), "10", "7", held("0", "0", "7")),
        # Sold out before: nothing is paid, and nothing is lost.
        (held("0", "0", "0.388"), paid("0", "0", "1.6"), "0", "0", held("0", "0", "0.388")),
        # Parts of a cent stay at the exchange: 0.33 * 0.37 = 0.1221.
        (held("0.33", "0.1"), paid("0.37", "0.33", "0.1"), "0.12", "0.02", held("0", "0", "0.02")),
    ],
)
def test_effects_by_hand(before, record, cash_flow, realized, after):
    effect = effect_of(before, record)

    assert (effect.cash_flow, effect.realized_pnl) == (Decimal(cash_flow), Decimal(realized))
    assert effect.after == after


def test_correction_moves_the_difference_alone():
    first = paid("1", "10", "4")
    corrected = replace(paid("0", "10", "4", second=100), paid_before=first.revenue)

    (_, one), (_, other) = replay([corrected, first], held("10", "4"))

    assert (one.cash_flow, one.realized_pnl) == (Decimal(10), Decimal(6))
    assert (other.cash_flow, other.realized_pnl) == (Decimal(-10), Decimal(-10))
    assert other.after == held("0", "0", "-4")


COUNTS = st.decimals("0.01", "500", places=2)
PRICES = st.decimals("0.0001", "0.9999", places=4)
FEES = st.decimals("0", "2", places=4)
FILLS = st.lists(
    st.tuples(st.sampled_from(["yes", "no"]), COUNTS, PRICES, FEES), min_size=1, max_size=20
).map(
    lambda rows: [
        Fill(f"t{n}", "o", "M", NOON + timedelta(seconds=n), *row) for n, row in enumerate(rows)
    ]
)


@given(FILLS, st.sampled_from(["0", "0.37", "1"]))
def test_law_of_every_flow(fills, value):
    history = list(replay(fills))
    last = history[-1][1].after
    if last.quantity:
        settlement = paid(value, str(last.quantity), str(last.exposure))
        history.append((settlement, effect_of(last, settlement)))

    before = NOTHING
    for record, effect in history:
        fee = record.fee if isinstance(record, Fill) else Decimal(0)
        change = effect.after.exposure - before.exposure
        assert effect.cash_flow == -change + effect.realized_pnl - fee
        assert effect.after.exposure >= 0
        assert bool(effect.after.quantity) or not effect.after.exposure
        before = effect.after
    # Once all is paid, what came in less what went out is what was made.
    if not before.quantity:
        assert sum(effect.cash_flow for _, effect in history) == (
            before.realized_pnl - before.fees_paid
        )


@given(FILLS, st.randoms())
def test_any_order_of_arrival_says_the_same(fills, random):
    shuffled = list(fills)
    random.shuffle(shuffled)

    assert list(replay(shuffled)) == list(replay(fills))


@given(COUNTS, PRICES, PRICES, st.sampled_from(["0", "0.5", "1"]))
def test_both_sides_of_a_trade_sum_to_nothing(count, price, mark, value):
    """One bought YES at m, the other NO at 1 − m; whatever becomes of it."""
    yes = effect_of(NOTHING, replace(bought("yes", "1", "0.5"), count=count, price=price))
    no = effect_of(NOTHING, replace(bought("no", "1", "0.5"), count=count, price=1 - price))

    at_mark = count * mark - yes.after.exposure + count * (1 - mark) - no.after.exposure
    assert at_mark == 0
    paid_out = settled_revenue(count, Decimal(value)) + settled_revenue(-count, Decimal(value))
    # But for parts of a cent that stay at the exchange.
    assert -Decimal("0.02") < paid_out - count <= 0


def test_records_of_one_instant_are_in_the_order_of_their_ids():
    later, earlier = (
        replace(bought("yes", "1", "0.5"), trade_id=trade_id) for trade_id in ("b", "a")
    )
    end = paid("1", "2", "1", second=0)

    assert [record for record, _ in replay([end, later, earlier])] == [earlier, later, end]
