"""
The prices at which a market can be quoted: ranges of ticks between nothing and a dollar.
"""

from bisect import bisect_left
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

ZERO = Decimal(0)
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class PriceRange:
    """Prices from `start` to `end` that are `step` apart, all in dollars."""

    start: Decimal
    end: Decimal
    step: Decimal


@dataclass(frozen=True)
class PriceGrid:
    """
    The prices at which a market can be quoted.

    Args:
        structure: the exchange's label for the grid, `price_level_structure`.
        ranges: adjoining ranges from 0 to 1, ascending.
    """

    structure: str
    ranges: tuple[PriceRange, ...]

    @cached_property
    def prices(self) -> tuple[Decimal, ...]:
        """Every valid price above 0 and below 1, ascending."""
        prices = {ZERO}
        for band in self.ranges:
            ticks = int((band.end - band.start) / band.step)
            prices.update(band.start + band.step * tick for tick in range(ticks + 1))
        return tuple(sorted(prices - {ZERO, ONE}))

    def index(self, price: Decimal) -> int:
        """Where a price stands on the grid; ValueError when it is not on it."""
        index = bisect_left(self.prices, price)
        if index == len(self.prices) or self.prices[index] != price:
            raise ValueError(f"{price} is not a price of {self.structure}")
        return index

    def nearest(self, price: Decimal) -> Decimal:
        """The lowest price of the grid that is not below `price`, or its highest."""
        return self.prices[min(bisect_left(self.prices, price), len(self.prices) - 1)]


def _grid(structure: str, *bands: tuple[str, str, str]) -> PriceGrid:
    return PriceGrid(structure, tuple(PriceRange(*map(Decimal, band)) for band in bands))


LINEAR_CENT = _grid("linear_cent", ("0", "1", "0.01"))
DECI_CENT = _grid("deci_cent", ("0", "1", "0.001"))
TAPERED_DECI_CENT = _grid(
    "tapered_deci_cent", ("0", "0.1", "0.001"), ("0.1", "0.9", "0.01"), ("0.9", "1", "0.001")
)
CENTER_DECI_EDGE_CENTI_CENT = _grid(
    "center_deci_edge_centi_cent",
    ("0", "0.01", "0.0001"),
    ("0.01", "0.99", "0.001"),
    ("0.99", "1", "0.0001"),
)
