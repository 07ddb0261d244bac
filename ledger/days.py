"""
What a day brought, and what made it.

A day is reckoned from its baseline: the last stored point before it, where that is at most 15
minutes older, else its first. It ends with the last point before its end, so that a day and the
next have one point in common wherever points were stored around midnight. What happened while
nothing was stored over midnight belongs to neither, and each says from when to when it is.

    day_pnl = closing - opening - net_transfers = parts of all markets + unexplained

A market's part is the change of its net P&L. Where it is held a point has that; where it is flat it
is what its records have locked in. What no market explains (interest, an untold payment, a cent
rounded by the exchange) is the unexplained part: it is never spread over the others.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol, TypeVar

from ledger.periods import STALE_AFTER
from positions.pnl import ZERO

Nets = Mapping[str, Decimal | None]


class _Dated(Protocol):
    @property
    def at(self) -> datetime: ...


Dated = TypeVar("Dated", bound=_Dated)


@dataclass(frozen=True, slots=True)
class Point:
    """
    The account's worth at an instant.

    Attributes:
        value: with what entered it later, at the first mark of what had none.
        nets: net P&L by market held, None for one without a mark; None where it was not kept.
    """

    at: datetime
    value: Decimal
    nets: Nets | None


@dataclass(frozen=True, slots=True)
class Records:
    """
    What a market's records say of an instant.

    Attributes:
        locked_in: realized P&L less fees when it was last flat; 0 if never traded before, None if
            that is not known.
        is_flat: whether it was flat at that very instant.
    """

    locked_in: Decimal | None
    is_flat: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """What a market, or with `ticker` None nothing that is known, has made of a day."""

    ticker: str | None
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class Day:
    """A day from one point to another; `day_pnl` and `closing` None where they can't be said."""

    since: datetime
    until: datetime
    opening: Decimal
    closing: Decimal | None
    net_transfers: Decimal
    day_pnl: Decimal | None
    parts: tuple[Part, ...] = field(default=())


def baseline(before: Dated | None, first: Dated | None, start: datetime) -> Dated | None:
    """
    The point that a day begins with.

    Args:
        before: the last one before its start.
        first: the first one in it.
    """
    is_good = before is not None and start - before.at <= STALE_AFTER
    return before if is_good else first


def day_between(
    opening: Point,
    closing: Point,
    net_transfers: Decimal,
    then: Mapping[str, Records],
    now: Mapping[str, Records],
) -> Day:
    """
    The day between two points.

    Args:
        net_transfers: what came in between them, less what went out.
        then, now: of the markets traded in between, or held at either end: what their records say
            of the two points.
    """
    tickers = {*then, *now, *(opening.nets or ()), *(closing.nets or ())}
    ends = {
        ticker: (net_of(ticker, opening, then), net_of(ticker, closing, now)) for ticker in tickers
    }
    whole: Decimal | None = closing.value - opening.value - net_transfers
    if any(
        before is not None and _is_unpriced(closing, ticker) for ticker, (before, _) in ends.items()
    ):
        # It was worth something at the beginning, and is now worth something unknown.
        whole = None
    parts = {
        ticker: None if None in (before, after) else (after or ZERO) - (before or ZERO)
        for ticker, (before, after) in ends.items()
    }
    return Day(
        opening.at,
        closing.at,
        opening.value,
        closing.value,
        net_transfers,
        whole,
        parts_of(whole, parts),
    )


def parts_of(day_pnl: Decimal | None, markets: Nets) -> tuple[Part, ...]:
    """The parts of a day, largest first, then those not known; they sum to it."""
    parts = [Part(ticker, amount) for ticker, amount in markets.items()]
    parts.sort(key=_largest_first)
    if day_pnl is not None:
        rest = day_pnl - sum((part.amount or ZERO for part in parts), ZERO)
        if rest:
            parts.append(Part(None, rest))
    return tuple(parts)


def added(days: Sequence[Day]) -> Day | None:
    """Several accounts' days as one; what is unknown for one is unknown for all."""
    if not days:
        return None
    markets: dict[str, Decimal | None] = {}
    for each in days:
        for part in each.parts:
            if part.ticker is not None:
                before = markets.get(part.ticker, ZERO)
                known = before is not None and part.amount is not None
                markets[part.ticker] = (before or ZERO) + (part.amount or ZERO) if known else None
    day_pnl = _sum(each.day_pnl for each in days)
    return Day(
        since=min(each.since for each in days),
        until=max(each.until for each in days),
        opening=sum((each.opening for each in days), ZERO),
        closing=_sum(each.closing for each in days),
        net_transfers=sum((each.net_transfers for each in days), ZERO),
        day_pnl=day_pnl,
        parts=parts_of(day_pnl, markets),
    )


def net_of(ticker: str, point: Point, records: Mapping[str, Records]) -> Decimal | None:
    if point.nets is not None and ticker in point.nets:
        return point.nets[ticker]
    found = records.get(ticker, Records(None))
    # What a point does not have was flat in it, whatever was just about to become known.
    return found.locked_in if found.is_flat or point.nets is not None else None


def _is_unpriced(point: Point, ticker: str) -> bool:
    return point.nets is not None and point.nets.get(ticker, ZERO) is None


def _largest_first(part: Part) -> tuple[bool, Decimal, str]:
    return (part.amount is None, -abs(part.amount or ZERO), part.ticker or "")


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    total = ZERO
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total
