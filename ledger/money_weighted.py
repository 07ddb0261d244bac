"""
The money-weighted return: the one rate at which all that was paid in grew to what is there.

XIRR, as spreadsheets have it, by whole days of a year of 365. Not annualised under a year: then it
is the return of the whole period.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from itertools import pairwise

from positions.decimal_text import to_six_decimals
from positions.pnl import ZERO

LEAST_DAYS = 30
DAYS_OF_A_YEAR = 365
TOO_SHORT = f"Money was there for fewer than {LEAST_DAYS} days."
NO_SINGLE_RATE = "No rate, or not one alone, explains what was paid in and out."

_CONTEXT = Context(prec=34)
_MOST_STEPS = 200
_ENOUGH = Decimal("1e-20")
# e to the 30th: what grows more in a year, or is left so little, is no rate that anybody reads.
_WIDEST = Decimal(30)


@dataclass(frozen=True, slots=True)
class MoneyWeighted:
    """The rate as a fraction, six decimals, or the reason why there is none."""

    rate: Decimal | None
    reason: str | None = None


def money_weighted(flows: Iterable[tuple[int, Decimal]]) -> MoneyWeighted:
    """
    The rate of flows seen from their owner: what is paid in is below 0, what comes back above.

    Args:
        flows: the day's number and its amount; the opening value first, the closing one last.
    """
    by_day: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for day, amount in flows:
        by_day[day] += amount
    last = max(by_day, default=0)
    span = last - min((day for day, amount in by_day.items() if amount), default=last)
    if span < LEAST_DAYS:
        return MoneyWeighted(None, TOO_SHORT)
    unit = Decimal(min(span, DAYS_OF_A_YEAR))
    terms = [
        (_CONTEXT.divide(Decimal(last - day), unit), amount)
        for day, amount in sorted(by_day.items())
        if amount
    ]
    growth = _root(terms)
    if growth is None or not _is_only(terms, growth):
        return MoneyWeighted(None, NO_SINGLE_RATE)
    return MoneyWeighted(to_six_decimals(_CONTEXT.exp(growth) - 1))


Terms = Sequence[tuple[Decimal, Decimal]]


def _root(terms: Terms) -> Decimal | None:
    """The logarithm of 1 + rate at which all flows, grown to the end, cancel out."""
    if len(terms) < 2 or terms[0][1] >= 0 or terms[-1][1] <= 0:
        return None
    # Close to a total loss only the end counts, far above only the beginning.
    low, high = -_WIDEST, _WIDEST
    if _value(terms, low)[0] <= 0 or _value(terms, high)[0] >= 0:
        return None
    guess = ZERO
    for _ in range(_MOST_STEPS):
        value, slope = _value(terms, guess)
        if value > 0:
            low = guess
        else:
            high = guess
        following = guess - _CONTEXT.divide(value, slope) if slope else low
        if slope and abs(following - guess) < _ENOUGH:
            return following
        # Newton's step, and the middle where it would leave what is left.
        guess = following if low < following < high else (low + high) / 2
    return guess


def _value(terms: Terms, growth: Decimal) -> tuple[Decimal, Decimal]:
    """The sum of all flows grown to the end, and its slope."""
    value = slope = ZERO
    for years, amount in terms:
        grown = _CONTEXT.multiply(amount, _CONTEXT.exp(_CONTEXT.multiply(growth, years)))
        value = _CONTEXT.add(value, grown)
        slope = _CONTEXT.add(slope, _CONTEXT.multiply(grown, years))
    return value, slope


def _is_only(terms: Terms, growth: Decimal) -> bool:
    """
    Whether no other rate does.

    It is so if signs change once (Descartes), or if at this rate the owner never has taken out more
    than there was (Teichroew, Robichek and Montalbano 1965): at a higher rate there would be more
    at the end then, at a lower one less.
    """
    signs = [amount > 0 for _, amount in terms]
    if sum(one != other for one, other in pairwise(signs)) == 1:
        return True
    invested = ZERO
    before = terms[0][0]
    for years, amount in terms[:-1]:
        factor = _CONTEXT.exp(_CONTEXT.multiply(growth, before - years))
        invested = _CONTEXT.add(_CONTEXT.multiply(invested, factor), amount)
        if invested > 0:
            return False
        before = years
    return True
