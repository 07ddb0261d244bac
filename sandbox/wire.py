"""
Values in the notation of the exchange's documents.

Money, prices and counts are strings with a fixed number of decimals. Writing them never rounds: a
value that needs more decimals than its field has is a bug and raises `decimal.Inexact`.
"""

import json
from datetime import UTC, datetime
from decimal import Context, Decimal, Inexact
from typing import Any

# What a JSON object is made of; its values are whatever JSON can hold.
Json = dict[str, Any]

_EXACT = Context(prec=40, traps=[Inexact])
_CENTI = Decimal("0.01")
_TEN_THOUSANDTH = Decimal("0.0001")
_MILLIONTH = Decimal("0.000001")


def price(dollars: Decimal) -> str:
    """Dollars with four decimals, as prices and balances are written."""
    return f"{dollars.quantize(_TEN_THOUSANDTH, context=_EXACT):f}"


def money(dollars: Decimal) -> str:
    """Dollars with six decimals, as costs, fees and P&L are written."""
    return f"{dollars.quantize(_MILLIONTH, context=_EXACT):f}"


def count(contracts: Decimal) -> str:
    """Contracts with two decimals."""
    return f"{contracts.quantize(_CENTI, context=_EXACT):f}"


def cents(dollars: Decimal) -> int:
    """Whole cents of dollars that have no parts of one."""
    return int(dollars.quantize(_CENTI, context=_EXACT) * 100)


def time(moment: datetime) -> str:
    """RFC 3339 in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def encode(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
