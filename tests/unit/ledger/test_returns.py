from datetime import datetime, timedelta
from decimal import Context, Decimal
from itertools import pairwise
from statistics import mean, stdev
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import returns
from ledger.money_weighted import NO_SINGLE_RATE, TOO_SHORT, money_weighted
from ledger.returns import (
    Drawdown,
    Payment,
    Point,
    Returns,
    returns_of,
    sharpe_of,
    summed,
    with_payments,
)

D = Decimal
ZONE = ZoneInfo("America/New_York")
START = datetime(2026, 1, 1, tzinfo=ZONE)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def of(points: list[tuple[float, str]], payments: list[tuple[float, str]] = ()) -> Returns:
    paid = [Payment(day(number), D(amount)) for number, amount in payments]
    known = [Point(day(number), D(value)) for number, value in points]
    return returns_of(with_payments(known, paid), paid, ZONE)


@pytest.mark.parametrize(
    ("points", "payments", "expected"),
    [
        pytest.param([(0, "100"), (1, "110")], [], "0.1", id="110 / 100 - 1"),
        pytest.param([(0, "100"), (1, "110"), (2, "99")], [], "-0.01", id="99 / 100 - 1"),
        pytest.param(
            [(0, "100"), (1, "110"), (2, "220"), (3, "242")],
            [(1.5, "110")],
            "0.21",
            id="1.1 x 1 x 1.1 - 1 over a deposit",
        ),
        pytest.param(
            [(0, "100"), (1, "110"), (2, "55"), (3, "66")],
            [(1.5, "-55")],
            "0.32",
            id="1.1 x 1 x 1.2 - 1 over a withdrawal",
        ),
        pytest.param(
            [(0, "1"), (1, "1010.01")],
            [(0.5, "1000")],
            "0.009001",
            id="9.01 / 1001 and not 901 %",
        ),
        pytest.param(
            [(0, "0"), (1, "0"), (2, "50"), (3, "55")], [(2, "50")], "0.1", id="begun at 0"
        ),
        pytest.param([(0, "100"), (1, "0")], [], "-1", id="all lost"),
        pytest.param(
            [(0, "100"), (1, "0"), (2, "100"), (3, "120")],
            [(0.5, "-100"), (1.5, "100")],
            "0.2",
            id="all taken out and brought back",
        ),
        pytest.param(
            [(0, "100"), (1, "110")], [(-1, "50"), (0, "50"), (2, "50")], "0.1", id="paid outside"
        ),
        pytest.param(
            [(0, "100"), (1, "150")],
            [(0.3, "80"), (0.6, "-30")],
            "0",
            id="in and out between two points count as their difference",
        ),
    ],
)
def test_time_weighted_return(points, payments, expected):
    assert of(points, payments).time_weighted_return == D(expected)


def test_gain_on_nothing_is_no_return():
    told = of([(0, "0"), (1, "5"), (2, "10")])

    assert told.time_weighted_return is None
    assert told.reasons["time_weighted_return"] == returns.NOTHING_INVESTED
    assert told.max_drawdown == Drawdown(D(0), None, None, None, None)


def test_one_point_says_nothing():
    told = of([(0, "100")])

    assert told == Returns(reasons=told.reasons)
    assert set(told.reasons.values()) == {returns.TOO_FEW_POINTS}


def test_drawdown_has_its_dates_and_its_recovery():
    told = of([(0, "100"), (1, "120"), (2, "90"), (3, "96"), (4, "120"), (5, "114")])

    # 30 / 120
    assert told.max_drawdown == Drawdown(D(30), D(25), day(1), day(2), day(4))


def test_deeper_fall_later_is_the_deepest_and_has_not_recovered():
    told = of([(0, "100"), (1, "90"), (2, "100"), (3, "80"), (4, "99.99")])

    assert told.max_drawdown == Drawdown(D(20), D(20), day(2), day(3), None)


def test_transfers_are_no_drawdown():
    told = of([(0, "100"), (1, "40"), (2, "36"), (3, "136")], [(0.5, "-60"), (2.5, "100")])

    # 4 / 40, and 4 dollars
    assert told.max_drawdown == Drawdown(D(4), D(10), day(1), day(2), None)


