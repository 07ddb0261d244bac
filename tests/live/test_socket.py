import pytest

from kalshi.errors import KeyRefused
from kalshi.messages import Ok, Subscribed, Ticker, Unsubscribed
from kalshi.protocol import SubscriptionRefused
from kalshi.socket import connect
from tests.live.demo import CHANNELS

NOBODYS_KEY = "00000000-0000-0000-0000-000000000000"


async def until_ready(socket):
    """What came until all that was asked for is confirmed."""
    await socket.send_pending()
    events = []
    while not socket.session.is_ready:
        events.append(await anext(socket))
    return events


async def next_of(kind, socket):
    await socket.send_pending()
    async for event in socket:
        if isinstance(event, kind):
            return event


async def test_channels_are_subscribed_and_unsubscribed(socket, open_market):
    ticker = open_market["ticker"]
    socket.session.subscribe(["market_positions", "fill"])
    socket.session.subscribe(["ticker"], [ticker], send_initial_snapshot=True)
    socket.session.subscribe(["market_lifecycle_v2"], [ticker])

    subscribed = await until_ready(socket)
    socket.session.subscribe(["ticker", "market_lifecycle_v2"], [])
    unsubscribed = await until_ready(socket)

    channels = [event.channel for event in subscribed if isinstance(event, Subscribed)]
    assert sorted(channels) == sorted(CHANNELS)
    assert len([event for event in unsubscribed if isinstance(event, Unsubscribed)]) == 2


async def test_ticker_begins_with_the_market_as_it_is(socket, open_market):
    socket.session.subscribe(["ticker"], [open_market["ticker"]], send_initial_snapshot=True)

    ticker = await next_of(Ticker, socket)

    assert ticker.market_ticker == open_market["ticker"]


async def test_markets_join_and_leave_a_subscription(socket, open_markets):
    markets = [market["ticker"] for market in open_markets]
    socket.session.subscribe(["ticker"], markets[:1])
    await until_ready(socket)

    socket.session.subscribe(["ticker"], markets)
    joined = await until_ready(socket)
    socket.session.subscribe(["ticker"], markets[1:])
    left = await until_ready(socket)

    assert [event.market_tickers for event in joined + left if isinstance(event, Ok)] == [
        tuple(markets),
        tuple(markets[1:]),
    ]


async def test_unknown_channel_is_error_8(socket):
    socket.session.subscribe(["no_such_channel"])

    assert (await next_of(SubscriptionRefused, socket)).code == 8


async def test_unknown_key_is_refused(demo):
    with pytest.raises(KeyRefused):
        async with connect(demo.environment, NOBODYS_KEY, demo.key):
            pass
