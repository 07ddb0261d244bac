"""
The order books of markets that are listed.
"""

from collections.abc import Iterable, Sequence

from sandbox import wire
from sandbox.exchange import Exchange
from sandbox.orderbook import Level, orderbook
from sandbox.rest.query import Query, bad_request, integer, not_found
from sandbox.wire import Json

_DEEPEST = 100
_MOST_MARKETS = 100


def of_market(exchange: Exchange, ticker: str, query: Query) -> Json:
    """GET /markets/{ticker}/orderbook: bids for YES and for NO, the best last."""
    depth = integer(query, "depth") or 0
    if not 0 <= depth <= _DEEPEST:
        raise bad_request("depth is from 0 to 100")
    if not _is_listed(exchange, ticker):
        raise not_found()
    return {"orderbook_fp": _book(exchange, ticker, depth)}


def of_markets(exchange: Exchange, tickers: Sequence[str]) -> Json:
    """GET /markets/orderbooks: of each market that is known, by ticker."""
    if not 0 < len(tickers) <= _MOST_MARKETS:
        raise bad_request("tickers are 1 to 100")
    return {
        "orderbooks": [
            {"ticker": ticker, "orderbook_fp": _book(exchange, ticker)}
            for ticker in sorted(set(tickers))
            if _is_listed(exchange, ticker)
        ]
    }


def _is_listed(exchange: Exchange, ticker: str) -> bool:
    market = exchange.markets.get(ticker)
    return market is not None and not exchange.is_archived(market)


def _book(exchange: Exchange, ticker: str, depth: int = 0) -> Json:
    book = orderbook(exchange.markets[ticker], depth)
    return {"yes_dollars": _levels(book.yes), "no_dollars": _levels(book.no)}


def _levels(levels: Iterable[Level]) -> list[list[str]]:
    return [[wire.price(level.price), wire.count(level.count)] for level in levels]
