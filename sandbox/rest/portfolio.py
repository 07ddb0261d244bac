"""
What a member holds: cash and positions, live and archived.
"""

from collections.abc import Iterable
from decimal import Decimal

from sandbox import wire
from sandbox.account import ApiKey, Portfolio
from sandbox.exchange import Exchange
from sandbox.grid import ZERO
from sandbox.listing import Market
from sandbox.position import Position, price_of
from sandbox.rest import members
from sandbox.rest.query import (
    Query,
    bad_request,
    cursor,
    cursor_after,
    integer,
    limit,
    names,
    page,
)
from sandbox.wire import Json

_BALANCE_SCOPES = ("read", "read::portfolio_balance")


def balance(exchange: Exchange, key: ApiKey, query: Query) -> Json:
    """
    GET /portfolio/balance: cash and the value of the open positions, of all shards or of one.

    All cash is kept on shard 0.
    """
    members.require_scope(key, *_BALANCE_SCOPES)
    portfolio = members.portfolio(exchange, key, query)
    shard = integer(query, "exchange_index")
    cash = portfolio.cash if shard in (None, 0) else ZERO
    value = sum(
        (
            _value(position, exchange.markets[ticker])
            for ticker, position in portfolio.positions.items()
            if shard in (None, exchange.markets[ticker].exchange_index)
        ),
        ZERO,
    )
    shape: Json = {
        "balance": int(cash * 100),
        "balance_dollars": wire.price(cash),
        "portfolio_value": int(value * 100),
        "updated_ts": wire.seconds(portfolio.updated_at),
    }
    if key.subaccount is None:
        of_shard = {"exchange_index": 0, "balance": wire.price(portfolio.cash)}
        shape["balance_breakdown"] = [of_shard]
    return shape


def _value(position: Position, market: Market) -> Decimal:
    # Undocumented; the one recording agrees with the last trade, and with cost where there was
    # none.
    yes_value = market.yes_value
    if yes_value is None:
        return position.exposure
    held = price_of("yes" if position.quantity > 0 else "no", yes_value)
    return abs(position.quantity) * held


def subaccount_balances(exchange: Exchange, key: ApiKey) -> Json:
    """GET /portfolio/subaccounts/balances: of every subaccount that the key may see."""
    members.require_scope(key, "read")
    return {
        "subaccount_balances": [
            {
                "subaccount_number": portfolio.subaccount,
                "exchange_index": 0,
                "balance": wire.price(portfolio.cash),
                "updated_ts": wire.seconds(portfolio.updated_at),
            }
            for portfolio in members.portfolios(exchange, key, {})
        ]
    }


def netting(exchange: Exchange, key: ApiKey) -> Json:
    """GET /portfolio/subaccounts/netting: of every subaccount that the key may see."""
    members.require_scope(key, "read")
    return {
        "netting_configs": [
            {
                "subaccount_number": portfolio.subaccount,
                "enabled": portfolio.is_netting,
                "exchange_index": 0,
            }
            for portfolio in members.portfolios(exchange, key, {})
        ]
    }


# Positions


def positions(exchange: Exchange, key: ApiKey, query: Query) -> Json:
    """
    GET /portfolio/positions: rows by ticker, and the whole sums of each event on the page.

    Where settled ones are asked for, a page has whole events: as many as its limit needs.
    """
    members.require_scope(key, "read")
    size = limit(query, "GetPositions")
    portfolio = members.portfolio(exchange, key, query)
    shard = integer(query, "exchange_index")
    counted = _count_filter(query)
    status = _settlement_status(query)
    rows = [
        position
        for position in _matching(exchange, portfolio, query)
        if not _is_archived(exchange, position)
        and status in ("all", "settled" if _is_settled(exchange, position) else "unsettled")
        and shard in (None, exchange.markets[position.ticker].exchange_index)
        and _is_counted(position, counted)
    ]
    if status == "unsettled":
        shown, after = page(rows, lambda row: row.ticker, query, size)
    else:
        shown, after = _whole_events(exchange, rows, query, size)
    return _positions(exchange, portfolio, shown, after)


