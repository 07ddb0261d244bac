"""Events that a market decides which the account does not hold, as its markets tell."""

import asyncio
from decimal import Decimal

import pytest
from django.db import OperationalError

from accounts.models import Account
from kalshi.errors import KalshiError, Unavailable
from kalshi.resources import Market
from kalshi.rows import Rows
from ledger import collateral_flows, deciding, paid_markets
from ledger.deciding import Deciding
from ledger.models import CollateralFlow, EventDecision, Followed
from tests.integration.ledger.holders import hold_event
from tests.integration.ledger.rows import fill, record, settlement
from tests.told import at

pytestmark = pytest.mark.django_db(transaction=True)


class Exchange:
    """Tells which markets of an event are settled, and keeps which events it was asked for."""

    def __init__(self, *settled: Market, is_down: bool = False) -> None:
        self._settled = settled
        self.is_down = is_down
        self.is_silent = False
        self.asked: list[str] = []

    async def markets_of_event(self, event_ticker, *, only_settled) -> Rows[Market]:
        assert only_settled
        self.asked.append(event_ticker)
        if self.is_silent:
            await asyncio.Event().wait()
        if self.is_down:
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
        looking = Deciding(exchange, account.pk, threads, if_possible)
        return [at async for at in looking.look()]

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
    (decided,) = await threads.run(paid_markets.beside_held, account.pk)
    assert decided == (("E-C", "E", True), at(5))
    # Told again it is nothing new.
    assert await ask(Exchange(paid("E-C", "1", 5))) == []
    assert await threads.run(EventDecision.objects.count) == 1


async def test_payout_that_is_corrected_takes_it_back(threads, account, ask, flows):
    await ask(Exchange(paid("E-C", "1", 5)))

    assert await ask(Exchange(paid("E-C", "0.30", 9))) == [at(9)]

    assert await flows() == [(at(1), 10), (at(5), 10), (at(9), -10)]
    ((market, _),) = await threads.run(paid_markets.beside_held, account.pk)
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


async def test_market_that_was_sold_before_it_paid_decides_its_event(threads, account, ask, flows):
    both = [
        fill("in", ticker="E-C", side="yes", seconds=2),
        fill("out", ticker="E-C", side="no", price="0.60", seconds=3),
    ]
    await threads.run(record, account, both)

    assert await ask(Exchange(paid("E-C", "1", 5))) == [at(5)]

    assert await flows() == [(at(1), 10), (at(5), 10)]


async def test_own_payout_counts_once_it_is_recorded(threads, account, ask, flows):
    # The records of the account do not reach back so far yet.
    await ask(Exchange(paid("E-C", "1", 5)))
    bought = fill("in", ticker="E-C", side="yes", seconds=2)
    await threads.run(record, account, [bought, settlement("E-C", seconds=5)])
    assert await threads.run(paid_markets.beside_held, account.pk) == []

    corrected = settlement("E-C", result="no", value="0", revenue="0", seconds=9)
    await threads.run(record, account, [corrected])

    # A flow for each of the two: what its payout brought back is taken again.
    assert await flows() == [(at(1), 10), (at(5), 10), (at(9), -10)]
    assert await ask(Exchange(paid("E-C", "1", 5))) == []


async def test_correction_that_keeps_the_time_of_what_it_corrects(threads, account, ask):
    await ask(Exchange(paid("E-C", "1", 5)))

    (changed,) = await ask(Exchange(paid("E-C", "0", 5)))

    assert changed > at(5)
    ((market, _),) = await threads.run(paid_markets.beside_held, account.pk)
    assert not market.is_yes


async def test_flows_that_failed_to_be_reckoned_are_the_next_time(threads, ask, flows, monkeypatch):
    def fail(*_):
        raise OperationalError("a lock took too long")

    with monkeypatch.context() as while_it_fails:
        while_it_fails.setattr(collateral_flows, "rewrite", fail)
        with pytest.raises(OperationalError):
            await ask(Exchange(paid("E-C", "1", 5)))

    assert await ask(Exchange(paid("E-C", "1", 5))) == [at(5)]
    assert await flows() == [(at(1), 10), (at(5), 10)]


async def test_many_events_are_asked_a_few_at_a_time_and_not_beyond_the_first_silence(
    threads, account, monkeypatch
):
    names = [f"E{number:02}" for number in range(20)]
    monkeypatch.setattr(deciding, "_events", lambda account_id: names)
    exchange = Exchange()
    looking = Deciding(exchange, account.pk, threads, if_possible)

    exchange.is_down = True
    assert [at async for at in looking.look()] == []
    assert exchange.asked == names[:8]

    # It goes on where it stopped, and comes round to the first.
    exchange.is_down, exchange.asked = False, []
    assert [at async for at in looking.look()] == []
    assert exchange.asked == [*names[8:], *names[:8]]


async def test_time_is_bounded(threads, account, monkeypatch):
    monkeypatch.setattr(deciding, "_events", lambda account_id: ["E1", "E2"])
    monkeypatch.setattr(deciding, "_SECONDS", 0.05)
    exchange = Exchange()
    exchange.is_silent = True

    async with asyncio.timeout(5):
        looking = Deciding(exchange, account.pk, threads, if_possible)
        assert [at async for at in looking.look()] == []


async def test_decision_is_told_while_nothing_follows_from_records_yet(threads, transactional_db):
    account = await threads.run(hold_event)
    looking = Deciding(Exchange(paid("E-C", "1", 5)), account.pk, threads, if_possible)

    assert [at async for at in looking.look()] == [at(5)]


async def test_outcome_without_a_time_is_of_when_it_was_noticed(threads, account):
    told = Market.decode({"ticker": "E-C", "status": "finalized", "result": "yes"})
    looking = Deciding(Exchange(told), account.pk, threads, if_possible)

    assert [at async for at in looking.look(at(30))] == [at(30)]


async def test_events_that_have_answered_are_not_asked_for_news(threads, account, monkeypatch):
    names = ["E1"]
    monkeypatch.setattr(deciding, "_events", lambda account_id: names)
    exchange = Exchange()
    looking = Deciding(exchange, account.pk, threads, if_possible)

    for more in ([], [], ["E2"]):
        names += more
        assert [at async for at in looking.look(only_new=True)] == []

    assert exchange.asked == ["E1", "E2"]
