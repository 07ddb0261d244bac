"""Total value and the day's P&L as holdings change: no jump by a fill or a payout."""

from datetime import timedelta
from decimal import Decimal

import pytest

from kalshi.messages import Fill
from positions.cash import Balance, Flow
from positions.collateral_book import PaidMarket
from positions.day import Baseline
from positions.pnl import MarketState
from positions.portfolio import EventFacts, MarketFacts
from positions.tracker import Tracker
from tests.told import NOON, at, market, position, prices, quote, reconcile, row


def told(amount: str, since: float, until: float) -> Balance:
    return Balance(Decimal(amount), None, at(until), at(since), at(until))


def tracker_with(*rows, cash: str = "100") -> Tracker:
    tracker = Tracker("bid")
    tracker.valuation.collateral.set_netting(True)
    reconcile(tracker, list(rows))
    tracker.valuation.cash.told(told(cash, 0.0, 0.5))
    tracker.take_changes()
    return tracker


def total(tracker: Tracker) -> Decimal | None:
    return tracker.take_changes().worth.total_value


def filled(ticker: str, post: str, count: str, *, yes_price: str = "0.42", seconds: float) -> Fill:
    return Fill(
        trade_id=f"{ticker}{seconds}",
        order_id="o",
        market_ticker=ticker,
        outcome_side="yes",
        count=Decimal(count),
        yes_price=Decimal(yes_price),
        fee_cost=Decimal("0.05"),
        is_taker=True,
        post_quantity=Decimal(post),
        subaccount=None,
        at=at(seconds),
        sent_at=at(seconds),
    )


def test_total_moves_by_the_spread_and_the_fee_alone():
    # 10 held at 40¢, bid 40¢, ask 41¢.
    tracker = tracker_with(row("M", "10", "4", "0", "0.10"))
    before = total(tracker)

    tracker.apply_position(position("M", "15", "6.10", "0", "0.15", sent=2.0), 101.0)
    tracker.apply_fill(filled("M", "15", "5", seconds=2.0), 101.0)

    # Five at 42¢ are worth 40¢ each, and cost 5¢.
    assert total(tracker) == before - 5 * Decimal("0.02") - Decimal("0.05")
    assert tracker.valuation.cash.cash.is_provisional
    tracker.valuation.cash.told(told("97.85", 3.0, 3.5))
    assert total(tracker) == before - Decimal("0.15")
    assert not tracker.valuation.cash.cash.is_provisional


def test_total_moves_no_more_where_the_exchange_tells_no_time():
    tracker = tracker_with(row("M", "10", "4", "0", "0.10"))
    before = total(tracker)

    tracker.apply_position(position("M", "15", "6.10", "0", "0.15"), 101.0, at(6))

    assert total(tracker) == before - Decimal("0.15")
    # It may have happened before this balance or after it.
    assert tracker.valuation.cash.told(told("97.85", 3.0, 3.5)) is None
    assert tracker.valuation.cash.told(told("97.85", 8.0, 8.5)) == 0
    assert total(tracker) == before - Decimal("0.15")


def test_payout_that_tells_no_time_moves_the_total_by_nothing():
    tracker = tracker_with(row("M", "10", "4"))
    facts, _, quotes = market("M")
    decided = {"M": (facts, MarketState("determined", Decimal(1)), quotes)}
    reconcile(tracker, [row("M", "10", "4")], decided, requested_at=300.0)
    before = total(tracker)

    assert tracker.apply_settled("M", None, 400.0, now=at(20))

    assert total(tracker) == before


def test_total_is_the_same_whichever_frame_comes_first():
    one = tracker_with(row("M", "10", "4"))
    one.apply_fill(filled("M", "15", "5", seconds=2.0), 101.0)
    between = total(one)
    one.apply_position(position("M", "15", "6.10", "0", "0.05", sent=2.0), 101.0)
    other = tracker_with(row("M", "10", "4"))
    other.apply_position(position("M", "15", "6.10", "0", "0.05", sent=2.0), 101.0)
    other.apply_fill(filled("M", "15", "5", seconds=2.0), 101.0)

    assert between == Decimal(104)
    assert total(one) == total(other)


