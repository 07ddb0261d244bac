"""Events that a market decides which the account does not hold, as its markets tell."""

from decimal import Decimal

import pytest

from accounts.models import Account
from kalshi.errors import KalshiError, Unavailable
from kalshi.resources import Market
from kalshi.rows import Rows
from ledger import collateral_flows, deciding, paid_markets
from ledger.models import CollateralFlow, EventDecision, Followed
from postgres.threads import DatabaseThread
from tests.integration.ledger.holders import hold_event
from tests.integration.ledger.rows import fill, record
from tests.told import at

pytestmark = pytest.mark.django_db(transaction=True)


class Exchange:
    """Tells which markets of an event are settled, and keeps which events it was asked for."""

    def __init__(self, *settled: Market, is_down: bool = False) -> None:
        self._settled = settled
        self._is_down = is_down
        self.asked: list[str] = []

    async def markets_of_event(self, event_ticker, *, only_settled) -> Rows[Market]:
        assert only_settled
        self.asked.append(event_ticker)
        if self._is_down:
            raise Unavailable("Down.")
        return Rows(self._settled)


async def if_possible(read, what):
    try:
        return await read
    except KalshiError:
        return None


def paid(ticker: str, value: str | None, second: float) -> Market:
    return Market.decode(
        {
            "ticker": ticker,
            "status": "finalized",
            "result": {"1": "yes", "0": "no"}.get(value, "scalar"),
            "settlement_value_dollars": value,
            "settlement_ts": at(second).isoformat(),
        }
    )


@pytest.fixture
async def threads(transactional_db):
    thread = DatabaseThread()
    yield thread
    await thread.close()


@pytest.fixture
async def account(threads) -> Account:
    """It bought ten NO in each of two markets of an exclusive event."""

    def make() -> Account:
        account = hold_event()
        record(account, [fill(each, ticker=each, side="no", seconds=1) for each in ("E-A", "E-B")])
        return account

    return await threads.run(make)


@pytest.fixture
def ask(threads, account):
    """Have an exchange asked."""

    async def ask(exchange: Exchange):
        return await deciding.read(exchange, account.pk, threads, if_possible)

    return ask


@pytest.fixture
def flows(threads):
    async def flows() -> list[tuple]:
        rows = CollateralFlow.objects.order_by("at", "id").values_list("at", "amount")
        return await threads.run(list, rows)

    return flows


async def test_yes_beside_what_is_held_makes_all_certain(threads, account, ask, flows):
    assert await ask(Exchange(paid("E-C", "1", 5), paid("E-D", "0", 5))) == [at(5)]

    assert await flows() == [(at(1), 10), (at(5), 10)]
    (market,) = await threads.run(paid_markets.of_held_events, account.pk)
    assert market == ("E-C", "E", True)
    # Told again it is nothing new.
    assert await ask(Exchange(paid("E-C", "1", 5))) == []
    assert await threads.run(EventDecision.objects.count) == 1


async def test_payout_that_is_corrected_takes_it_back(threads, account, ask, flows):
    await ask(Exchange(paid("E-C", "1", 5)))

    assert await ask(Exchange(paid("E-C", "0.30", 9))) == [at(9)]

    assert await flows() == [(at(1), 10), (at(5), 10), (at(9), -10)]
    (market,) = await threads.run(paid_markets.of_held_events, account.pk)
    assert not market.is_yes


@pytest.mark.parametrize(
    "told",
    [
        paid("E-C", "0", 5),
        paid("E-C", "0.99", 5),
        # One of scalar outcome whose value is not told.
        paid("E-C", None, 5),
        # Its own payout is among its settlements.
        paid("E-A", "1", 5),
    ],
)
async def test_any_other_outcome_decides_nothing(threads, ask, flows, told):
    assert await ask(Exchange(told)) == []

    assert await flows() == [(at(1), 10)]
    assert not await threads.run(EventDecision.objects.exists)


async def test_record_from_before_the_decision_that_comes_late_counts_before_it(
    threads, account, ask, flows
):
    await ask(Exchange(paid("E-C", "1", 5)))

    late = fill("late", "4", ticker="E-A", side="no", seconds=3)
    await threads.run(record, account, [late])
    assert await flows() == [(at(1), 10), (at(5), 14)]

    # One that comes after it is certain to pay at once.
    after = fill("after", "2", ticker="E-B", side="no", seconds=7)
    await threads.run(record, account, [after])
    assert await flows() == [(at(1), 10), (at(5), 14), (at(7), 2)]
    assert await threads.run(collateral_flows.rewrite, account.pk, "E") is None


@pytest.mark.parametrize("is_netting", [False, None])
async def test_nothing_is_asked_where_nothing_comes_back(threads, account, ask, is_netting):
    await threads.run(Followed.objects.update, is_netting=is_netting)
    exchange = Exchange(paid("E-C", "1", 5))

    assert await ask(exchange) == []
    assert not exchange.asked


async def test_exchange_that_does_not_answer_is_asked_again(ask, flows):
    exchange = Exchange(is_down=True)
    assert await ask(exchange) == []
    assert exchange.asked == ["E"]

    await ask(Exchange(paid("E-C", "1", 5)))

    assert sum(amount for _, amount in await flows()) == Decimal(20)