def test_fall_in_dollars_is_its_own():
    """A tenth of much is more than a half of little."""
    told = of([(0, "10"), (1, "5"), (2, "1005"), (3, "904.5")], [(1.5, "1000")])

    assert told.max_drawdown == Drawdown(D("105.5"), D(55), day(0), day(3), None)


def test_no_fall_has_no_dates():
    assert of([(0, "1"), (1, "2")]).max_drawdown == Drawdown(D(0), D(0), None, None, None)


def test_sharpe_is_that_of_the_textbook():
    daily = [D(number % 7 - 2) / 1000 for number in range(30)]

    sharpe, reason = sharpe_of(daily)

    expected = mean(daily) / stdev(daily) * Context(prec=40).sqrt(D(365))
    assert reason is None
    assert sharpe is not None
    assert abs(sharpe - expected) < D("0.000001")


def test_sharpe_needs_thirty_days_that_differ():
    assert sharpe_of([D(1)] * 29) == (None, returns.TOO_FEW_DAYS)
    assert sharpe_of([D(1)] * 30) == (None, returns.ALL_ALIKE)


def test_days_without_both_ends_are_left_out():
    """Thirty-two days, one value a midnight, but for one of them: two days are not known."""
    points = [(number, str(100 + number % 3)) for number in range(33) if number != 10]
    whole = [(number, str(100 + number % 3)) for number in range(33)]

    expected = [
        (D(100 + (number + 1) % 3) / D(100 + number % 3) - 1)
        for number in range(32)
        if number not in (9, 10)
    ]
    sharpe = of(points).sharpe
    assert sharpe is not None
    assert sharpe == sharpe_of(expected)[0]
    assert of(whole).sharpe != sharpe
    assert of([each for each in points if each[0] != 20]).reasons["sharpe"] == returns.TOO_FEW_DAYS


def test_value_long_before_midnight_is_no_end_of_a_day():
    near = timedelta(minutes=15) / timedelta(days=1)
    late = [(number + 2 * near, str(100 + number % 3)) for number in range(33)]

    assert of([(at - 3 * near, value) for at, value in late]).sharpe is not None
    assert of([(at - near, value) for at, value in late]).sharpe is not None
    assert of(late).sharpe is None


def test_days_are_those_of_the_zone_where_clocks_change():
    """March 8 has 23 hours there."""
    midnights = [datetime(2026, 3, 1, tzinfo=ZONE).replace(day=1 + n) for n in range(31)]
    points = [Point(at, D(100 + at.day % 2)) for at in midnights]

    assert returns_of([*points, Point(datetime(2026, 4, 1, tzinfo=ZONE), D(99))], [], ZONE).sharpe


@pytest.mark.parametrize(
    ("flows", "expected"),
    [
        pytest.param([(0, "-100"), (365, "110")], "0.1", id="a year at a tenth"),
        pytest.param([(0, "-100"), (730, "121")], "0.1", id="two years at a tenth"),
        pytest.param([(0, "-100"), (30, "110")], "0.1", id="a month, not annualised"),
        pytest.param([(0, "-100"), (50, "-110"), (100, "242")], "0.21", id="a tenth in each half"),
        pytest.param(
            [(0, "-100"), (365, "50"), (730, "-44"), (1095, "121")],
            "0.1",
            id="money taken out and brought back",
        ),
        pytest.param([(0, "0"), (10, "-100"), (60, "150")], "0.5", id="opened with nothing"),
        pytest.param([(0, "-100"), (100, "1")], "-0.99", id="nearly all lost"),
        # Of Excel's documentation of XIRR, by days from 2008-01-01.
        pytest.param(
            [(0, "-10000"), (60, "2750"), (303, "4250"), (411, "3250"), (456, "2750")],
            "0.373363",
            id="Excel's own",
        ),
    ],
)
def test_money_weighted_return(flows, expected):
    told = money_weighted([(at, D(amount)) for at, amount in flows])

    assert (told.rate, told.reason) == (D(expected), None)


