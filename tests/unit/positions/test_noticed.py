"""What is told once: changes of markets that are held, and what reconciliations found."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from positions.noticed import Differing, MarketChange, Reconciled
from positions.pnl import MarketState
from positions.tracker import Tracker
from tests.told import NOON, at, market, position, reconcile, row


def stand(tracker: Tracker, status: str, value: str | None = None, *, since=None) -> None:
    """REST tells how market A stands."""
    facts, state, quote = market("A", status=status, settlement_value=value)
    tracker.apply_markets({"A": (facts, replace(state, since=since), quote)}, 200.0)


def noticed(tracker: Tracker, now=NOON) -> tuple:
    return tracker.take_changes(now).notices


# Markets


def test_each_change_is_told_once_and_in_order(tracker):
    for status in ("inactive", "inactive", "active", "closed", "closed"):
        stand(tracker, status)

    assert [each.status for each in noticed(tracker)] == ["inactive", "active", "closed"]
    assert noticed(tracker) == ()


def test_result_and_its_amendment_are_told(tracker):
    stand(tracker, "determined", "1")
    stand(tracker, "determined", "1")
    stand(tracker, "disputed", "1")
    stand(tracker, "amended", "0")

    told = [(each.status, each.settlement_value) for each in noticed(tracker)]
    assert told == [("determined", 1), ("disputed", 1), ("amended", 0)]


def test_value_of_a_market_without_a_result_is_no_change(tracker):
    stand(tracker, "active", "0.5")

    assert noticed(tracker) == ()


def test_status_that_cannot_be_read_is_no_change(tracker):
    stand(tracker, "unknown")
    stand(tracker, "active")

    assert noticed(tracker) == ()


def test_market_that_is_not_held_is_not_told_of(tracker):
    tracker.determined("B", at(1))
    tracker.apply_markets({"B": market("B", status="closed")}, 200.0)

    assert noticed(tracker) == ()


def test_change_has_the_exchanges_time_where_it_says_one(tracker):
    stand(tracker, "closed", since=at(-30))
    tracker.determined("A", at(-20))
    stand(tracker, "determined", "1")
    stand(tracker, "finalized", "1", since=at(-10))

    assert [each.at for each in noticed(tracker)] == [at(-30), at(-20), at(-10)]


def test_result_that_the_stream_tells_is_told_once(tracker):
    tracker.determined("A", at(-20))
    tracker.apply_state("A", MarketState("determined", Decimal(1), at(-20)), 190.0)
    stand(tracker, "closed")
    stand(tracker, "determined", "1")

    assert noticed(tracker) == (MarketChange("A", "determined", Decimal(1), at(-20)),)


@pytest.mark.parametrize("since", [None, NOON + timedelta(hours=3)])
def test_change_without_a_time_of_the_past_has_ours(tracker, since):
    stand(tracker, "closed", since=since)

    assert noticed(tracker, at(5)) == (MarketChange("A", "closed", None, at(5)),)


def test_settlement_that_the_stream_tells_is_the_markets_end(tracker):
    stand(tracker, "determined", "1")
    noticed(tracker)

    tracker.apply_settled("A", at(9), 300.0)

    assert noticed(tracker) == (MarketChange("A", "finalized", Decimal(1), at(9)),)


def test_settlement_that_rest_shows_is_told_once(tracker):
    stand(tracker, "finalized", "0", since=at(-3))

    reconcile(tracker, [], {"A": market("A", status="finalized", settlement_value="0")})

    assert noticed(tracker) == (MarketChange("A", "finalized", Decimal(0), at(-3)),)
    assert not tracker.apply_settled("A", at(9), 300.0)
    assert noticed(tracker) == ()


def test_position_that_was_sold_before_the_result_tells_no_payout(tracker):
    stand(tracker, "determined", "1")
    noticed(tracker)

    known = {"A": market("A", status="determined", settlement_value="1")}
    reconcile(tracker, [row("A", "0", realized_pnl="1")], known, requested_at=300.0)

    assert not any(isinstance(each, MarketChange) for each in noticed(tracker))


def test_notices_that_were_not_recorded_come_again_with_their_times(tracker):
    stand(tracker, "inactive")
    taken = tracker.take_changes(at(1))
    stand(tracker, "active")

    tracker.put_back(taken)

    assert noticed(tracker, at(2)) == (
        MarketChange("A", "inactive", None, at(1)),
        MarketChange("A", "active", None, at(2)),
    )


# Reconciliations


def test_first_reconciliation_of_all_is_none(tracker):
    fresh = Tracker("bid")
    fresh.follow(1.0)

    reconcile(fresh, [row("A", "10", "4")])

    assert noticed(fresh) == ()


def test_quiet_one_is_not_told(tracker):
    reconcile(tracker, [row("A", "10", "4")], requested_at=200.0)

    assert noticed(tracker) == ()


def test_first_one_after_a_break_is_told_though_it_finds_nothing(tracker):
    tracker.follow(150.0)
    for requested_at in (200.0, 260.0):
        reconcile(tracker, [row("A", "10", "4")], requested_at=requested_at)

    assert noticed(tracker) == (Reconciled(NOON, True, ()),)


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([row("A", "12", "5")], [("A", "quantity", 10, 12)]),
        ([row("A", "0", realized_pnl="2")], [("A", "quantity", 10, 0)]),
        ([], [("A", "quantity", 10, 0)]),
        ([row("A", "10", "4"), row("B", "-3", "2")], [("B", "quantity", 0, -3)]),
        (
            [row("A", "10", "4.5", "1")],
            [("A", "exposure", 4, Decimal("4.5")), ("A", "realized_pnl", 0, 1)],
        ),
    ],
)
def test_what_is_otherwise_at_the_exchange_is_told(tracker, rows, found):
    reconcile(tracker, rows, requested_at=200.0)

    differing = tuple(Differing(*each) for each in found)
    assert noticed(tracker) == (Reconciled(NOON, False, differing),)


def test_new_market_of_which_the_stream_told_is_nothing_that_was_missed(tracker):
    tracker.apply_position(position("B", "5", "2"), 150.0)

    reconcile(tracker, [row("A", "10", "4"), row("B", "5", "2")], requested_at=200.0)

    assert tracker.tickers == ["A", "B"]
    assert noticed(tracker) == ()


def test_payout_is_told_as_one_and_not_as_a_difference(tracker):
    settled = {"A": market("A", status="finalized", settlement_value="1")}

    reconcile(tracker, [], settled, requested_at=200.0)

    assert [type(each) for each in noticed(tracker)] == [MarketChange]