def test_fill_is_recorded_with_the_position_that_it_changed():
    tracker = tracker_with(row("M", "10", "4"))

    tracker.apply_fill(filled("M", "15", "5", seconds=2.0), 101.0)
    assert not tracker.take_changes().fills
    tracker.apply_position(position("M", "15", "6.10", "0", "0.05", sent=2.0), 101.0)

    changes = tracker.take_changes()
    assert [fill.trade_id for fill in changes.fills] == ["M2.0"]
    assert changes.positions[0].holding.quantity == 15
    tracker.put_back(changes)
    assert tracker.take_changes().fills == changes.fills
    assert not tracker.take_changes().fills


def test_sale_of_everything_leaves_what_it_brought_in_the_cash():
    tracker = tracker_with(row("M", "10", "4"))

    tracker.apply_position(position("M", "0", "0", "0.50", "0.07", sent=2.0), 101.0)
    tracker.apply_fill(filled("M", "0", "10", seconds=2.0), 101.0)

    assert total(tracker) == Decimal("104.43")


def test_payout_moves_the_total_by_nothing():
    tracker = tracker_with(row("M", "10", "4"))
    facts, _, quotes = market("M")
    decided = {"M": (facts, MarketState("determined", Decimal(1)), quotes)}
    reconcile(tracker, [row("M", "10", "4")], decided, requested_at=300.0)
    before = total(tracker)

    reconcile(tracker, [], decided, requested_at=400.0, as_of=30.0)

    assert before == total(tracker) == Decimal(110)


def test_market_that_has_paid_is_paid_for_before_rest_tells():
    tracker = tracker_with(row("M", "10", "4"))
    facts, _, quotes = market("M")
    decided = {"M": (facts, MarketState("determined", Decimal("0.37")), quotes)}
    reconcile(tracker, [row("M", "10", "4")], decided, requested_at=300.0)
    before = total(tracker)

    assert tracker.apply_settled("M", at(20), 400.0)
    changes = tracker.take_changes()
    (closed,) = changes.closed

    assert before == changes.worth.total_value == Decimal("103.70")
    assert (closed.reason, closed.realized_pnl) == ("settled", Decimal("-0.30"))
    # REST, which lists it still, is late and does not bring it back.
    reconcile(tracker, [row("M", "10", "4")], decided, requested_at=401.0, as_of=19.0)
    assert not tracker.holdings
    # The balance that contains it moves nothing.
    assert tracker.valuation.cash.told(told("103.70", 30.0, 30.5)) == 0


def test_market_whose_value_is_not_known_waits_for_rest():
    tracker = tracker_with(row("M", "10", "4"))

    assert not tracker.apply_settled("M", at(20), 400.0)
    assert tracker.holdings


@pytest.mark.parametrize(("value", "made"), [("1", "6"), ("0", "-4"), ("0.37", "-0.30")])
def test_market_whose_value_is_told_with_its_payout_is_paid_for(value, made):
    tracker = tracker_with(row("M", "10", "4"))

    assert tracker.apply_settled("M", at(20), 400.0, Decimal(value))

    changes = tracker.take_changes()
    (closed,) = changes.closed
    assert (closed.reason, closed.realized_pnl) == ("settled", Decimal(made))
    assert changes.worth.total_value == Decimal(100) + 4 + Decimal(made)


def test_value_that_no_contract_can_pay_is_none():
    tracker = tracker_with(row("M", "10", "4"))

    assert not tracker.apply_settled("M", at(20), 400.0, Decimal("1.01"))
    assert tracker.holdings


def test_balance_with_a_payout_waits_for_the_position_to_leave():
    tracker = tracker_with(row("M", "10", "4"))
    facts, _, quotes = market("M")
    decided = {"M": (facts, MarketState("determined", Decimal(1)), quotes)}
    reconcile(tracker, [row("M", "10", "4")], decided, requested_at=300.0)

    tracker.valuation.cash.told(told("110", 40.0, 40.5))
    waiting = total(tracker)
    reconcile(tracker, [], decided, requested_at=400.0, as_of=39.0)

    assert waiting == total(tracker) == Decimal(110)
    assert not tracker.valuation.cash.cash.is_provisional


