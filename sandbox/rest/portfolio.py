"""
What a member holds and what happened to it, live and archived.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal

from sandbox import wire
from sandbox.account import ApiKey, Fill, Portfolio, Settlement
from sandbox.exchange import Exchange
from sandbox.grid import ZERO
from sandbox.listing import Market, result_of
from sandbox.position import Position, price_of
from sandbox.rest import members, shapes
from sandbox.rest.query import (
    Query,
    bad_request,
    cursor,
    cursor_after,
    integer,
    is_within,
    limit,
    names,
    page,
)
from sandbox.transfers import Direction, Transfer
from sandbox.wire import Json

_BALANCE_SCOPES = ("read", "read::portfolio_balance")
_MOST_TRANSFERS = 500


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


# Fills


def fills(exchange: Exchange, key: ApiKey, query: Query) -> Json:
    """GET /portfolio/fills: newest first, of all subaccounts unless one is named."""
    members.require_scope(key, "read")
    size = limit(query, "GetFills", tags=("min", "max"))
    order_id, shard = query.get("order_id"), integer(query, "exchange_index")

    def is_asked_for(fill: Fill) -> bool:
        return (
            fill.at >= exchange.history_before
            and order_id in (None, "", fill.order_id)
            and shard in (None, exchange.markets[fill.ticker].exchange_index)
        )

    return _fills(exchange, key, query, size, is_asked_for)


def historical_fills(exchange: Exchange, key: ApiKey, query: Query) -> Json:
    """GET /historical/fills: those from before the cutoff."""
    members.require_scope(key, "read")
    size = limit(query, "GetHistoricalFills", tags=("min", "max"))
    return _fills(exchange, key, query, size, lambda fill: fill.at < exchange.history_before)


def _fills(
    exchange: Exchange,
    key: ApiKey,
    query: Query,
    size: int,
    is_asked_for: Callable[[Fill], bool],
) -> Json:
    tickers = names(query, "ticker")
    earliest, latest = integer(query, "min_ts"), integer(query, "max_ts")
    found = [
        (fill, portfolio.subaccount)
        for portfolio in members.portfolios(exchange, key, query)
        for fill in portfolio.fills
        if (not tickers or fill.ticker in tickers)
        and is_within(fill.at.timestamp(), earliest, latest)
        and is_asked_for(fill)
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


# Deposits and withdrawals


def deposits(exchange: Exchange, key: ApiKey, query: Query) -> Json:
    """GET /portfolio/deposits: newest first."""
    shown, after = _transfers(exchange, key, query, "deposit", "GetDeposits")
    return {"cursor": after, "deposits": shown}


def withdrawals(exchange: Exchange, key: ApiKey, query: Query) -> Json:
    """GET /portfolio/withdrawals: newest first."""
    shown, after = _transfers(exchange, key, query, "withdrawal", "GetWithdrawals")
    return {"cursor": after, "withdrawals": shown}


def _transfers(
    exchange: Exchange, key: ApiKey, query: Query, direction: Direction, operation: str
) -> tuple[list[Json], str]:
    members.require_scope(key, "read")
    members.require_all_subaccounts(key)
    size = limit(query, operation, maximum=_MOST_TRANSFERS)
    found = sorted(
        (
            transfer
            for portfolio in exchange.accounts[key.user_id].portfolios.values()
            for transfer in portfolio.transfers.values()
            if transfer.direction == direction
        ),
        key=_transfer_order,
        reverse=True,
    )
    shown, after = page(found, _transfer_order, query, size, newest=True)
    return [_transfer(transfer) for transfer in shown], after


def _transfer_order(transfer: Transfer) -> str:
    return f"{transfer.created_at.timestamp():017.6f} {transfer.transfer_id}"


def _transfer(transfer: Transfer) -> Json:
    shape: Json = {
        "id": transfer.transfer_id,
        "status": transfer.status,
        "type": transfer.method,
        "amount_cents": transfer.amount_cents,
        "fee_cents": transfer.fee_cents,
        "created_ts": wire.seconds(transfer.created_at),
    }
    if transfer.finalized_at is not None:
        shape["finalized_ts"] = wire.seconds(transfer.finalized_at)
    return shape
