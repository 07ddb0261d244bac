from decimal import Decimal

import pytest

from sandbox.fees import MAKER_RATE, TAKER_RATE, fill_fee
from tests.unit.sandbox.published import payload


@pytest.mark.parametrize(
    "recorded",
    payload("fees.json"),
    ids=lambda fill: f"{fill['series']} {fill['count']} at {fill['price']}",
)
def test_fee_of_a_recorded_fill_is_reproduced(recorded: dict[str, str]) -> None:
    rate = TAKER_RATE * Decimal(recorded["fee_multiplier"])

    fee = fill_fee(Decimal(recorded["count"]), Decimal(recorded["price"]), rate)

    assert fee == Decimal(recorded["fee_cost"])


def test_maker_pays_a_quarter() -> None:
    # 100 * 0.5 * 0.5 = 25, times 0.0175
    assert fill_fee(Decimal(100), Decimal("0.5"), MAKER_RATE) == Decimal("0.4375")
