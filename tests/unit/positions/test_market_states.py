"""What the stream says of a market counts at once, and is not undone by what REST says late."""

from decimal import Decimal

import pytest

from positions.market_states import DOUBT_SECONDS
from positions.pnl import MarketState
from positions.tracker import Tracker
from tests.told import market, reconcile, row

PAYS = MarketState("determined", Decimal(1))


@pytest.fixture
def tracker() -> Tracker:
    """Ten YES of A, bought for 4 dollars, at an active market."""
    tracker = Tracker("bid")
    tracker.follow(1.0)
    reconcile(tracker, [row("A", "10", "4")])
    tracker.take_changes()
    return tracker


def read(tracker: Tracker, status: str, value: str | None = None, *, requested_at: float) -> None:
    """REST tells how market A stands."""
    known = market("A", status=status, settlement_value=value)
    tracker.apply_markets({"A": known}, requested_at)


def shown(tracker: Tracker) -> tuple[str, Decimal | None]:
    (position,) = tracker.take_changes().positions
    return position.state.status, position.figures.market_value


def state(tracker: Tracker) -> str:
    return tracker._open["A"].state.status


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
    assert tracker._open["A"].state.settlement_value is None
