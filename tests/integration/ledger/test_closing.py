"""Settlements that the exchange's list does not tell, by what its markets tell."""

from collections.abc import Collection
from datetime import timedelta
from decimal import Decimal

import pytest

from kalshi.resources import Market
from kalshi.rows import Rows
from ledger import closing
from ledger.models import Settlement
from tests.integration.ledger.rows import fill, record
from tests.told import at

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1).total_seconds()


class Exchange:
    """Knows markets as they ended, and keeps which it was asked for."""

    def __init__(self, *markets: Market, silent_about: Collection[str] = ()) -> None:
        self._markets = {market.ticker: market for market in markets}
        self._silent_about = silent_about
        self.asked: list[str] = []
        self.asked_of_the_archive: list[str] = []

    async def markets(self, tickers) -> Rows[Market]:
        self.asked += tickers
        told = [self._markets[ticker] for ticker in tickers if ticker in self._markets]
        return Rows(told, unanswered=self._silent_about)

    async def historical_markets(self, tickers) -> Rows[Market]:
        self.asked_of_the_archive += tickers
        return Rows()


def paid(ticker: str, second: float) -> Market:
    return Market.decode(
        {
            "ticker": ticker,
            "status": "finalized",
            "result": "yes",
            "settlement_ts": at(second).isoformat(),
        }
    )


async def test_only_what_is_old_enough_is_derived(account, threads):
    for ticker in ("OLD", "NEW", "HELD", "OPEN"):
        await threads.run(record, account, [fill(ticker, ticker=ticker)])
    exchange = Exchange(paid("OLD", 10), paid("NEW", DAY), paid("HELD", 10))

    count = await closing.derive_settlements(
        exchange, account.pk, {"HELD"}, threads, before=at(DAY)
    )

    assert count == 1
    row = await threads.run(Settlement.objects.select_related("market").get)
    assert (row.market.ticker, row.source, row.revenue) == ("OLD", "derived", Decimal(10))
    assert sorted(exchange.asked) == ["NEW", "OLD", "OPEN"]


async def test_what_was_derived_is_asked_for_no_more(account, threads):
    await threads.run(record, account, [fill("OLD", ticker="OLD")])
    exchange = Exchange(paid("OLD", 10))

    assert await closing.derive_settlements(exchange, account.pk, (), threads, before=at(DAY)) == 1
    assert await closing.derive_settlements(exchange, account.pk, (), threads, before=at(DAY)) == 0
    assert exchange.asked == ["OLD"]


async def test_what_got_no_answer_is_not_taken_for_archived(account, threads):
    for ticker in ("OLD", "GONE", "UNANSWERED"):
        await threads.run(record, account, [fill(ticker, ticker=ticker)])
    exchange = Exchange(paid("OLD", 10), silent_about={"UNANSWERED"})

    await closing.derive_settlements(exchange, account.pk, (), threads, before=at(DAY))

    assert exchange.asked_of_the_archive == ["GONE"]
