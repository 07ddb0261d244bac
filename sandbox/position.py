"""
A holding in one market, with average-cost accounting.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

from sandbox.grid import ONE, ZERO

OutcomeSide = Literal["yes", "no"]

# The wire shows money with six decimals; the cost of a part of a position is kept to that.
_MICRO_DOLLAR = Decimal("0.000001")


def price_of(side: OutcomeSide, yes_price: Decimal) -> Decimal:
    """Dollars for one contract of a side, from the price of YES."""
    return yes_price if side == "yes" else ONE - yes_price


@dataclass(frozen=True, slots=True)
class Position:
    """
    A holding in one market, with average-cost accounting.

    Args:
        quantity: signed contracts, YES > 0, NO < 0.
        exposure: cost of what is still held, in dollars, without fees.
        realized_pnl: locked in by closing, in dollars, without fees.
        fees_paid: all fees in this market; `open_fees` those of the contracts still held.
        volume: contracts traded; `total_traded` the dollars they were traded for.
    """

    ticker: str
    quantity: Decimal = ZERO
    exposure: Decimal = ZERO
    realized_pnl: Decimal = ZERO
    fees_paid: Decimal = ZERO
    open_fees: Decimal = ZERO
    volume: Decimal = ZERO
    total_traded: Decimal = ZERO
    updated_at: datetime | None = None

    def after(
        self, side: OutcomeSide, count: Decimal, yes_price: Decimal, fee: Decimal, at: datetime
    ) -> "Position":
        """The holding once `count` contracts of a side were bought; the other side nets first."""
        signed = count if side == "yes" else -count
        held = abs(self.quantity)
        closed = min(count, held) if self.quantity * signed < 0 else ZERO
        opened = count - closed
        cost_closed = self.exposure if closed == held else _share(self.exposure, closed, held)
        fees_closed = self.open_fees if closed == held else _share(self.open_fees, closed, held)
        price = price_of(side, yes_price)
        # A pair of YES and NO is worth $1, so buying the other side sells ours at what is left of
        # it.
        proceeds = closed * (ONE - price)
        return replace(
            self,
            quantity=self.quantity + signed,
            exposure=self.exposure - cost_closed + opened * price,
            realized_pnl=self.realized_pnl + proceeds - cost_closed,
            fees_paid=self.fees_paid + fee,
            open_fees=self.open_fees - fees_closed + _share(fee, opened, count),
            volume=self.volume + count,
            total_traded=self.total_traded + proceeds + opened * price,
            updated_at=at,
        )

    def settled(self, revenue: Decimal, at: datetime) -> "Position":
        """The holding once the exchange paid out `revenue` dollars for all of it."""
        return replace(
            self,
            quantity=ZERO,
            exposure=ZERO,
            realized_pnl=self.realized_pnl + revenue - self.exposure,
            open_fees=ZERO,
            updated_at=at,
        )


def _share(dollars: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    if not part:
        return ZERO
    return (dollars * part / whole).quantize(_MICRO_DOLLAR, rounding=ROUND_HALF_EVEN)
