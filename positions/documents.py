"""
The positions and the portfolio as the product's clients get them: REST and the stream alike.

Figures are decimal strings, `None` where unknown; times are RFC 3339 in UTC. A figure is declared
once, as a column of its model: here, and in the API's documentation, it has the column's name.

Documents are made of rows as told (`as_told`): so the worker writes them, and so they come along
with its announcement.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any
from urllib.parse import quote

from django.db.models import DecimalField, Model
from django.utils.text import slugify

from positions.connection import ConnectionState
from positions.decimal_text import plain
from positions.models import AccountStream, Market, Position

Document = Mapping[str, object]
# A row's columns by name; Any: of every type.
Columns = Mapping[str, Any]


def as_told(columns: Columns) -> dict[str, Any]:
    """A row's columns as they are told: Decimals and instants as text, all else as it is."""
    return {
        name: plain(value)
        if type(value) is Decimal
        else instant(value)
        if type(value) is datetime
        else value
        for name, value in columns.items()
    }


def position_document(row: Position) -> Document:
    """One open position, whole. Needs the row's market loaded."""
    return document_of_position(as_told(vars(row)), row.market)


def document_of_position(told: Columns, market: Market) -> Document:
    """As `position_document`, from the row as told."""
    side = "no" if told["quantity"].startswith("-") else "yes"
    outcome = market.yes_outcome if side == "yes" else market.no_outcome
    return {
        **_figures(Position, told),
        "account_id": told["account_id"],
        "side": side,
        "priced_at": told["priced_at"],
        "mark_source": told["mark_source"],
        "unreadable": told["unreadable"],
        "market_status": told["market_status"],
        "updated_at": told["updated_at"],
        "version": told["seq"],
        "ticker": market.ticker,
        "event_ticker": market.event_ticker,
        "series_ticker": market.series_ticker,
        "title": market.title,
        "outcome": outcome or None,
        # What a NO is against: the exchange mostly gives both sides this subtitle, but not always.
        "yes_outcome": market.yes_outcome or None,
        "close_time": instant(market.close_time),
        "expected_expiration_time": instant(market.expected_at),
        "url": market_url(market),
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
    told = as_told(vars(row)) | {"account_id": account_id}
    return document_of_portfolio(told, left_out=len(row.left_out))


def document_of_portfolio(told: Columns, *, left_out: int) -> Document:
    """
    As `portfolio_document`, from the account's row as told.

    Args:
        left_out: how many rows are; which, is of no matter here.
    """
    reconciled_at = told["reconciled_at"]
    return {
        **_figures(AccountStream, told),
        "account_id": told["account_id"],
        "cash_as_of": told["cash_as_of"],
        "cash_provisional": told["cash_provisional"],
        "day_pnl_since": told["day_pnl_since"],
        "position_count": told["position_count"],
        "unpriced_count": told["unpriced_count"],
        "estimated_count": told["estimated_count"],
        "unreadable_count": None if reconciled_at is None else left_out,
        "reconciled_at": reconciled_at,
        "version": told["seq"],
        "updated_at": told["updated_at"],
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


def connection_of(told: Columns) -> ConnectionState:
    """The state of the connection, from the account's row as told."""
    return ConnectionState(
        status=told["status"],
        attempt=told["attempt"],
        retry_at=moment(told["retry_at"]),
        reason=told["reason"],
        since=datetime.fromisoformat(told["since"]),
        live_until=moment(told["live_until"]),
    )


@cache
def figure_columns(model: type[Model]) -> "list[DecimalField[Decimal, Decimal]]":
    """The columns of a model that are figures; their names are those of the documents."""
    return [field for field in model._meta.concrete_fields if isinstance(field, DecimalField)]


def _figures(model: type[Model], told: Columns) -> dict[str, object]:
    return {name: told[name] for name in figure_names(model)}


@cache
def figure_names(model: type[Model]) -> tuple[str, ...]:
    """The names of a model's figures."""
    return tuple(field.name for field in figure_columns(model))


def instant(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, `2026-11-23T12:00:00.123456Z`."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def moment(told: str | None) -> datetime | None:
    """What `instant` told."""
    return None if told is None else datetime.fromisoformat(told)


def market_url(market: Market) -> str:
    """The market's page at the exchange. The middle part is for people; any text does."""
    return _url(market.series_ticker, market.event_ticker, market.title)


# A slug takes longer than all the rest of a document.
@lru_cache(maxsize=4_096)
def _url(series_ticker: str, event_ticker: str, title: str) -> str:
    series = quote(series_ticker.lower(), safe="")
    event = quote(event_ticker.lower(), safe="")
    return f"https://kalshi.com/markets/{series}/{slugify(title) or series}/{event}"
