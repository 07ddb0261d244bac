"""Computes what an explanation says, from its own words alone."""

import re
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal, localcontext


def computed(formula: str, given: Iterable[tuple[str, Decimal | None]]) -> Decimal | None:
    """The value of a formula; None where something put in is unknown."""
    names: dict[str, list[Decimal]] = {name: [] for name in re.findall(r"sum\((\w+)\)", formula)}
    summed = set(names)
    for name, value in given:
        if value is None:
            return None
        names.setdefault(name, []).append(value)
    inputs = {name: values if name in summed else _only(values) for name, values in names.items()}
    with localcontext() as context:
        context.prec = 60
        # One of a handful of texts, all our own.
        return eval(formula, {"__builtins__": {}, **_FUNCTIONS, **inputs})  # noqa: S307


def computed_from(explanation: Mapping) -> Decimal | None:
    """The same of an explanation as the API tells it."""
    given = [
        (each["name"], None if each["value"] is None else Decimal(each["value"]))
        for each in explanation["with"]
    ]
    return computed(explanation["formula"], given)


def shown(explanation: Mapping) -> Decimal | None:
    """The value that it says it comes to."""
    return None if explanation["value"] is None else Decimal(explanation["value"])


def _only(values: list[Decimal]) -> Decimal:
    [value] = values
    return value


_FUNCTIONS = {
    "abs": abs,
    "sum": lambda values: sum(values, Decimal(0)),
    "round6": lambda value: value.quantize(Decimal("0.000001"), rounding=ROUND_HALF_EVEN),
}
