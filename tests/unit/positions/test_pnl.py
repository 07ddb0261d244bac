from dataclasses import asdict
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from positions import pnl
from positions.models import AccountStream, Position
from positions.pnl import Holding, Mark, MarketState, Quote
from tests.told import amount, holding, quote

ACTIVE = MarketState("active")
NOT_OPEN = ["initialized", "inactive", "closed", "a status yet unheard of"]
DETERMINED = ["determined", "disputed", "amended", "finalized"]
MARK_PRICES = ["bid", "mid", "last"]
WITHOUT_LAST = ["bid ask", "bid", "ask", ""]
WITH_LAST = ["bid ask last", "bid last", "ask last", "last"]


def quoted(what: str) -> Quote:
    """A quote of what is named: a bid of 0.40, an ask of 0.46, a last trade at 0.41."""
    named = what.split()
    return quote(
        "0.40" if "bid" in named else None,
        "0.46" if "ask" in named else None,
        "0.41" if "last" in named else None,
    )


def mark(text: str | None) -> Mark | None:
    """`"0.40 bid"` as a mark."""
    if text is None:
        return None
    value, source = text.split()
    return Mark(Decimal(value), source)


# NO's bid is 1 - 0.46 = 0.54, its last 1 - 0.41 = 0.59; the middle is 0.43, for NO 0.57.
@pytest.mark.parametrize(
    ("mark_price", "there", "yes", "no"),
    [
        ("bid", "bid ask last", "0.40 bid", "0.54 bid"),
        ("bid", "bid ask", "0.40 bid", "0.54 bid"),
        ("bid", "bid last", "0.40 bid", "0.59 last"),
        ("bid", "bid", "0.40 bid", None),
        ("bid", "ask last", "0.41 last", "0.54 bid"),
        ("bid", "ask", None, "0.54 bid"),
        ("bid", "last", "0.41 last", "0.59 last"),
        ("bid", "", None, None),
        ("mid", "bid ask last", "0.43 mid", "0.57 mid"),
        ("mid", "bid ask", "0.43 mid", "0.57 mid"),
        ("mid", "bid last", "0.40 bid", "0.59 last"),
        ("mid", "bid", "0.40 bid", None),
        ("mid", "ask last", "0.41 last", "0.54 bid"),
        ("mid", "ask", None, "0.54 bid"),
        ("mid", "last", "0.41 last", "0.59 last"),
        ("mid", "", None, None),
        ("last", "bid ask last", "0.41 last", "0.59 last"),
        ("last", "bid ask", "0.43 mid", "0.57 mid"),
        ("last", "bid last", "0.41 last", "0.59 last"),
        ("last", "bid", "0.40 bid", None),
        ("last", "ask last", "0.41 last", "0.59 last"),
        ("last", "ask", None, "0.54 bid"),
        ("last", "last", "0.41 last", "0.59 last"),
        ("last", "", None, None),
    ],
    ids=lambda value: value or "nothing",
)
def test_mark_of_an_active_market(mark_price, there, yes, no):
    yes_mark = pnl.mark_of("yes", quoted(there), ACTIVE, mark_price)
    no_mark = pnl.mark_of("no", quoted(there), ACTIVE, mark_price)

    assert yes_mark == mark(yes)
    assert no_mark == mark(no)


@pytest.mark.parametrize("there", WITH_LAST)
@pytest.mark.parametrize("mark_price", MARK_PRICES)
@pytest.mark.parametrize("status", NOT_OPEN)
@pytest.mark.parametrize(("side", "expected"), [("yes", "0.41 last"), ("no", "0.59 last")])
def test_market_that_is_not_open_is_marked_at_its_last_trade(
    side, expected, status, mark_price, there
):
    found = pnl.mark_of(side, quoted(there), MarketState(status), mark_price)

    assert found == mark(expected)