def test_collateral_that_came_back_is_not_counted_twice():
    tracker = tracker_of_event(row("A", "-10", "6"), row("B", "-4", "2"))

    worth = tracker.take_changes().worth

    # Both at 1 − 0.46; four dollars of them are in the cash already.
    assert worth.collateral_returned == 4
    assert worth.total_value == 100 + 14 * Decimal("0.54") - 4
    tracker.valuation.collateral.set_netting(None)
    unknown = tracker.take_changes().worth
    assert (unknown.collateral_returned, unknown.total_value) == (None, 100 + 14 * Decimal("0.54"))


def tracker_of_event(*rows, markets: dict | None = None, cash: str = "100") -> Tracker:
    """A tracker of what is held in one exclusive event."""
    tracker = Tracker("bid")
    tracker.valuation.collateral.set_netting(True)
    reconcile(tracker, list(rows), markets or in_one_event(*(each.ticker for each in rows)))
    tracker.valuation.cash.told(told(cash, 0.0, 0.5))
    tracker.take_changes()
    return tracker


def in_one_event(*tickers: str, decided: str | None = None) -> dict:
    """Markets of one exclusive event; what one of them pays for YES is known."""
    facts = MarketFacts(
        "EVENT", "SERIES", "Who?", "Yes", "No", None, collateral_return_type="MECNET"
    )
    known = {each: (facts, MarketState("active"), quote()) for each in tickers}
    if decided:
        known[decided] = (facts, MarketState("determined", Decimal(1)), quote())
    return known


def test_total_stands_when_a_fill_brings_collateral_back_or_has_it_taken():
    # Ten NO at 60¢, worth 54¢; the next are bought in another market of the event.
    tracker = tracker_of_event(row("A", "-10", "6"))
    before = total(tracker)

    tracker.apply_position(position("B", "-8", "4.32", "0", "0", sent=2.0), 101.0)
    reconcile(
        tracker,
        [row("A", "-10", "6"), row("B", "-8", "4.32", updated=2.0)],
        in_one_event("A", "B"),
        requested_at=103.0,
        as_of=3.0,
    )

    # Eight of them are certain to pay: their dollars came back with them.
    assert tracker.valuation.cash.cash.balance == 100 - Decimal("4.32") + 8
    assert total(tracker) == before

    # All of A is sold at its mark, and what is left may be lost.
    tracker.apply_fill(filled("A", "0", "10", seconds=4.0), 105.0)
    tracker.apply_position(position("A", "0", "0", "-0.60", "0", sent=4.0), 105.0)

    assert tracker.valuation.cash.cash.balance == 100 - Decimal("4.32") + Decimal("5.40")
    assert total(tracker) == before
    # The exchange says the same, so that nothing has to be looked for.
    assert tracker.valuation.cash.told(told("101.08", 5.0, 5.5)) == 0


def test_total_stands_when_a_type_that_was_unknown_is_read_with_the_balance_after_it():
    facts = MarketFacts("EVENT", "SERIES", "Who?", "Yes", "No", None)
    unread = {each: (facts, MarketState("active"), quote()) for each in ("A", "B")}
    tracker = tracker_of_event(row("A", "-10", "6"), row("B", "-8", "4"), markets=unread)
    assert tracker.take_changes().worth.collateral_returned is None

    tracker.describe({"EVENT": EventFacts("SERIES", "Who?", "MECNET")})

    # The balance had it all along.
    assert tracker.take_changes().worth.collateral_returned == 8
    assert tracker.valuation.cash.cash.balance == 100


def test_once_a_market_has_paid_its_yes_all_collateral_of_its_event_is_back():
    tracker = Tracker("bid")
    tracker.valuation.collateral.set_netting(True)
    rows = [row("A", "-10", "6"), row("B", "-10", "6"), row("C", "10", "4")]
    markets = in_one_event("A", "B", "C", decided="C")
    reconcile(tracker, rows, markets)
    tracker.valuation.cash.told(told("100", 0.0, 0.5))
    before = tracker.take_changes().worth
    assert before.collateral_returned == 10

    tracker.apply_settled("C", at(20), 400.0)

    worth = tracker.take_changes().worth
    # C has paid ten dollars, and none of A and B can end as YES any more: ten more came back.
    assert worth.collateral_returned == 20
    assert tracker.valuation.cash.cash.balance == 100 + 10 + 10
    assert worth.total_value == before.total_value == 120 + 20 * Decimal("0.54") - 20


