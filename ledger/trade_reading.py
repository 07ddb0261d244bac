"""Trades as a list: those of the ledger and those of imported statements, the open ones first."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery

from ledger import models
from ledger.asked import Asked
from ledger.lists import keyset
from ledger.paging import Source
from ledger.trade_rows import trade_of
from ledger.trade_schemas import TradeOut
from ledger.what_happened import of_market
from positions.decimal_text import plain
from positions.documents import Document, instant
from positions.models import Position
from positions.pnl import ZERO

# What is open closes after all that is closed: a thousand years after it was opened.
_NEVER = timedelta(days=365_000)


def trade_document(row: models.Trade) -> Document:
    """
    One trade of the ledger. Needs the row's market loaded.

    An open one's net P&L is at the mark of its position; None where that has none.
    """
    trade = trade_of(row)
    net = trade.net_pnl
    unrealized = _unrealized(row)
    if unrealized is not None:
        net = trade.realized_pnl + unrealized - trade.fees_paid
    return {
        "account_id": row.account_id,
        "ticker": row.market.ticker,
        "side": row.side,
        "opened_at": instant(row.opened_at),
        "closed_at": instant(row.closed_at),
        "count": plain(row.count),
        "average_entry_price": plain(row.average_entry_price),
        "average_exit_price": plain(trade.average_exit_price),
        "fees_paid": plain(row.fees_paid),
        "net_pnl": plain(net),
        "result": row.result,
        "source": "ledger",
    }


def imported_document(row: models.ImportedTrade) -> Document:
    """One trade of an imported statement."""
    return {
        "account_id": row.account_id,
        "ticker": row.ticker,
        "side": row.side,
        "opened_at": instant(row.opened_at),
        "closed_at": instant(row.closed_at),
        "count": plain(row.count),
        "average_entry_price": plain(row.average_entry_price),
        "average_exit_price": plain(row.average_exit_price),
        "fees_paid": plain(row.fees_paid),
        "net_pnl": plain(row.net_pnl),
        "result": row.result or None,
        "source": "statement",
    }


def _unrealized(row: models.Trade) -> Decimal | None:
    """Of an open trade, if the position is what is left of it: a fill may be known to one first."""
    if row.closed_at is not None:
        return None
    held = row.count - row.closed_count
    known: Decimal | None = getattr(row, "unrealized", None)
    return known if getattr(row, "held", ZERO) == (held if row.side == "yes" else -held) else None


def _sources(asked: Asked) -> Iterator[Source]:
    for account_id in asked.account_ids:
        trades = models.Trade.objects.filter(account_id=account_id).select_related("market")
        imported = models.ImportedTrade.objects.filter(account_id=account_id)
        if asked.ticker is not None:
            trades = of_market(trades, account_id, asked.ticker)
            imported = imported.filter(ticker=asked.ticker)
        # What is open is in no period that has ended.
        if asked.period.until is None:
            yield Source((2, account_id), _open(trades), trade_document, at="closes_at")
        yield Source((1, account_id), _closed(trades, asked), trade_document, at="closed_at")
        yield Source((0, account_id), _closed(imported, asked), imported_document, at="closed_at")


def _open(trades: QuerySet[models.Trade]) -> QuerySet[models.Trade]:
    position = Position.objects.filter(account=OuterRef("account"), market=OuterRef("market"))
    return trades.filter(closed_at=None).annotate(
        closes_at=F("opened_at") + _NEVER,
        held=Subquery(position.values("quantity")),
        unrealized=Subquery(position.values("unrealized_pnl")),
    )


def _closed(rows: QuerySet[Any], asked: Asked) -> QuerySet[Any]:
    rows = rows.filter(closed_at__isnull=False)
    if asked.period.since is not None:
        rows = rows.filter(closed_at__gte=asked.period.since)
    if asked.period.until is not None:
        rows = rows.filter(closed_at__lt=asked.period.until)
    return rows


TRADES = keyset("trades", TradeOut.model_fields, lambda asked: list(_sources(asked)))
