"""Selling a whole position to the bids of a book."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi.orderbook import Level, OrderBook
from kalshi.resources import Event, Series
from ledger.selling import FeeTerms, Sale, fee_terms, sale

D = Decimal
BOOK = OrderBook(
    yes_bids=(Level(D("0.55"), D(10)), Level(D("0.54"), D(20)), Level(D("0.50"), D(100))),
    no_bids=(Level(D("0.42"), D("7.5")), Level(D("0.001"), D("227.27"))),
)
ONE = FeeTerms(D(1))
SERIES = Series("KX", "A title", "", "", "quadratic", D(1))
EVENT = Event("KX-1", "KX", "A title", "", None, "")


def test_yes_goes_to_the_best_bids_first():
    # 10 × 0.55 + 15 × 0.54 = 13.60; fees ↑(0.07 × 10 × 0.55 × 0.45 = 0.17325) = 0.1733 and
    # ↑(0.07 × 15 × 0.54 × 0.46 = 0.26082) = 0.2609
    assert sale(D(25), BOOK, ONE) == Sale(
        count=D(25),
        average_price=D("0.544"),
        worst_price=D("0.54"),
        fee=D("0.4342"),
        cash_flow=D("13.1658"),
        left=D(0),
    )


def test_no_goes_to_the_bids_for_no_and_what_nobody_bids_for_is_left():
    # 7.5 × 0.42 + 227.27 × 0.001 = 3.37727; ↑0.12789 = 0.1279 and ↑0.0158929 = 0.0159
    assert sale(D(-240), BOOK, ONE) == Sale(
        count=D("234.77"),
        average_price=D("0.014385"),
        worst_price=D("0.001"),
        fee=D("0.1438"),
        cash_flow=D("3.23347"),
        left=D("5.23"),
    )


@pytest.mark.parametrize("quantity", [D(5), D(-5), D(0)])
def test_without_bids_nothing_is_sold(quantity):
    found = sale(quantity, OrderBook((), ()), ONE)

    assert found == Sale(D(0), None, None, D(0), D(0), left=abs(quantity))


def test_multiplier_changes_the_fee_and_one_is_taken_where_none_is_known():
    # ↑(0.035 × 10 × 0.55 × 0.45 = 0.086625)
    assert sale(D(10), BOOK, FeeTerms(D("0.5"))).fee == D("0.0867")
    assert sale(D(10), BOOK, FeeTerms(None)) == sale(D(10), BOOK, ONE)


def test_fee_of_another_formula_is_not_known():
    found = sale(D(10), BOOK, FeeTerms(D(1), has_formula=False))

    assert (found.fee, found.cash_flow, found.average_price) == (None, None, D("0.55"))


@pytest.mark.parametrize(
    ("series", "event", "terms"),
    [
        (None, None, FeeTerms(None)),
        (None, EVENT, FeeTerms(None)),
        (SERIES, None, FeeTerms(D(1))),
        (replace(SERIES, fee_multiplier=D("0.5")), EVENT, FeeTerms(D("0.5"))),
        (SERIES, replace(EVENT, fee_multiplier_override=D(2)), FeeTerms(D(2))),
        (SERIES, replace(EVENT, fee_multiplier_override=D(0)), FeeTerms(D(0))),
        (replace(SERIES, fee_type="quadratic_with_maker_fees"), EVENT, FeeTerms(D(1))),
        (replace(SERIES, fee_type="flat"), EVENT, FeeTerms(D(1), has_formula=False)),
        (SERIES, replace(EVENT, fee_type_override="flat"), FeeTerms(D(1), has_formula=False)),
        (replace(SERIES, fee_type="flat"), replace(EVENT, fee_type_override="quadratic"), ONE),
        (replace(SERIES, fee_multiplier=D("-1")), EVENT, FeeTerms(None)),
        (replace(SERIES, fee_multiplier=D("1e300")), EVENT, FeeTerms(None)),
    ],
    ids=str,
)
def test_event_goes_before_its_series(series, event, terms):
    assert fee_terms(series, event) == terms


counts = st.decimals("0.01", 100_000, places=2)
ladders = st.lists(
    st.builds(Level, st.decimals("0.001", "0.999", places=3), counts), max_size=8
).map(lambda levels: tuple(sorted(levels, key=lambda level: level.price, reverse=True)))


@given(count=counts, bids=ladders)
def test_sides_of_one_book_sell_alike(count, bids):
    assert sale(count, OrderBook(bids, ()), ONE) == sale(-count, OrderBook((), bids), ONE)


@given(count=counts, bids=ladders)
def test_sale_adds_up_and_gets_no_better_than_the_best_bid(count, bids):
    found = sale(count, OrderBook(bids, ()), ONE)

    assert found.count + found.left == count
    assert found.left == max(D(0), count - sum(level.count for level in bids))
    if found.count:
        assert found.worst_price <= found.average_price <= bids[0].price
        gross = found.cash_flow + found.fee
        assert found.worst_price * found.count <= gross <= bids[0].price * found.count


@given(count=counts, more=counts, bids=ladders)
def test_larger_position_fetches_no_better_price(count, more, bids):
    book = OrderBook(bids, ())
    few, many = sale(count, book, ONE), sale(count + more, book, ONE)

    assert many.count >= few.count
    assert not few.count or many.average_price <= few.average_price
