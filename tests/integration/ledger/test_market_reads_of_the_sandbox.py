"""The sandbox's books and candles, read as the web process does: in a thread, without a key."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ledger.market_reads import MarketReads
from ledger.selling import sale
from positions.models import Market


@pytest.fixture
def reads() -> Iterator[MarketReads]:
    reads = MarketReads()
    yield reads
    reads.close()


@pytest.fixture
def market(sandbox) -> Market:
    """One that is quoted on both sides."""
    listed = next(
        each
        for each in sandbox.exchange.markets.values()
        if each.tape.quote.has_bid and each.tape.quote.has_ask
    )
    event_ticker = listed.ticker.rsplit("-", 1)[0]
    return Market(
        ticker=listed.ticker,
        event_ticker=event_ticker,
        series_ticker=event_ticker.split("-", 1)[0],
    )


async def test_book_begins_with_the_quote_and_selling_walks_it(
    reads, sandbox, sandbox_environment, market
):
    quote = sandbox.exchange.markets[market.ticker].tape.quote

    read = await asyncio.to_thread(reads.book, sandbox_environment, market)

    best = read.book.yes_bids[0]
    assert (best.price, best.count) == (quote.yes_bid, quote.yes_bid_size)
    assert read.book.no_bids[0].price == 1 - quote.yes_ask
    assert read.terms.multiplier is not None
    sold = sale(quote.yes_bid_size + Decimal(1), read.book, read.terms)
    assert sold.worst_price < quote.yes_bid
    assert sold.left == 0


async def test_candles_are_those_that_the_sandbox_has(reads, sandbox, sandbox_environment, market):
    until = datetime.now(UTC)
    span = {"since": until - timedelta(days=2), "until": until, "minutes": 60}

    candles = await asyncio.to_thread(reads.candles, sandbox_environment, market, **span)

    own = sandbox.exchange.markets[market.ticker].candles.between(
        int(span["since"].timestamp()), int(until.timestamp()), 60
    )
    assert candles.left_out == ()
    assert [(each.ends_at.timestamp(), each.yes_bid.close) for each in candles] == [
        (each.end, each.yes_bid.close) for each in own
    ]
    assert len(candles) > 0
