"""Fills, settlements and transfers as lists."""

from collections.abc import Callable
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Account
from ledger import models
from ledger.asked import Asked
from ledger.lists import keyset
from ledger.paging import Source
from ledger.periods import Period
from ledger.record_rows import settlement_as_followed
from ledger.schemas import FillOut, SettlementOut, TransferOut
from positions.decimal_text import plain
from positions.documents import Document, instant
from positions.models import Market


def fill_document(row: models.Fill) -> Document:
    """One execution. Needs the row's market loaded."""
    return {
        "account_id": row.account_id,
        "id": row.trade_id,
        "order_id": row.order_id,
        "ticker": row.market.ticker,
        "event_ticker": row.market.event_ticker,
        "at": instant(row.at),
        "side": row.side,
        "count": plain(row.count),
        "closed_count": plain(row.closed_count),
        "price": plain(row.price),
        "cash_flow": plain(row.cash_flow),
        "fee": plain(row.fee),
        "is_taker": row.is_taker,
        "quantity_after": plain(row.quantity_after),
        "realized_pnl": plain(row.realized_pnl),
    }


def settlement_document(row: models.Settlement) -> Document:
    """One payout, or the correction of one. Needs the row's market loaded."""
    # What it moved follows from itself; what was held before may still be to be read.
    record = settlement_as_followed(row, row.market.ticker)
    return {
        "account_id": row.account_id,
        "ticker": row.market.ticker,
        "event_ticker": row.market.event_ticker,
        "at": instant(row.at),
        "result": row.result,
        "value": plain(row.value),
        "quantity": plain(row.quantity),
        "exposure": plain(record.exposure),
        "cash_flow": plain(record.cash_flow),
        "realized_pnl": plain(record.realized_pnl),
        "fees_paid": plain(row.fees_paid),
        "source": row.source,
    }


def transfer_document(row: models.Transfer) -> Document:
    """Money that came or went beside the markets."""
    return {
        "account_id": row.account_id,
        "id": row.transfer_id,
        "at": instant(row.at),
        "kind": row.kind,
        "method": row.method,
        "amount": plain(row.amount),
        "fee": plain(row.fee),
        "status": row.status,
        "cash_flow": plain(row.cash_flow),
    }


def fill_rows(account_id: int, period: Period, ticker: str | None) -> QuerySet[models.Fill]:
    """An account's executions."""
    rows = models.Fill.objects.filter(account_id=account_id).select_related("market")
    return within(of_market(rows, account_id, ticker), period)


def settlement_rows(
    account_id: int, period: Period, ticker: str | None
) -> QuerySet[models.Settlement]:
    """An account's payouts, and what corrected them."""
    rows = models.Settlement.objects.filter(account_id=account_id).select_related("market")
    return within(of_market(rows, account_id, ticker), period)


def transfer_rows(account_id: int, period: Period) -> QuerySet[models.Transfer]:
    """
    An account's transfers, each at its newest status.

    Of one that moved money and moved it back both are there: the sum of what the rows moved is
    what was moved.
    """
    later = models.Transfer.objects.filter(
        account_id=OuterRef("account_id"),
        kind=OuterRef("kind"),
        transfer_id=OuterRef("transfer_id"),
        pk__gt=OuterRef("pk"),
    )
    rows = models.Transfer.objects.filter(account_id=account_id)
    return within(rows.filter(~Q(cash_flow=0) | ~Exists(later)), period)


def within(rows: QuerySet[Any], period: Period) -> QuerySet[Any]:
    """Those of a period."""
    if period.since is not None:
        rows = rows.filter(at__gte=period.since)
    if period.until is not None:
        rows = rows.filter(at__lt=period.until)
    return rows


def of_market(rows: QuerySet[Any], account_id: int, ticker: str | None) -> QuerySet[Any]:
    """Those of one market, if one is asked for."""
    if ticker is None:
        return rows
    # By its key, so that the index by market serves.
    environments = Account.objects.filter(pk=account_id).values("environment")
    market = Market.objects.filter(environment__in=environments, ticker=ticker).first()
    return rows.none() if market is None else rows.filter(market_id=market.pk)


def _sources(
    rows: Callable[[int, Asked], QuerySet[Any]], document: Callable[[Any], Document], key: str
) -> Callable[[Asked], list[Source]]:
    def sources(asked: Asked) -> list[Source]:
        return [
            Source((account_id,), rows(account_id, asked), document, key)
            for account_id in asked.account_ids
        ]

    return sources


FILLS = keyset(
    "fills",
    FillOut.model_fields,
    _sources(
        lambda account_id, asked: fill_rows(account_id, asked.period, asked.ticker),
        fill_document,
        "trade_id",
    ),
)
SETTLEMENTS = keyset(
    "settlements",
    SettlementOut.model_fields,
    _sources(
        lambda account_id, asked: settlement_rows(account_id, asked.period, asked.ticker),
        settlement_document,
        "pk",
    ),
)
TRANSFERS = keyset(
    "transfers",
    TransferOut.model_fields,
    _sources(
        lambda account_id, asked: transfer_rows(account_id, asked.period),
        transfer_document,
        "pk",
    ),
)
