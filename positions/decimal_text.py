"""Decimals as the product says them: plain notation, exact, no exponent and no trailing zeros."""

from decimal import ROUND_HALF_EVEN, Decimal

# Quotients have no last digit; six decimals, half even, is what the product promises for them.
_QUOTIENT = Decimal("0.000001")


def plain(value: Decimal | None) -> str | None:
    """`Decimal("57.500")` is `"57.5"`, zero of either sign is `"0"`, unknown stays None."""
    if value is None:
        return None
    if not value:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def quotient(dividend: Decimal, divisor: Decimal) -> Decimal:
    """The quotient to six decimals, half even; the divisor is not zero."""
    return (dividend / divisor).quantize(_QUOTIENT, rounding=ROUND_HALF_EVEN)
