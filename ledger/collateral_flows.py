"""
Collateral that came back early or was taken back, as flows of its own: by the rule of
`positions.collateral`, with each record that changed what is held in an event.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from operator import itemgetter

from django.db import transaction
from django.db.models import Q, QuerySet, Sum

from ledger import holes, netting
from ledger.models import CollateralFlow, EventDecision, Fill, RecordedPosition, Settlement
from ledger.paid_markets import was_yes
from positions.collateral import EXCLUSIVE, returned
from positions.models import Market
from positions.pnl import ZERO

_BATCH = 1_000

# Records of an event that are reckoned anew in some 50 ms.
AT_ONCE = 300


@dataclass(frozen=True, slots=True)
class Step:
    """What one record made of what its market held: signed contracts."""

    at: datetime
    market_id: int
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class Touched:
    """
    An event that may give collateral back, of which new records came.

    Attributes:
        market_ids: of these records.
        is_latest: whether none of its records is newer than they are.
    """

    event_ticker: str
    market_ids: frozenset[int]
    is_latest: bool


def touched(account_id: int, firsts: Mapping[int, datetime]) -> list[Touched]:
    """
    The events of these markets, before anything follows from their new records.

    Those without a return cost one query for all of them.

    Args:
        firsts: by market, the time of the oldest new record.
    """
    markets = Market.objects.filter(pk__in=firsts).exclude(collateral_return_type="")
    events: dict[str, list[Market]] = {}
    for market in markets:
        events.setdefault(market.event_ticker, []).append(market)
    if not events:
        return []
    course = netting.course(account_id)
    found = []
    for event_ticker, of_event in events.items():
        first = min(firsts[market.pk] for market in of_event)
        newer = _positions_in(account_id, event_ticker).filter(last_at__gt=first)
        decided = _decisions(account_id, event_ticker).filter(at__gt=first)
        found.append(
            Touched(
                event_ticker,
                frozenset(market.pk for market in of_event),
                is_latest=not (
                    newer.exists() or decided.exists() or course.has_changed_after(first)
                ),
            )
        )
    return found


def of_netting(account_id: int, since: datetime) -> list[str]:
    """The events of which other flows follow from a change of netting."""
    positions = RecordedPosition.objects.filter(
        account_id=account_id, market__collateral_return_type=EXCLUSIVE
    )
    touched = positions.filter(~Q(quantity=0) | Q(last_at__gte=since))
    return sorted(set(touched.values_list("market__event_ticker", flat=True)))


def is_short(account_id: int, event_ticker: str) -> bool:
    """Whether an event can be reckoned anew while the writer of positions waits."""
    markets = _positions_in(account_id, event_ticker).values("market_id")
    fills = Fill.objects.filter(account_id=account_id, market_id__in=markets)
    return len(fills.values_list("pk")[: AT_ONCE + 1]) <= AT_ONCE


def follow(account_id: int, event: Touched, steps: Iterable[Step]) -> None:
    """
    Carry an event's flows on by records that are newer than all others of it.

    That costs the same however many there are. The recorded positions of their markets are carried
    on already.
    """
    ordered = sorted(steps, key=lambda step: step.at)
    positions = _positions_in(account_id, event.event_ticker)
    held = dict(positions.values_list("market_id", "quantity"))
    return_type = _return_type(positions)
    # The oldest of each market says what was held before.
    held |= {step.market_id: step.before for step in reversed(ordered)}
    payouts = _payouts(account_id, event.event_ticker, held)
    course = netting.course(account_id)
    flows = _flows(account_id, event.event_ticker)
    total = flows.aggregate(all=Sum("amount"))["all"] or ZERO
    for at, together in groupby(ordered, key=lambda step: step.at):
        held |= {step.market_id: step.after for step in together}
        # Of each market what was said last by then: a YES may have been amended.
        won = {market: has_won for paid_at, market, has_won in payouts if paid_at <= at}
        now = returned(
            return_type, held.values(), is_netting=course.at(at), has_yes_won=any(won.values())
        )
        if now is not None and now != total:
            flows.create(
                account_id=account_id,
                event_ticker=event.event_ticker,
                at=at,
                amount=now - total,
            )
            total = now


def rewrite(account_id: int, event_ticker: str) -> datetime | None:
    """
    Reckon the flows of one event anew from all of its records.

    Returns:
        The time of the oldest that is another than before, if there is one.
    """
    is_returnless = _return_type(_positions_in(account_id, event_ticker)) == ""
    if is_returnless and not _flows(account_id, event_ticker).exists():
        # As most events: it gives nothing back, and that is what is written.
        return None
    known = _known(account_id, event_ticker)
    gone, new = _differing(account_id, event_ticker)
    with transaction.atomic():
        # Only now, as whoever records waits for it. Two at once would both insert.
        holes.lock(account_id)
        if _known(account_id, event_ticker) != known:
            gone, new = _differing(account_id, event_ticker)
        CollateralFlow.objects.filter(pk__in=list(gone)).delete()
        CollateralFlow.objects.bulk_create(new, batch_size=_BATCH)
    return min([*gone.values(), *(flow.at for flow in new)], default=None)


def _known(account_id: int, event_ticker: str) -> tuple[object, ...]:
    """What changes with all that the flows of an event follow from."""
    positions = _positions_in(account_id, event_ticker)
    types = sorted(positions.values_list("market_id", "market__collateral_return_type"))
    mine = {"account_id": account_id, "market_id__in": [market_id for market_id, _ in types]}
    return (
        types,
        netting.course(account_id),
        Fill.objects.filter(**mine, quantity_after__isnull=False).count(),
        Settlement.objects.filter(**mine).count(),
        _decisions(account_id, event_ticker).count(),
        _flows(account_id, event_ticker).count(),
    )


def _differing(
    account_id: int, event_ticker: str
) -> tuple[dict[int, datetime], list[CollateralFlow]]:
    """
    Those of an event's flows that are there and should not be, by key with their time, and those
    that are missing.
    """
    there: dict[tuple[datetime, Decimal], list[int]] = defaultdict(list)
    for pk, at, amount in _flows(account_id, event_ticker).values_list("pk", "at", "amount"):
        there[at, amount].append(pk)
    new = []
    for at, amount in _reckoned(account_id, event_ticker):
        if there[at, amount]:
            there[at, amount].pop()
        else:
            flow = CollateralFlow(
                account_id=account_id, event_ticker=event_ticker, at=at, amount=amount
            )
            new.append(flow)
    return {pk: at for (at, _), left in there.items() for pk in left}, new


def _reckoned(account_id: int, event_ticker: str) -> Iterator[tuple[datetime, Decimal]]:
    """When how much came back on an event, from all of its records."""
    positions = _positions_in(account_id, event_ticker)
    markets = list(positions.values_list("market_id", flat=True))
    return_type = _return_type(positions)
    course = netting.course(account_id)
    held: dict[int | str, Decimal] = {}
    won: dict[int | str, bool] = {}
    total = ZERO
    # With a change of netting comes what follows from it; nothing is held of no market.
    all_steps = _steps(account_id, event_ticker, markets)
    all_steps += [(at, "", ZERO, False) for at, _ in course.changes]
    for at, steps in groupby(sorted(all_steps, key=itemgetter(0)), key=itemgetter(0)):
        for _, market, quantity, has_won in steps:
            held[market] = quantity
            won[market] = has_won
        now = returned(
            return_type, held.values(), is_netting=course.at(at), has_yes_won=any(won.values())
        )
        if now is not None and now != total:
            yield at, now - total
            total = now


def _steps(
    account_id: int, event_ticker: str, markets: Iterable[int]
) -> list[tuple[datetime, int | str, Decimal, bool]]:
    fills = (
        Fill.objects.filter(
            account_id=account_id, market_id__in=list(markets), quantity_after__isnull=False
        )
        .order_by("at", "trade_id")
        .values_list("at", "market_id", "quantity_after")
    )
    steps: list[tuple[datetime, int | str, Decimal, bool]] = [
        (at, market_id, quantity or ZERO, False) for at, market_id, quantity in fills
    ]
    steps += [
        (at, market, ZERO, has_won)
        for at, market, has_won in _payouts(account_id, event_ticker, markets)
    ]
    return sorted(steps, key=itemgetter(0))


def _payouts(
    account_id: int, event_ticker: str, markets: Iterable[int]
) -> list[tuple[datetime, int | str, bool]]:
    """
    Time and market of each payout, oldest first, and whether it was of YES; the markets that were
    never held by their tickers.
    """
    rows = Settlement.objects.filter(account_id=account_id, market_id__in=list(markets))
    told = rows.order_by("at", "id").values_list("at", "market_id", "value", "result")
    payouts: list[tuple[datetime, int | str, bool]] = [
        (at, market_id, was_yes(value, result)) for at, market_id, value, result in told
    ]
    # Of a market that it held after all its own payout counts.
    decisions = _decisions(account_id, event_ticker).exclude(
        ticker__in=rows.values("market__ticker")
    )
    payouts += decisions.order_by("at", "id").values_list("at", "ticker", "is_yes")
    return sorted(payouts, key=itemgetter(0))


def _decisions(account_id: int, event_ticker: str) -> QuerySet[EventDecision]:
    return EventDecision.objects.filter(account_id=account_id, event_ticker=event_ticker)


def _flows(account_id: int, event_ticker: str) -> QuerySet[CollateralFlow]:
    return CollateralFlow.objects.filter(account_id=account_id, event_ticker=event_ticker)


def _positions_in(account_id: int, event_ticker: str) -> QuerySet[RecordedPosition]:
    return RecordedPosition.objects.filter(account_id=account_id, market__event_ticker=event_ticker)


def _return_type(positions: QuerySet[RecordedPosition]) -> str | None:
    """The event's, which a market that was just met does not know yet."""
    told = positions.exclude(market__collateral_return_type=None)
    return told.values_list("market__collateral_return_type", flat=True).first()