@pytest.mark.parametrize("there", WITHOUT_LAST)
@pytest.mark.parametrize("mark_price", MARK_PRICES)
@pytest.mark.parametrize("status", NOT_OPEN + DETERMINED)
@pytest.mark.parametrize("side", ["yes", "no"])
def test_market_that_is_not_open_and_never_traded_has_no_mark(side, status, mark_price, there):
    assert pnl.mark_of(side, quoted(there), MarketState(status), mark_price) is None


@pytest.mark.parametrize("there", WITH_LAST + WITHOUT_LAST)
@pytest.mark.parametrize("mark_price", MARK_PRICES)
@pytest.mark.parametrize("status", DETERMINED)
@pytest.mark.parametrize(
    ("side", "settlement_value", "expected"),
    [
        ("yes", "1", "1 settlement"),
        ("no", "1", "0 settlement"),
        ("yes", "0", "0 settlement"),
        ("no", "0", "1 settlement"),
        ("yes", "0.37", "0.37 settlement"),
        ("no", "0.37", "0.63 settlement"),
    ],
)
def test_determined_market_is_marked_at_its_settlement_value(
    side, settlement_value, expected, status, mark_price, there
):
    state = MarketState(status, Decimal(settlement_value))

    assert pnl.mark_of(side, quoted(there), state, mark_price) == mark(expected)


@pytest.mark.parametrize("mark_price", MARK_PRICES)
@pytest.mark.parametrize("status", DETERMINED)
def test_determined_market_without_a_value_yet_is_marked_at_its_last_trade(status, mark_price):
    found = pnl.mark_of("yes", quoted("bid ask last"), MarketState(status), mark_price)

    assert found == mark("0.41 last")


def test_status_yet_unheard_of_hides_no_value():
    state = MarketState("a status yet unheard of", Decimal(1))

    found = pnl.mark_of("yes", quoted("bid ask last"), state, "bid")

    assert found == mark("1 settlement")


@pytest.mark.parametrize("status", ["active", "closed"])
def test_settlement_value_of_a_market_not_determined_does_not_count(status):
    state = MarketState(status, Decimal(1))

    assert pnl.mark_of("yes", quoted("last"), state, "bid") == mark("0.41 last")


FIGURES = ["average_price", "market_value", "unrealized_pnl", "unrealized_pnl_percent", "net_pnl"]
FIGURES += ["break_even_price", "payout"]


@pytest.mark.parametrize(
    ("held", "quotes", "expected"),
    [
        # 2.50 / 3; 3 * 0.47 = 1.41; 1.41 - 2.50; -109 / 2.50; 0 - 1.09 - 0.0189;
        # (2.50 + 0.0189 - 0) / 3
        pytest.param(
            holding("3.00", "2.500000", "0", "0.018900"),
            quote("0.47", "0.51", "0.50"),
            ["0.833333", "1.41", "-1.09", "-43.6", "-1.1089", "0.839633", "3"],
            id="YES",
        ),
        # 9.125 / 12.5; NO's bid 1 - 0.27 = 0.73, 12.5 * 0.73 = 9.125; 0; 0 %;
        # -0.42 + 0 - 0.1725; (9.125 + 0.1725 + 0.42) / 12.5 = 9.7175 / 12.5
        pytest.param(
            holding("-12.50", "9.125000", "-0.420000", "0.172500"),
            quote("0.26", "0.27", "0.26"),
            ["0.73", "9.125", "0", "0", "-0.5925", "0.7774", "12.5"],
            id="NO, fractional",
        ),
        # 227.27 * 0.001; bid 0.0012: 227.27 * 0.0012 = 0.272724; 0.272724 - 0.22727 = 0.045454;
        # 4.5454 / 0.22727 = 20; 0.045454 - 0.01593; (0.22727 + 0.01593) / 227.27 = 0.00107009...
        pytest.param(
            holding("227.27", "0.227270", "0", "0.015930"),
            quote("0.0012", "0.0013", None),
            ["0.001", "0.272724", "0.045454", "20", "0.029524", "0.00107", "227.27"],
            id="below a cent",
        ),
        # Cost nothing, as when a gain was netted: no percent of 0; 2 * 0.40; 1.10 + 0.80 - 0.05;
        # (0 + 0.05 - 1.10) / 2
        pytest.param(
            holding("2.00", "0", "1.10", "0.05"),
            quote("0.40", None, None),
            ["0", "0.8", "0.8", None, "1.85", "-0.525", "2"],
            id="without exposure",
        ),
        # 4.00 / 10; (4.00 + 0.07 - 0) / 10
        pytest.param(
            holding("10.00", "4.00", "0", "0.07"),
            quote(None, None, None),
            ["0.4", None, None, None, None, "0.407", "10"],
            id="never quoted",
        ),
    ],
)
def test_figures_of_a_position(held, quotes, expected):
    figures = pnl.figures_of(held, quotes, ACTIVE, "bid")

    assert [getattr(figures, name) for name in FIGURES] == [amount(text) for text in expected]


