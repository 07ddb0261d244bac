"""
What the exchange takes for a fill, by its published formula.

The trade fee is `rate * count * price * (1 - price)`, rounded up to $0.0001. A rounding fee then
brings the change of the balance to a whole $0.0001, in the exchange's favour.
"""

from decimal import ROUND_CEILING, Decimal
from typing import Literal

# The documents know `flat` too, but not what it is.
FeeType = Literal["quadratic", "quadratic_with_maker_fees", "quadratic_with_combo_maker_fees"]

TAKER_RATE = Decimal("0.07")
MAKER_RATE = Decimal("0.0175")
_MAKER_RATES: dict[FeeType, Decimal] = {
    "quadratic": Decimal(0),
    "quadratic_with_maker_fees": MAKER_RATE,
    "quadratic_with_combo_maker_fees": TAKER_RATE / 2,
}
_BALANCE_STEP = Decimal("0.0001")


def fee_rate(fee_type: FeeType, multiplier: Decimal, *, is_taker: bool) -> Decimal:
    """The rate of the formula for one side of a trade."""
    return (TAKER_RATE if is_taker else _MAKER_RATES[fee_type]) * multiplier


def fill_fee(count: Decimal, price: Decimal, rate: Decimal) -> Decimal:
    """
    The fee of one fill in dollars, exact.

    Args:
        count: contracts.
        price: dollars per contract of the side that was acquired.
        rate: as `fee_rate` tells it.
    """
    trade_fee = _up(rate * count * price * (1 - price))
    # What netting gives back, $1 a pair, is a multiple of a cent: it can't change the remainder.
    cost = count * price
    return _up(cost + trade_fee) - cost


def _up(dollars: Decimal) -> Decimal:
    return dollars.quantize(_BALANCE_STEP, rounding=ROUND_CEILING)
