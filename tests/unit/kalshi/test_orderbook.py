from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi.errors import DecodeError
from kalshi.orderbook import Level, OrderBook

levels = st.tuples(
    st.decimals(0, 1, places=4).map("{:f}".format), st.decimals(0, 999, places=2).map("{:f}".format)
).map(list)


def told(**ladders):
    return {"orderbook_fp": ladders}


def test_best_price_of_each_side_comes_first(answers):
    book = OrderBook.decode(answers["orderbook"])

    prices = [f"{level.price}" for level in book.yes_bids]
    assert prices == ["0.8900", "0.8800", "0.8500"]
    assert book.no_bids[0] == Level(Decimal("0.0600"), Decimal("641.00"))


@pytest.mark.parametrize("ladders", [{}, {"yes_dollars": None, "no_dollars": None}], ids=str)
def test_side_without_a_ladder_is_empty(ladders):
    assert OrderBook.decode(told(**ladders)) == OrderBook((), ())


def test_level_without_contracts_is_none():
    book = OrderBook.decode(told(yes_dollars=[["0.4700", "0.00"], ["0.4600", "0.01"]]))

    assert book.yes_bids == (Level(Decimal("0.4600"), Decimal("0.01")),)


@pytest.mark.parametrize(
    "level",
    [
        None,
        "0.47",
        [],
        ["0.4700"],
        ["0.4700", "1.00", "2.00"],
        {"price": "0.4700"},
        [47, 3],
        ["0.4700", 3],
        ["0.4700", "-1.00"],
        ["1.0001", "1.00"],
        ["-0.0100", "1.00"],
    ],
    ids=repr,
)
def test_level_that_cannot_be_understood_costs_the_book(level):
    with pytest.raises(DecodeError, match="order book: a level is"):
        OrderBook.decode(told(yes_dollars=[["0.4600", "1.00"], level]))


@pytest.mark.parametrize("answer", [{}, {"orderbook": {}}, {"orderbook_fp": None}], ids=str)
def test_answer_without_a_book_is_not_an_empty_one(answer):
    with pytest.raises(DecodeError, match="order book is not a JSON object"):
        OrderBook.decode(answer)


@given(st.lists(levels), st.randoms())
def test_order_of_the_levels_changes_no_price(ladder, random):
    shuffled = random.sample(ladder, len(ladder))

    ours = OrderBook.decode(told(no_dollars=ladder)).no_bids
    theirs = OrderBook.decode(told(no_dollars=shuffled)).no_bids

    prices = [level.price for level in ours]
    assert prices == [level.price for level in theirs] == sorted(prices, reverse=True)
    assert sum(level.count for level in ours) == sum(Decimal(count) for _, count in ladder)
