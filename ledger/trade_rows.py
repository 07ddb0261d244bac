"""
The trades of each market, as rows.

A record that is newer than all others of its market changes the last trade and may open the next,
so it costs the same however many there are. Where a market is replayed its trades are made anew.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import islice
from typing import cast

from django.db import transaction
from django.db.models import QuerySet

from ledger import models
from ledger.records import Record
from ledger.trades import Result, Trade, follow
from positions.pnl import Side

_BATCH = 1_000
_COLUMNS = (
    "side",
    "opened_at",
    "closed_at",
    "count",
    "closed_count",
    "entry_cost",
    "exit_value",
    "exposure",
    "fees_paid",
    "net_pnl",
    "average_entry_price",
    "contract_seconds",
    "result",
)

# A record, and what is tied up in its market after it.
Followed = tuple[Record, Decimal]


def keep(account_id: int, market_id: int, followed: Iterable[Followed]) -> None:
    """Carry a market's trades on by records that are newer than all others of it, oldest first."""
    row = _of_market(account_id, market_id).order_by("-number").first()
    last = None if row is None else trade_of(row)
    changed = {trade.number: trade for trade in _course(last, followed)}
    for trade in changed.values():
        if last is None or trade.number > last.number:
            _row(account_id, market_id, trade).save(force_insert=True)
        else:
            _save(account_id, market_id, trade)


def rewrite(account_id: int, market_id: int, followed: Iterable[Followed]) -> None:
    """Make a market's trades anew from all of its records, oldest first."""
    rows = _of_market(account_id, market_id)
    with transaction.atomic():
        number = 0
        for batch in _batches(_finished(_course(None, followed))):
            first, number = batch[0].number, batch[-1].number
            there = {row.number: row for row in rows.filter(number__gte=first, number__lte=number)}
            new = []
            for trade in batch:
                row = there.get(trade.number)
                if row is None:
                    new.append(_row(account_id, market_id, trade))
                elif trade_of(row) != trade:
                    _save(account_id, market_id, trade)
            models.Trade.objects.bulk_create(new)
        rows.filter(number__gt=number).delete()


def trade_of(row: models.Trade) -> Trade:
    """A row as the value that it was made of."""
    return Trade(
        number=row.number,
        # Choices hold these columns to their words.
        side=cast(Side, row.side),
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        count=row.count,
        closed_count=row.closed_count,
        entry_cost=row.entry_cost,
        exit_value=row.exit_value,
        exposure=row.exposure,
        fees_paid=row.fees_paid,
        contract_seconds=row.contract_seconds,
        result=cast(Result | None, row.result),
    )


def _of_market(account_id: int, market_id: int) -> QuerySet[models.Trade]:
    return models.Trade.objects.filter(account_id=account_id, market_id=market_id)


def _course(last: Trade | None, followed: Iterable[Followed]) -> Iterator[Trade]:
    """Each trade whenever it changed."""
    for record, exposure_after in followed:
        for trade in follow(last, record, exposure_after):
            last = trade
            yield trade


def _finished(course: Iterable[Trade]) -> Iterator[Trade]:
    """Each trade once, as it was in the end."""
    before = None
    for trade in course:
        if before is not None and before.number != trade.number:
            yield before
        before = trade
    if before is not None:
        yield before


def _batches(trades: Iterator[Trade]) -> Iterator[list[Trade]]:
    while batch := list(islice(trades, _BATCH)):
        yield batch


def _save(account_id: int, market_id: int, trade: Trade) -> None:
    row = _row(account_id, market_id, trade)
    values = {name: getattr(row, name) for name in _COLUMNS}
    found = _of_market(account_id, market_id).filter(number=trade.number)
    # Of another side, or of another time, the closing price was another.
    same = found.filter(side=trade.side, opened_at=trade.opened_at)
    if not same.update(**values):
        found.update(**values, closing_price=None, is_line_asked=False)


def _row(account_id: int, market_id: int, trade: Trade) -> models.Trade:
    return models.Trade(
        account_id=account_id,
        market_id=market_id,
        number=trade.number,
        side=trade.side,
        opened_at=trade.opened_at,
        closed_at=trade.closed_at,
        count=trade.count,
        closed_count=trade.closed_count,
        entry_cost=trade.entry_cost,
        exit_value=trade.exit_value,
        exposure=trade.exposure,
        fees_paid=trade.fees_paid,
        net_pnl=trade.net_pnl,
        average_entry_price=trade.average_entry_price,
        contract_seconds=trade.contract_seconds,
        result=trade.result,
    )
