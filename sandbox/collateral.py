"""
What the exchange gives back early on an event whose outcomes exclude each other.

At most one market of such an event ends as YES, so of several NO holdings at most one, at worst
the largest, is lost. What the others are certain to pay is returned as soon as they are held, and
taken back as they are sold or paid out.
"""

from collections.abc import Sequence
from decimal import Decimal

from sandbox.grid import ZERO


def returnable(no_counts: Sequence[Decimal], *, is_decided: bool) -> Decimal:
    """
    Dollars that NO holdings of one event pay whatever happens.

    Args:
        no_counts: contracts held in each market that has not settled.
        is_decided: one market of the event has settled as YES, so none of these will.
    """
    certain = sum(no_counts, ZERO)
    return certain if is_decided else certain - max(no_counts, default=ZERO)
