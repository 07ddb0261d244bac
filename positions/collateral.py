"""
Cash that the exchange pays back early for NO positions in one event.

Of the markets of a mutually exclusive event at most one ends as YES, so at most one of several NO
holdings is lost, at worst the largest. What the others are certain to pay comes back as soon as
they are held (`MECNET`), and is taken back as they are sold or paid out: at its settlement each
pays in full. YES holdings make no payment more certain, whatever they are mixed with: the outcome
that costs most is the one against which most NO are held, and no YES is held there.

Where netting is switched off for the subaccount nothing comes back. How much does under
directional netting (`DIRECNET`) no document says: it is unknown as soon as two of an event's
markets are held.
"""

from collections.abc import Collection
from decimal import Decimal

from positions.pnl import ZERO

EXCLUSIVE, DIRECTIONAL = "MECNET", "DIRECNET"


def returned(
    return_type: str | None,
    quantities: Collection[Decimal],
    *,
    is_netting: bool | None,
    has_yes_won: bool = False,
) -> Decimal | None:
    """
    Dollars returned early on one event; None when it can't be said.

    Args:
        return_type: the event's `collateral_return_type`; None when the event is not known.
        quantities: signed, of its markets that are held and not settled.
        is_netting: whether the subaccount has netting; None when it is not known.
        has_yes_won: a market of the event has paid its YES, so that none of these will.
    """
    no_counts = [-quantity for quantity in quantities if quantity < 0]
    held = sum(1 for quantity in quantities if quantity)
    if is_netting is False or return_type == "":
        return ZERO
    if return_type == DIRECTIONAL:
        return ZERO if held < 2 else None
    certain = sum(no_counts, ZERO)
    if not has_yes_won:
        certain -= max(no_counts, default=ZERO)
    if not certain:
        return ZERO
    return certain if return_type == EXCLUSIVE and is_netting else None
