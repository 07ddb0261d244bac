from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.fees import CENT_PRECISION, DIRECT, MAKER_RATE, TAKER_RATE, Fee, fill_fee
from tests.unit.sandbox.published import payload

CENT = Decimal("0.01")

counts = st.decimals("0.01", "500", places=2)
prices = st.decimals("0.0001", "0.9999", places=4)
rates = st.sampled_from([Decimal(0), MAKER_RATE, TAKER_RATE / 2, TAKER_RATE])


def fees_of_an_order(
    fills: list[tuple[Decimal, Decimal, Decimal]], precision: Decimal
) -> list[Fee]:
    fees: list[Fee] = []
    for count, price, rate in fills:
        overpaid = fees[-1].overpaid if fees else Decimal(0)
        fees.append(fill_fee(count, price, rate, precision=precision, overpaid=overpaid))
    return fees


@pytest.mark.parametrize(
    "recorded",
    payload("fees.json"),
    ids=lambda fill: f"{fill['series']} {fill['count']} at {fill['price']}",
)
def test_fee_of_a_recorded_fill_is_reproduced(recorded: dict[str, str]) -> None:
    rate = TAKER_RATE * Decimal(recorded["fee_multiplier"])

    fee = fill_fee(Decimal(recorded["count"]), Decimal(recorded["price"]), rate)

    assert fee.dollars == Decimal(recorded["fee_cost"])


def test_maker_pays_a_quarter() -> None:
    # 100 * 0.5 * 0.5 = 25, times 0.0175
    assert fill_fee(Decimal(100), Decimal("0.5"), MAKER_RATE).dollars == Decimal("0.4375")


def test_order_of_four_fills_gets_its_first_whole_cent_of_rounding_back() -> None:
    # One contract at 0.055: up(0.07 * 0.055 * 0.945) = 0.0037, so 0.0587 is due and 0.06 is taken.
    # With 1.50 at 0.333: up(0.07 * 1.50 * 0.333 * 0.667) = 0.0234, so 0.5229 and 0.53.
    one = (Decimal(1), Decimal("0.055"), TAKER_RATE)
    more = (Decimal("1.50"), Decimal("0.333"), TAKER_RATE)

    fees = fees_of_an_order([one, one, one, more], CENT_PRECISION)

    assert [(fee.rounding, fee.rebate, fee.overpaid, fee.dollars) for fee in fees] == [
        (Decimal("0.0013"), 0, Decimal("0.0013"), Decimal("0.005")),
        (Decimal("0.0013"), 0, Decimal("0.0026"), Decimal("0.005")),
        (Decimal("0.0013"), 0, Decimal("0.0039"), Decimal("0.005")),
        (Decimal("0.0071"), CENT, Decimal("0.0010"), Decimal("0.0205")),
    ]


def test_rebate_that_is_more_than_the_fee_waits() -> None:
    # Free of a trade fee: 0.021 is due and 0.03 is taken, 0.009 too much each time.
    free = (Decimal(1), Decimal("0.021"), Decimal(0))

    fees = fees_of_an_order([free, free], CENT_PRECISION)

    assert [(fee.rebate, fee.dollars) for fee in fees] == [(0, Decimal("0.009"))] * 2
    assert fees[-1].overpaid == Decimal("0.018")


@given(
    st.lists(st.tuples(counts, prices, rates), min_size=1, max_size=12),
    st.sampled_from([DIRECT, CENT_PRECISION]),
)
def test_balance_keeps_its_precision_and_nothing_is_lost_between_the_fills_of_an_order(
    fills: list[tuple[Decimal, Decimal, Decimal]], precision: Decimal
) -> None:
    fees = fees_of_an_order(fills, precision)

    costs = [count * price for count, price, _ in fills]
    assert all(fee.dollars >= 0 for fee in fees)
    assert all(fee.rebate % CENT == 0 for fee in fees)
    assert all((cost + fee.dollars) % precision == 0 for cost, fee in zip(costs, fees, strict=True))
    assert all(
        after.overpaid == before.overpaid + after.rounding - after.rebate
        for before, after in pairwise(fees)
    )
    # All together they cost what the formula says, and what has not come back yet.
    assert sum(fee.dollars for fee in fees) == sum(fee.trade for fee in fees) + fees[-1].overpaid
