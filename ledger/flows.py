"""
What each record does to a market's holding and to the cash.

The law of every flow, which holds for each fill and settlement to the last digit:

    cash_flow = - change of exposure + realized_pnl - fee

A part that closes costs the average of what is held, to six decimals, half even; the last closing
takes the rest, so that nothing is left of the cost when nothing is held.
"""

from dataclasses import dataclass
from decimal import Decimal

from ledger.records import Fill, Record, Settlement
from positions.decimal_text import quotient
from positions.pnl import PAYOUT, ZERO, Holding

NOTHING = Holding(ZERO, ZERO, ZERO, ZERO)


@dataclass(frozen=True, slots=True)
class Effect:
    """
    What one record did.

    Attributes:
        closed_count: contracts that it closed; each pair of YES and NO that nets pays $1.
        cash_flow: with fee.
        realized_pnl: of this record alone, before fees.
        after: the market's holding after it.
    """

    closed_count: Decimal
    cash_flow: Decimal
    realized_pnl: Decimal
    after: Holding


def effect_of(before: Holding, record: Record) -> Effect:
    """What a record does to what was held before it."""
    return _filled(before, record) if isinstance(record, Fill) else _settled(before, record)


def netted_pairs(before: Decimal, signed_count: Decimal) -> Decimal:
    """Contracts that `signed_count` closes of the signed quantity held before."""
    is_closing = before * signed_count < 0
    return min(abs(before), abs(signed_count)) if is_closing else ZERO


def _filled(before: Holding, fill: Fill) -> Effect:
    held = before.count
    closed = netted_pairs(before.quantity, fill.signed_count)
    opened = fill.count - closed
    cost = _cost_of_part(before.exposure, closed, held)
    # Who buys the other side sells theirs at what is left of the dollar.
    realized = closed * (PAYOUT - fill.price) - cost
    return Effect(
        closed_count=closed,
        cash_flow=closed * PAYOUT - fill.count * fill.price - fill.fee,
        realized_pnl=realized,
        after=Holding(
            quantity=before.quantity + fill.signed_count,
            exposure=before.exposure - cost + opened * fill.price,
            realized_pnl=before.realized_pnl + realized,
            fees_paid=before.fees_paid + fill.fee,
        ),
    )


def _settled(before: Holding, settlement: Settlement) -> Effect:
    realized = settlement.realized_pnl
    if settlement.paid_before is None and settlement.quantity == before.quantity:
        # What these contracts had cost is known to the last digit, whatever the row tells.
        realized = settlement.cash_flow - before.exposure
    return Effect(
        closed_count=ZERO if settlement.paid_before is not None else abs(settlement.quantity),
        cash_flow=settlement.cash_flow,
        realized_pnl=realized,
        after=Holding(ZERO, ZERO, before.realized_pnl + realized, before.fees_paid),
    )


def _cost_of_part(exposure: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    if not part:
        return ZERO
    return exposure if part == whole else quotient(exposure * part, whole)


def settled_revenue(quantity: Decimal, yes_value: Decimal) -> Decimal:
    """What `quantity` signed contracts pay, in whole cents: the exchange keeps the rest."""
    value = yes_value if quantity > 0 else PAYOUT - yes_value
    return (abs(quantity) * value * 100 // 1) / 100
