from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.days import Day, Part, Point, Records, added, baseline, day_between

START = datetime(2026, 11, 23, 5, tzinfo=UTC)  # midnight in New York
ZERO = Decimal(0)


def point(minutes: float, value: str = "100", nets: dict | None = None) -> Point:
    figures = {
        ticker: None if net is None else Decimal(net) for ticker, net in (nets or {}).items()
    }
    return Point(START + timedelta(minutes=minutes), Decimal(value), figures)


def flat(locked_in: str | None) -> Records:
    return Records(None if locked_in is None else Decimal(locked_in))


def parts(day: Day) -> dict:
    return {part.ticker: part.amount for part in day.parts}


@pytest.mark.parametrize(
    ("before", "first", "chosen"),
    [
        (point(-1), point(0.5), -1),
        (point(-15), point(0.5), -15),
        (point(-15.1), point(0.5), 0.5),
        (None, point(540), 540),
        (point(-1), None, -1),
    ],
    ids=["a minute before", "just good enough", "too old", "opened at nine", "off since"],
)
def test_a_day_begins_with_the_last_point_before_it_if_that_is_new_enough(before, first, chosen):
    assert baseline(before, first, START).at == START + timedelta(minutes=chosen)


def test_a_day_without_any_point_has_no_baseline():
    assert baseline(point(-600), None, START) is None


# Ten YES at 40¢ cost 4.00 and 0.17 of fees; held at 45¢ its net is 0.33, at 52¢ 1.03.
HELD = {"M": "0.33"}


def test_a_market_held_all_day_makes_the_change_of_its_net():
    day = day_between(point(-1, "100", HELD), point(900, "100.70", {"M": "1.03"}), ZERO, {}, {})

    assert day.day_pnl == Decimal("0.70")
    assert parts(day) == {"M": Decimal("0.70")}


def test_a_deposit_is_no_profit():
    day = day_between(
        point(-1, "100", HELD), point(900, "150.70", {"M": "1.03"}), Decimal(50), {}, {}
    )

    assert (day.day_pnl, parts(day)) == (Decimal("0.70"), {"M": Decimal("0.70")})


def test_a_market_bought_today_makes_all_that_it_ever_made():
    day = day_between(point(-1), point(900, "100.33", HELD), ZERO, {"M": flat("0")}, {})

    assert parts(day) == {"M": Decimal("0.33")}


def test_one_closed_last_week_and_bought_again_begins_with_what_it_had_locked_in():
    # It had lost 2.50 then; now its net is that and today's 0.33.
    day = day_between(
        point(-1), point(900, "100.33", {"M": "-2.17"}), ZERO, {"M": flat("-2.5")}, {}
    )

    assert parts(day) == {"M": Decimal("0.33")}


def test_one_closed_today_ends_with_what_it_has_locked_in():
    day = day_between(point(-1, "100", HELD), point(900, "100.9"), ZERO, {}, {"M": flat("1.23")})

    assert parts(day) == {"M": Decimal("0.90")}


def test_what_no_market_explains_is_a_part_of_its_own():
    day = day_between(point(-1, "100", HELD), point(900, "101", {"M": "1.03"}), ZERO, {}, {})

    assert day.parts == (Part("M", Decimal("0.70")), Part(None, Decimal("0.30")))


def test_what_lost_its_price_makes_the_day_unknown():
    day = day_between(
        point(-1, "100", HELD | {"N": "1"}),
        point(900, "95", {"M": None, "N": "3"}),
        ZERO,
        {},
        {},
    )

    assert day.day_pnl is None
    assert parts(day) == {"N": Decimal(2), "M": None}


def test_what_never_had_a_price_is_no_part_of_the_whole():
    day = day_between(point(-1, "96", {"M": None}), point(900, "96", {"M": None}), ZERO, {}, {})

    assert day.day_pnl == 0
    assert parts(day) == {"M": None}


def test_where_nets_were_not_kept_only_flat_markets_are_told_apart():
    opening = Point(START, Decimal(100), None)
    then = {"M": Records(ZERO, is_flat=False), "N": flat("-1")}

    day = day_between(opening, point(900, "103", {"M": "2", "N": "0"}), ZERO, then, {})

    assert parts(day) == {"N": Decimal(1), "M": None, None: Decimal(2)}


def test_two_accounts_are_added_up_and_unknown_stays_unknown():
    first = day_between(point(-1, "100", HELD), point(900, "101", {"M": "1.33"}), ZERO, {}, {})
    second = day_between(point(-3, "50", HELD), point(901, "49", {"M": "-0.67"}), ZERO, {}, {})
    unknown = day_between(point(-1, "1", HELD), point(900, "1", {"M": None}), ZERO, {}, {})

    both = added([first, second])
    all_three = added([first, second, unknown])

    assert (both.since, both.until) == (second.since, second.until)
    assert (both.opening, both.closing, both.day_pnl) == (150, 150, 0)
    assert parts(both) == {"M": ZERO}
    assert (all_three.day_pnl, parts(all_three)) == (None, {"M": None})


cents = st.integers(-10_000, 10_000).map(lambda number: Decimal(number) / 100)
tickers = st.sampled_from("ABCDEF")
nets = st.dictionaries(tickers, cents, max_size=6)
records = st.fixed_dictionaries(
    {ticker: st.builds(Records, cents, st.booleans()) for ticker in "ABCDEF"}
)


@given(cents, cents, cents, nets, nets, records, records)
def test_parts_sum_to_the_day(opening, closing, transfers, nets, later_nets, then, now):
    day = day_between(
        Point(START, opening, nets),
        Point(START + timedelta(hours=20), closing, later_nets),
        transfers,
        then,
        now,
    )

    assert day.day_pnl == closing - opening - transfers
    assert sum(part.amount for part in day.parts) == day.day_pnl


@given(st.lists(st.tuples(cents, nets), min_size=3, max_size=9), records)
def test_days_that_follow_each_other_sum_to_the_time_they_span(ends, locked_in):
    points = [
        Point(START + timedelta(days=number), value, nets)
        for number, (value, nets) in enumerate(ends)
    ]
    days = [
        day_between(before, after, ZERO, locked_in, locked_in) for before, after in pairwise(points)
    ]

    whole = day_between(points[0], points[-1], ZERO, locked_in, locked_in)

    assert sum(day.day_pnl for day in days) == whole.day_pnl
    for ticker in "ABCDEF":
        assert sum(parts(day)[ticker] for day in days) == parts(whole)[ticker]
