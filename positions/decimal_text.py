"""Decimals as the product says them: plain notation, exact, no exponent and no trailing zeros."""

from decimal import ROUND_HALF_EVEN, Context, Decimal

_SIX_DECIMALS = Decimal("0.000001")
# A quotient of the largest amount and the smallest has more digits than Python's usual 28.
_WIDE = Context(prec=60)


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
    return to_six_decimals(_WIDE.divide(dividend, divisor))


def to_six_decimals(value: Decimal) -> Decimal:
    """What the exchange's money and our rows are precise to; further decimals go, half even."""
    return value.quantize(_SIX_DECIMALS, rounding=ROUND_HALF_EVEN, context=_WIDE)
