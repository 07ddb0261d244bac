"""What happened becomes rows, each once; what follows from it beside it (`ledger.following`)."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction

from accounts.models import Account
from kalshi import messages
from ledger import following, holes, markets, models, points
from ledger.record_rows import fill_row, settlement_row
from ledger.records import Fill, Record, Settlement, Transfer, fill_of
from positions.pnl import PAYOUT

logger = logging.getLogger(__name__)

_BATCH = 1_000


def record_told(account_id: int, told: Sequence[messages.Fill], at: datetime) -> None:
    """Keep executions as the exchange tells them."""
    record(account_id, [fill_of(each) for each in told], at)


def record(account_id: int, records: Sequence[Record], at: datetime) -> list[Record]:
    """
    Keep records, all or none; those that are there already stay as they are.

    While older ones are still being read, what follows from them is left open. One that can't be
    true is left out and named: a price is between nothing and a dollar, and of nothing there is no
    execution.

    Returns:
        Those that are new.
    """
    records = [each for each in records if _is_possible(each)]
    if not records:
        return []
    account = Account.objects.get(pk=account_id)
    # Before the lock: a flush that is under way has written its markets when it comes to record.
    ids = markets.ids_of(account.environment, {each.ticker for each in records})
    with transaction.atomic():
        holes.lock(account_id)
        left_open = following.waiting(account_id, list(ids.values()))
        new = _inserted(account_id, ids, records, at)
        if not holes.being_filled(account_id).exists():
            following.follow(account_id, ids, new, left_open)
    return new


def _is_possible(record: Record) -> bool:
    if isinstance(record, Fill):
        is_possible = 0 <= record.price <= PAYOUT and record.count > 0
    else:
        is_possible = record.value is None or 0 <= record.value <= PAYOUT
    if not is_possible:
        logger.warning("record not understood", extra={"ticker": record.ticker})
    return is_possible


@transaction.atomic
def record_transfers(
    account_id: int, transfers: Iterable[Transfer], at: datetime
) -> list[Transfer]:
    """Keep the stages of transfers, each once; those that are new."""
    # Else two at once would both take a stage for new, and add it to the same points.
    holes.lock(account_id)
    there = models.Transfer.objects.filter(account_id=account_id)
    known = set(there.values_list("kind", "transfer_id", "status"))
    stages = {(each.kind, each.id, each.status): each for each in transfers}
    new = [each for key, each in stages.items() if key not in known]
    rows = [
        models.Transfer(
            account_id=account_id,
            transfer_id=each.id,
            kind=each.kind,
            at=each.at,
            method=each.method,
            amount=each.amount,
            fee=each.fee,
            status=each.status,
            cash_flow=each.cash_flow,
            recorded_at=at,
        )
        for each in new
    ]
    models.Transfer.objects.bulk_create(rows, batch_size=_BATCH)
    for each in new:
        if each.cash_flow:
            points.came(account_id, each.at, each.cash_flow)
    return new


def _inserted(
    account_id: int, ids: Mapping[str, int], records: Sequence[Record], at: datetime
) -> list[Record]:
    """Insert what is not there; those records."""
    fills = {each.trade_id: each for each in records if isinstance(each, Fill)}
    known = set(
        models.Fill.objects.filter(account_id=account_id, trade_id__in=list(fills)).values_list(
            "trade_id", flat=True
        )
    )
    new_fills = [each for trade_id, each in fills.items() if trade_id not in known]
    models.Fill.objects.bulk_create(
        [fill_row(account_id, ids[each.ticker], each, at) for each in new_fills],
        batch_size=_BATCH,
    )
    new_settlements = _new_settlements(account_id, ids, records)
    models.Settlement.objects.bulk_create(
        [settlement_row(account_id, ids[each.ticker], each, at) for each in new_settlements],
        batch_size=_BATCH,
    )
    return [*new_fills, *new_settlements]


class _Paid(NamedTuple):
    """What tells one settlement of a market from another."""

    at: datetime
    revenue: Decimal
    result: str
    value: Decimal | None


def _new_settlements(
    account_id: int, ids: Mapping[str, int], records: Sequence[Record]
) -> list[Settlement]:
    """Those that are not there, oldest first, each as what it changes."""
    told = sorted(
        (each for each in records if isinstance(each, Settlement)), key=lambda each: each.order
    )
    if not told:
        return []
    # Of all their markets at once: the last day's are told again with every read.
    there = models.Settlement.objects.filter(
        account_id=account_id, market_id__in={ids[each.ticker] for each in told}
    )
    paid: defaultdict[int, list[_Paid]] = defaultdict(list)
    for market_id, *row in there.order_by("at", "id").values_list("market_id", *_Paid._fields):
        paid[market_id].append(_Paid(*row))
    new = []
    for each in told:
        before = paid[ids[each.ticker]]
        corrected = _corrected(before, each)
        if corrected is not None:
            before.append(_Paid(each.at, each.revenue, each.result, each.value))
            new.append(corrected)
    return new


def _corrected(before: Sequence[_Paid], told: Settlement) -> Settlement | None:
    """A settlement as a new row: the first of its market, or what it changes; None if known."""
    if not before:
        return told
    if any(
        (each.at, each.revenue, each.result) == (told.at, told.revenue, told.result)
        for each in before
    ):
        return None
    last = before[-1]
    is_same = (last.revenue, last.result, last.value) == (told.revenue, told.result, told.value)
    if is_same or last.at > told.at:
        return None
    return replace(told, paid_before=last.revenue)
