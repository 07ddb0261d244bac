"""Order books that the worker reads with an account's key, for who has none."""

import asyncio
from decimal import Decimal

import pytest

from positions import order_books
from positions.order_books import Question
from sandbox.faults import FailedAnswer, Latency
from streaming.worker import book_reads
from tests.integration.streaming import rows
from tests.integration.streaming.conftest import feeding
from tests.waiting import PATIENCE_SECONDS


@pytest.fixture
async def live(database, alice, credential, start_feed, own_connection, monkeypatch):
    """Her feed, live; what it says of order books is heard. A busy machine may let it wait."""
    monkeypatch.setattr(book_reads, "READ_SECONDS", PATIENCE_SECONDS)
    feed = await start_feed(alice)
    await database.until(lambda: rows.stream_of(alice).status == "live")
    own_connection.execute("LISTEN book_read")
    return feed


@pytest.fixture
def question(alice, tickers) -> Question:
    """The order book of a market that she holds."""
    return Question.new(alice, tickers[0])


async def answers(own_connection, count: int = 1) -> list[str]:
    """What was announced of order books, once so much was."""

    def heard() -> list[str]:
        notifications = own_connection.notifies(timeout=PATIENCE_SECONDS, stop_after=count)
        return [each.payload for each in notifications]

    return await asyncio.to_thread(heard)


def path(question: Question) -> str:
    return f"/markets/{question.ticker}/orderbook"


async def test_book_is_read_with_the_key_and_announced(question, live, sandbox, own_connection):
    live.read_book(question)

    (heard,) = await answers(own_connection)

    question_id, _, told = heard.partition(":")
    book = order_books._decoded(told).book
    quote = sandbox.exchange.markets[question.ticker].tape.quote
    assert question_id == question.id
    assert book.yes_bids[0].price == quote.yes_bid
    assert book.no_bids[0].price == 1 - quote.yes_ask


@pytest.mark.parametrize("fault", ["refused", "slow"])
async def test_book_that_can_not_be_read_costs_the_account_nothing(
    question, live, sandbox, own_connection, database, alice, monkeypatch, fault
):
    if fault == "refused":
        sandbox.faults.answers.append(FailedAnswer(401, path=path(question)))
    else:
        monkeypatch.setattr(book_reads, "READ_SECONDS", 0.3)
        sandbox.faults.path_latencies[path(question)] = Latency(120)
    live.read_book(question)

    assert await answers(own_connection) == [f"{question.id}:"]
    sandbox.set_quote(question.ticker, Decimal("0.21"), Decimal("0.24"))
    await database.until(lambda: rows.bids(alice)[question.ticker] == Decimal("0.21"))
    stream = await database.run(rows.stream_of, alice)
    assert (stream.status, stream.attempt) == ("live", 0)


async def test_no_more_than_two_books_of_an_account_are_read_at_once(
    question, live, sandbox, own_connection
):
    sandbox.faults.path_latencies[path(question)] = Latency(120)
    for _ in range(book_reads.MOST_READS):
        live.read_book(Question.new(question.account_id, question.ticker))

    live.read_book(question)

    assert await answers(own_connection) == [f"{question.id}:"]


async def test_feed_that_ends_leaves_no_read_behind(database, alice, credential, sandbox, question):
    sandbox.faults.path_latencies[path(question)] = Latency(120)
    async with feeding(alice) as (feed, _):
        await database.until(lambda: rows.stream_of(alice).status == "live")
        feed.read_book(question)
        (read,) = feed._book_reads._tasks

    assert read.cancelled()
