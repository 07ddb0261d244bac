"""
What REST answers, without any I/O: a key and a query in, a JSON object out.

A query that the exchange would refuse raises `Rejected` with the status and the body it answers.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence

from sandbox import wire
from sandbox.account import ApiKey, Portfolio, Position
from sandbox.exchange import Exchange, Market
from sandbox.market import ZERO
from sandbox.wire import Json

Query = Mapping[str, str]

_DEFAULT_LIMIT = 100
_MAXIMUM_LIMIT = 1000

# The words of the filter are not those of the answer.
_STATUSES = {
    "unopened": ("initialized",),
    "open": ("active",),
    "paused": ("inactive",),
    "closed": ("closed", "determined", "disputed", "amended"),
    "settled": ("finalized",),
}


class Rejected(Exception):
    """An answer other than 200: its status and its body."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(f"{status}")
        self.status = status
        self.body = body


def error(code: str, message: str, details: str | None = None) -> Json:
    """The body of most refusals."""
    inner = {"code": code, "message": message}
    return {"error": inner if details is None else {**inner, "details": details}}


def unavailable() -> Rejected:
    return Rejected(503, error("service_unavailable", "service unavailable"))


def _bad_request(details: str) -> Rejected:
    return Rejected(400, error("bad_request", "bad request", details))


def _not_found() -> Rejected:
    return Rejected(404, error("not_found", "not found"))


def _forbidden(details: str) -> Rejected:
    return Rejected(403, error("forbidden", "forbidden", details))


# Keys and what they may read


def api_keys(exchange: Exchange, key: ApiKey) -> Json:
    """GET /api_keys: all keys of the member."""
    require_scope(key, "read")
    keys = exchange.accounts[key.user_id].keys
    return {"api_keys": [wire.api_key(each) for each in keys.values()]}


def require_scope(key: ApiKey, *scopes: str) -> None:
    """Raise Rejected (403) unless the key has one of the scopes."""
    if not set(scopes) & set(key.scopes):
        raise _forbidden("the API key lacks the scope")


def _portfolio(exchange: Exchange, key: ApiKey, query: Query) -> Portfolio:
    number = _integer(query, "subaccount")
    number = (key.subaccount or 0) if number is None else number
    if key.subaccount is not None and number != key.subaccount:
        raise _forbidden("the API key is restricted to another subaccount")
    portfolio = exchange.accounts[key.user_id].portfolios.get(number)
    if portfolio is None:
        raise _not_found()
    return portfolio


# Portfolio


def balance(exchange: Exchange, key: ApiKey, query: Query) -> Json:
    """GET /portfolio/balance."""
    require_scope(key, "read", "read::portfolio_balance")
    portfolio = _portfolio(exchange, key, query)
    return wire.balance(
        portfolio,
        [exchange.markets[ticker] for ticker in portfolio.positions],
        exchange_index=_integer(query, "exchange_index"),
        with_breakdown=key.subaccount is None,
    )


def positions(exchange: Exchange, key: ApiKey, query: Query) -> Json:
    """GET /portfolio/positions: rows by ticker, and the whole sums of each event on the page."""
    require_scope(key, "read")
    limit = _limit(query, "GetPositions", minimum=1)
    portfolio = _portfolio(exchange, key, query)
    shard = _integer(query, "exchange_index")
    counted = _count_filter(query)
    # Markets get as far as determined here: every position is unsettled.
    has_unsettled = _settlement_status(query) != "settled"
    after = _cursor(query)
    rows = [
        position
        for ticker, position in sorted(portfolio.positions.items())
        if has_unsettled
        and ticker > after
        and query.get("ticker") in (None, "", ticker)
        and query.get("event_ticker") in (None, "", exchange.markets[ticker].event_ticker)
        and shard in (None, exchange.markets[ticker].exchange_index)
        and _is_counted(position, counted)
    ]
    page = rows[:limit]
    events = dict.fromkeys(exchange.markets[row.ticker].event_ticker for row in page)
    return {
        "cursor": _cursor_after(page[-1].ticker) if len(rows) > limit else "",
        "market_positions": [
            wire.market_position(row, exchange.markets[row.ticker]) for row in page
        ],
        "event_positions": [
            wire.event_position(event_ticker, _in_event(exchange, portfolio, event_ticker))
            for event_ticker in events
        ],
    }


def _count_filter(query: Query) -> frozenset[str]:
    fields = _list(query, "count_filter")
    if not fields <= {"position", "total_traded"}:
        raise _bad_request("invalid count_filter")
    return fields


def _is_counted(position: Position, fields: frozenset[str]) -> bool:
    counts = {"position": position.quantity, "total_traded": position.total_traded}
    return not fields or any(counts[field] != ZERO for field in fields)


def _settlement_status(query: Query) -> str:
    status = query.get("settlement_status") or "unsettled"
    if status not in ("unsettled", "settled", "all"):
        raise _bad_request("invalid settlement_status")
    return status


def _in_event(exchange: Exchange, portfolio: Portfolio, event_ticker: str) -> list[Position]:
    return [
        position
        for ticker, position in portfolio.positions.items()
        if exchange.markets[ticker].event_ticker == event_ticker
    ]