def historical_positions(exchange: Exchange, key: ApiKey, query: Query) -> Json:
    """GET /historical/positions: of events that settled whole before the cutoff."""
    members.require_scope(key, "read")
    size = limit(query, "GetHistoricalPositions")
    portfolio = members.portfolio(exchange, key, query)
    rows = [row for row in _matching(exchange, portfolio, query) if _is_archived(exchange, row)]
    shown, after = _whole_events(exchange, rows, query, size)
    return _positions(exchange, portfolio, shown, after)


def _matching(exchange: Exchange, portfolio: Portfolio, query: Query) -> list[Position]:
    return [
        position
        for ticker, position in sorted(portfolio.positions.items())
        if query.get("ticker") in (None, "", ticker)
        and query.get("event_ticker") in (None, "", exchange.markets[ticker].event_ticker)
    ]


def _whole_events(
    exchange: Exchange, rows: Iterable[Position], query: Query, size: int
) -> tuple[list[Position], str]:
    after = cursor(query)
    by_event: dict[str, list[Position]] = {}
    for row in rows:
        event_ticker = exchange.markets[row.ticker].event_ticker
        if event_ticker > after:
            by_event.setdefault(event_ticker, []).append(row)
    shown: list[Position] = []
    last = ""
    for event_ticker in sorted(by_event):
        if len(shown) >= size:
            return shown, cursor_after(last)
        shown += by_event[event_ticker]
        last = event_ticker
    return shown, ""


def _positions(exchange: Exchange, portfolio: Portfolio, rows: list[Position], after: str) -> Json:
    events = dict.fromkeys(exchange.markets[row.ticker].event_ticker for row in rows)
    return {
        "cursor": after,
        "market_positions": [_market_position(row, exchange.markets[row.ticker]) for row in rows],
        "event_positions": [
            _event_position(
                event_ticker,
                [
                    portfolio.positions[market.ticker]
                    for market in exchange.markets_of(event_ticker)
                    if market.ticker in portfolio.positions
                ],
            )
            for event_ticker in events
        ],
    }


def _market_position(position: Position, market: Market) -> Json:
    assert position.updated_at is not None  # noqa: S101  # only an unheld one has no time
    return {
        "ticker": position.ticker,
        "exchange_index": market.exchange_index,
        "total_traded_dollars": wire.money(position.total_traded),
        "position_fp": wire.count(position.quantity),
        "market_exposure_dollars": wire.money(position.exposure),
        "realized_pnl_dollars": wire.money(position.realized_pnl),
        "fees_paid_dollars": wire.money(position.fees_paid),
        "last_updated_ts": wire.time(position.updated_at),
    }


def _event_position(event_ticker: str, rows: list[Position]) -> Json:
    return {
        "event_ticker": event_ticker,
        "total_cost_dollars": wire.money(sum((row.total_traded for row in rows), ZERO)),
        "total_cost_shares_fp": wire.count(sum((row.volume for row in rows), ZERO)),
        "event_exposure_dollars": wire.money(sum((row.exposure for row in rows), ZERO)),
        "realized_pnl_dollars": wire.money(sum((row.realized_pnl for row in rows), ZERO)),
        "fees_paid_dollars": wire.money(sum((row.fees_paid for row in rows), ZERO)),
    }


def _count_filter(query: Query) -> frozenset[str]:
    fields = names(query, "count_filter")
    if not fields <= {"position", "total_traded"}:
        raise bad_request("invalid count_filter")
    return fields


def _is_counted(position: Position, fields: frozenset[str]) -> bool:
    counts = {"position": position.quantity, "total_traded": position.total_traded}
    return not fields or any(counts[field] != ZERO for field in fields)


def _settlement_status(query: Query) -> str:
    status = query.get("settlement_status") or "unsettled"
    if status not in ("unsettled", "settled", "all"):
        raise bad_request("invalid settlement_status")
    return status


def _is_settled(exchange: Exchange, position: Position) -> bool:
    return exchange.markets[position.ticker].status == "finalized"


def _is_archived(exchange: Exchange, position: Position) -> bool:
    event_ticker = exchange.markets[position.ticker].event_ticker
    return all(exchange.is_archived(market) for market in exchange.markets_of(event_ticker))
