from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ledger.proof import STEP_KINDS, Interval, Moved, Step, Told, prove

START = datetime(2026, 11, 1, tzinfo=UTC)


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


def told(since: int, until: int, amount: str | Decimal) -> Told:
    return Told(at(since), at(until), Decimal(amount))


def moved(second: int, amount: str, kind="fills", count=1) -> Moved:
    return Moved(at(second), kind, Decimal(amount), count)


def test_a_fill_its_fee_and_a_deposit_explain_the_change():
    proof = prove(
        [told(0, 1, "100"), told(50, 51, "144.93")],
        [moved(10, "-5"), moved(10, "-0.07", "fees"), moved(20, "50", "deposits")],
    )

    assert proof.residual == 0
    assert proof.unexplained == ()
    assert [step for step in proof.steps if step.count] == [
        Step("fills", 1, Decimal("-5")),
        Step("fees", 1, Decimal("-0.07")),
        Step("deposits", 1, Decimal("50")),
    ]


def test_what_no_flow_explains_stands_with_its_interval():
    proof = prove([told(0, 1, "100"), told(50, 51, "100"), told(90, 91, "100.41")], [])

    assert proof.unexplained == (Interval(at(51), at(91), Decimal("0.41")),)


def test_two_intervals_do_not_cancel_out():
    proof = prove([told(0, 1, "100"), told(50, 51, "101"), told(90, 91, "100")], [])

    assert proof.residual == 0
    assert [each.amount for each in proof.unexplained] == [1, -1]


def test_a_balance_within_whose_time_a_flow_lies_is_no_checkpoint():
    proof = prove(
        # Whether the middle one has the fill in it can't be told.
        [told(0, 1, "100"), told(9, 11, "100"), told(50, 51, "95")],
        [moved(10, "-5")],
    )

    assert proof.intervals == (Interval(at(1), at(51), Decimal(0)),)


def test_a_flow_of_the_first_instant_is_in_a_balance_and_one_of_the_last_in_doubt():
    assert prove([told(9, 11, "95")], [moved(9, "-5")]).moved_before == -5
    assert prove([told(9, 11, "95")], [moved(11, "-5")]) is None


def test_without_a_checkpoint_there_is_no_proof():
    assert prove([], [moved(1, "-5")]) is None


def test_one_checkpoint_proves_itself_and_implies_what_was_before():
    proof = prove([told(9, 10, "95")], [moved(1, "-5"), moved(20, "3")])

    assert proof.opening == proof.closing
    assert proof.intervals == ()
    assert proof.implied_opening == 100


cents = st.integers(-10_000, 10_000).map(lambda cents: Decimal(cents) / 100)
flows = st.lists(
    st.builds(Moved, st.integers(0, 300).map(at), st.sampled_from(STEP_KINDS), cents), max_size=30
)
# When the exchange looked at the cash, and by how little that is known.
looks = st.lists(
    st.tuples(st.integers(0, 300), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=20
)


def balance(flows: list[Moved], opening: Decimal, look: tuple[int, int, int]) -> Told:
    second, earlier, later = look
    amount = opening + sum(each.amount for each in flows if each.at <= at(second))
    return Told(at(second - earlier - 1), at(second + later), amount)


@given(flows, cents, looks)
def test_a_ledger_that_knows_all_leaves_nothing_unexplained(flows, opening, looks):
    proof = prove([balance(flows, opening, look) for look in looks], flows)

    if proof:
        assert proof.unexplained == ()
        assert proof.implied_opening == opening


@given(flows, st.sets(st.integers(0, 29)), cents, looks, st.randoms())
def test_opening_steps_and_residual_are_the_closing_in_any_order(
    flows, forgotten, opening, looks, random
):
    told = {each.until: each for each in (balance(flows, opening, look) for look in looks)}
    known = [each for number, each in enumerate(flows) if number not in forgotten]

    proof = prove(told.values(), known)

    if proof:
        steps = sum(step.amount for step in proof.steps)
        assert proof.opening.amount + steps + proof.residual == proof.closing.amount
        shuffled_balances = random.sample(list(told.values()), len(told))
        assert prove(shuffled_balances, random.sample(known, len(known))) == proof


@given(flows, st.integers(0, 299), cents)
def test_residual_is_exactly_what_was_paid_untold(flows, second, untold):
    all_flows = [*flows, Moved(at(second), "named", untold)]
    told = [
        Told(at(-1), at(-1), Decimal(0)),
        Told(at(300), at(300), sum((each.amount for each in all_flows), Decimal(0))),
    ]

    assert prove(told, flows).residual == untold
