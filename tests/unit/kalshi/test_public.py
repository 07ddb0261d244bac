"""What anybody may ask, without a key."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from kalshi.environments import Environment
from kalshi.errors import RequestRejected, ServerFailed
from kalshi.history import Candle
from kalshi.pacing import Pacer
from kalshi.public import PublicClient
from kalshi.rate_limits import BASIC

SPAN = {
    "since": datetime(2026, 8, 7, tzinfo=UTC),
    "until": datetime(2026, 8, 8, tzinfo=UTC),
    "minutes": 60,
}
NOT_FOUND = httpx.Response(404, json={"error": {"code": "not_found"}})


class Exchange:
    """Answers each request with the next of the prepared responses and keeps the requests."""

    def __init__(self, *responses):
        self.responses = [
            response if isinstance(response, httpx.Response) else httpx.Response(200, json=response)
            for response in responses
        ]
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        return self.responses.pop(0)

    @property
    def paths(self):
        return [request.url.path.removeprefix("/trade-api/v2") for request in self.requests]

    def client(self, environment: Environment, **options) -> PublicClient:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return PublicClient(environment, http=http, **options)


def archived(record: dict) -> dict:
    """A candle as the archive writes it."""
    return {
        name.removesuffix("_dollars").removesuffix("_fp"): archived(value)
        if isinstance(value, dict)
        else value
        for name, value in record.items()
    }


async def test_no_key_is_sent(answers, environment):
    exchange = Exchange(answers["orderbook"])

    book = await exchange.client(environment).orderbook("KX/A B", depth=5)

    (request,) = exchange.requests
    assert book.yes_bids[0].price == Decimal("0.89")
    assert request.url.raw_path == b"/trade-api/v2/markets/KX%2FA%20B/orderbook?depth=5"
    assert not [name for name in request.headers if name.startswith("kalshi")]


@pytest.mark.parametrize(
    ("header", "seconds"), [({}, 0), ({"Age": "12"}, 12), ({"Age": "-1"}, 0), ({"Age": "old"}, 0)]
)
async def test_age_of_a_cached_book_is_told(answers, environment, header, seconds):
    exchange = Exchange(httpx.Response(200, json=answers["orderbook"], headers=header))

    _, age = await exchange.client(environment).aged_orderbook("KX")

    assert age == timedelta(seconds=seconds)


async def test_series_and_event_tell_their_fees(answers, environment):
    event = answers["event"] | {"fee_type_override": "flat", "fee_multiplier_override": 0.5}
    exchange = Exchange(answers["series"], {"event": event}, {"event": answers["event"]})
    client = exchange.client(environment)

    series, overridden = await client.series("KX"), await client.event("KX-1")
    plain = await client.event("KX-1")

    assert series.fee_type == "quadratic_with_maker_fees"
    assert overridden.fee_type_override == "flat"
    assert overridden.fee_multiplier_override == Decimal("0.5")
    assert (plain.fee_type_override, plain.fee_multiplier_override) == (None, None)


async def test_candles_of_an_archived_market_are_found_in_the_archive(answers, environment):
    records = answers["candlesticks"]["candlesticks"]
    exchange = Exchange(NOT_FOUND, {"candlesticks": [archived(record) for record in records]})

    candles = await exchange.client(environment).all_candlesticks("KX", "KX-1-A", **SPAN)

    assert list(candles) == [Candle.decode(record) for record in records]
    assert exchange.paths == [
        "/series/KX/markets/KX-1-A/candlesticks",
        "/historical/markets/KX-1-A/candlesticks",
    ]


async def test_market_that_is_nowhere_and_a_failure_are_told_apart(environment):
    with pytest.raises(RequestRejected):
        await Exchange(NOT_FOUND, NOT_FOUND).client(environment).all_candlesticks("A", "B", **SPAN)
    with pytest.raises(ServerFailed):
        await Exchange(httpx.Response(500)).client(environment).all_candlesticks("A", "B", **SPAN)


async def test_limit_holds_for_all_who_share_a_pacer(answers, environment):
    now = 0.0

    async def sleep(seconds):
        nonlocal now
        now += seconds

    pacer = Pacer(monotonic=lambda: now, sleep=sleep)
    books = BASIC.read.capacity // 10 + 10
    exchange = Exchange(*[answers["orderbook"]] * books)
    clients = [exchange.client(environment, pacer=pacer) for _ in range(3)]

    for index in range(books):
        await clients[index % 3].orderbook("KX")

    # Ten more than can be saved up, at a tenth of the rate each, and a margin of a tenth.
    assert now >= 10 * 10 / BASIC.read.refill_rate
