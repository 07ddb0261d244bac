"""
The exchange's fixed-point strings as Decimal.

Money and prices come as dollars with up to six decimals, contracts with two; never as JSON numbers.
"""

import re
from decimal import Decimal

# Twelve digits before the point are a trillion: more is no amount but garbage, and would later
# overflow a column or lose digits in arithmetic. Of those after it the exchange writes six.
_DOLLARS = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{1,18})?")
_CONTRACTS = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{1,2})?")


def dollars(text: object) -> Decimal:
    """
    An amount of money or a price, in dollars, exact, with as many decimals as it came with.

    Raises:
        ValueError: not a plain decimal string of at most 18 decimals.
    """
    return _decimal(text, _DOLLARS)


def contracts(text: object) -> Decimal:
    """
    A count of contracts; the exchange divides them down to 0.01.

    Raises:
        ValueError: not a plain decimal string of at most two decimals.
    """
    return _decimal(text, _CONTRACTS)


def _decimal(text: object, pattern: re.Pattern[str]) -> Decimal:
    if not isinstance(text, str) or pattern.fullmatch(text) is None:
        raise ValueError("not a plain decimal string")
    return Decimal(text)
