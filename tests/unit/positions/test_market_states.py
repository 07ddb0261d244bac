"""What the stream says of a market counts at once, and is not undone by what REST says late."""

from dataclasses import replace
from decimal import Decimal

import pytest

from positions.held_market import QUOTE_DOUBT_SECONDS
from positions.market_states import DOUBT_SECONDS
from positions.noticed import MarketChange
from positions.pnl import MarketState
from positions.tracker import Tracker
from tests.told import NOON, at, market

PAYS = MarketState("determined", Decimal(1))


def read(tracker: Tracker, status: str, value: str | None = None, *, requested_at: float) -> None:
    """REST tells how market A stands."""
    known = market("A", status=status, settlement_value=value)
    tracker.apply_markets({"A": known}, requested_at)


def shown(tracker: Tracker) -> tuple[str, Decimal | None]:
    (position,) = tracker.take_changes().positions
    return position.state.status, position.figures.market_value


def state(tracker: Tracker) -> str:
    return tracker._open["A"].market.state.status


def test_result_counts_as_soon_as_the_stream_tells_it(tracker):
    assert tracker.apply_state("A", PAYS, 200.0)

    assert shown(tracker) == ("determined", Decimal(10))


def test_what_is_paid_is_paid_by_the_value_that_the_stream_told(tracker):
    tracker.apply_state("A", PAYS, 200.0)

    assert tracker.apply_settled("A", None, 201.0)

    (closed,) = tracker.take_changes().closed
    assert closed.realized_pnl == Decimal(6)


@pytest.mark.parametrize(
    ("told", "before"),
    [
        (PAYS, "closed"),
        (PAYS, "active"),
        (MarketState("inactive"), "active"),
    ],
    ids=lambda each: each if isinstance(each, str) else each.status,
)
def test_read_from_before_does_not_undo_it(tracker, told, before):
    tracker.apply_state("A", told, 200.0)

    read(tracker, before, requested_at=200.5)

    assert state(tracker) == told.status


def test_market_that_goes_on_is_not_paused_again_by_an_old_read(tracker):
    tracker.apply_state("A", MarketState("inactive"), 200.0)
    tracker.apply_state("A", MarketState("active"), 210.0)

    read(tracker, "inactive", requested_at=210.5)

    assert state(tracker) == "active"


def test_read_that_says_the_same_for_long_counts(tracker):
    tracker.apply_state("A", PAYS, 200.0)

    read(tracker, "closed", requested_at=200.0 + DOUBT_SECONDS)

    assert state(tracker) == "closed"


@pytest.mark.parametrize(
    ("status", "value"),
    [("disputed", "1"), ("amended", "0"), ("finalized", "1"), ("determined", "0")],
)
def test_read_that_is_further_on_counts_at_once(tracker, status, value):
    tracker.apply_state("A", PAYS, 200.0)

    read(tracker, status, value, requested_at=200.5)

    assert shown(tracker) == (status, 10 * Decimal(value))


@pytest.mark.parametrize("told", [MarketState("active"), MarketState("inactive"), PAYS])
def test_word_that_comes_late_undoes_nothing(tracker, told):
    read(tracker, "finalized", "0", requested_at=200.0)
    tracker.take_changes()

    assert not tracker.apply_state("A", told, 201.0)

    assert tracker.take_changes().positions == ()


def test_market_that_is_not_held_is_let_be(tracker):
    assert not tracker.apply_state("B", PAYS, 200.0)

    assert tracker.take_changes().positions == ()


def test_value_that_no_contract_can_pay_is_none(tracker):
    tracker.apply_state("A", MarketState("determined", Decimal(7)), 200.0)

    assert shown(tracker)[0] == "determined"
    assert tracker._open["A"].market.state.settlement_value is None


def test_result_that_is_determined_anew_counts(tracker):
    tracker.apply_state("A", replace(PAYS, since=at(1)), 200.0)
    tracker.apply_state("A", MarketState("determined", Decimal(0), at(10)), 210.0)

    tracker.apply_settled("A", None, 211.0)

    (closed,) = tracker.take_changes().closed
    assert closed.realized_pnl == Decimal(-4)


def test_first_result_that_comes_again_does_not(tracker):
    first, second = (replace(PAYS, settlement_value=Decimal(pays)) for pays in (1, 0))
    tracker.apply_state("A", replace(first, since=at(1)), 200.0)
    tracker.apply_state("A", replace(second, since=at(2)), 210.0)

    assert not tracker.apply_state("A", replace(first, since=at(1)), 211.0)

    assert shown(tracker) == ("determined", Decimal(0))


