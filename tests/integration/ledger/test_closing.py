"""Settlements that the exchange's list does not tell, by what its markets tell."""

from collections.abc import Collection
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest

from kalshi.errors import Unavailable
from kalshi.messages import Fill
from kalshi.resources import Market
from kalshi.rows import LeftOut, Rows
from ledger import closing, holes
from ledger.models import Settlement
from tests.integration.ledger.rows import fill, record
from tests.told import at

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1).total_seconds()


class Exchange:
    """Knows markets as they ended, and keeps which it was asked for."""

    def __init__(
        self,
        *markets: Market,
        silent_about: Collection[str] = (),
        unreadable: Collection[str] = (),
        unanswered: Collection[str] = (),
    ) -> None:
        self._markets = {market.ticker: market for market in markets}
        self._silent_about = silent_about
        self._unreadable = unreadable
        self._unanswered = unanswered
        self.asked: list[str] = []
        self.asked_of_the_archive: list[str] = []

    async def markets(self, tickers) -> Rows[Market]:
        self.asked += tickers
        told = [self._markets[ticker] for ticker in tickers if ticker in self._markets]
        return Rows(told, unanswered=self._silent_about)

    async def historical_markets(self, tickers) -> Rows[Market]:
        self.asked_of_the_archive += tickers
        return Rows()

    async def fills(self, subaccount, *, ticker) -> Rows[Fill]:
        if ticker in self._unanswered:
            raise Unavailable("no")
        odd = LeftOut("fill", "trade", "count_fp: missing")
        return Rows([], [odd] if ticker in self._unreadable else [])

    historical_fills = fills


async def derived(exchange: Exchange, account, threads) -> int:
    return await closing.derive_settlements(
        exchange, account.pk, (), threads, subaccount=0, before=at(DAY)
    )


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
        exchange, account.pk, {"HELD"}, threads, subaccount=0, before=at(DAY)
    )

    assert count == 1
    row = await threads.run(Settlement.objects.select_related("market").get)
    assert (row.market.ticker, row.source, row.revenue) == ("OLD", "derived", Decimal(10))
    assert sorted(exchange.asked) == ["NEW", "OLD", "OPEN"]


async def test_what_was_derived_is_asked_for_no_more(account, threads):
    await threads.run(record, account, [fill("OLD", ticker="OLD")])
    exchange = Exchange(paid("OLD", 10))

    assert await derived(exchange, account, threads) == 1
    assert await derived(exchange, account, threads) == 0
    assert exchange.asked == ["OLD"]


async def test_what_got_no_answer_is_not_taken_for_archived(account, threads):
    for ticker in ("OLD", "GONE", "UNANSWERED"):
        await threads.run(record, account, [fill(ticker, ticker=ticker)])
    exchange = Exchange(paid("OLD", 10), silent_about={"UNANSWERED"})

    await derived(exchange, account, threads)

    assert exchange.asked_of_the_archive == ["GONE"]


@pytest.mark.parametrize(
    ("hole_since", "expected"),
    [(None, ["WHOLE"]), (5, ["WHOLE"]), (3600, ["ODD", "WHOLE"])],
    ids=["any time", "before it ended", "after it ended"],
)
async def test_market_of_which_an_execution_cannot_be_read_is_not_settled(
    account, threads, hole_since, expected
):
    for ticker in ("WHOLE", "ODD"):
        await threads.run(record, account, [fill(ticker, ticker=ticker)])
    since = None if hole_since is None else at(hole_since)
    await threads.run(
        partial(holes.give_up, account.pk, since, at(7200), "odd", at(7200), is_named=True)
    )
    exchange = Exchange(paid("WHOLE", 10), paid("ODD", 10), unreadable={"ODD"})

    await derived(exchange, account, threads)

    settled = await threads.run(
        lambda: sorted(Settlement.objects.values_list("market__ticker", flat=True))
    )
    assert settled == expected


async def test_market_whose_executions_are_not_told_keeps_no_other_open(account, threads):
    for ticker in ("ANSWERED", "FAILING"):
        await threads.run(record, account, [fill(ticker, ticker=ticker)])
    await threads.run(
        partial(holes.give_up, account.pk, None, at(7200), "odd", at(7200), is_named=True)
    )
    exchange = Exchange(paid("FAILING", 10), paid("ANSWERED", 10), unanswered={"FAILING"})

    assert await derived(exchange, account, threads) == 1
