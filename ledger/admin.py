"""Staff see what happened and how well it is known; nobody changes it by hand."""

from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.utils.functional import cached_property

from accounts.admin_rows import OnlyLookedAt
from ledger.models import (
    Balance,
    ConnectionChange,
    EquityPoint,
    Fill,
    Hole,
    MarketChange,
    Reconciliation,
    RecordedPosition,
    Settlement,
    Transfer,
    Unexplained,
)

if TYPE_CHECKING:
    _BalanceAdmin = admin.ModelAdmin[Balance]
    _PositionAdmin = admin.ModelAdmin[RecordedPosition]
    _ConnectionChangeAdmin = admin.ModelAdmin[ConnectionChange]
    _EquityPointAdmin = admin.ModelAdmin[EquityPoint]
    _FillAdmin = admin.ModelAdmin[Fill]
    _HoleAdmin = admin.ModelAdmin[Hole]
    _MarketChangeAdmin = admin.ModelAdmin[MarketChange]
    _ReconciliationAdmin = admin.ModelAdmin[Reconciliation]
    _SettlementAdmin = admin.ModelAdmin[Settlement]
    _TransferAdmin = admin.ModelAdmin[Transfer]
    _UnexplainedAdmin = admin.ModelAdmin[Unexplained]
    _Paginator = Paginator[Any]
else:
    _BalanceAdmin = _PositionAdmin = _EquityPointAdmin = _FillAdmin = admin.ModelAdmin
    _ConnectionChangeAdmin = _MarketChangeAdmin = _ReconciliationAdmin = admin.ModelAdmin
    _HoleAdmin = _SettlementAdmin = _TransferAdmin = _UnexplainedAdmin = admin.ModelAdmin
    _Paginator = Paginator


class UncountedPages(_Paginator):
    """Pages up to a limit: to count a million rows takes longer than to read a hundred of them."""

    MOST_PAGES = 100

    @cached_property
    def count(self) -> int:
        """Of the rows, as far as they are shown."""
        most = self.per_page * self.MOST_PAGES
        rows = cast("QuerySet[Model]", self.object_list)
        return len(rows.order_by().values_list("pk")[:most])


class _Recorded(OnlyLookedAt):
    """What happened is never changed; what follows from it would be written again."""

    show_full_result_count = False
    paginator: ClassVar[Any] = UncountedPages
    list_filter: ClassVar[Any] = ("account__environment",)


@admin.register(Fill)
class FillAdmin(_Recorded, _FillAdmin):
    list_display = (
        "at",
        "account",
        "market",
        "side",
        "count",
        "price",
        "fee",
        "closed_count",
        "realized_pnl",
        "quantity_after",
        "trade_id",
    )
    list_select_related = ("account", "market")
    search_fields = ("=account__id", "=market__ticker", "=trade_id", "=order_id")
    # The newest that was recorded: of all accounts' no other order has an index.
    ordering = ("-pk",)


@admin.register(Settlement)
class SettlementAdmin(_Recorded, _SettlementAdmin):
    list_display = (
        "at",
        "account",
        "market",
        "result",
        "value",
        "quantity",
        "exposure",
        "revenue",
        "paid_before",
        "realized_pnl",
        "source",
    )
    list_filter = ("account__environment", "source")
    list_select_related = ("account", "market")
    search_fields = ("=account__id", "=market__ticker")
    ordering = ("-pk",)


@admin.register(Transfer)
class TransferAdmin(_Recorded, _TransferAdmin):
    list_display = ("at", "account", "kind", "method", "amount", "fee", "status", "cash_flow")
    list_filter = ("account__environment", "kind")
    list_select_related = ("account",)
    search_fields = ("=account__id", "=transfer_id")
    ordering = ("-pk",)


@admin.register(RecordedPosition)
class RecordedPositionAdmin(_Recorded, _PositionAdmin):
    list_display = (
        "market",
        "account",
        "disagreement",
        "quantity",
        "exposure",
        "realized_pnl",
        "fees_paid",
        "last_at",
        "compared_at",
    )
    list_filter = (
        ("disagreement", admin.EmptyFieldListFilter),
        "account__environment",
    )
    list_select_related = ("account", "market")
    search_fields = ("=account__id", "=market__ticker")
    ordering = ("-pk",)


@admin.register(Balance)
class BalanceAdmin(_Recorded, _BalanceAdmin):
    list_display = (
        "known_until",
        "account",
        "amount",
        "exchange_portfolio_value",
        "known_since",
        "at",
    )
    list_select_related = ("account",)
    search_fields = ("=account__id",)
    ordering = ("-pk",)


@admin.register(Unexplained)
class UnexplainedAdmin(_Recorded, _UnexplainedAdmin):
    list_display = ("amount", "account", "since", "until", "noticed_at")
    list_select_related = ("account",)
    search_fields = ("=account__id",)
    ordering = ("-pk",)


@admin.register(Hole)
class HoleAdmin(_Recorded, _HoleAdmin):
    list_display = (
        "account",
        "since",
        "until",
        "opened_until",
        "rows_read",
        "filled_at",
        "reason",
    )
    list_filter = (("filled_at", admin.EmptyFieldListFilter), "account__environment")
    list_select_related = ("account",)
    search_fields = ("=account__id", "reason")
    ordering = ("-pk",)


@admin.register(EquityPoint)
class EquityPointAdmin(_Recorded, _EquityPointAdmin):
    list_display = (
        "at",
        "account",
        "total_value",
        "cash",
        "positions_value",
        "collateral_returned",
        "entered",
        "is_baseline",
        "is_after_thinned",
    )
    list_filter = ("is_baseline", "account__environment")
    list_select_related = ("account",)
    search_fields = ("=account__id",)
    ordering = ("-pk",)


@admin.register(ConnectionChange)
class ConnectionChangeAdmin(_Recorded, _ConnectionChangeAdmin):
    list_display = ("at", "account", "status", "reason")
    list_select_related = ("account",)
    search_fields = ("=account__id",)
    ordering = ("-pk",)


@admin.register(MarketChange)
class MarketChangeAdmin(_Recorded, _MarketChangeAdmin):
    list_display = ("at", "account", "market", "status", "settlement_value")
    list_select_related = ("account", "market")
    search_fields = ("=account__id", "=market__ticker")
    ordering = ("-pk",)


@admin.register(Reconciliation)
class ReconciliationAdmin(_Recorded, _ReconciliationAdmin):
    list_display = ("at", "account", "is_first", "differing")
    list_filter = ("is_first", "account__environment")
    list_select_related = ("account",)
    search_fields = ("=account__id",)
    ordering = ("-pk",)
