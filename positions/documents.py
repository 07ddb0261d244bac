"""
The positions and the portfolio as the product's clients get them: REST and the stream alike.

Figures are decimal strings, `None` where unknown; times are RFC 3339 in UTC. A figure is declared
once, as a column of its model: here, and in the API's documentation, it has the column's name.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from urllib.parse import quote

from django.db.models import DecimalField, Model
from django.utils.text import slugify

from positions.connection import ConnectionState
from positions.decimal_text import plain
from positions.models import AccountStream, Market, Position

Document = Mapping[str, object]


def position_document(row: Position) -> Document:
    """One open position, whole. Needs the row's market loaded."""
    market = row.market
    is_yes = row.quantity > 0
    return _figures(row) | {
        "account_id": row.account_id,
        "ticker": market.ticker,
        "event_ticker": market.event_ticker,
        "series_ticker": market.series_ticker,
        "title": market.title,
        "outcome": (market.yes_outcome if is_yes else market.no_outcome) or None,
        # What a NO is against: the exchange mostly gives both sides this subtitle, but not always.
        "yes_outcome": market.yes_outcome or None,
        "side": "yes" if is_yes else "no",
        "priced_at": instant(row.priced_at),
        "mark_source": row.mark_source,
        "unreadable": row.unreadable,
        "market_status": row.market_status,
        "close_time": instant(market.close_time),
        "expected_expiration_time": instant(market.expected_at),
        "url": market_url(market),
        "updated_at": instant(row.updated_at),
        "version": row.seq,
    }


def closed_document(row: Position) -> Document:
    """What is told of a position that is no more."""
    return {
        "ticker": row.market.ticker,
        "version": row.seq,
        "reason": row.closed_reason,
        "realized_pnl": plain(row.realized_pnl),
    }


def portfolio_document(account_id: int, row: AccountStream | None) -> Document:
    """The sums of an account's positions and its cash; every one unknown before the first read."""
    row = row or AccountStream()
    return _figures(row) | {
        "account_id": account_id,
        "cash_as_of": instant(row.cash_as_of),
        "cash_provisional": row.cash_provisional,
        "day_pnl_since": instant(row.day_pnl_since),
        "position_count": row.position_count,
        "unpriced_count": row.unpriced_count,
        "estimated_count": row.estimated_count,
        "unreadable_count": None if row.reconciled_at is None else len(row.left_out),
        "reconciled_at": instant(row.reconciled_at),
        "version": row.seq,
        "updated_at": instant(row.updated_at),
    }


def connection_document(state: ConnectionState) -> Document:
    """The state of the connection to the exchange."""
    return {
        "status": state.status,
        "attempt": state.attempt,
        "retry_at": instant(state.retry_at),
        "reason": state.reason,
        "since": instant(state.since),
        "live_until": instant(state.live_until),
    }


@cache
def figure_columns(model: type[Model]) -> "list[DecimalField[Decimal, Decimal]]":
    """The columns of a model that are figures; their names are those of the documents."""
    return [field for field in model._meta.concrete_fields if isinstance(field, DecimalField)]


def _figures(row: Position | AccountStream) -> dict[str, object]:
    return {field.name: plain(getattr(row, field.name)) for field in figure_columns(type(row))}


def instant(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, `2026-11-23T12:00:00.123456Z`."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def market_url(market: Market) -> str:
    """The market's page at the exchange. The middle part is for people; any text does."""
    series = quote(market.series_ticker.lower(), safe="")
    event = quote(market.event_ticker.lower(), safe="")
    return f"https://kalshi.com/markets/{series}/{slugify(market.title) or series}/{event}"
