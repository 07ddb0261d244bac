"""Records as rows, and rows as the records that they were made of."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from django.db.models import Q

from ledger import models
from ledger.records import Fill, Record, Settlement

# At once: a market may have a million.
_PAGE = 1_000


def fill_row(account_id: int, market_id: int, fill: Fill, at: datetime) -> models.Fill:
    """An execution as a row that is not stored yet."""
    return models.Fill(
        account_id=account_id,
        market_id=market_id,
        trade_id=fill.trade_id,
        order_id=fill.order_id,
        at=fill.at,
        side=fill.side,
        count=fill.count,
        price=fill.price,
        fee=fill.fee,
        is_taker=fill.is_taker,
        recorded_at=at,
    )


def settlement_row(
    account_id: int, market_id: int, told: Settlement, at: datetime
) -> models.Settlement:
    """A payout as a row that is not stored yet."""
    return models.Settlement(
        account_id=account_id,
        market_id=market_id,
        at=told.at,
        result=told.result,
        value=told.value,
        quantity=told.quantity,
        exposure=told.exposure,
        revenue=told.revenue,
        paid_before=told.paid_before,
        fees_paid=told.fees_paid,
        source=told.source,
        recorded_at=at,
    )


def fill_record(row: models.Fill, ticker: str) -> Fill:
    """A row as the value that it was made of."""
    return Fill(
        trade_id=row.trade_id,
        order_id=row.order_id,
        ticker=ticker,
        at=row.at,
        side="yes" if row.side == "yes" else "no",
        count=row.count,
        price=row.price,
        fee=row.fee,
        is_taker=row.is_taker,
    )


def settlement_record(row: models.Settlement, ticker: str) -> Settlement:
    """A row as the value that it was made of."""
    return Settlement(
        ticker=ticker,
        at=row.at,
        result=row.result,
        value=row.value,
        quantity=row.quantity,
        exposure=row.exposure,
        revenue=row.revenue,
        fees_paid=row.fees_paid,
        source="derived" if row.source == "derived" else "exchange",
        paid_before=row.paid_before,
    )


def settlement_as_followed(row: models.Settlement, ticker: str) -> Settlement:
    """The same, with what its contracts had cost by the account's own books, once it is known."""
    record = settlement_record(row, ticker)
    if row.realized_pnl is None or row.paid_before is not None:
        return record
    return replace(record, exposure=record.cash_flow - row.realized_pnl)


def rows_of(
    account_id: int, market_id: int, ticker: str
) -> Iterator[tuple[Record, models.Fill | models.Settlement]]:
    """One market's records in their order, read by pieces: there may be a million."""
    settlements = iter(
        models.Settlement.objects.filter(account_id=account_id, market_id=market_id).order_by(
            "at", "id"
        )
    )
    payout = next(settlements, None)
    for fill in _fills_of(account_id, market_id):
        while payout is not None and payout.at < fill.at:
            yield settlement_record(payout, ticker), payout
            payout = next(settlements, None)
        yield fill_record(fill, ticker), fill
    while payout is not None:
        yield settlement_record(payout, ticker), payout
        payout = next(settlements, None)


def _fills_of(account_id: int, market_id: int) -> Iterator[models.Fill]:
    ordered = models.Fill.objects.filter(account_id=account_id, market_id=market_id).order_by(
        "at", "trade_id"
    )
    page = list(ordered[:_PAGE])
    while page:
        yield from page
        last = page[-1]
        after = Q(at__gt=last.at) | Q(at=last.at, trade_id__gt=last.trade_id)
        page = list(ordered.filter(at__gte=last.at).filter(after)[:_PAGE])
