"""What REST tells of markets, as the tracker wants it."""

import logging
from collections.abc import Iterable, Mapping

from kalshi.errors import RequestRejected
from kalshi.resources import Market
from kalshi.rest import Client
from positions.pnl import MarketState, Quote
from positions.tracker import MarketFacts

logger = logging.getLogger(__name__)

MarketRead = tuple[MarketFacts, MarketState, Quote]


async def read_markets(
    rest: Client, tickers: Iterable[str], known: Mapping[str, MarketFacts]
) -> dict[str, MarketRead]:
    """
    Facts, state and quote of these markets; one the exchange left out this time is left as known.

    An event's title is read once, when a market of it is new here. What the exchange does not tell
    (it answers 404 for a market just created, and for the events of combos) is filled in from the
    ticker: a position is shown all the same.
    """
    wanted = sorted(tickers)
    answered = {market.ticker: market for market in await rest.markets(wanted)}
    events = {facts.event_ticker: (facts.series_ticker, facts.title) for facts in known.values()}
    reads = {}
    for ticker in wanted:
        market = answered.get(ticker)
        if market is None:
            logger.warning("market not told", extra={"ticker": ticker})
            if ticker not in known:
                reads[ticker] = _untold(ticker)
            continue
        if market.event_ticker not in events:
            events[market.event_ticker] = await _event(rest, market)
        reads[ticker] = _read(market, *events[market.event_ticker])
    return reads


async def _event(rest: Client, market: Market) -> tuple[str, str]:
    try:
        event = await rest.event(market.event_ticker)
    except RequestRejected as error:
        logger.info("event not told", extra={"event": market.event_ticker, "status": error.status})
        return _series(market.event_ticker), market.title or market.ticker
    return event.series_ticker, event.title or market.title or market.ticker


def _read(market: Market, series_ticker: str, title: str) -> MarketRead:
    facts = MarketFacts(
        event_ticker=market.event_ticker,
        series_ticker=series_ticker,
        title=title,
        yes_outcome=market.yes_outcome,
        no_outcome=market.no_outcome,
        close_time=market.close_time,
    )
    quote = Quote(market.yes_bid, market.yes_ask, market.last_price)
    return facts, MarketState(market.status, market.settlement_value), quote


def _untold(ticker: str) -> MarketRead:
    event_ticker = ticker.rsplit("-", 1)[0]
    facts = MarketFacts(
        event_ticker=event_ticker,
        series_ticker=_series(ticker),
        title=ticker,
        yes_outcome="",
        no_outcome="",
        close_time=None,
    )
    return facts, MarketState("unknown"), Quote()


def _series(ticker: str) -> str:
    return ticker.split("-", 1)[0]
