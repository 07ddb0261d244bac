"""The columns of figures, as wide as the exchange's numbers need."""

from typing import TypedDict, get_args


class Digits(TypedDict):
    """Of a DecimalField."""

    max_digits: int
    decimal_places: int


# The wire's own precision: six decimals at most for money and prices, two for counts. Before the
# point amounts have up to twelve digits there; sums, and quotients by 0.01 contracts, have more.
MONEY: Digits = {"max_digits": 24, "decimal_places": 6}
PRICE: Digits = {"max_digits": 8, "decimal_places": 6}
COUNT: Digits = {"max_digits": 20, "decimal_places": 2}
# The middle of two prices needs one more; a count times it nine.
MARK: Digits = {"max_digits": 9, "decimal_places": 7}
VALUE: Digits = {"max_digits": 27, "decimal_places": 9}
# Percent of the smallest exposure there can be, a millionth of a dollar.
PERCENT: Digits = {"max_digits": 32, "decimal_places": 6}


def one_of(literal: object) -> list[tuple[str, str]]:
    """The choices of a column that holds one of a type's words."""
    return [(value, value) for value in get_args(literal)]
