"""
Figures as the page writes them (`static/js/format.js`), for a terminal: in its English.

Each takes the decimal string of a document, `None` where unknown.
"""

from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal

UNKNOWN = "—"
MINUS = "\u2212"

# Of the largest sum there can be, with all its decimals.
_WIDE = Context(prec=60)


def dollars(text: str | None) -> str:
    """`$1,234.56`, and `$0.003` for what is less than half a cent."""
    if text is None:
        return UNKNOWN
    value = Decimal(text)
    return f"{_sign(value)}${_digits(value, least=2, most=2)}"


def profit(text: str | None) -> str:
    """`▲ +$3.60`, `▼ −$3.60`, `$0.00`."""
    if text is None:
        return UNKNOWN
    value = Decimal(text)
    amount = f"{_sign(value, plus='+')}${_digits(value, least=2, most=2)}"
    return f"{'▲' if value > 0 else '▼'} {amount}" if value else amount


def quote(text: str | None) -> str:
    """A quoted price in cents with all of its decimals: `57¢`, `4.5¢`."""
    return _cents(text, most=4)


def quotient(text: str | None) -> str:
    """A price that is a quotient, in cents and rounded: `54.33¢`."""
    return _cents(text, most=2)


def percentage(text: str | None) -> str:
    """`+5.6 %` for `"5.6"`."""
    if text is None:
        return UNKNOWN
    value = Decimal(text)
    digits = _digits(value, least=1, most=1, significant=1)
    return f"{_sign(value, plus='+')}{digits}\u00a0%"


def contracts(text: str | None) -> str:
    """Without their sign, which the side says in words: `1,200`, `0.5`."""
    return UNKNOWN if text is None else _digits(Decimal(text), most=2)


def age(at: datetime, now: datetime) -> str:
    """How long ago, in its largest whole unit: `1 s`, `5 min`, `3 h`, `2 d`. Never negative."""
    seconds = max(0, int((now - at).total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length}\u00a0{unit}"
    return f"{seconds}\u00a0s"


def _cents(text: str | None, *, most: int) -> str:
    if text is None:
        return UNKNOWN
    value = Decimal(text)
    return f"{_sign(value)}{_digits(_WIDE.scaleb(value, 2), most=most)}¢"


def _sign(value: Decimal, *, plus: str = "") -> str:
    if not value:
        return ""
    return MINUS if value < 0 else plus


def _digits(value: Decimal, *, least: int = 0, most: int, significant: int = 2) -> str:
    """The number without its sign. What rounding would make a zero keeps its first digits."""
    size = value.copy_abs()
    rounded = size.quantize(Decimal(1).scaleb(-most), ROUND_HALF_UP, _WIDE)
    if size and not rounded:
        last = Decimal(1).scaleb(size.adjusted() - significant + 1)
        rounded = size.quantize(last, ROUND_HALF_UP, _WIDE)
    whole, _, fraction = f"{rounded:f}".partition(".")
    fraction = fraction.rstrip("0").ljust(least, "0")
    return f"{int(whole):,}" + (f".{fraction}" if fraction else "")
