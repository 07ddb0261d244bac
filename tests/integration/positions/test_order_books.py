"""Order books that a worker reads for who has no key."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kalshi.orderbook import Level, OrderBook
from positions import order_books
from positions.order_books import Question, ReadBook, Silent
from postgres.channels import BOOK_READ
from postgres.notifications import publish
from tests.integration.book_worker import answering
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 8, 7, 12, tzinfo=UTC)
BOOK = OrderBook((Level(Decimal("0.5512"), Decimal("3.50")),), ())

LEVELS = st.lists(
    st.builds(
        Level,
        st.decimals(0, 1, places=4),
        st.decimals("0.01", "999999999.99", places=2),
    ),
    max_size=99,
).map(tuple)


@pytest.fixture
def question() -> Question:
    return Question.new(7, "M:A")


def ask(question: Question, seconds: float = PATIENCE_SECONDS) -> ReadBook | None:
    return asyncio.run(order_books.ask(question, seconds))


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LEVELS, LEVELS, st.datetimes(timezones=st.just(UTC)))
def test_book_is_what_the_worker_read_to_the_last_digit(question, yes, no, as_of):
    read = ReadBook(OrderBook(yes, no), as_of)

    with answering(lambda asked: order_books.answer(asked, read)) as questions:
        assert ask(question) == read

    assert questions == [question]


def test_worker_that_can_not_read_it_says_so(question):
    with answering(lambda asked: order_books.answer(asked, None)):
        assert ask(question) is None


def test_book_too_long_to_be_announced_is_none(question):
    prices = [Decimal(number).scaleb(-4) for number in range(10_000)]
    levels = tuple(Level(price, Decimal("123456.78")) for price in prices)
    read = ReadBook(OrderBook(levels, levels), NOON)

    with answering(lambda asked: order_books.answer(asked, read)):
        assert ask(question) is None


def test_silent_worker_is_not_waited_for(question):
    with answering() as questions, pytest.raises(Silent):
        ask(question, seconds=1)

    assert questions in ([], [question])


def test_answers_to_others_are_not_ours(question):
    other = replace(question, id="another")
    read = ReadBook(BOOK, NOON)

    with answering(
        lambda _: order_books.answer(other, None),
        lambda _: order_books.answer(other, ReadBook(OrderBook((), ()), NOON)),
        lambda asked: order_books.answer(asked, read),
    ):
        assert ask(question) == read


@pytest.mark.parametrize("told", ["", "{}", "now||", "2026-08-07T12:00:00+00:00|0.5|", "|x x|"])
def test_answer_of_another_release_is_no_book(question, told):
    with answering(lambda asked: publish(BOOK_READ, f"{asked.id}:{told}")):
        assert ask(question) is None