@pytest.mark.parametrize(
    ("held", "settlement_value", "realized_pnl"),
    [
        # 0 + 10 * 1 - 4
        (holding("10", "4.00"), "1", "6"),
        (holding("10", "4.00"), "0", "-4"),
        # 1.50 + 10 * (1 - 0) - 7
        (holding("-10", "7.00", "1.50", "0.14"), "0", "4.5"),
        # 2.50 * (1 - 0.37) - 1.25 = 1.575 - 1.25
        (holding("-2.50", "1.25"), "0.37", "0.325"),
    ],
    ids=["YES wins", "YES loses", "NO wins after a gain", "NO of a scalar"],
)
def test_settled_holding_realized_its_payout_less_its_cost(held, settlement_value, realized_pnl):
    assert pnl.settled_pnl(held, Decimal(settlement_value)) == Decimal(realized_pnl)


def figured(held: Holding, quotes: Quote, state: MarketState = ACTIVE, mark_price: str = "bid"):
    return held, pnl.figures_of(held, quotes, state, mark_price)


def test_sums_leave_out_what_has_no_price():
    priced = figured(holding("10", "4.00", "1.00", "0.10"), quote("0.50", "0.55", None))
    unpriced = figured(holding("5", "2.00", "0.25", "0.05"), quote(None, None, None))

    sums = pnl.sums_of([priced, unpriced], "bid")

    assert sums.positions_value == Decimal("5.00")
    assert sums.unrealized_pnl == Decimal("1.00")
    # 1.00 of the 4.00 that has a price
    assert sums.unrealized_pnl_percent == Decimal(25)
    assert sums.exposure == Decimal("6.00")
    assert sums.realized_pnl == Decimal("1.25")
    assert sums.fees_paid == Decimal("0.15")
    assert (sums.position_count, sums.unpriced_count, sums.estimated_count) == (2, 1, 0)


@pytest.mark.parametrize(
    ("mark_price", "count", "value"),
    # Of 0.50 (bid), 0.41 (last, no bid), 0.41 (last, closed) and 1 (settled), by ten
    [("bid", 2, "8.20"), ("mid", 2, "8.20"), ("last", 0, "0")],
)
def test_estimated_is_what_rests_on_a_last_trade_though_more_was_asked_for(
    mark_price, count, value
):
    ten = holding("10", "4.00")
    positions = [
        figured(ten, quote("0.50", "0.55", None), ACTIVE, mark_price),
        figured(ten, quoted("ask last"), ACTIVE, mark_price),
        figured(ten, quoted("bid last"), MarketState("closed"), mark_price),
        figured(ten, quoted("last"), MarketState("finalized", Decimal(1)), mark_price),
    ]

    sums = pnl.sums_of(positions, mark_price)

    assert (sums.estimated_count, sums.estimated_value) == (count, Decimal(value))
    assert sums.unpriced_count == 0


def test_nothing_held_sums_to_zero_without_a_percentage():
    sums = pnl.sums_of([], "bid")

    assert sums.positions_value == 0
    assert sums.exposure == 0
    assert sums.unrealized_pnl == 0
    assert sums.unrealized_pnl_percent is None
    assert sums.position_count == 0


