"""
Collateral that came back early or was taken back, as flows of its own: by the rule of
`positions.collateral`, with each record that changed what is held in an event.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from operator import itemgetter

from django.db import transaction
from django.db.models import Sum

from ledger import holes
from ledger.models import Book, CollateralFlow, Fill, Followed, Settlement
from ledger.records import Record
from positions.collateral import returned
from positions.models import Market
from positions.pnl import PAYOUT, ZERO


def follow(account_id: int, market_ids: Collection[int], records: Sequence[Record]) -> None:
    """
    What these records did to the collateral of their events.

    One that is the newest of its event costs the same however many there are; else the event is
    reckoned anew. Those of events without a return cost one query for all of them.
    """
    markets = Market.objects.filter(pk__in=market_ids).exclude(collateral_return_type="")
    events: dict[str, list[Record]] = {}
    types: dict[str, str | None] = {}
    for market in markets:
        types[market.event_ticker] = market.collateral_return_type
        of_event = events.setdefault(market.event_ticker, [])
        of_event += [record for record in records if record.ticker == market.ticker]
    for event_ticker, new in events.items():
        books = Book.objects.filter(account_id=account_id, market__event_ticker=event_ticker)
        at = new[0].at
        if len(new) > 1 or books.filter(last_at__gt=at).exists():
            rewrite(account_id, event_ticker)
            continue
        flows = CollateralFlow.objects.filter(account_id=account_id, event_ticker=event_ticker)
        now = returned(
            types[event_ticker],
            list(books.values_list("quantity", flat=True)),
            is_netting=_is_netting(account_id),
            has_yes_won=_has_yes_won(account_id, event_ticker),
        )
        before = flows.aggregate(all=Sum("amount"))["all"] or ZERO
        if now is not None and now != before:
            flows.create(
                account_id=account_id, event_ticker=event_ticker, at=at, amount=now - before
            )


@transaction.atomic
def rewrite(account_id: int, event_ticker: str) -> None:
    """Reckon the flows of one event anew from all of its records."""
    # Two at once would each delete what was there, and both insert.
    holes.lock(account_id)
    markets = dict(
        Market.objects.filter(
            event_ticker=event_ticker, pk__in=_market_ids(account_id)
        ).values_list("pk", "collateral_return_type")
    )
    return_type = next((each for each in markets.values() if each is not None), None)
    is_netting = _is_netting(account_id)
    held: dict[int, Decimal] = {}
    won: dict[int, bool] = {}
    total = ZERO
    rows = []
    for at, steps in groupby(_steps(account_id, markets), key=itemgetter(0)):
        for _, market_id, quantity, is_yes in steps:
            held[market_id] = quantity
            won[market_id] = is_yes
        now = returned(
            return_type, held.values(), is_netting=is_netting, has_yes_won=any(won.values())
        )
        if now is not None and now != total:
            rows.append(
                CollateralFlow(
                    account_id=account_id, event_ticker=event_ticker, at=at, amount=now - total
                )
            )
            total = now
    CollateralFlow.objects.filter(account_id=account_id, event_ticker=event_ticker).delete()
    CollateralFlow.objects.bulk_create(rows)


def _steps(account_id: int, markets: Iterable[int]) -> list[tuple[datetime, int, Decimal, bool]]:
    mine = {"account_id": account_id, "market_id__in": list(markets)}
    fills = (
        Fill.objects.filter(**mine, quantity_after__isnull=False)
        .order_by("at", "trade_id")
        .values_list("at", "market_id", "quantity_after")
    )
    payouts = Settlement.objects.filter(**mine).order_by("at", "id")
    steps = [(at, market_id, quantity or ZERO, False) for at, market_id, quantity in fills]
    steps += [(row.at, row.market_id, ZERO, row.value == PAYOUT) for row in payouts]
    return sorted(steps, key=itemgetter(0))


def _market_ids(account_id: int) -> list[int]:
    return list(Book.objects.filter(account_id=account_id).values_list("market_id", flat=True))


def _is_netting(account_id: int) -> bool | None:
    followed = Followed.objects.filter(account_id=account_id).first()
    return followed.is_netting if followed else None


def _has_yes_won(account_id: int, event_ticker: str) -> bool:
    # Of each market what was said last: a YES may have been amended.
    values: dict[int, Decimal | None] = dict(
        Settlement.objects.filter(account_id=account_id, market__event_ticker=event_ticker)
        .order_by("at", "id")
        .values_list("market_id", "value")
    )
    return PAYOUT in values.values()
