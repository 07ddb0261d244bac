"""Cash between two balances: no flow twice, none lost, in whatever order they become known."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from positions.cash import Balance, CashBook, Flow
from positions.portfolio import Cash

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def balance(amount: str, since: float | None, until: float) -> Balance:
    told_since = None if since is None else at(since)
    return Balance(Decimal(amount), None, at(until), told_since, at(until))


def flow(amount: str, after: float, by: float | None = None) -> Flow:
    return Flow(Decimal(amount), at(after), at(after if by is None else by))


def said(book: CashBook) -> tuple[Decimal, bool] | None:
    cash = book.cash
    return None if cash is None else (cash.balance, cash.is_provisional)


def test_nothing_is_known_before_the_first_balance():
    book = CashBook()
    book.flowed(flow("-5", 1))

    assert book.cash is None


def test_flow_counts_until_a_balance_contains_it():
    book = CashBook()
    assert book.told(balance("100", 0, 1)) is None

    book.flowed(flow("-5", 2))
    assert said(book) == (Decimal(95), True)
    # Late by a second, as REST is.
    book.told(balance("100", 1.5, 1.9))
    assert said(book) == (Decimal(95), True)

    assert book.told(balance("95", 3, 3.1)) == 0
    assert said(book) == (Decimal(95), False)


def test_what_nothing_explains_had_happened_by_the_first_balance_that_shows_it():
    book = CashBook()
    book.told(balance("100", 0, 1))
    assert book.surprise_by == at(0)
    assert book.told(balance("100", 1, 1.5)) == 0
    assert book.surprise_by is None
    book.flowed(flow("-5", 2.0, 2.2))

    # Whether the flow is in it can't be told; that it shows the same as the next can.
    assert book.told(balance("103", 2.1, 2.3)) is None
    assert book.surprise_by is None
    for since in (3, 4):
        assert book.told(balance("103", since, since + 0.5)) == 8
        assert book.surprise_by == at(2.1)
    book.confirm(book.held_back)
    assert book.surprise_by == at(2.1)

    assert book.told(balance("103", 5, 5.5)) == 0
    assert book.surprise_by is None
    # Of the same amount as one that was as expected.
    book.flowed(flow("-5", 6))
    assert book.told(balance("103", 7, 7.5)) == 5
    assert book.surprise_by == at(7)


def test_a_surprise_after_one_that_was_taken_is_another():
    book = CashBook()
    book.told(balance("100", 0, 1))
    book.told(balance("108", 2, 2.5))
    taken = book.held_back
    # Told while the reason of the first was looked for.
    book.told(balance("111", 3, 3.5))
    book.confirm(taken)
    assert book.surprise_by == at(3)
    book.confirm(book.held_back)

    # What was taken for good had not this.
    book.flowed(flow("-5", 4))
    assert book.told(balance("111", 5, 5.5)) == 5
    assert book.surprise_by == at(5)


def test_a_surprise_that_a_late_flow_explains_dates_no_other():
    book = CashBook()
    book.told(balance("100", 0, 1))
    assert book.told(balance("95", 2, 2.5)) == -5
    book.flowed(flow("-5", 1.5))
    assert book.surprise_by is None

    assert book.told(balance("103", 3, 3.5)) == 8
    assert book.surprise_by == at(3)


def test_balance_that_may_or_may_not_contain_a_flow_is_not_taken():
    book = CashBook()
    book.told(balance("100", 0, 1))
    book.flowed(flow("-5", 2.0, 2.2))

    assert book.told(balance("95", 1.9, 2.1)) is None
    assert said(book) == (Decimal(95), True)


def test_flow_that_is_told_late_makes_a_balance_doubtful():
    book = CashBook()
    book.told(balance("100", 0, 1))
    book.told(balance("95", 1.9, 2.3))
    book.confirm(book.held_back)
    assert said(book) == (Decimal(95), False)

    book.flowed(flow("-5", 2.0, 2.2))

    assert said(book) == (Decimal(95), True)


def test_what_no_flow_explains_is_told():
    book = CashBook()
    book.told(balance("100", 0, 1))
    book.flowed(flow("-5", 2))

    assert book.told(balance("98.07", 3, 4)) == Decimal("3.07")
    assert said(book) == (Decimal(95), True)
    book.confirm(book.held_back)
    assert said(book) == (Decimal("98.07"), False)


def test_balance_is_held_back_until_a_flow_explains_it():
    book = CashBook()
    book.told(balance("100", 0, 1))

    assert book.told(balance("176", 3, 4)) == 76
    assert said(book) == (Decimal(100), False)
    book.flowed(flow("76", 2.5))

    assert said(book) == (Decimal(176), False)


def test_it_is_sure_once_a_balance_was_told_and_none_waits():
    book = CashBook(Cash(Decimal(100), None, NOON))
    assert not book.is_sure

    book.told(balance("103", 3, 4))
    assert not book.is_sure
    book.confirm(book.held_back)

    assert book.is_sure


def test_nobody_looks_for_ever():
    book = CashBook()
    book.told(balance("100", 0, 1))

    book.told(balance("103", 3, 4))
    book.told(balance("103", 13, 14.1))

    assert said(book) == (Decimal(103), False)


def test_balance_told_while_another_was_looked_for_waits_for_its_own_reason():
    book = CashBook()
    book.told(balance("100", 0, 1))
    book.told(balance("103", 3, 4))
    looked_for = book.held_back
    book.told(balance("103", 5, 6))
    # A deposit, when the lists have been read.
    book.told(balance("603", 7, 8))

    book.confirm(looked_for)

    assert said(book) == (Decimal(103), False)
    assert not book.is_sure
    book.confirm(book.held_back)
    assert said(book) == (Decimal(603), False)


def test_balance_told_while_the_same_was_looked_for_is_taken_with_it():
    book = CashBook()
    book.told(balance("100", 0, 1))
    book.told(balance("103", 3, 4))
    looked_for = book.held_back
    book.told(balance("103", 5, 6))

    book.confirm(looked_for)

    assert said(book) == (Decimal(103), False)
    assert book.is_sure


def test_balance_that_was_looked_for_too_long_is_not_taken_after_newer_ones():
    book = CashBook()
    book.told(balance("100", 0, 1))
    book.told(balance("103", 3, 4))
    looked_for = book.held_back
    book.told(balance("104", 14, 15))
    book.told(balance("109", 16, 17))

    book.confirm(looked_for)

    assert said(book) == (Decimal(104), False)
    assert book.held_back is not None


def test_balance_of_unknown_age_counts_as_some_seconds_old():
    book = CashBook(Cash(Decimal(100), None, NOON))
    book.flowed(flow("-5", 7))
    book.told(balance("95", None, 10))
    assert said(book) == (Decimal(95), True)

    book.told(balance("95", None, 13))

    assert said(book) == (Decimal(95), False)


def test_what_an_earlier_worker_left_is_moved_on():
    book = CashBook(Cash(Decimal("100.12345678"), None, NOON, is_provisional=True))

    book.flowed(flow("1", 2))

    assert said(book) == (Decimal("101.123457"), True)


def with_a_deposit() -> CashBook:
    """A thousand dollars came in that no flow explains, and five balances more say so."""
    book = CashBook(Cash(Decimal(100), None, NOON))
    book.told(balance("1100", 1, 1.5))
    book.confirm(book.held_back)
    for seconds in range(10, 60, 10):
        assert book.told(balance("1100", seconds, seconds + 0.5)) == 0
    return book


def test_what_was_taken_unexplained_outlives_a_flow_that_may_be_in_every_balance():
    book = with_a_deposit()

    # Known since ten hours ago to have happened some time.
    book.flowed(flow("10", -36_000, 70))

    assert said(book) == (Decimal(1110), True)
    assert book.told(balance("1110", 80, 80.5)) == 0


def test_flow_that_is_told_late_is_what_was_unexplained():
    book = with_a_deposit()
    book.told(balance("1102", 60, 60.5))
    book.confirm(book.held_back)

    # One that was in the balance before is none of it.
    book.flowed(flow("2", -36_000, 70))

    assert said(book) == (Decimal(1102), True)
    assert book.told(balance("1102", 80, 80.5)) == 0


def test_several_flows_that_are_told_late_are_together_what_was_unexplained():
    book = CashBook(Cash(Decimal(100), None, NOON))
    book.told(balance("88", 1, 1.5))
    book.confirm(book.held_back)

    book.flowed(flow("-3", -60, 3))
    book.flowed(flow("-5", -60, 4))
    book.flowed(flow("-7", -60, 5))

    # Three dollars went after it.
    assert said(book) == (Decimal(85), True)


def test_flow_that_is_surely_in_what_was_unexplained_is_part_of_it():
    book = CashBook(Cash(Decimal(100), None, NOON))
    book.told(balance("1090", 10, 11))
    book.confirm(book.held_back)

    book.flowed(flow("-10", 2))
    assert said(book) == (Decimal(1090), False)
    book.flowed(flow("5", -60, 20))

    assert said(book) == (Decimal(1095), True)


def test_it_is_not_sure_while_no_balance_is_known_to_hold_what_happened():
    book = with_a_deposit()
    assert book.is_sure

    book.flowed(flow("10", -36_000, 70))
    assert not book.is_sure
    # Which may contain it.
    book.told(balance("1110", 69, 71))
    book.confirm(book.held_back)
    assert not book.is_sure
    book.told(balance("1110", 80, 80.5))

    assert book.is_sure


def test_flows_stay_few_however_long_trading_goes_on():
    book = CashBook(Cash(Decimal(1000), None, NOON))
    book.told(balance("1000", 1, 1.1))
    moved = 0
    for tenth in range(20, 3000):
        moved += 1
        book.flowed(flow("1", tenth / 10 - 0.25, tenth / 10))
        if tenth % 11 == 0:
            # Into each falls a fill of which it can't be told whether it is in it.
            assert book.told(balance("0", tenth / 10 - 0.1, tenth / 10)) is None

    assert len(book._flows) < 200
    assert said(book) == (Decimal(1000 + moved), True)
    assert book.told(balance(str(1000 + moved), 400, 400.1)) == 0


def test_flows_stay_few_while_no_balance_can_be_had():
    book = CashBook(Cash(Decimal(1000), None, NOON))
    for second in range(5_000):
        book.flowed(flow("1", second, second + 0.1))

    # Those of the last ten minutes, of which a balance may yet tell, and as many again.
    assert len(book._flows) < 2_500
    assert said(book) == (Decimal(6_000), True)
    # One from before the last fifty.
    assert book.told(balance("5950", 4_949.5, 4_949.9)) == 0
    assert said(book) == (Decimal(6_000), True)


FLOWS = st.lists(
    st.tuples(st.integers(-500, 500), st.floats(0.0, 20.0), st.floats(0.0, 0.3)), max_size=8
)
READS = st.lists(st.tuples(st.floats(0.0, 20.0), st.floats(0.0, 0.5)), min_size=1, max_size=8)


@given(FLOWS, READS, st.randoms())
def test_order_of_arrival_does_not_matter_and_nothing_counts_twice(flows, reads, random):
    """The true balance moves with each flow; reads are of some instant within their bounds."""
    flows, truth = lived(flows, [])
    book = CashBook(Cash(Decimal(1000), None, NOON))

    arrive(book, flows, reads, truth, random)

    assert book.cash is not None
    assert book.cash.balance == truth(at(60))


# So large that no flows look like one of them.
UNTOLD = st.lists(st.tuples(st.integers(1, 9), st.floats(0.0, 20.0)), max_size=3)


@given(FLOWS, UNTOLD, READS, st.floats(0.0, 100.0), st.randoms())
def test_what_nobody_tells_stays_once_a_balance_has_brought_it(flows, untold, reads, wide, random):
    """As above, with money of which only the balances know, and a last flow known only roughly."""
    flows, truth = lived(flows, [(100_000 * size, when) for size, when in untold])
    book = CashBook(Cash(Decimal(1000), None, NOON))

    arrive(book, flows, reads, truth, random)
    book.told(Balance(truth(at(60)), None, at(60), at(60), at(61)))
    book.confirm(book.held_back)
    assert book.cash.balance == truth(at(60))
    book.flowed(flow("7", 60 - wide, 70))

    assert book.cash.balance == truth(at(60)) + 7
    assert book.cash.is_provisional


def lived(flows, untold):
    """Flows, and what the true balance was when; each flow happened in the middle of its span."""
    flows = [flow(str(cents), begin, begin + late) for cents, begin, late in flows]
    happened = [(each.after + (each.by - each.after) / 2, each.amount) for each in flows]
    happened += [(at(when), Decimal(amount)) for amount, when in untold]

    def truth(instant: datetime) -> Decimal:
        return Decimal(1000) + sum(amount for when, amount in happened if when <= instant)

    return flows, truth


def arrive(book: CashBook, flows, reads, truth, random) -> None:
    """Balances in their order, each flow anywhere between them."""
    balances = [
        Balance(truth(at(since + width / 2)), None, at(since), at(since), at(since + width))
        for since, width in reads
    ]
    balances.sort(key=lambda each: each.until)
    arriving = [("told", each) for each in balances]
    for each in flows:
        arriving.insert(random.randint(0, len(arriving)), ("flowed", each))
    for kind, each in arriving:
        getattr(book, kind)(each)


def test_transfer_counts_until_a_balance_contains_it():
    book = CashBook()
    book.told(balance("100", 0, 1))

    book.transferred(flow("50", 2))
    assert said(book) == (Decimal(150), True)

    assert book.told(balance("150", 3, 3.1)) == 0
    assert said(book) == (Decimal(150), False)


def test_transfer_that_explains_a_balance_makes_it_count():
    book = CashBook()
    book.told(balance("100", 0, 1))
    assert book.told(balance("150", 3, 3.1)) == 50

    book.transferred(flow("50", 2))

    assert said(book) == (Decimal(150), False)
    assert book.is_sure


def test_transfer_of_before_all_balances_is_in_them():
    book = CashBook(Cash(Decimal(80), None, NOON))
    book.transferred(flow("50", -5))
    book.told(balance("100", 0, 1))

    book.transferred(flow("50", -5))
    # Nobody can tell whether this one is in the balance: what was known before is moved on.
    book.flowed(flow("-5", 0.5))

    assert said(book) == (Decimal(75), True)
