"""
The positions and the portfolio as the product's clients get them: REST and the stream alike.

Figures are decimal strings, `None` where unknown; times are RFC 3339 in UTC.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

from django.utils.text import slugify

from positions.connection import ConnectionState
from positions.decimal_text import plain
from positions.models import AccountStream, Market, Position

Document = Mapping[str, object]


def position_document(row: Position) -> Document:
    """One open position, whole. Needs the row's market loaded."""
    market = row.market
    is_yes = row.quantity > 0
    return {
        "account_id": row.account_id,
        "ticker": market.ticker,
        "event_ticker": market.event_ticker,
        "series_ticker": market.series_ticker,
        "title": market.title,
        "outcome": market.yes_outcome if is_yes else market.no_outcome,
        "side": "yes" if is_yes else "no",
        "quantity": plain(row.quantity),
        "average_price": plain(row.average_price),
        "exposure": plain(row.exposure),
        "yes_bid": plain(row.yes_bid),
        "yes_ask": plain(row.yes_ask),
        "last_price": plain(row.last_price),
        "priced_at": instant(row.priced_at),
        "mark": plain(row.mark),
        "mark_source": row.mark_source,
        "market_value": plain(row.market_value),
        "unrealized_pnl": plain(row.unrealized_pnl),
        "unrealized_pnl_percent": plain(row.unrealized_pnl_percent),
        "realized_pnl": plain(row.realized_pnl),
        "fees_paid": plain(row.fees_paid),
        "net_pnl": plain(row.net_pnl),
        "day_pnl": None,  # needs points of the day before, which nothing records yet
        "break_even_price": plain(row.break_even_price),
        "payout": plain(row.payout),
        "market_status": row.market_status,
        "close_time": instant(market.close_time),
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


def portfolio_document(row: AccountStream | None) -> Document:
    """The sums of an account's positions and its cash; every one unknown before the first read."""
    row = row or AccountStream()
    return {
        "cash": plain(row.cash),
        "cash_as_of": instant(row.cash_as_of),
        "cash_provisional": False,  # the balance is the exchange's own, never ours moved on
        "positions_value": plain(row.positions_value),
        "collateral_returned": None,  # needs the ledger of cash flows, which nothing records yet
        "total_value": plain(row.total_value),
        "exposure": plain(row.exposure),
        "unrealized_pnl": plain(row.unrealized_pnl),
        "unrealized_pnl_percent": plain(row.unrealized_pnl_percent),
        "realized_pnl": plain(row.realized_pnl),
        "fees_paid": plain(row.fees_paid),
        "day_pnl": None,
        "day_pnl_since": None,
        "position_count": row.position_count,
        "unpriced_count": row.unpriced_count,
        "estimated_count": row.estimated_count,
        "estimated_value": plain(row.estimated_value),
        "exchange_portfolio_value": plain(row.exchange_portfolio_value),
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


def instant(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, `2026-11-23T12:00:00.123456Z`."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def market_url(market: Market) -> str:
    """The market's page at the exchange. The middle part is for people; any text does."""
    series = quote(market.series_ticker.lower(), safe="")
    event = quote(market.event_ticker.lower(), safe="")
    return f"https://kalshi.com/markets/{series}/{slugify(market.title) or series}/{event}"
