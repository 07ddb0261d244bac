"""Staff see the cache; the worker alone writes it. Streams and workers: `streaming/admin.py`."""

from typing import TYPE_CHECKING

from django.contrib import admin

from accounts.admin_rows import OnlyLookedAt
from positions.models import Market, Position

if TYPE_CHECKING:
    _MarketAdmin = admin.ModelAdmin[Market]
    _PositionAdmin = admin.ModelAdmin[Position]
else:
    _MarketAdmin = _PositionAdmin = admin.ModelAdmin


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
