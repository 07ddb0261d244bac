"""
What the exchange takes for a fill, by its published formula.

The trade fee is `rate * count * price * (1 - price)`, rounded up to $0.0001. A rounding fee then
brings the change of the balance to a whole $0.0001, in the exchange's favour.
"""

from decimal import ROUND_CEILING, Decimal

TAKER_RATE = Decimal("0.07")
MAKER_RATE = Decimal("0.0175")
_BALANCE_STEP = Decimal("0.0001")


def fill_fee(count: Decimal, price: Decimal, rate: Decimal) -> Decimal:
    """
    The fee of one fill in dollars, exact.

    Args:
        count: contracts.
        price: dollars per contract of the side that was acquired.
        rate: `TAKER_RATE` or `MAKER_RATE` times the series' fee multiplier.
    """
    trade_fee = _up(rate * count * price * (1 - price))
    # What netting gives back, $1 a pair, is a multiple of a cent: it can't change the remainder.
    cost = count * price
    return _up(cost + trade_fee) - cost


def _up(dollars: Decimal) -> Decimal:
    return dollars.quantize(_BALANCE_STEP, rounding=ROUND_CEILING)
