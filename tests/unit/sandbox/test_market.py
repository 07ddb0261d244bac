from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.grid import (
    CENTER_DECI_EDGE_CENTI_CENT,
    DECI_CENT,
    LINEAR_CENT,
    TAPERED_DECI_CENT,
    PriceGrid,
)
from sandbox.market import EMPTY_BOOK, NEVER_QUOTED, Quote, check_quote, walk

GRIDS = [LINEAR_CENT, DECI_CENT, TAPERED_DECI_CENT, CENTER_DECI_EDGE_CENTI_CENT]
grids = st.sampled_from(GRIDS)


@st.composite
def quotes_on(draw: st.DrawFn, grid: PriceGrid) -> Quote:
    top = len(grid.prices) - 1
    bid = draw(st.integers(0, top - 1))
    ask = draw(st.integers(bid + 1, top))
    return Quote(grid.prices[bid], Decimal(1), grid.prices[ask], Decimal(1))


@pytest.mark.parametrize(
    ("grid", "count"),
    [
        (LINEAR_CENT, 99),
        (DECI_CENT, 999),
        # 0.001 to 0.099, 0.10 to 0.90, 0.901 to 0.999: 99 + 81 + 99
        (TAPERED_DECI_CENT, 279),
        # 0.0001 to 0.0099, 0.010 to 0.990, 0.9901 to 0.9999: 99 + 981 + 99
        (CENTER_DECI_EDGE_CENTI_CENT, 1179),
    ],
    ids=lambda case: getattr(case, "structure", None),
)
def test_grid_has_every_price_between_nothing_and_a_dollar(grid: PriceGrid, count: int) -> None:
    prices = grid.prices

    assert len(prices) == count
    assert prices[0] > 0
    assert prices[-1] < 1


def test_price_between_two_ticks_is_not_on_the_grid() -> None:
    with pytest.raises(ValueError, match=r"0\.125 is not a price of linear_cent"):
        LINEAR_CENT.index(Decimal("0.125"))


@given(data=st.data(), grid=grids, seed=st.integers())
def test_walk_stays_on_the_grid_and_never_crosses(
    data: st.DataObject, grid: PriceGrid, seed: int
) -> None:
    quote = data.draw(quotes_on(grid))

    walked = walk(quote, grid, Random(seed))

    assert 0 < walked.yes_bid < walked.yes_ask < 1
    assert {walked.yes_bid, walked.yes_ask} <= set(grid.prices)
    assert walked.yes_bid_size > 0
    assert walked.yes_ask_size > 0


@given(data=st.data(), grid=grids, seed=st.integers())
def test_walk_changes_something(data: st.DataObject, grid: PriceGrid, seed: int) -> None:
    quote = data.draw(quotes_on(grid))

    assert walk(quote, grid, Random(seed)) != quote


@given(data=st.data(), grid=grids, seed=st.integers())
def test_empty_side_stays_empty(data: st.DataObject, grid: PriceGrid, seed: int) -> None:
    quote = data.draw(quotes_on(grid))
    no_bid = Quote(Decimal(0), Decimal(0), quote.yes_ask, quote.yes_ask_size)
    no_ask = Quote(quote.yes_bid, quote.yes_bid_size, Decimal(1), Decimal(0))

    without_bid = walk(no_bid, grid, Random(seed))
    without_ask = walk(no_ask, grid, Random(seed))

    assert (without_bid.yes_bid, without_bid.yes_bid_size) == (0, 0)
    assert without_bid.yes_ask in grid.prices
    assert (without_ask.yes_ask, without_ask.yes_ask_size) == (1, 0)
    assert without_ask.yes_bid in grid.prices


@pytest.mark.parametrize("quote", [EMPTY_BOOK, NEVER_QUOTED], ids=["empty", "never quoted"])
def test_market_without_any_quote_does_not_move(quote: Quote) -> None:
    assert walk(quote, LINEAR_CENT, Random(1)) == quote


def test_crossing_quote_is_refused() -> None:
    crossing = Quote(Decimal("0.50"), Decimal(1), Decimal("0.50"), Decimal(1))

    with pytest.raises(ValueError, match="crosses"):
        check_quote(crossing, LINEAR_CENT)
