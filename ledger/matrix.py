"""
What is held of an event, at each of its outcomes.

Of the markets of a mutually exclusive event at most one ends as YES: one outcome for each market
held, and one for none of these. Else each market may end as it likes, and only the bounds can be
said. A market that settles at a value between pays something between: what all of them pay is
linear in their values, so that it stays inside the bounds, of an exclusive event as long as the
values are no more than a dollar together.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from positions.pnl import PAYOUT, ZERO, Holding

NONE_OF_THESE = "none_of_these"


@dataclass(frozen=True, slots=True)
class Held:
    """One market that is held; `determined_value` of a YES contract once that is known."""

    ticker: str
    holding: Holding
    determined_value: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What is paid, and what all has brought then: payout and realized P&L, less cost and fees.

    `outcome` is the ticker of the market that ends as YES, `none_of_these`, or None where the
    markets end each for itself.
    """

    outcome: str | None
    payout: Decimal
    net_pnl: Decimal


@dataclass(frozen=True, slots=True)
class EventMatrix:
    """
    An event's outcomes and the best and worst of them.

    `is_exclusive` None where that is not known; then, as where it is not, there are only bounds.
    Nothing is better or worse where nothing is held.
    """

    is_exclusive: bool | None
    outcomes: tuple[Outcome, ...]
    best: Outcome | None
    worst: Outcome | None


def if_settled(holding: Holding, yes_value: Decimal) -> Outcome:
    """One market by itself, at the value of its YES."""
    payout = _payout(holding, yes_value)
    return Outcome(None, payout, payout + _before_payout(holding))


def event_matrix(
    held: Sequence[Held], *, is_exclusive: bool | None, has_yes_won: bool = False
) -> EventMatrix:
    """
    The outcomes of one event.

    Args:
        held: of all its markets in which something is held.
        has_yes_won: a market of the event that is held no more has ended as YES.
    """
    if not held:
        return EventMatrix(is_exclusive, (), None, None)
    if not is_exclusive:
        return EventMatrix(is_exclusive, (), *_bounds(held))
    outcomes = tuple(_outcome(held, winner) for winner in _winners(held, has_yes_won))
    return EventMatrix(
        is_exclusive,
        outcomes,
        max(outcomes, key=lambda each: each.net_pnl),
        min(outcomes, key=lambda each: each.net_pnl),
    )


def _winners(held: Iterable[Held], has_yes_won: bool) -> list[str]:
    """The markets that may end as YES, and that none of them does."""
    for each in held:
        if each.determined_value == PAYOUT:
            return [each.ticker]
    if has_yes_won:
        return [NONE_OF_THESE]
    return [each.ticker for each in held if each.determined_value is None] + [NONE_OF_THESE]


def _outcome(held: Iterable[Held], winner: str) -> Outcome:
    payout = net = ZERO
    for each in held:
        value = each.determined_value
        if value is None:
            value = PAYOUT if each.ticker == winner else ZERO
        paid = _payout(each.holding, value)
        payout += paid
        net += paid + _before_payout(each.holding)
    return Outcome(winner, payout, net)


def _bounds(held: Iterable[Held]) -> tuple[Outcome, Outcome]:
    most = least = before = ZERO
    for each in held:
        values = (ZERO, PAYOUT) if each.determined_value is None else (each.determined_value,)
        paid = [_payout(each.holding, value) for value in values]
        most += max(paid)
        least += min(paid)
        before += _before_payout(each.holding)
    return Outcome(None, most, most + before), Outcome(None, least, least + before)


def _payout(holding: Holding, yes_value: Decimal) -> Decimal:
    return holding.count * (yes_value if holding.quantity > 0 else PAYOUT - yes_value)


def _before_payout(holding: Holding) -> Decimal:
    return holding.realized_pnl - holding.exposure - holding.fees_paid
