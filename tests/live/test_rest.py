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
