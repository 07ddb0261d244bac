from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.grid import CENTER_DECI_EDGE_CENTI_CENT, DECI_CENT, LINEAR_CENT, TAPERED_DECI_CENT
from sandbox.listing import Market
from sandbox.market import EMPTY_BOOK, NEVER_QUOTED, Quote
from sandbox.orderbook import orderbook
from tests.unit.sandbox.conftest import NOW, market


def quoted(quote: Quote) -> Market:
    listed = market("KXGAME-1-A")
    listed.tape = listed.tape.quoted(quote, NOW)
    return listed


@given(
    st.sampled_from([LINEAR_CENT, DECI_CENT, TAPERED_DECI_CENT, CENTER_DECI_EDGE_CENTI_CENT]),
    st.data(),
)
def test_best_levels_are_the_quote_and_the_others_worse_prices_of_the_grid(
    grid: object, data: st.DataObject
) -> None:
    listed = market("KXGAME-1-A")
    listed.grid = grid  # type: ignore[assignment]
    bid = data.draw(st.integers(0, len(listed.grid.prices) - 2))
    ask = data.draw(st.integers(bid + 1, len(listed.grid.prices) - 1))
    quote = Quote(listed.grid.prices[bid], Decimal(3), listed.grid.prices[ask], Decimal("4.50"))
    listed.tape = listed.tape.quoted(quote, NOW)

    book = orderbook(listed)

    assert (book.yes[-1].price, book.yes[-1].count) == (quote.yes_bid, 3)
    assert (book.no[-1].price, book.no[-1].count) == (1 - quote.yes_ask, Decimal("4.50"))
    for levels in (book.yes, book.no):
        prices = [level.price for level in levels]
        assert prices == sorted(set(prices))
        assert all(level.count > 0 for level in levels)
    assert {level.price for level in book.yes} <= set(listed.grid.prices)
    assert {1 - level.price for level in book.no} <= set(listed.grid.prices)


def test_book_stays_while_its_quote_does() -> None:
    quote = Quote(Decimal("0.47"), Decimal(10), Decimal("0.53"), Decimal(20))

    book = orderbook(quoted(quote))

    assert orderbook(quoted(quote)) == book
    assert len(book.yes) > 3
    assert len(book.no) > 3


def test_side_that_moves_leaves_the_other_as_it_was() -> None:
    before = orderbook(quoted(Quote(Decimal("0.47"), Decimal(1), Decimal("0.53"), Decimal(1))))
    after = orderbook(quoted(Quote(Decimal("0.41"), Decimal(1), Decimal("0.53"), Decimal(1))))

    assert after.no == before.no
    assert after.yes != before.yes


def test_depth_is_that_of_the_best_levels() -> None:
    listed = market("KXGAME-1-A")

    assert orderbook(listed, 2).yes == orderbook(listed).yes[-2:]
    assert orderbook(listed, 2).no == orderbook(listed).no[-2:]


@pytest.mark.parametrize("quote", [EMPTY_BOOK, NEVER_QUOTED], ids=["empty", "never quoted"])
def test_side_that_is_not_there_has_no_levels(quote: Quote) -> None:
    book = orderbook(quoted(quote))

    assert (book.yes, book.no) == ((), ())
