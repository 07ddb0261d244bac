from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.matrix import EventMatrix, Held, Outcome, event_matrix, if_settled
from tests.told import holding


def held(ticker: str, quantity: str, exposure: str = "0", value: str | None = None, **rest) -> Held:
    return Held(
        ticker, holding(quantity, exposure, **rest), None if value is None else Decimal(value)
    )


def figures(matrix: EventMatrix) -> dict[str | None, tuple[str, str]]:
    return {each.outcome: (str(each.payout), str(each.net_pnl)) for each in matrix.outcomes}


def bounds(matrix: EventMatrix) -> tuple[Decimal, ...]:
    assert matrix.best
    assert matrix.worst
    return matrix.worst.payout, matrix.best.payout, matrix.worst.net_pnl, matrix.best.net_pnl


@pytest.mark.parametrize(
    ("quantity", "value", "payout", "net_pnl"),
    [
        ("10", 1, "10", "7.33"),  # 10 - 4 + 1.5 - 0.17
        ("10", 0, "0", "-2.67"),
        ("-10", 0, "10", "7.33"),
        ("-10", 1, "0", "-2.67"),
        ("10", Decimal("0.25"), "2.5", "-0.17"),
    ],
)
def test_one_market_by_itself(quantity, value, payout, net_pnl):
    outcome = if_settled(holding(quantity, "4", "1.5", "0.17"), Decimal(value))

    assert outcome == Outcome(None, Decimal(payout), Decimal(net_pnl))


def test_exclusive_event_has_an_outcome_for_each_market_held_and_one_for_none():
    matrix = event_matrix(
        [held("A", "10", "4"), held("B", "-5", "3"), held("C", "-2", "1")], is_exclusive=True
    )

    assert figures(matrix) == {
        "A": ("17", "9"),  # 10 YES, 5 and 2 NO; 8 paid
        "B": ("2", "-6"),  # C's NO alone
        "C": ("5", "-3"),
        "none_of_these": ("7", "-1"),
    }
    assert matrix.best
    assert matrix.best.outcome == "A"
    assert matrix.worst
    assert matrix.worst.outcome == "B"


@pytest.mark.parametrize("is_exclusive", [False, None])
def test_event_whose_markets_end_each_for_itself_has_bounds_only(is_exclusive):
    matrix = event_matrix([held("A", "10", "4"), held("B", "-5", "3")], is_exclusive=is_exclusive)

    assert matrix.outcomes == ()
    assert bounds(matrix) == (0, 15, -7, 8)
    assert matrix.best
    assert matrix.best.outcome is None


def test_market_that_has_won_leaves_no_other_outcome():
    matrix = event_matrix(
        [held("A", "10", "4", value="1"), held("B", "-5", "3")], is_exclusive=True
    )

    assert figures(matrix) == {"A": ("15", "8")}


def test_market_that_has_lost_is_no_outcome():
    matrix = event_matrix(
        [held("A", "10", "4", value="0"), held("B", "-5", "3")], is_exclusive=True
    )

    assert figures(matrix) == {"B": ("0", "-7"), "none_of_these": ("5", "-2")}


def test_market_that_won_and_is_paid_leaves_none_of_these():
    matrix = event_matrix([held("B", "-5", "3")], is_exclusive=True, has_yes_won=True)

    assert figures(matrix) == {"none_of_these": ("5", "2")}


def test_determined_value_is_no_bound_any_more():
    matrix = event_matrix(
        [held("A", "10", "4", value="0.3"), held("B", "-5", "3")], is_exclusive=False
    )

    assert bounds(matrix) == (3, 8, -4, 1)


def test_nothing_held_has_no_outcomes():
    assert event_matrix([], is_exclusive=True) == EventMatrix(True, (), None, None)


counts = st.integers(-500, 500).filter(bool)
shares = st.integers(0, 100)
events = st.lists(st.tuples(counts, shares), min_size=1, max_size=6)


def _paid(markets: list[Held], values: list[Decimal]) -> Decimal:
    return sum(
        (
            if_settled(each.holding, value).payout
            for each, value in zip(markets, values, strict=True)
        ),
        Decimal(0),
    )


@given(events)
def test_values_between_stay_inside_the_bounds_of_an_exclusive_event(event):
    markets = [held(f"M{number}", str(count)) for number, (count, _) in enumerate(event)]
    # Of a dollar together at most.
    whole = Decimal(max(sum(share for _, share in event), 100))
    values = [share / whole for _, share in event]
    matrix = event_matrix(markets, is_exclusive=True)

    least, most, *_ = bounds(matrix)

    a_hair = Decimal("1e-20")  # the shares are quotients
    assert least - a_hair <= _paid(markets, values) <= most + a_hair


@given(events)
def test_values_between_stay_inside_the_bounds_of_any_event(event):
    markets = [held(f"M{number}", str(count)) for number, (count, _) in enumerate(event)]
    values = [Decimal(share) / 100 for _, share in event]

    least, most, *_ = bounds(event_matrix(markets, is_exclusive=False))

    assert least <= _paid(markets, values) <= most


@given(events)
def test_exclusive_outcomes_are_within_the_bounds_of_what_may_end_as_it_likes(event):
    markets = [held(f"M{number}", str(count), "1") for number, (count, _) in enumerate(event)]
    exclusive = bounds(event_matrix(markets, is_exclusive=True))
    any_end = bounds(event_matrix(markets, is_exclusive=False))

    assert any_end[0] <= exclusive[0] <= exclusive[1] <= any_end[1]
    assert any_end[2] <= exclusive[2] <= exclusive[3] <= any_end[3]