@pytest.mark.parametrize("shown_since", ["determined", "disputed", "amended"])
def test_result_that_is_determined_anew_is_not_undone_by_the_read_that_follows(
    tracker, shown_since
):
    tracker.apply_state("A", replace(PAYS, since=at(1)), 200.0)
    read(tracker, shown_since, "1", requested_at=205.0)
    tracker.take_changes(NOON)

    tracker.apply_state("A", MarketState("determined", Decimal(0), at(10)), 210.0)
    read(tracker, shown_since, "1", requested_at=210.1)

    changes = tracker.take_changes(NOON)
    assert changes.positions[0].figures.market_value == 0
    assert changes.notices == (MarketChange("A", "determined", Decimal(0), at(10)),)


def test_result_that_is_determined_anew_after_a_break_counts(tracker):
    tracker.apply_state("A", replace(PAYS, since=at(1)), 200.0)
    tracker.follow(201.0)

    tracker.apply_state("A", MarketState("determined", Decimal(0), at(10)), 210.0)

    assert shown(tracker) == ("determined", Decimal(0))


def test_result_outlives_a_break(tracker):
    tracker.apply_state("A", PAYS, 200.0)
    tracker.follow(201.0)

    read(tracker, "closed", requested_at=202.0)

    assert state(tracker) == "determined"


def test_result_that_only_rest_told_is_not_undone_by_an_older_answer(tracker):
    read(tracker, "determined", "1", requested_at=200.0)
    for requested_at in (199.0, 201.0, 200.0 + DOUBT_SECONDS - 0.1):
        read(tracker, "closed", requested_at=requested_at)

        assert state(tracker) == "determined"
        assert tracker.contradicted == {"A"}

    read(tracker, "closed", requested_at=200.0 + DOUBT_SECONDS)

    assert state(tracker) == "closed"
    assert not tracker.contradicted


def test_result_that_only_rest_told_gives_way_to_the_stream_s(tracker):
    read(tracker, "determined", "1", requested_at=200.0)

    assert tracker.apply_state("A", MarketState("determined", Decimal(0)), 201.0)

    assert shown(tracker) == ("determined", Decimal(0))


def test_result_whose_value_is_not_told_is_rests_to_value(tracker):
    tracker.apply_state("A", MarketState("determined"), 200.0)
    told = shown(tracker)
    read(tracker, "closed", requested_at=201.0)
    read(tracker, "determined", "0.37", requested_at=202.0)

    # By the last price of all, meanwhile.
    assert told == ("determined", Decimal("4.10"))
    assert shown(tracker) == ("determined", Decimal("3.70"))


def test_value_is_kept_no_longer_than_what_it_was_told_with(tracker):
    tracker.apply_state("A", MarketState("determined", Decimal("0.37")), 200.0)
    read(tracker, "closed", requested_at=200.0 + DOUBT_SECONDS)

    read(tracker, "determined", None, requested_at=300.0)

    assert tracker._open["A"].market.state.settlement_value is None


def test_word_that_says_what_rest_has_shown_holds_against_older_answers(tracker):
    read(tracker, "determined", "1", requested_at=199.0)
    assert not tracker.apply_state("A", PAYS, 200.0)

    read(tracker, "closed", requested_at=200.5)

    assert state(tracker) == "determined"


def test_read_without_the_value_keeps_that_of_the_stream(tracker):
    tracker.apply_state("A", MarketState("determined", Decimal("0.37")), 200.0)

    read(tracker, "determined", None, requested_at=300.0)

    assert shown(tracker) == ("determined", Decimal("3.70"))


def test_closed_market_that_is_opened_again_is_shown_so_and_may_close(tracker):
    read(tracker, "closed", requested_at=190.0)

    assert tracker.apply_state("A", MarketState("active"), 200.0)
    read(tracker, "closed", requested_at=200.1)
    reopened = state(tracker)
    read(tracker, "closed", requested_at=200.0 + DOUBT_SECONDS)

    assert (reopened, state(tracker)) == ("active", "closed")


@pytest.mark.parametrize("lose", [lambda it: it.follow(201.0), Tracker.forget_told_pauses])
def test_word_before_others_were_lost_is_not_held_against_a_read(tracker, lose):
    tracker.apply_state("A", MarketState("inactive"), 200.0)

    lose(tracker)
    read(tracker, "active", requested_at=202.0)

    assert state(tracker) == "active"


def test_read_that_is_not_believed_is_made_again_in_time(tracker):
    tracker.apply_state("A", MarketState("inactive"), 200.0)

    read(tracker, "active", requested_at=201.0)
    doubted = tracker.contradicted
    read(tracker, "inactive", requested_at=204.0)

    assert (doubted, tracker.contradicted) == ({"A"}, set())
    assert DOUBT_SECONDS <= QUOTE_DOUBT_SECONDS
