"""
Candlesticks of a market, of several, and of an event; archived ones in the older notation.
"""

from decimal import Decimal

from sandbox import wire
from sandbox.candles import Candle, Minutes, Span, period_end
from sandbox.exchange import Exchange
from sandbox.listing import Market
from sandbox.rest.query import Query, bad_request, flag, integer, not_found, required
from sandbox.wire import Json

_MOST_MARKETS = 100
_MOST_CANDLES = 10_000
# In Unix seconds: years have four digits.
_LATEST = 250_000_000_000


def of_market(exchange: Exchange, series_ticker: str, ticker: str, query: Query) -> Json:
    """GET /series/{series_ticker}/markets/{ticker}/candlesticks."""
    market = exchange.markets.get(ticker)
    if (
        market is None
        or exchange.is_archived(market)
        or exchange.events[market.event_ticker].series_ticker != series_ticker
    ):
        raise not_found()
    return {"ticker": ticker, "candlesticks": _candlesticks(market, query)}


def of_markets(exchange: Exchange, query: Query) -> Json:
    """GET /markets/candlesticks; markets that nobody knows are left out."""
    tickers = list(dict.fromkeys(filter(None, query.get("market_tickers", "").split(","))))
    if not 0 < len(tickers) <= _MOST_MARKETS:
        raise bad_request("between 1 and 100 market_tickers are required")
    found = [exchange.markets[ticker] for ticker in tickers if ticker in exchange.markets]
    rows = [
        {"market_ticker": market.ticker, "candlesticks": _candlesticks(market, query)}
        for market in found
        if not exchange.is_archived(market)
    ]
    if sum(len(row["candlesticks"]) for row in rows) > _MOST_CANDLES:
        raise bad_request("more than 10000 candlesticks requested")
    return {"markets": rows}


def of_event(exchange: Exchange, series_ticker: str, event_ticker: str, query: Query) -> Json:
    """GET /series/{series_ticker}/events/{ticker}/candlesticks."""
    event = exchange.events.get(event_ticker)
    if event is None or event.series_ticker != series_ticker:
        raise not_found()
    markets = exchange.markets_of(event_ticker)
    return {
        "market_tickers": [market.ticker for market in markets],
        "market_candlesticks": [_candlesticks(market, query) for market in markets],
        "adjusted_end_ts": required(query, "end_ts"),
    }


def of_historical_market(exchange: Exchange, ticker: str, query: Query) -> Json:
    """GET /historical/markets/{ticker}/candlesticks."""
    market = exchange.markets.get(ticker)
    if market is None or not exchange.is_archived(market):
        raise not_found()
    start, end, minutes = _period(query)
    candles = market.candles.between(start, end, minutes)
    return {"ticker": ticker, "candlesticks": [_historical(candle) for candle in candles]}


def _candlesticks(market: Market, query: Query) -> list[Json]:
    start, end, minutes = _period(query)
    shown = [_candlestick(candle) for candle in market.candles.between(start, end, minutes)]
    if flag(query, "include_latest_before_start"):
        earlier = market.candles.latest_before(start, minutes)
        if earlier is not None:
            shown.insert(0, _projected(earlier, period_end(start, minutes)))
    return shown


def _period(query: Query) -> tuple[int, int, Minutes]:
    start, end = required(query, "start_ts"), required(query, "end_ts")
    if not 0 <= start <= _LATEST or not 0 <= end <= _LATEST:
        # In milliseconds, say.
        raise bad_request("start_ts and end_ts are Unix seconds")
    if end < start:
        raise bad_request("end_ts is before start_ts")
    match integer(query, "period_interval"):
        case 1:
            return start, end, 1
        case 60:
            return start, end, 60
        case 1440:
            return start, end, 1440
    raise bad_request("invalid period_interval")


def _candlestick(candle: Candle) -> Json:
    price: Json = {}
    if candle.traded is not None:
        price = _span(candle.traded, "_dollars") | {"mean_dollars": _optional(candle.mean)}
    if candle.previous:
        price["previous_dollars"] = wire.price(candle.previous)
    return {
        "end_period_ts": candle.end,
        "yes_bid": _span(candle.yes_bid, "_dollars"),
        "yes_ask": _span(candle.yes_ask, "_dollars"),
        "price": price,
        "volume_fp": wire.count(candle.volume),
        "open_interest_fp": wire.count(candle.open_interest),
    }


def _projected(earlier: Candle, end: int) -> Json:
    """The last candle before the period asked for, drawn on to its first end without a trade."""
    bid, ask = earlier.yes_bid.close, earlier.yes_ask.close
    last = earlier.previous if earlier.traded is None else earlier.traded.close
    still = Candle(
        end=end,
        yes_bid=Span(bid, bid, bid, bid),
        yes_ask=Span(ask, ask, ask, ask),
        traded=None,
        previous=last,
        volume=Decimal(0),
        turnover=Decimal(0),
        open_interest=earlier.open_interest,
    )
    return _candlestick(still)


def _historical(candle: Candle) -> Json:
    absent = dict.fromkeys(("open", "low", "high", "close"))
    return {
        "end_period_ts": candle.end,
        "yes_bid": _span(candle.yes_bid, ""),
        "yes_ask": _span(candle.yes_ask, ""),
        "price": {
            **(absent if candle.traded is None else _span(candle.traded, "")),
            "mean": _optional(candle.mean),
            "previous": _optional(candle.previous or None),
        },
        "volume": wire.count(candle.volume),
        "open_interest": wire.count(candle.open_interest),
    }


def _span(span: Span, suffix: str) -> Json:
    return {
        f"open{suffix}": wire.price(span.open),
        f"low{suffix}": wire.price(span.low),
        f"high{suffix}": wire.price(span.high),
        f"close{suffix}": wire.price(span.close),
    }


def _optional(dollars: Decimal | None) -> str | None:
    return None if dollars is None else wire.price(dollars)
