"""Markets that REST tells of late."""

import asyncio

import pytest

from kalshi.resources import Market
from kalshi.rows import Rows
from streaming.worker import market_answers
from streaming.worker.market_answers import MarketAnswers
from tests.told import market
from tests.waiting import until

MARKET = Market.decode({"ticker": "A", "event_ticker": "E", "status": "active"})


class Rest:
    """Answers when it may."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.may_answer = asyncio.Event()

    async def markets(self, tickers: list[str]) -> Rows[Market]:
        self.asked.append(tickers)
        await self.may_answer.wait()
        return Rows([MARKET])


@pytest.fixture
def late() -> asyncio.Event:
    """Set when an answer came late."""
    return asyncio.Event()


@pytest.fixture
async def rest() -> Rest:
    return Rest()


@pytest.fixture
def answers(rest, late, monkeypatch) -> MarketAnswers:
    monkeypatch.setattr(market_answers, "HELP_SECONDS", 0.05)
    return MarketAnswers(rest, late.set)


async def test_answer_that_comes_soon_is_waited_for(answers, rest, monkeypatch):
    monkeypatch.setattr(market_answers, "HELP_SECONDS", 60.0)
    rest.may_answer.set()

    first = await answers.read({"A", "B"}, {})
    second = await answers.read({"A"}, {})

    assert first.read.known["A"][1].status == "active"
    assert first.read.missing == {"B"}
    assert (first.is_first, second.is_first) == (True, False)
    assert answers.take_late() == []


async def test_while_it_is_waited_for_what_is_new_is_known_by_its_ticker(answers, rest, late):
    facts = market("A")[0]

    told = await answers.read({"A", "B"}, {"A": facts})

    assert told.read.missing == {"A", "B"}
    assert told.read.known.keys() == {"B"}
    assert told.read.known["B"][1].status == "unknown"
    # What was known is not to be forgotten for it.
    assert not told.is_first
    rest.may_answer.set()
    await until(late.is_set)
    (came,) = answers.take_late()
    assert came.read.known["A"][1].status == "active"
    assert came.is_first
    assert came.requested_at == pytest.approx(told.requested_at)
    assert answers.take_late() == []


async def test_older_answer_is_taken_before_a_newer_one_is_asked_for(answers, rest, late):
    await answers.read({"A"}, {})
    await answers.read({"B"}, {})
    rest.may_answer.set()
    await until(late.is_set)
    untaken = await answers.read({"C"}, {})

    answers.take_late()
    taken = await answers.read({"A"}, {})

    assert rest.asked == [["A"], ["A"]]
    assert untaken.read.missing == {"C"}
    assert taken.read.missing == set()


async def test_one_that_is_stopped_tells_nothing_more(answers, rest, late):
    await answers.read({"A"}, {})

    answers.stop()
    rest.may_answer.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert not late.is_set()
