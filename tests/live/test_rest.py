import time
from datetime import UTC, datetime, timedelta

import pytest

from kalshi.calls import CALLS, Question
from kalshi.errors import ClockSkew, KeyRefused, RequestRejected
from kalshi.rest import Client

NOBODYS_KEY = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize("name", [name for name, call in CALLS.items() if not call.operands])
async def test_call_is_answered_and_decoded(client, name):
    answer = await CALLS[name].ask(client, Question())

    assert answer is not None


async def test_key_is_listed_with_its_scopes(client, demo):
    own = [key for key in await client.api_keys() if key.api_key_id == demo.key_id]

    assert len(own) == 1
    assert "read" in own[0].scopes


async def test_market_event_series_and_candles_belong_together(client, open_market):
    (market,) = await client.markets([open_market["ticker"]])
    event = await client.event(market.event_ticker)
    series = await client.series(event.series_ticker)
    until = datetime.now(UTC)
    candles = await client.candlesticks(
        series.ticker, market.ticker, since=until - timedelta(days=2), until=until, minutes=60
    )

    assert market.event_ticker == event.event_ticker == open_market["event_ticker"]
    assert series.ticker == event.series_ticker
    assert [candle.ends_at for candle in candles] == sorted(candle.ends_at for candle in candles)


async def test_market_is_among_those_of_its_event(client, open_market):
    markets = await client.markets_of_event(open_market["event_ticker"])

    assert open_market["ticker"] in [market.ticker for market in markets]
    assert {market.event_ticker for market in markets} == {open_market["event_ticker"]}


async def test_order_book_has_its_best_prices_first(client, open_market):
    book = await client.orderbook(open_market["ticker"], depth=5)

    for bids in (book.yes_bids, book.no_bids):
        prices = [level.price for level in bids]
        assert prices == sorted(prices, reverse=True)
        assert len(prices) <= 5


async def test_milestones_are_found_by_event(client, rows):
    listed = rows("/milestones", "milestones", limit=100)
    one = next(each for each in listed if each["related_event_tickers"])
    event_ticker = one["related_event_tickers"][0]

    milestones = await client.milestones(event_ticker)

    assert one["id"] in [milestone.id for milestone in milestones]
    assert all(event_ticker in milestone.event_tickers for milestone in milestones)


async def test_archived_market_is_found_by_ticker(client, rows):
    wanted = [row["ticker"] for row in rows("/historical/markets", "markets", limit=1)]

    assert [market.ticker for market in await client.historical_markets(wanted)] == wanted


@pytest.mark.parametrize("archived", [False, True])
async def test_fills_by_the_page_are_the_list_newest_first(client, archived):
    whole = await (client.historical_fills(0) if archived else client.fills(0))

    paged = [fill async for page in client.fill_pages(0, archived=archived) for fill in page]

    assert {fill.trade_id for fill in paged} >= {fill.trade_id for fill in whole}
    assert [fill.at for fill in paged] == sorted((fill.at for fill in paged), reverse=True)


async def test_settlements_by_the_page_come_newest_first(client):
    paged = [each async for page in client.settlement_pages(0) for each in page]

    assert [each.settled_at for each in paged] == sorted(
        (each.settled_at for each in paged), reverse=True
    )


async def test_combos_are_found_by_ticker(client, rows):
    wanted = [row["event_ticker"] for row in rows("/events/multivariate", "events", limit=1)]

    assert [combo.event_ticker for combo in await client.multivariate_events(wanted)] == wanted


async def test_market_that_does_not_exist_is_missing(client):
    assert await client.markets(["KXNOSUCHSERIES-26NOV23-T1"]) == []


async def test_event_that_does_not_exist_is_refused(client):
    with pytest.raises(RequestRejected) as refusal:
        await client.event("KXNOSUCHSERIES-26NOV23")

    assert refusal.value.status == 404


async def test_our_clock_is_right_enough_to_sign(client):
    await client.exchange_status()

    assert client.clock_skew is not None
    assert abs(client.clock_skew) < timedelta(seconds=5)


async def test_unknown_key_is_refused(demo):
    async with Client(demo.environment, NOBODYS_KEY, demo.key) as nobody:
        with pytest.raises(KeyRefused):
            await nobody.positions(0)


async def test_clock_that_is_off_is_refused_with_the_right_time(demo):
    def late() -> float:
        return time.time() - 300

    async with Client(demo.environment, demo.key_id, demo.key, clock=late) as client:
        with pytest.raises(ClockSkew) as skew:
            await client.positions(0)

        assert abs(client.clock_skew + timedelta(minutes=5)) < timedelta(seconds=5)
    assert abs(datetime.now(UTC) - skew.value.server_time) < timedelta(seconds=5)
