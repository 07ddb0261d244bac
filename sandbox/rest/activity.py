"""
What happened to a member's holdings: fills and settlements.
"""

from collections.abc import Callable

from sandbox import wire
from sandbox.account import ApiKey, Fill, Settlement
from sandbox.exchange import Exchange
from sandbox.grid import ZERO
from sandbox.listing import result_of
from sandbox.rest import members, shapes
from sandbox.rest.query import Query, bad_request, integer, is_within, limit, names, page
from sandbox.wire import Json

_MOST_TICKERS = 100

# Fills


def fills(exchange: Exchange, key: ApiKey, query: Query) -> Json:
    """GET /portfolio/fills: newest first, of all subaccounts unless one is named."""
    members.require_scope(key, "read")
    size = limit(query, "GetFills", tags=("min", "max"))
    tickers = names(query, "ticker")
    if len(tickers) > _MOST_TICKERS:
        raise bad_request(f"ticker names at most {_MOST_TICKERS} markets")
    order_id, shard = query.get("order_id"), integer(query, "exchange_index")

    def is_asked_for(fill: Fill) -> bool:
        return (
            fill.at >= exchange.history_before
            and (not tickers or fill.ticker in tickers)
            and order_id in (None, "", fill.order_id)
            and shard in (None, exchange.markets[fill.ticker].exchange_index)
        )

    return _fills(exchange, key, query, size, is_asked_for)


def historical_fills(exchange: Exchange, key: ApiKey, query: Query) -> Json:
    """GET /historical/fills: those from before the cutoff, of all markets or of one."""
    members.require_scope(key, "read")
    size = limit(query, "GetHistoricalFills", tags=("min", "max"))

    def is_asked_for(fill: Fill) -> bool:
        is_old = fill.at < exchange.history_before
        return is_old and query.get("ticker") in (None, "", fill.ticker)

    return _fills(exchange, key, query, size, is_asked_for)


def _fills(
    exchange: Exchange,
    key: ApiKey,
    query: Query,
    size: int,
    is_asked_for: Callable[[Fill], bool],
) -> Json:
    earliest, latest = integer(query, "min_ts"), integer(query, "max_ts")
    found = [
        (fill, portfolio.subaccount)
        for portfolio in members.portfolios(exchange, key, query)
        for fill in portfolio.fills
        if is_within(fill.at.timestamp(), earliest, latest) and is_asked_for(fill)
    ]
    found.sort(key=_fill_order, reverse=True)
    shown, after = page(found, _fill_order, query, size, newest=True)
    return {
        "cursor": after,
        "fills": [
            shapes.fill(fill, exchange.markets[fill.ticker], subaccount)
            for fill, subaccount in shown
        ],
    }


def _fill_order(row: tuple[Fill, int]) -> str:
    # By time, and by an id where two fills share it.
    return f"{row[0].at.timestamp():017.6f} {row[0].trade_id}"


# Settlements


def settlements(exchange: Exchange, key: ApiKey, query: Query) -> Json:
    """GET /portfolio/settlements: newest first, of all subaccounts unless one is named."""
    members.require_scope(key, "read")
    size = limit(query, "GetSettlements")
    earliest, latest = integer(query, "min_ts"), integer(query, "max_ts")
    found = [
        (settlement, portfolio.subaccount)
        for portfolio in members.portfolios(exchange, key, query)
        for settlement in portfolio.settlements
        if settlement.at >= exchange.history_before
        and query.get("ticker") in (None, "", settlement.position.ticker)
        and query.get("event_ticker") in (None, "", _event_of(exchange, settlement))
        and is_within(settlement.at.timestamp(), earliest, latest)
    ]
    found.sort(key=_settlement_order, reverse=True)
    shown, after = page(found, _settlement_order, query, size, newest=True)
    return {
        "cursor": after,
        "settlements": [_settlement(exchange, settlement) for settlement, _ in shown],
    }


def _settlement_order(row: tuple[Settlement, int]) -> str:
    settlement, subaccount = row
    return f"{settlement.at.timestamp():017.6f} {settlement.position.ticker} {subaccount:02}"


def _event_of(exchange: Exchange, settlement: Settlement) -> str:
    return exchange.markets[settlement.position.ticker].event_ticker


def _settlement(exchange: Exchange, settlement: Settlement) -> Json:
    held = settlement.position
    is_yes = held.quantity > 0
    yes, no = (held.quantity, ZERO) if is_yes else (ZERO, -held.quantity)
    yes_cost, no_cost = (held.exposure, ZERO) if is_yes else (ZERO, held.exposure)
    return {
        "ticker": held.ticker,
        "event_ticker": _event_of(exchange, settlement),
        "exchange_index": exchange.markets[held.ticker].exchange_index,
        "market_result": result_of(settlement.yes_value),
        "yes_count_fp": wire.count(yes),
        "yes_total_cost_dollars": wire.money(yes_cost),
        "no_count_fp": wire.count(no),
        "no_total_cost_dollars": wire.money(no_cost),
        "revenue": wire.cents(settlement.revenue),
        "settled_time": wire.time(settlement.at),
        "fee_cost": wire.money(held.fees_paid),
        "value": wire.cents(settlement.yes_value),
    }