def fills(exchange: Exchange, key: ApiKey, query: Query) -> Json:
    """GET /portfolio/fills: newest first, of all subaccounts unless one is named."""
    require_scope(key, "read")
    limit = _limit(query, "GetFills", minimum=1, tags=("min", "max"))
    portfolios = list(exchange.accounts[key.user_id].portfolios.values())
    if key.subaccount is not None or "subaccount" in query:
        portfolios = [_portfolio(exchange, key, query)]
    tickers = _list(query, "ticker")
    order_id, shard = query.get("order_id"), _integer(query, "exchange_index")
    earliest, latest = _integer(query, "min_ts"), _integer(query, "max_ts")
    before = _cursor(query)
    found = sorted(
        (
            # Ordered by time, and by an id where two fills share it.
            (f"{fill.at.timestamp():017.6f} {fill.trade_id}", fill, portfolio.subaccount)
            for portfolio in portfolios
            for fill in portfolio.fills
            if (not tickers or fill.ticker in tickers)
            and order_id in (None, "", fill.order_id)
            and shard in (None, exchange.markets[fill.ticker].exchange_index)
            and (earliest is None or fill.at.timestamp() >= earliest)
            and (latest is None or fill.at.timestamp() <= latest)
        ),
        key=lambda row: row[0],
        reverse=True,
    )
    rows = [row for row in found if not before or row[0] < before]
    page = rows[:limit]
    return {
        "cursor": _cursor_after(page[-1][0]) if len(rows) > limit else "",
        "fills": [
            wire.fill(fill, exchange.markets[fill.ticker], subaccount)
            for _, fill, subaccount in page
        ],
    }


# Markets


def markets(exchange: Exchange, query: Query) -> Json:
    """GET /markets: by ticker."""
    limit = _limit(query, "GetMarkets", minimum=0) or _DEFAULT_LIMIT
    status = query.get("status")
    if status and status not in _STATUSES:
        raise _bad_request("invalid status filter")
    tickers = _list(query, "tickers")
    after = _cursor(query)
    rows = [
        market
        for ticker, market in sorted(exchange.markets.items())
        if ticker > after
        and (not tickers or ticker in tickers)
        and query.get("event_ticker") in (None, "", market.event_ticker)
        and query.get("series_ticker") in (None, "", _series_ticker(exchange, market))
        and (not status or market.status in _STATUSES[status])
    ]
    page = rows[:limit]
    return {
        "cursor": _cursor_after(page[-1].ticker) if len(rows) > limit else "",
        "markets": [wire.market(market) for market in page],
    }


def _series_ticker(exchange: Exchange, market: Market) -> str:
    return exchange.events[market.event_ticker].series_ticker


def market(exchange: Exchange, ticker: str) -> Json:
    """GET /markets/{ticker}."""
    found = exchange.markets.get(ticker)
    if found is None:
        raise _not_found()
    return {"market": wire.market(found)}


def event(exchange: Exchange, event_ticker: str, query: Query) -> Json:
    """GET /events/{event_ticker}: with its markets beside it, inside it, or without."""
    is_nested = query.get("with_nested_markets") == "true"
    is_bare = query.get("exclude_markets") == "true"
    if is_nested and is_bare:
        raise _bad_request("exclude_markets cannot be combined with with_nested_markets")
    found = exchange.events.get(event_ticker)
    if found is None:
        raise _not_found()
    shape = wire.event(found, exchange)
    rows = [
        wire.market(market)
        for market in exchange.markets.values()
        if market.event_ticker == event_ticker and not is_bare
    ]
    if is_nested:
        return {"event": {**shape, "markets": rows}, "markets": []}
    return {"event": shape, "markets": rows}


# Parts of a query


def _limit(
    query: Query, operation: str, *, minimum: int, tags: Sequence[str] = ("gte", "lte")
) -> int:
    limit = _integer(query, "limit")
    if limit is None:
        return _DEFAULT_LIMIT
    if minimum <= limit <= _MAXIMUM_LIMIT:
        return limit
    tag = tags[0] if limit < minimum else tags[1]
    raise Rejected(
        400,
        {
            "msg": f"Parameter validation failed for {operation}: "
            f"Key: '{operation}Params.Limit' "
            f"Error:Field validation for 'Limit' failed on the '{tag}' tag"
        },
    )


def _integer(query: Query, name: str) -> int | None:
    text = query.get(name)
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise _bad_request(f"invalid {name}") from None


def _list(query: Query, name: str) -> frozenset[str]:
    return frozenset(each for each in query.get(name, "").split(",") if each)


def _cursor_after(last: str) -> str:
    return base64.urlsafe_b64encode(f"after {last}".encode()).decode()


def _cursor(query: Query) -> str:
    """The last row of the page before; empty for none, and for a cursor that is none of ours."""
    try:
        text = base64.urlsafe_b64decode(query.get("cursor", "")).decode()
    except (binascii.Error, ValueError):
        return ""
    return text.removeprefix("after ") if text.startswith("after ") else ""