@pytest.mark.parametrize(
    ("flows", "reason"),
    [
        pytest.param([(0, "-100"), (29, "110")], TOO_SHORT, id="29 days"),
        pytest.param([], TOO_SHORT, id="nothing"),
        pytest.param([(0, "-100"), (100, "0")], NO_SINGLE_RATE, id="all lost"),
        pytest.param(
            [(0, "0"), (0, "-1"), (0, "2"), (100, "5")], NO_SINGLE_RATE, id="from nothing"
        ),
        # 1.1 and 1.2: 1 - 2.3 x + 1.32
        pytest.param(
            [(0, "-100"), (365, "230"), (730, "-132"), (760, "0.0000001")],
            NO_SINGLE_RATE,
            id="two rates and more",
        ),
    ],
)
def test_no_money_weighted_return(flows, reason):
    told = money_weighted([(at, D(amount)) for at, amount in flows])

    assert (told.rate, told.reason) == (None, reason)


amounts = st.integers(1, 10**9).map(lambda cents: D(cents) / 100)


@given(
    opening=amounts,
    payments=st.lists(st.tuples(st.integers(1, 500), amounts), max_size=6),
    growth=st.integers(-900, 3000).map(lambda thousandths: D(thousandths) / 1000),
    span=st.integers(501, 2000),
)
def test_rate_at_which_money_grew_is_found(opening, payments, growth, span):
    context = Context(prec=40)

    def grown(amount: Decimal, days: int) -> Decimal:
        return amount * context.power(1 + growth, D(days) / 365)

    closing = grown(opening, span) + sum(grown(amount, span - at) for at, amount in payments)
    flows = [(0, -opening), *((at, -amount) for at, amount in payments), (span, closing)]

    assert money_weighted(flows).rate == growth


values = st.integers(1, 10**8).map(lambda cents: D(cents) / 100)


@given(st.lists(values, min_size=3, max_size=30), st.data())
def test_return_of_a_period_is_linked_of_its_parts(found, data):
    cut = data.draw(st.integers(1, len(found) - 2))
    points = [(number, str(value)) for number, value in enumerate(found)]

    whole = of(points).time_weighted_return
    parts = [of(points[: cut + 1]), of(points[cut:])]

    linked = D(1)
    for part in parts:
        assert part.time_weighted_return is not None
        linked *= 1 + part.time_weighted_return
    assert whole is not None
    # Each part is rounded to six decimals.
    slack = D("0.000001") * (2 + sum(1 + abs(part.time_weighted_return or 0) for part in parts))
    assert abs(whole + 1 - linked) <= slack


@given(
    st.lists(values, min_size=2, max_size=30), st.lists(st.integers(-(10**6), 10**6), max_size=29)
)
def test_transfers_change_no_return(found, moved):
    """What is paid in just before a point, and stays, adds no gain and takes none."""
    gains = [later - earlier for earlier, later in pairwise(found)]
    value, points, payments = found[0], [(0, str(found[0]))], []
    for number, gain in enumerate(gains, start=1):
        paid = D(moved[number - 1]) if number <= len(moved) else D(0)
        payments.append((number - 0.5, str(paid)))
        value += gain + paid
        points.append((number, str(value)))

    told, alone = of(points, payments), of([(n, str(v)) for n, v in enumerate(found)])

    assert told.max_drawdown
    assert alone.max_drawdown
    assert told.max_drawdown.amount == alone.max_drawdown.amount


def test_sum_of_accounts_is_of_quarters_in_which_each_has_a_point():
    minute = 1 / 1440

    def points(*found: tuple[float, int]) -> list[Point]:
        return [Point(day(number * minute), D(value), D(1)) for number, value in found]

    one = points((0, 1), (14, 2), (15, 3), (45, 4))
    other = points((3, 10), (31, 20), (46, 30))

    assert list(summed([one, other])) == [
        Point(day(14 * minute), D(12), D(2)),
        Point(day(46 * minute), D(34), D(2)),
    ]
    assert list(summed([one, []])) == []


def test_what_came_after_an_accounts_own_last_point_is_in_no_rate_of_the_sum():
    minute = 1 / 1440
    late = [Payment(day(40 + 5 * minute), D(100))]

    def rate(payments: list[Payment]) -> Decimal | None:
        one = [Point(day(0), D(100)), Point(day(40 + minute), D(110))]
        other = [Point(day(0), D(100)), Point(day(40 + 14 * minute), D(100))]
        together = summed([with_payments(one, payments), other])
        return returns_of(together, payments, ZONE).money_weighted_return

    assert rate(late) == rate([]) == D("0.05")