# The wire's range: twelve digits before the point, six decimals of money, two of counts.
PRICES = st.decimals(0, 1, places=6)
COUNTS = st.decimals("0.01", "999999999999.99", places=2)
MONEY = st.decimals(0, "999999999999.999999", places=6)
SIGNED_MONEY = st.decimals("-999999999999.999999", "999999999999.999999", places=6)
HOLDINGS = st.builds(Holding, COUNTS | COUNTS.map(lambda count: -count), MONEY, SIGNED_MONEY, MONEY)
QUOTES = st.builds(Quote, st.none() | PRICES, st.none() | PRICES, st.none() | PRICES)
STATES = st.builds(
    MarketState, st.sampled_from(["active", "closed", "finalized"]), st.none() | PRICES
)
POSITIONS = st.builds(figured, HOLDINGS, QUOTES, STATES, st.sampled_from(MARK_PRICES))


@given(COUNTS, PRICES, PRICES)
def test_two_sides_of_one_trade_sum_to_zero_at_any_mark(count, price, value):
    state = MarketState("finalized", value)

    yes = pnl.figures_of(Holding(count, count * price, *[pnl.ZERO] * 2), Quote(), state, "bid")
    no = pnl.figures_of(
        Holding(-count, count * (1 - price), *[pnl.ZERO] * 2), Quote(), state, "bid"
    )

    assert yes.unrealized_pnl + no.unrealized_pnl == 0


@given(HOLDINGS, QUOTES, STATES, st.sampled_from(MARK_PRICES))
def test_market_value_less_exposure_is_unrealized(held, quotes, state, mark_price):
    figures = pnl.figures_of(held, quotes, state, mark_price)

    assert (figures.mark is None) is (figures.market_value is None)
    assert (figures.mark is None) is (figures.unrealized_pnl is None)
    assert figures.mark is None or Fraction(figures.market_value) - Fraction(
        held.exposure
    ) == Fraction(figures.unrealized_pnl)


@given(st.lists(POSITIONS, max_size=5), st.lists(POSITIONS, max_size=5))
def test_sums_of_parts_add_up_to_the_sums_of_the_whole(some, others):
    whole = asdict(pnl.sums_of(some + others, "bid"))
    parts = asdict(pnl.sums_of(some, "bid")), asdict(pnl.sums_of(others, "bid"))

    del whole["unrealized_pnl_percent"]
    assert whole == {name: parts[0][name] + parts[1][name] for name in whole}


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.none() | POSITIONS), max_size=20))
def test_sums_kept_are_those_of_what_is_left(steps):
    kept, left = pnl.RunningSums("bid"), {}
    for ticker, counted in steps:
        if counted:
            kept.count(ticker, *counted)
            left[ticker] = counted
        else:
            kept.drop(ticker)
            left.pop(ticker, None)

    assert kept.sums == pnl.sums_of(left.values(), "bid")


def test_percentage_of_the_sums_is_of_all_positions_together():
    # 10 of 20 and -5 of 80: 5 % of 100, not the 21.875 % of the two percentages' middle
    rise = figured(holding("60", "20"), quote("0.50", None, None))
    fall = figured(holding("150", "80"), quote("0.50", None, None))

    sums = pnl.sums_of([rise, fall], "bid")

    assert sums.unrealized_pnl_percent == Decimal(5)


@given(POSITIONS)
def test_figures_of_all_that_the_wire_can_say_fit_their_columns(position):
    held, figures = position
    told = asdict(held) | asdict(figures)
    told["mark"] = figures.mark and figures.mark.value

    for name, value in told.items():
        Position._meta.get_field(name).run_validators(value)


@given(st.lists(POSITIONS, min_size=1, max_size=20))
def test_sums_of_all_that_the_wire_can_say_fit_their_columns(positions):
    for name, value in asdict(pnl.sums_of(positions, "bid")).items():
        AccountStream._meta.get_field(name).run_validators(value)
