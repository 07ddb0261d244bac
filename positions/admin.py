"""Staff see the cache, its writers and how far each account got; the worker alone writes it."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from accounts.admin_filters import OnlyLookedAt
from positions.models import AccountStream, Market, Position, Worker

if TYPE_CHECKING:
    _AccountStreamAdmin = admin.ModelAdmin[AccountStream]
    _MarketAdmin = admin.ModelAdmin[Market]
    _PositionAdmin = admin.ModelAdmin[Position]
    _WorkerAdmin = admin.ModelAdmin[Worker]
else:
    _AccountStreamAdmin = _MarketAdmin = _PositionAdmin = _WorkerAdmin = admin.ModelAdmin


@admin.register(Market)
class MarketAdmin(OnlyLookedAt, _MarketAdmin):
    list_display = ("ticker", "title", "environment", "event_ticker", "series_ticker", "close_time")
    list_filter = ("environment", "close_time")
    search_fields = ("ticker", "event_ticker", "title")
    ordering = ("ticker",)


@admin.register(Position)
class PositionAdmin(OnlyLookedAt, _PositionAdmin):
    list_display = (
        "market",
        "account",
        "quantity",
        "exposure",
        "mark",
        "mark_source",
        "unrealized_pnl",
        "market_status",
        "unreadable",
        "closed_reason",
        "seq",
        "updated_at",
    )
    list_filter = (
        "account__environment",
        ("closed_reason", admin.EmptyFieldListFilter),
        "mark_source",
        "unreadable",
        "market_status",
    )
    list_select_related = ("account", "market")
    search_fields = ("market__ticker", "market__event_ticker", "market__title", "=account__id")
    ordering = ("-updated_at", "-seq")


@admin.register(AccountStream)
class AccountStreamAdmin(OnlyLookedAt, _AccountStreamAdmin):
    list_display = (
        "account",
        "status",
        "reason",
        "since",
        "live_until",
        "worker",
        "epoch",
        "seq",
        "position_count",
        "unpriced_count",
        "left_out_count",
        "total_value",
        "reconciled_at",
    )
    list_filter = ("status", "reason", "account__environment")
    list_select_related = ("account", "worker")
    search_fields = ("=account__id", "reason", "=worker__id", "left_out")
    ordering = ("account",)

    @admin.display(description="left out")
    def left_out_count(self, stream: AccountStream) -> int:
        return len(stream.left_out)


@admin.register(Worker)
class WorkerAdmin(OnlyLookedAt, _WorkerAdmin):
    list_display = ("id", "started_at", "heartbeat_at", "account_count", "silent")
    list_filter = ("heartbeat_at",)
    search_fields = ("=id",)
    ordering = ("-heartbeat_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Worker]:
        return super().get_queryset(request).annotate(account_count=Count("streams"))

    @admin.display(description="accounts", ordering="account_count")
    def account_count(self, worker: Worker) -> int:
        # Counted with the rows, so that a page of workers is one query.
        return int(getattr(worker, "account_count"))  # noqa: B009  # annotated, unknown to types
