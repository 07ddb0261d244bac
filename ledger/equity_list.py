"""All stored points of accounts, as a list."""

from django.db.models import DecimalField, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from ledger import models
from ledger.asked import Asked
from ledger.equity import FIGURES, Worth, within
from ledger.lists import List
from ledger.paging import Page, Source, page_of
from positions.columns import VALUE
from positions.decimal_text import plain
from positions.documents import Document, instant
from positions.pnl import ZERO

COLUMNS = ("account_id", "at", *FIGURES, "net_transfers")


def worth_document(worth: Worth | models.EquityPoint) -> Document:
    """A point as clients get it."""
    return {
        "at": instant(worth.at),
        **{name: plain(getattr(worth, name)) for name in (*FIGURES, "net_transfers")},
    }


def _listed(asked: Asked) -> Page:
    sources = [
        Source((each,), _with_flows(within(each, asked.period)), _row_document)
        for each in asked.account_ids
    ]
    return page_of(sources, of=EQUITY.name, limit=asked.limit, cursor=asked.cursor)


def _row_document(row: models.EquityPoint) -> Document:
    return {"account_id": row.account_id, **worth_document(row)}


def _with_flows(rows: QuerySet[models.EquityPoint]) -> QuerySet[models.EquityPoint]:
    before = models.EquityPoint.objects.filter(
        account_id=OuterRef("account_id"), at__lt=OuterRef("at")
    ).order_by("-at")
    flows = (
        models.Transfer.objects.filter(
            account_id=OuterRef("account_id"),
            at__gt=OuterRef("before_at"),
            at__lte=OuterRef("at"),
        )
        .order_by()
        .values("account_id")
        .annotate(all=Sum("cash_flow"))
    )
    return (
        rows.defer("nets")
        .annotate(before_at=Subquery(before.values("at")[:1]))
        .annotate(
            net_transfers=Coalesce(
                Subquery(flows.values("all")), Value(ZERO), output_field=DecimalField(**VALUE)
            )
        )
    )


EQUITY = List("equity", COLUMNS, _listed)