@pytest.mark.parametrize("is_told_first", [True, False])
def test_event_that_is_decided_beside_what_is_held_moves_the_cash_once(is_told_first):
    tracker = tracker_of_event(row("A", "-10", "6"), row("B", "-8", "4"))
    before = total(tracker)
    decision = PaidMarket("C", "EVENT", is_yes=True)

    # C pays at the twentieth second: ten more are certain.
    if is_told_first:
        tracker.valuation.decided(decision, at(20))
        assert total(tracker) == before
    surprise = tracker.valuation.cash.told(told("110", 25.0, 25.5))
    if not is_told_first:
        assert (surprise, total(tracker)) == (10, before)
        tracker.valuation.decided(decision, at(20))

    worth = tracker.take_changes().worth
    assert (worth.collateral_returned, worth.total_value) == (18, before)
    assert tracker.valuation.cash.cash.balance == 110
    # Read again it is nothing new.
    tracker.valuation.decided(decision, at(20))
    assert tracker.valuation.cash.told(told("110", 30.0, 30.5)) == 0
    assert total(tracker) == before


def test_event_decided_while_the_only_balance_is_doubted_moves_the_cash():
    tracker = tracker_of_event(row("A", "-10", "6"), row("B", "-8", "4"))
    before = total(tracker)
    # A fill that may or may not be in the balance.
    tracker.valuation.cash.flowed(Flow(Decimal(-1), at(0.2), at(0.7)))
    assert not tracker.valuation.cash._balances

    tracker.valuation.decided(PaidMarket("C", "EVENT", is_yes=True), at(20))

    assert total(tracker) == before - 1


def test_world_that_begins_anew_has_decided_nothing():
    tracker = tracker_of_event(row("A", "-10", "6"), row("B", "-8", "4"))
    tracker.valuation.collateral.paid([PaidMarket("C", "EVENT", is_yes=True)])
    tracker.valuation.learn({"D": Decimal(3)})

    tracker.valuation.begin_anew()

    assert tracker.take_changes().worth.collateral_returned == 8
    assert tracker.valuation._locked_in == {}


def test_market_that_has_paid_its_no_decides_nothing():
    tracker = Tracker("bid")
    tracker.valuation.collateral.set_netting(True)
    rows = [row("A", "-10", "6"), row("B", "-10", "6"), row("C", "-10", "4")]
    markets = in_one_event("A", "B", "C")
    markets["C"] = (markets["C"][0], MarketState("determined", Decimal(0)), quote())
    reconcile(tracker, rows, markets)

    tracker.apply_settled("C", at(20), 400.0)

    assert tracker.take_changes().worth.collateral_returned == 10


def test_payout_that_was_corrected_decides_as_it_was_corrected():
    tracker = Tracker("bid")
    tracker.valuation.collateral.set_netting(True)
    reconcile(tracker, [row("A", "-10", "6"), row("B", "-10", "6")], in_one_event("A", "B"))

    tracker.valuation.collateral.paid([PaidMarket("C", "EVENT", is_yes=True)])
    assert tracker.take_changes().worth.collateral_returned == 20
    tracker.valuation.collateral.paid([PaidMarket("C", "EVENT", is_yes=False)])

    assert tracker.take_changes().worth.collateral_returned == 10


def baseline(total_value: str, nets: dict[str, str | None], **options) -> Baseline:
    values = {each: None if net is None else Decimal(net) for each, net in nets.items()}
    since = NOON - timedelta(hours=7)
    return Baseline(since, Decimal(total_value), values, **{"is_complete": True} | options)


def day(tracker: Tracker) -> tuple[Decimal | None, dict[str, Decimal | None]]:
    for ticker in tracker.tickers:
        tracker.write_again(ticker)
    changes = tracker.take_changes()
    return changes.worth.day_pnl, {each.ticker: each.day_pnl for each in changes.positions}


def test_day_is_the_change_since_its_baseline():
    tracker = tracker_with(row("M", "10", "4"), row("N", "10", "3"))

    tracker.begin_day(baseline("104.50", {"M": "0.25", "N": "1"}, net_transfers=Decimal(2)))

    # 100 + 4 + 4 − 104.50 − 2; M has won nothing since it cost 4, N one dollar since it cost 3.
    assert day(tracker) == (Decimal("1.50"), {"M": Decimal("-0.25"), "N": Decimal(0)})


