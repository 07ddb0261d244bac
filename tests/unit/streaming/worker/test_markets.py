"""Every market gets facts, whatever the exchange tells of it and of its event."""

from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from kalshi.environments import Environment
from kalshi.errors import Unavailable
from kalshi.rest import Client
from kalshi.signing import SigningKey
from positions.pnl import MarketState, Quote
from positions.portfolio import MarketFacts
from streaming.worker.markets import read_markets

PAYLOADS = Path(__file__).resolve().parents[3] / "payloads" / "kalshi"
MARKET = {
    "ticker": "KXBTCD-26NOV2317-T96000",
    "event_ticker": "KXBTCD-26NOV2317",
    "yes_sub_title": "$96,000 or above",
    "no_sub_title": "Below",
    "title": "Bitcoin price?",
    "status": "active",
    "result": "",
    "yes_bid_dollars": "0.4100",
    "yes_bid_size_fp": "10.00",
    "yes_ask_dollars": "0.4400",
    "yes_ask_size_fp": "0.00",
    "last_price_dollars": "0.4200",
    "close_time": "2026-11-23T22:00:00Z",
    "updated_time": "2026-11-23T12:00:00Z",
}
EVENT = {
    "event_ticker": "KXBTCD-26NOV2317",
    "series_ticker": "KXBTCD",
    "title": "Bitcoin price on Nov 23?",
    "sub_title": "Nov 23",
    "mutually_exclusive": False,
    "collateral_return_type": "",
}


class Exchange:
    """Lists one market; tells of its event, or answers with this status."""

    def __init__(self) -> None:
        self.event_status = 200
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/trade-api/v2")
        self.asked.append(path)
        if path == "/markets":
            wanted = request.url.params["tickers"].split(",")
            markets = [
                {**MARKET, "ticker": ticker} for ticker in wanted if "UNLISTED" not in ticker
            ]
            return httpx.Response(200, json={"markets": markets, "cursor": ""})
        if self.event_status != 200:
            return httpx.Response(self.event_status, json={"error": {"code": "not_found"}})
        return httpx.Response(200, json={"event": EVENT})


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


@pytest.fixture
async def rest(exchange):
    environment = Environment("sandbox", "http://127.0.0.1/trade-api/v2", "ws://127.0.0.1/ws")
    key = SigningKey.from_pem((PAYLOADS / "keys" / "ed25519.pem").read_text())
    async with httpx.AsyncClient(transport=httpx.MockTransport(exchange)) as http:
        yield Client(environment, "key-id", key, http=http)


async def test_market_has_the_title_of_its_event_and_its_own_quote(rest):
    ticker = MARKET["ticker"]

    facts, state, quote = (await read_markets(rest, [ticker], {}))[ticker]

    assert facts.title == "Bitcoin price on Nov 23?"
    assert facts.series_ticker == "KXBTCD"
    assert facts.yes_outcome == "$96,000 or above"
    assert state == MarketState("active", None)
    # Nobody offers YES: a side without size has no price.
    assert quote == Quote(Decimal("0.4100"), None, Decimal("0.4200"))


async def test_events_are_asked_for_once(rest, exchange):
    await read_markets(rest, ["KXBTCD-26NOV2317-A", "KXBTCD-26NOV2317-B"], {})

    assert exchange.asked == ["/markets", "/events/KXBTCD-26NOV2317"]


async def test_known_events_are_not_asked_for_again(rest, exchange):
    known = {"B": MarketFacts("KXBTCD-26NOV2317", "KXBTCD", "The title", "", "", None)}

    reads = await read_markets(rest, [MARKET["ticker"]], known)

    assert exchange.asked == ["/markets"]
    assert reads[MARKET["ticker"]][0].title == "The title"


async def test_untold_event_leaves_the_markets_own_title(rest, exchange):
    exchange.event_status = 404

    facts, _, _ = (await read_markets(rest, [MARKET["ticker"]], {}))[MARKET["ticker"]]

    assert facts.title == "Bitcoin price?"
    assert facts.series_ticker == "KXBTCD"


async def test_unlisted_market_is_shown_by_its_ticker(rest, exchange):
    ticker = "KXNEW-26NOV23-UNLISTED"

    facts, state, quote = (await read_markets(rest, [ticker], {}))[ticker]

    assert (facts.title, facts.event_ticker, facts.series_ticker) == (
        ticker,
        "KXNEW-26NOV23",
        "KXNEW",
    )
    assert (state, quote) == (MarketState("unknown"), Quote())


async def test_exchange_in_trouble_is_no_reason_to_guess(rest, exchange):
    exchange.event_status = 503

    with pytest.raises(Unavailable):
        await read_markets(rest, [MARKET["ticker"]], {})


async def test_known_market_that_is_left_out_stays_as_it_is_known(rest):
    known = {"UNLISTED-1": MarketFacts("UNLISTED", "UNLISTED", "Known title", "Yes", "No", None)}

    reads = await read_markets(rest, ["UNLISTED-1", "UNLISTED-2"], known)

    assert list(reads) == ["UNLISTED-2"]
