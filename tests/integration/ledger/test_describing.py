"""What the markets of the records are is kept as far as the exchange tells it."""

from collections.abc import Collection

import pytest

from kalshi.errors import KalshiError, ServerFailed, Unavailable
from kalshi.resources import Event, Market
from kalshi.rows import Rows
from ledger import describing
from positions import models
from tests.integration.ledger.rows import fill, record

pytestmark = pytest.mark.django_db(transaction=True)

MARKETS = {"KXGAME-A-HOME": "KXGAME-A", "KXMVE-1-X": "KXMVE-1", "OLD-1-YES": "OLD-1"}
ARCHIVED = {"OLD-1-YES"}


class Exchange:
    """Knows three markets, one of them archived, and fails at one of its lists."""

    def __init__(self, *fails_at: str, failure: KalshiError | None = None) -> None:
        self._fails_at, self._failure = fails_at, failure or ServerFailed("boom")

    async def markets(self, tickers: Collection[str]) -> Rows[Market]:
        return self._markets("markets", set(tickers) - ARCHIVED)

    async def historical_markets(self, tickers: Collection[str]) -> Rows[Market]:
        return self._markets("historical_markets", set(tickers) & ARCHIVED)

    async def events(self, tickers: Collection[str]) -> Rows[Event]:
        return self._events("events", tickers)

    async def multivariate_events(self, tickers: Collection[str]) -> Rows[Event]:
        return self._events("multivariate_events", tickers)

    def _markets(self, name: str, tickers: Collection[str]) -> Rows[Market]:
        self._fail(name)
        told = [{"ticker": each, "event_ticker": MARKETS[each]} for each in sorted(tickers)]
        return Rows(map(Market.decode, told))

    def _events(self, name: str, tickers: Collection[str]) -> Rows[Event]:
        self._fail(name)
        told = [{"event_ticker": each, "title": f"About {each}"} for each in sorted(tickers)]
        return Rows(map(Event.decode, told))

    def _fail(self, name: str) -> None:
        if name in self._fails_at:
            raise self._failure


def titles() -> dict[str, str]:
    described = models.Market.objects.filter(is_described=True)
    return dict(described.values_list("ticker", "title"))


ALL = {
    "KXGAME-A-HOME": "About KXGAME-A",
    "KXMVE-1-X": "About KXMVE-1",
    "OLD-1-YES": "About OLD-1",
}


@pytest.mark.parametrize(
    ("fails_at", "told"),
    [
        ("nothing", set(ALL)),
        ("multivariate_events", {"KXGAME-A-HOME", "OLD-1-YES"}),
        ("historical_markets", {"KXGAME-A-HOME", "KXMVE-1-X"}),
        ("events", {"KXMVE-1-X"}),
    ],
)
async def test_what_one_list_does_not_tell_the_others_do(account, threads, fails_at, told):
    for ticker in MARKETS:
        await threads.run(record, account, [fill(ticker, ticker=ticker)])

    described = await describing.describe(Exchange(fails_at), account.pk, threads)

    assert await threads.run(titles) == {ticker: ALL[ticker] for ticker in told}
    assert described.count == len(told)


@pytest.mark.parametrize("fails_at", [("markets",), ("events", "multivariate_events")])
async def test_lists_that_tell_nothing_are_an_error(account, threads, fails_at):
    for ticker in MARKETS:
        await threads.run(record, account, [fill(ticker, ticker=ticker)])
    exchange = Exchange(*fails_at, failure=Unavailable("away"))

    with pytest.raises(Unavailable):
        await describing.describe(exchange, account.pk, threads)

    assert await threads.run(titles) == {}
