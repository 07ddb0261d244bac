"""
What the exchange takes for a fill, by its published formula.

The trade fee is `rate * count * price * (1 - price)`, rounded up to $0.0001. A rounding fee then
brings the change of the balance to a whole step of its precision, in the exchange's favour. What an
order has overpaid by rounding comes back in whole cents, as soon as there is one.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal

from sandbox.grid import ONE, ZERO

# The documents know `flat` too, but not what it is.
FeeType = Literal["quadratic", "quadratic_with_maker_fees", "quadratic_with_combo_maker_fees"]

TAKER_RATE = Decimal("0.07")
MAKER_RATE = Decimal("0.0175")
_MAKER_RATES: dict[FeeType, Decimal] = {
    "quadratic": ZERO,
    "quadratic_with_maker_fees": MAKER_RATE,
    "quadratic_with_combo_maker_fees": TAKER_RATE / 2,
}
_FEE_STEP = Decimal("0.0001")
_CENT = Decimal("0.01")

# To which step a balance is kept, in dollars: a direct member's, and everybody else's.
DIRECT = Decimal("0.0001")
CENT_PRECISION = _CENT
PRECISIONS = (DIRECT, CENT_PRECISION)


def fee_rate(fee_type: FeeType, multiplier: Decimal, *, is_taker: bool) -> Decimal:
    """The rate of the formula for one side of a trade."""
    return (TAKER_RATE if is_taker else _MAKER_RATES[fee_type]) * multiplier


@dataclass(frozen=True, slots=True)
class Fee:
    """
    What one fill costs, in dollars, and how it came about.

    Args:
        trade: by the formula.
        rounding: what brings the balance to its precision.
        rebate: what comes back of this and earlier rounding, in whole cents.
        overpaid: by the rounding of the order's fills so far, and not given back.
    """

    trade: Decimal
    rounding: Decimal
    rebate: Decimal
    overpaid: Decimal

    @property
    def dollars(self) -> Decimal:
        """All of it together, exact and never negative."""
        return self.trade + self.rounding - self.rebate


def fill_fee(
    count: Decimal,
    price: Decimal,
    rate: Decimal,
    *,
    precision: Decimal = DIRECT,
    overpaid: Decimal = ZERO,
) -> Fee:
    """
    The fee of one fill.

    Args:
        count: contracts.
        price: dollars per contract of the side that was acquired.
        rate: as `fee_rate` tells it.
        precision: the step of the balance in dollars, one of `PRECISIONS`.
        overpaid: as the fee of the order's fill before told it.
    """
    trade = _up(rate * count * price * (ONE - price), _FEE_STEP)
    # What netting gives back, $1 a pair, is a multiple of a cent: it can't change the remainder.
    cost = count * price + trade
    rounding = _up(cost, precision) - cost
    overpaid += rounding
    # No fee is negative: what would be waits for the order's next fill.
    rebate = min(overpaid, trade + rounding).quantize(_CENT, ROUND_FLOOR)
    return Fee(trade, rounding, rebate, overpaid - rebate)


def _up(dollars: Decimal, step: Decimal) -> Decimal:
    return dollars.quantize(step, ROUND_CEILING)
