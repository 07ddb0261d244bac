"""The client and the socket on the sandbox's bad days."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from kalshi.environments import Environment
from kalshi.errors import (
    ClockSkew,
    KeyRefused,
    RateLimited,
    RequestRejected,
    ScopeRefused,
    TurnedAway,
    Unavailable,
)
from kalshi.lifecycle import CloseTimeChanged, Deactivated, Determined, Settled
from kalshi.protocol import SequenceGap, SubscriptionEnded, Undecodable
from kalshi.rest import Client
from kalshi.signing import SigningKey
from kalshi.socket import connect
from kalshi.transport import connections
from sandbox.faults import FailedAnswer
from sandbox.server import running_exchange

LIFECYCLE = "market_lifecycle_v2"


@pytest.fixture
async def exchange(credentials):
    async with running_exchange(positions=10, credentials=credentials) as exchange:
        yield exchange
        exchange.clear_faults()


@pytest.fixture
def environment(exchange):
    return Environment("sandbox", exchange.api_base, exchange.ws_url)


@pytest.fixture
def key(exchange):
    return SigningKey.from_pem(exchange.private_key)


@pytest.fixture
async def client(exchange, environment, key):
    async with Client(environment, exchange.key_id, key) as client:
        yield client


@pytest.fixture
async def markets(client):
    """Two open markets."""
    held = [row.ticker for row in await client.positions(0)]
    return [market.ticker for market in await client.markets(held) if market.status == "active"][:2]


@pytest.fixture
async def socket(exchange, environment, key, markets):
    """A connection that follows what becomes of the first of the two."""
    async with connect(environment, exchange.key_id, key) as socket, asyncio.timeout(60):
        socket.session.subscribe([LIFECYCLE], markets[:1])
        await socket.send_pending()
        while not socket.session.is_ready:
            await anext(socket)
        yield socket


async def take(socket, count):
    return [await anext(socket) for _ in range(count)]


async def test_fate_of_a_held_market_is_followed_and_that_of_others_is_not(
    exchange, socket, markets
):
    held, other = markets

    exchange.pause(other)
    exchange.pause(held)
    exchange.resume(held)
    exchange.reschedule(held, timedelta(hours=1))
    exchange.close(held)
    exchange.determine(held, Decimal(1))
    exchange.settle(held)
    events = []
    while not (events and isinstance(events[-1], Settled)):
        events.append(await anext(socket))

    kinds = [type(event) for event in events]
    assert kinds[0] is Deactivated
    assert {event.market_ticker for event in events} == {held}
    assert CloseTimeChanged in kinds
    (determined,) = [event for event in events if isinstance(event, Determined)]
    assert (determined.result, determined.settlement_value) == ("yes", Decimal(1))


async def test_garbled_frame_is_told_and_leaves_no_hole_unnoticed(exchange, socket, markets):
    exchange.faults.frames.append("garbage")

    exchange.pause(markets[0])
    exchange.resume(markets[0])
    garbled, gap, _ = await take(socket, 3)

    assert isinstance(garbled, Undecodable)
    assert gap == SequenceGap(LIFECYCLE, expected=1, received=2)


async def test_word_on_a_market_that_comes_late_is_passed_over(exchange, socket, markets):
    exchange.faults.frames.append("reorder")

    exchange.pause(markets[0])
    exchange.resume(markets[0])
    exchange.determine(markets[0], Decimal(1))
    gap, *words = await take(socket, 3)

    assert gap == SequenceGap(LIFECYCLE, expected=1, received=2)
    assert [type(each).__name__ for each in words] == ["Activated", "Determined"]


async def test_word_on_a_market_that_comes_twice_is_no_gap(exchange, socket, markets):
    exchange.faults.frames.append("duplicate")

    exchange.pause(markets[0])
    exchange.resume(markets[0])
    events = await take(socket, 2)

    assert [type(event).__name__ for event in events] == ["Deactivated", "Activated"]


@pytest.mark.parametrize("code", [10, 25])
async def test_failed_channel_ends_its_subscription_and_can_be_had_again(
    exchange, socket, markets, code
):
    assert exchange.fail_channel(LIFECYCLE, code) == 1
    (ended,) = await take(socket, 1)
    socket.session.subscribe([LIFECYCLE], ended.market_tickers)
    await socket.send_pending()
    await take(socket, 1)
    exchange.pause(markets[0])
    (event,) = await take(socket, 1)

    assert ended == SubscriptionEnded(LIFECYCLE, (markets[0],), code)
    assert isinstance(event, Deactivated)


@pytest.mark.parametrize("cut", ["drop_connections", "reset_connections"])
async def test_cut_connection_is_unavailability(exchange, socket, cut):
    getattr(exchange, cut)()

    with pytest.raises(Unavailable):
        await take(socket, 1)


async def test_half_a_frame_is_unavailability(exchange, socket, markets):
    exchange.faults.frames.append("half")
    exchange.pause(markets[0])

    with pytest.raises(Unavailable):
        await take(socket, 1)


@pytest.mark.parametrize("body", ["json", "html", "empty"])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RequestRejected),
        (404, RequestRejected),
        (429, RateLimited),
        (500, Unavailable),
        (502, Unavailable),
        (503, Unavailable),
        (504, Unavailable),
    ],
)
async def test_failed_answer_is_the_error_of_its_status_whatever_it_says(
    exchange, client, status, kind, body
):
    exchange.faults.answers.append(FailedAnswer(status, body))

    with pytest.raises(kind):
        await client.positions(0)

    assert await client.positions(0)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, "json", KeyRefused),
        (401, "html", TurnedAway),
        (401, "empty", TurnedAway),
        (403, "json", ScopeRefused),
        (403, "html", TurnedAway),
        (403, "empty", TurnedAway),
    ],
)
async def test_only_the_exchange_judges_the_key(exchange, client, status, body, kind):
    exchange.faults.answers.append(FailedAnswer(status, body))

    with pytest.raises(kind) as refusal:
        await client.positions(0)

    assert type(refusal.value) is kind


async def test_silence_is_limited_by_nothing_but_the_time_for_the_whole_answer(environment):
    async with connections(environment) as http:
        request = http.build_request("GET", environment.api_base)

    limits = request.extensions["timeout"]
    assert limits == dict.fromkeys(("connect", "read", "write", "pool"))


async def test_slow_answer_is_unavailability(exchange, environment, key):
    exchange.faults.latency_seconds = 2

    async with Client(environment, exchange.key_id, key, timeout_seconds=0.5) as client:
        with pytest.raises(Unavailable, match="too long"):
            await client.balance(0)


@pytest.mark.parametrize("minutes", [-5, 5])
async def test_skewed_clock_is_told_and_measured(exchange, client, minutes):
    exchange.faults.clock_skew = timedelta(minutes=minutes)

    with pytest.raises(ClockSkew):
        await client.balance(0)

    assert abs(client.clock_skew + timedelta(minutes=minutes)) < timedelta(seconds=30)


async def test_revoked_key_is_refused(exchange, client):
    exchange.revoke_key(exchange.key_id)

    with pytest.raises(KeyRefused):
        await client.positions(0)


async def test_maintenance_is_told_by_the_status_alone(exchange, client):
    exchange.begin_maintenance(timedelta(hours=2))

    status = await client.exchange_status()

    assert not status.exchange_active
    assert status.estimated_resume_time is not None
    with pytest.raises(Unavailable):
        await client.positions(0)
