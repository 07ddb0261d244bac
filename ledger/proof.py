"""
The cash proves itself: between two balances of the exchange's it moves by known flows alone.

A balance is a checkpoint if it is known of every flow whether it is in it: no flow happened after
`known_since` and not after `known_until`, between which the balance was so. For any checkpoints
A, B that follow each other:

    A + flows after A and not after B + unexplained = B

and added up, from the first checkpoint to the last, to the last digit:

    opening + steps + residual = closing

What one interval has too much never makes up for what another lacks: each is told by itself.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import accumulate, pairwise
from typing import Literal, get_args

from positions.pnl import ZERO

StepKind = Literal[
    "fills",
    "fees",
    "netted_pairs",
    "settlements",
    "deposits",
    "withdrawals",
    "transfers",
    "named",
    "collateral",
]
STEP_KINDS: tuple[StepKind, ...] = get_args(StepKind)
# The step that a transfer of each kind belongs to.
STEP_OF_TRANSFER: dict[str, StepKind] = {
    "deposit": "deposits",
    "withdrawal": "withdrawals",
    "subaccount": "transfers",
    "exchange": "transfers",
    "named": "named",
}


@dataclass(frozen=True, slots=True)
class Told:
    """The cash as the exchange told it, of an instant after `since` and not after `until`."""

    since: datetime
    until: datetime
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Moved:
    """
    A flow, or the sum of `count` flows of one kind that have the same place among all balances.

    `amount` is what it changed the cash by: less than zero for what was paid.
    """

    at: datetime
    kind: StepKind
    amount: Decimal
    count: int = 1


@dataclass(frozen=True, slots=True)
class Step:
    """All flows of one kind between the first checkpoint and the last."""

    kind: StepKind
    count: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Interval:
    """What no flow explains of the change from one checkpoint to the next; 0 where all is."""

    since: datetime
    until: datetime
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Proof:
    """
    From the first checkpoint, `opening`, to the last, `closing`: one and the same if there is one.

    Attributes:
        moved_before: all known flows before the first.
    """

    opening: Told
    closing: Told
    steps: tuple[Step, ...]
    intervals: tuple[Interval, ...]
    moved_before: Decimal

    @property
    def unexplained(self) -> tuple[Interval, ...]:
        """The intervals of which something is."""
        return tuple(each for each in self.intervals if each.amount)

    @property
    def residual(self) -> Decimal:
        """What is not explained in all."""
        return sum((each.amount for each in self.intervals), ZERO)

    @property
    def implied_opening(self) -> Decimal:
        """What the account held before the first flow that is known."""
        return self.opening.amount - self.moved_before


def prove(balances: Iterable[Told], moved: Iterable[Moved]) -> Proof | None:
    """
    The proof from balances and flows in any order; None without a checkpoint.

    Of checkpoints with the same `until` the last given counts.
    """
    flows = sorted(moved, key=_at)
    times = [each.at for each in flows]
    checkpoints = _checkpoints(balances, times)
    if not checkpoints:
        return None
    sums = list(accumulate((each.amount for each in flows), initial=ZERO))
    # How many flows are in each checkpoint.
    known = [bisect_right(times, each.until) for each in checkpoints]
    intervals = tuple(
        Interval(
            before.until,
            after.until,
            after.amount - before.amount - (sums[upto] - sums[since]),
        )
        for (before, since), (after, upto) in pairwise(zip(checkpoints, known, strict=True))
    )
    return Proof(
        opening=checkpoints[0],
        closing=checkpoints[-1],
        steps=_steps(flows[known[0] : known[-1]]),
        intervals=intervals,
        moved_before=sums[known[0]],
    )


def _checkpoints(balances: Iterable[Told], times: Sequence[datetime]) -> list[Told]:
    found = {
        each.until: each
        for each in balances
        if bisect_right(times, each.since) == bisect_right(times, each.until)
    }
    return [found[until] for until in sorted(found)]


def _steps(flows: Sequence[Moved]) -> tuple[Step, ...]:
    counts, amounts = dict.fromkeys(STEP_KINDS, 0), dict.fromkeys(STEP_KINDS, ZERO)
    for each in flows:
        counts[each.kind] += each.count
        amounts[each.kind] += each.amount
    return tuple(Step(kind, counts[kind], amounts[kind]) for kind in STEP_KINDS)


def _at(flow: Moved) -> datetime:
    return flow.at