def test_market_that_was_never_traded_before_begins_at_nothing():
    tracker = tracker_with(row("M", "10", "4"))
    tracker.begin_day(baseline("104", {"M": "0"}))

    reconcile(tracker, [row("M", "10", "4"), row("N", "10", "4.20", "0", "0.07")], requested_at=9e3)

    assert day(tracker)[1] == {"M": Decimal(0), "N": Decimal("-0.27")}


def test_market_bought_again_begins_with_what_it_made_before():
    tracker = tracker_with(row("M", "10", "4"))
    tracker.valuation.learn({"N": Decimal("2.50")})
    tracker.begin_day(baseline("104", {"M": "0"}))

    again = row("N", "10", "4.20", "2.75", "0.32")
    reconcile(tracker, [row("M", "10", "4"), again], requested_at=9e3)

    # What it made last week is not today's: 4 − 4.20 − 0.07.
    assert day(tracker)[1]["N"] == Decimal("-0.27")


def test_buying_again_in_a_market_that_is_flat_takes_its_price_and_fee_whatever_was_read():
    tracker = tracker_with(row("N", "0", "0", "50", "2"))

    reconcile(tracker, [row("N", "0", "0", "50", "2")])
    tracker.valuation.remember()
    # Nothing is known of the records: they are being read.
    tracker.valuation.learn({})
    reconcile(tracker, [row("N", "10", "4.20", "50", "2.07")], requested_at=9e3, as_of=5)

    # 100 − 4.20 − 0.07, and 4 for what is held now.
    changes = tracker.take_changes()
    assert (changes.cash.balance, changes.worth.total_value) == (Decimal("95.73"), Decimal("99.73"))


def test_records_that_are_older_do_not_undo_what_the_exchange_says_of_a_flat_market():
    tracker = tracker_with(row("M", "10", "4"))
    tracker.valuation.remember()
    reconcile(tracker, [row("M", "10", "4"), row("N", "0", "0", "50", "2")])

    tracker.valuation.learn({"N": Decimal(7)})
    rows = [row("M", "10", "4"), row("N", "10", "4.20", "50", "2.07")]
    reconcile(tracker, rows, requested_at=9e3, as_of=5)

    assert tracker.take_changes().cash.balance == Decimal("95.73")


def test_what_was_before_is_unknown_while_the_past_is_not_read():
    tracker = tracker_with(row("M", "10", "4"))
    tracker.begin_day(baseline("104", {"M": "0"}, is_complete=False))

    reconcile(tracker, [row("M", "10", "4"), row("N", "10", "4.20")], requested_at=9e3)

    assert day(tracker)[1] == {"M": Decimal(0), "N": None}


def test_position_without_a_mark_enters_the_day_at_its_first():
    unquoted = {"M": market("M", prices=quote(None, None, None))}
    tracker = Tracker("bid")
    tracker.valuation.collateral.set_netting(True)
    reconcile(tracker, [row("M", "10", "4")], unquoted)
    tracker.valuation.cash.told(told("100", 0.0, 0.5))
    tracker.begin_day(baseline("100", {"M": None}))
    assert day(tracker) == (Decimal(0), {"M": None})

    tracker.apply_ticker(prices("M", 5.0, yes_bid="0.60"), 200.0)
    assert day(tracker) == (Decimal(0), {"M": Decimal(0)})
    tracker.apply_ticker(prices("M", 6.0, yes_bid="0.65"), 201.0)

    assert day(tracker) == (Decimal("0.50"), {"M": Decimal("0.50")})


def test_position_that_lost_its_mark_makes_the_day_unknown():
    tracker = tracker_with(row("M", "10", "4"))
    tracker.begin_day(baseline("104", {"M": "0"}))

    tracker.apply_ticker(prices("M", 5.0, yes_bid=None, yes_ask=None, last_price=None), 200.0)

    assert day(tracker) == (None, {"M": None})


def test_market_that_nobody_quotes_takes_a_fill_as_its_last_trade():
    unquoted = {"M": market("M", prices=quote(None, None, None))}
    tracker = Tracker("bid")
    reconcile(tracker, [row("M", "10", "4")], unquoted)

    tracker.apply_fill(filled("M", "15", "5", yes_price="0.37", seconds=2.0), 101.0)

    (changed,) = tracker.take_changes().positions
    assert (changed.figures.mark.value, changed.figures.mark.source) == (Decimal("0.37"), "last")
