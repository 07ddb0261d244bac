from dataclasses import replace
from decimal import Decimal

import pytest

from positions import pnl
from positions.held_market import QUOTE_DOUBT_SECONDS
from positions.pnl import Mark, MarketState, Quote
from positions.portfolio import Cash, Closed, EventFacts, Position
from positions.reconciliation import compare
from positions.tracker import Read, Tracker
from positions.worth import Valuation
from tests.told import NOON, at, fill, holding, market, position, prices, quote, reconcile, row


@pytest.fixture
def tracker() -> Tracker:
    """Holds ten YES of A, bought at 0.40; nothing is left to write."""
    tracker = Tracker("bid")
    reconcile(tracker, [row("A", "10", "4", "0", "0.17", updated=0)], requested_at=10.0)
    tracker.take_changes()
    return tracker


def only(tracker: Tracker) -> Position:
    """The one position that changed."""
    (changed,) = tracker.take_changes().positions
    return changed


def test_reconciled_position_is_whole():
    tracker = Tracker("bid")
    facts, state, quotes = market("A")

    reconcile(tracker, [row("A", "10", "4", "1", "0.17")])

    assert only(tracker) == Position(
        "A",
        facts,
        state,
        holding("10", "4", "1", "0.17"),
        quotes,
        pnl.figures_of(holding("10", "4", "1", "0.17"), quotes, state, "bid"),
    )
    assert tracker.tickers == ["A"]
    assert tracker.markets == {"A": facts}


def test_price_moves_the_figures(tracker):
    is_news = tracker.apply_ticker(prices("A", 1, yes_bid="0.50"), 20.0)

    changed = only(tracker)
    assert is_news
    assert changed.quote == quote("0.50", "0.55", "0.52", at(1))
    # 10 * 0.50 - 4
    assert changed.figures.unrealized_pnl == Decimal("1.00")


def test_price_of_a_market_not_held_is_ignored(tracker):
    assert not tracker.apply_ticker(prices("B", 1), 20.0)
    assert tracker.take_changes().positions == ()


# 1. An older message never undoes a newer state


def test_older_price_undoes_nothing(tracker):
    tracker.apply_ticker(prices("A", 2, yes_bid="0.50"), 20.0)

    is_news = tracker.apply_ticker(prices("A", 1, yes_bid="0.30"), 20.1)

    assert not is_news
    assert only(tracker).quote.yes_bid == Decimal("0.50")


def test_repeated_price_is_no_change(tracker):
    tracker.apply_ticker(prices("A", 2), 20.0)
    tracker.take_changes()

    is_news = tracker.apply_ticker(prices("A", 2), 20.1)

    assert not is_news
    assert tracker.take_changes().positions == ()


def test_same_price_at_a_later_time_is_told(tracker):
    tracker.apply_ticker(prices("A", 2), 20.0)
    tracker.take_changes()

    is_news = tracker.apply_ticker(prices("A", 3), 20.1)

    assert is_news
    assert only(tracker).quote.priced_at == at(3)


def test_price_read_by_rest_does_not_let_an_older_one_in(tracker):
    tracker.apply_ticker(prices("A", 2, yes_bid="0.50"), 20.0)
    # REST says another price, without the time of its change.
    told = market("A", prices=quote("0.60", "0.65", "0.62"))
    for requested_at in (100.0, 100.0 + QUOTE_DOUBT_SECONDS):
        reconcile(
            tracker,
            [row("A", "10", "4", "0", "0.17", updated=0)],
            {"A": told},
            requested_at=requested_at,
        )

    is_news = tracker.apply_ticker(prices("A", 1, yes_bid="0.30"), 121.0)

    assert not is_news
    assert only(tracker).quote == quote("0.60", "0.65", "0.62", None)


def test_price_older_than_the_cached_one_undoes_nothing(tracker):
    tracker.apply_ticker(prices("A", 2, yes_bid="0.50"), 20.0)
    restored = Tracker("bid", positions=tracker.take_changes().positions)

    is_news = restored.apply_ticker(prices("A", 1, yes_bid="0.30"), 1.0)

    assert not is_news
    assert only(restored).quote.yes_bid == Decimal("0.50")


def test_older_position_undoes_nothing(tracker):
    tracker.apply_position(position("A", "15", "6", sent=2), 20.0)

    is_all = tracker.apply_position(position("A", "12", "5", sent=1), 20.1)

    assert is_all
    assert tracker.holdings == {"A": holding("15", "6")}


def test_position_older_than_the_row_undoes_nothing(tracker):
    reconcile(tracker, [row("A", "15", "6", updated=3)])

    is_all = tracker.apply_position(position("A", "12", "5", sent=2), 101.0)

    assert is_all
    assert tracker.holdings == {"A": holding("15", "6")}


def test_position_older_than_a_row_that_only_confirmed_undoes_nothing(tracker):
    restored = Tracker("bid", positions=[held_position()])
    reconcile(restored, [row("A", "10", "4", updated=3)])

    restored.apply_position(position("A", "12", "5", sent=2), 101.0)

    assert restored.holdings == {"A": holding("10", "4")}


def test_position_of_the_row_s_own_millisecond_counts(tracker):
    reconcile(tracker, [row("A", "15", "6", updated=3.165032)])

    tracker.apply_position(position("A", "20", "8", sent=3.165), 101.0)

    assert tracker.holdings == {"A": holding("20", "8")}


def test_old_position_repeated_after_the_close_reopens_nothing(tracker):
    tracker.apply_fill(fill("A", "0"), 20.0)
    tracker.apply_position(position("A", "0", "0", "1", sent=2), 20.0)

    is_all = tracker.apply_position(position("A", "10", "4", sent=1), 20.1)

    assert is_all
    assert tracker.holdings == {}


def test_row_that_a_frame_has_overtaken_undoes_nothing(tracker):
    tracker.apply_position(position("A", "15", "6", sent=2), 99.9)

    unconfirmed = reconcile(tracker, [row("A", "10", "4", updated=0)])

    assert tracker.holdings == {"A": holding("15", "6")}
    assert unconfirmed == {"A"}


def test_repeated_position_is_no_change(tracker):
    tracker.apply_position(position("A", "15", "6", sent=2), 20.0)
    tracker.take_changes()

    is_all = tracker.apply_position(position("A", "15", "6", sent=2), 20.1)

    assert is_all
    assert tracker.take_changes().positions == ()


def test_positions_without_times_count_in_their_order(tracker):
    tracker.apply_position(position("A", "15", "6"), 20.0)
    tracker.apply_position(position("A", "12", "5"), 20.1)

    assert tracker.holdings == {"A": holding("12", "5")}


# 2. A quote read by REST replaces one of the stream's only when reads some time apart say the same
#    and the stream says nothing


def read_quote(tracker: Tracker, yes_bid: str, requested_at: float) -> None:
    told = market("A", prices=quote(yes_bid, "0.65", "0.62"))
    tracker.apply_markets({"A": told}, requested_at)


@pytest.mark.parametrize(
    ("reads", "yes_bid"),
    [
        ([("0.60", 20.1)], "0.50"),
        ([("0.60", 90.0)], "0.50"),
        ([("0.60", 90.0), ("0.60", 109.9)], "0.50"),
        ([("0.60", 90.0), ("0.60", 110.0)], "0.60"),
        ([("0.60", 90.0), ("0.60", 100.0), ("0.60", 110.0)], "0.60"),
        ([("0.60", 90.0), ("0.61", 110.0)], "0.50"),
        ([("0.60", 90.0), ("0.50", 100.0), ("0.60", 110.0)], "0.50"),
        ([("0.60", 90.0), ("0.61", 110.0), ("0.62", 130.0), ("0.63", 149.9)], "0.50"),
        ([("0.60", 90.0), ("0.61", 110.0), ("0.62", 130.0), ("0.63", 150.0)], "0.63"),
        ([("0.60", 90.0), ("0.50", 120.0), ("0.61", 140.0), ("0.62", 150.0)], "0.50"),
    ],
    ids=[
        "just after",
        "long after",
        "twice, and soon",
        "twice, some time apart",
        "three times",
        "another each time",
        "and in between what the stream said",
        "another each time, for a while",
        "another each time, for long",
        "for long, and in between what the stream said",
    ],
)
def test_read_quote_against_one_of_the_stream(tracker, reads, yes_bid):
    tracker.apply_ticker(prices("A", 2, yes_bid="0.50", yes_ask="0.65", last_price="0.62"), 20.0)

    for read_bid, requested_at in reads:
        read_quote(tracker, read_bid, requested_at)

    assert only(tracker).quote.yes_bid == Decimal(yes_bid)


def test_market_whose_prices_cannot_be_understood_is_unknown_until_they_are(tracker):
    tracker.apply_ticker(prices("A", 2, yes_bid="0.50"), 20.0)
    tracker.take_changes()

    for second in (21, 23):
        is_news = tracker.apply_unreadable_ticker("A", float(second))
        unknown = only(tracker)
        is_still_news = tracker.apply_unreadable_ticker("A", second + 0.5)
        tracker.apply_ticker(prices("A", second + 1, yes_bid="0.55"), second + 1.0)
        known = only(tracker)

        assert (is_news, is_still_news) == (True, False)
        assert (unknown.unreadable, unknown.figures.mark) == ("market", None)
        assert unknown.figures.market_value is None
        assert (known.unreadable, known.figures.mark.value) == (None, Decimal("0.55"))


@pytest.mark.parametrize(
    ("requested_at", "unreadable", "bid"), [(20.4, "market", None), (20.6, None, "0.60")]
)
def test_only_a_read_asked_for_since_makes_it_known_again(tracker, requested_at, unreadable, bid):
    tracker.apply_ticker(prices("A", 2, yes_bid="0.50"), 20.0)

    tracker.apply_unreadable_ticker("A", 20.5)
    read_quote(tracker, "0.60", requested_at)

    shown = only(tracker)
    assert shown.unreadable == unreadable
    assert (shown.figures.mark and shown.figures.mark.value) == (bid and Decimal(bid))


@pytest.mark.parametrize(("quoted_since", "unreadable"), [(False, "market"), (True, None)])
def test_position_that_is_readable_again_may_still_have_a_price_that_is_not(
    tracker, quoted_since, unreadable
):
    reconcile(tracker, [], {"A": market("A")}, unreadable={"A"}, requested_at=20.0)
    tracker.apply_unreadable_ticker("A", 21.0)
    if quoted_since:
        tracker.apply_ticker(prices("A", 22, yes_bid="0.50"), 22.0)

    tracker.apply_position(position("A", "10", "4", sent=23), 23.0)

    assert only(tracker).unreadable == unreadable


def test_prices_that_cannot_be_understood_of_a_market_that_is_not_held_are_no_news(tracker):
    tracker.take_changes()

    assert not tracker.apply_unreadable_ticker("Z", 20.0)
    assert tracker.take_changes().positions == ()


def test_stream_that_told_nothing_for_a_minute_is_not_waited_for_again(tracker):
    tracker.apply_ticker(prices("A", 2, yes_bid="0.50"), 20.0)
    for bid, requested_at in (("0.60", 90.0), ("0.61", 120.0), ("0.62", 150.0), ("0.63", 170.0)):
        read_quote(tracker, bid, requested_at)

    assert only(tracker).quote.yes_bid == Decimal("0.63")


def test_quote_of_the_stream_ends_the_contradiction(tracker):
    tracker.apply_ticker(prices("A", 2, yes_bid="0.50"), 20.0)
    read_quote(tracker, "0.60", 90.0)
    before = tracker.contradicted
    tracker.apply_ticker(prices("A", 3, yes_bid="0.55"), 95.0)

    read_quote(tracker, "0.60", 110.0)

    assert before == {"A"}
    assert only(tracker).quote.yes_bid == Decimal("0.55")


def test_read_quote_counts_at_once_where_the_stream_has_brought_none(tracker):
    tracker.apply_ticker(prices("A", 2, yes_bid="0.50"), 20.0)
    tracker.follow(50.0)

    read_quote(tracker, "0.60", 51.0)

    assert only(tracker).quote.yes_bid == Decimal("0.60")


def test_read_tells_how_much_is_offered_where_the_stream_has_told_nothing(tracker):
    def read(size: str, requested_at: float) -> None:
        facts, state, told = market("A", prices=quote("0.50", "0.55", "0.52"))
        sized = replace(told, yes_bid_size=Decimal(size))
        tracker.apply_markets({"A": (facts, state, sized)}, requested_at)

    tracker.apply_ticker(prices("A", 2, yes_bid="0.50"), 20.0)
    read("7", 40.0)
    assert only(tracker).quote.yes_bid_size == 10

    tracker.follow(50.0)
    # The prices are the same.
    read("7", 51.0)

    told = only(tracker).quote
    assert (told.yes_bid_size, told.priced_at) == (7, at(2))


# Over a reconnection


def test_market_that_is_not_told_of_any_more_is_unknown(tracker):
    tracker.apply_ticker(prices("A", 2, yes_bid="0.50"), 20.0)
    tracker.follow(50.0)

    tracker.forget_markets({"A", "OF ANOTHER"})

    told = only(tracker)
    assert (told.quote, told.state) == (Quote(), MarketState("unknown"))
    assert told.figures.mark is None
    assert told.market == market("A")[0]
    read_quote(tracker, "0.60", 51.0)
    told = only(tracker)
    assert (told.quote.yes_bid, told.state.status) == (Decimal("0.60"), "active")


def test_what_the_stream_has_told_since_stays(tracker):
    tracker.follow(50.0)
    tracker.apply_ticker(prices("A", 2, yes_bid="0.50"), 51.0)
    tracker.apply_state("A", MarketState("inactive"), 52.0)

    tracker.forget_markets({"A"})

    told = only(tracker)
    assert (told.quote.yes_bid, told.state.status) == (Decimal("0.50"), "inactive")


def test_what_a_contract_pays_stays(tracker):
    tracker.apply_state("A", MarketState("determined", Decimal(1)), 20.0)
    tracker.follow(50.0)

    tracker.forget_markets({"A"})

    assert only(tracker).figures.mark.source == "settlement"


# Over a restart


def test_position_that_was_sold_stays_sold_for_the_next_worker(tracker):
    tracker.apply_fill(fill("A", "0", sent=10), 80.0)
    tracker.apply_position(position("A", "0", sent=10), 80.0)
    (closed,) = tracker.take_changes().closed

    restarted = Tracker("bid", closed=[closed])
    behind = reconcile(restarted, [row("A", "10", "4", updated=1)], as_of=9)
    held_then = restarted.holdings
    reconcile(restarted, [row("A", "10", "4", updated=12)], requested_at=200.0, as_of=13)

    assert (closed.held_at, behind, held_then) == (at(10), {"A"}, {})
    assert restarted.holdings == {"A": holding("10", "4")}


def test_position_that_was_opened_stays_open_for_the_next_worker(tracker):
    tracker.apply_position(position("A", "25", "11", sent=10), 80.0)
    held = only(tracker)

    restarted = Tracker("bid", positions=[held])
    behind = reconcile(restarted, [row("A", "10", "4", updated=1)], as_of=9)

    assert (held.held_at, behind) == (at(10), {"A"})
    assert restarted.holdings == {"A": holding("25", "11")}


def test_repeated_quote_of_the_stream_counts_as_brought_again(tracker):
    tracker.apply_ticker(prices("A", 2, yes_bid="0.50"), 20.0)
    tracker.apply_ticker(prices("A", 2, yes_bid="0.50"), 100.1)
    told = market("A", prices=quote("0.60", "0.65", "0.62"))

    reconcile(tracker, [row("A", "10", "4")], {"A": told}, requested_at=100.0)

    assert only(tracker).quote.yes_bid == Decimal("0.50")


def test_equal_quote_read_by_rest_keeps_the_time_of_its_change(tracker):
    tracker.apply_ticker(prices("A", 2), 20.0)
    tracker.take_changes()
    told = market("A", prices=quote("0.50", "0.55", "0.52"))

    reconcile(tracker, [row("A", "10", "4", "0", "0.17", updated=0)], {"A": told})

    assert tracker.take_changes().positions == ()


# 3. After a reconciliation that left nothing unconfirmed, holdings are the exchange's


@pytest.mark.parametrize(
    ("rows", "held"),
    [
        ([row("A", "10", "4", "0", "0.17")], {"A": holding("10", "4", "0", "0.17")}),
        ([row("A", "-3", "2.1")], {"A": holding("-3", "2.1")}),
        ([row("A", "0", "0", "1")], {}),
        ([], {}),
        ([row("B", "2", "1")], {"B": holding("2", "1")}),
    ],
    ids=["the same", "changed", "sold", "settled", "another"],
)
def test_reconciled_holdings_are_the_exchange_s(tracker, rows, held):
    unconfirmed = reconcile(tracker, rows)

    assert not unconfirmed
    assert tracker.holdings == held


def test_position_whose_frame_was_lost_is_found_by_the_next_read(tracker):
    tracker.apply_fill(fill("A", "15"), 20.0)

    reconcile(tracker, [row("A", "15", "6")])

    assert tracker.holdings == {"A": holding("15", "6")}
    assert tracker.missing_positions(before=1000.0) == []


def test_refuted_word_of_the_stream_is_forgotten(tracker):
    tracker.apply_position(position("A", "15", "6"), 20.0)

    reconcile(tracker, [row("A", "10", "4")])

    assert tracker.heard["A"].holding == holding("10", "4")


def test_words_on_what_is_held_no_more_are_forgotten_with_time(tracker):
    tracker.apply_fill(fill("A", "0"), 20.0)
    tracker.apply_position(position("A", "0", "0", "1"), 20.0)

    reconcile(tracker, [row("A", "0", "0", "1")], requested_at=24.0)
    heard_soon_after = list(tracker.heard)
    reconcile(tracker, [row("A", "0", "0", "1")], requested_at=25.1)

    assert heard_soon_after == ["A"]
    assert tracker.heard == {}


# 4. What changed since the last take_changes is known


def test_changes_are_taken_once(tracker):
    tracker.apply_ticker(prices("A", 1), 20.0)

    first, second = tracker.take_changes(), tracker.take_changes()

    assert [each.ticker for each in first.positions] == ["A"]
    assert (second.positions, second.closed, second.markets) == ((), (), frozenset())


def test_only_what_changed_is_written(tracker):
    reconcile(tracker, [row("A", "10", "4", "0", "0.17", updated=0), row("B", "2", "1")])
    tracker.take_changes()

    tracker.apply_ticker(prices("B", 1), 120.0)

    assert only(tracker).ticker == "B"


def test_many_changes_of_one_position_are_one(tracker):
    tracker.apply_ticker(prices("A", 1, yes_bid="0.50"), 20.0)
    tracker.apply_position(position("A", "15", "6", sent=1), 20.1)
    tracker.apply_ticker(prices("A", 2, yes_bid="0.60"), 20.2)

    changed = only(tracker)

    assert changed.holding == holding("15", "6")
    assert changed.quote.yes_bid == Decimal("0.60")
    # 15 * 0.60
    assert changed.figures.market_value == Decimal("9.00")


def test_new_market_facts_are_told_with_their_position(tracker):
    facts, state, quotes = market("A")
    renamed = replace(facts, title="Who wins it all?")

    reconcile(
        tracker, [row("A", "10", "4", "0", "0.17", updated=0)], {"A": (renamed, state, quotes)}
    )

    changes = tracker.take_changes()
    assert changes.markets == {"A"}
    assert changes.positions[0].market == renamed


def test_change_of_the_market_s_status_moves_the_figures(tracker):
    told = market("A", status="closed")

    reconcile(tracker, [row("A", "10", "4", "0", "0.17", updated=0)], {"A": told})

    assert only(tracker).figures.mark == Mark(Decimal("0.41"), "last")


def test_sums_are_unknown_before_the_first_reconciliation():
    assert Tracker("bid").take_changes().sums is None


def test_sums_are_of_all_that_is_held(tracker):
    reconcile(tracker, [row("A", "10", "4", "0", "0.17"), row("B", "-2", "1")])

    changes = tracker.take_changes()

    # 10 * 0.40 + 2 * (1 - 0.46)
    assert changes.sums.positions_value == Decimal("5.08")
    assert changes.sums.position_count == 2
    assert changes.reconciled_at == NOON


# Closing


def test_sold_position_realized_what_the_exchange_says(tracker):
    tracker.apply_fill(fill("A", "0"), 20.0)
    tracker.apply_position(position("A", "0", "0", "1.5", sent=1), 20.1)

    assert tracker.take_changes().closed == (Closed("A", "closed", Decimal("1.5"), Decimal(0)),)
    assert tracker.tickers == []


def test_position_sold_is_closed_whichever_frame_comes_first(tracker):
    is_all = tracker.apply_position(position("A", "0", "0", "1.5", sent=1), 20.0)
    tracker.apply_fill(fill("A", "0"), 20.1)

    assert not is_all
    assert tracker.take_changes().closed == (Closed("A", "closed", Decimal("1.5"), Decimal(0)),)


def test_position_that_goes_flat_without_a_trade_waits_for_the_read(tracker):
    is_all = tracker.apply_position(position("A", "0", "0", "1.5", sent=1), 20.0)

    assert not is_all
    assert tracker.tickers == ["A"]
    assert tracker.take_changes().closed == ()


@pytest.mark.parametrize("heard", [[], [position("A", "0", "0", "9.99", sent=1)]])
def test_settled_position_realized_its_payout(tracker, heard):
    for frame in heard:
        tracker.apply_position(frame, 99.9)

    unconfirmed = reconcile(
        tracker, [], {"A": market("A", status="finalized", settlement_value="1")}
    )

    # 0 + 10 * 1 - 4
    assert tracker.take_changes().closed == (Closed("A", "settled", Decimal(6), Decimal("0.17")),)
    assert not unconfirmed


def test_position_sold_just_before_the_determination_was_not_settled(tracker):
    told = market("A", status="determined", settlement_value="1")

    reconcile(tracker, [row("A", "0", "0", "1.5", updated=1)], {"A": told})

    assert tracker.take_changes().closed == (Closed("A", "closed", Decimal("1.5"), Decimal(0)),)


def test_position_sold_by_trade_in_a_market_read_as_determined_was_not_settled(tracker):
    told = market("A", status="determined", settlement_value="1")
    reconcile(tracker, [row("A", "10", "4", "0", "0.17", updated=0)], {"A": told})

    tracker.apply_fill(fill("A", "0"), 101.0)
    tracker.apply_position(position("A", "0", "0", "1.5", sent=2), 101.0)

    assert tracker.take_changes().closed == (Closed("A", "closed", Decimal("1.5"), Decimal(0)),)


def test_position_gone_from_a_market_without_a_value_realized_nobody_knows_what(tracker):
    reconcile(tracker, [], {"A": market("A", status="determined")})

    assert tracker.take_changes().closed == (Closed("A", "closed", None),)


def test_realized_pnl_of_an_earlier_close_is_not_told_of_a_later_one(tracker):
    tracker.apply_fill(fill("A", "0"), 20.0)
    tracker.apply_position(position("A", "0", "0", "1.5"), 20.0)
    # Reopened, and only REST says so.
    reconcile(tracker, [row("A", "10", "4", "1.5")])
    tracker.take_changes()

    tracker.apply_fill(fill("A", "0"), 120.0)
    closed_by_the_fill_alone = tracker.take_changes().closed
    tracker.apply_position(position("A", "0", "0", "2.5"), 120.1)

    assert closed_by_the_fill_alone == ()
    assert tracker.take_changes().closed == (Closed("A", "closed", Decimal("2.5"), Decimal(0)),)


def test_reopened_before_the_write_it_was_never_closed(tracker):
    tracker.apply_fill(fill("A", "0"), 20.0)
    tracker.apply_position(position("A", "0", "0", "1.5", sent=1), 20.0)
    is_all = tracker.apply_position(position("A", "3", "1", "1.5", sent=2), 20.1)

    reconcile(tracker, [row("A", "3", "1", "1.5", updated=2)], requested_at=21.0)

    changes = tracker.take_changes()
    assert not is_all
    assert changes.closed == ()
    assert [each.holding for each in changes.positions] == [holding("3", "1", "1.5")]


def test_opened_and_closed_before_the_write_leaves_only_the_close(tracker):
    reconcile(tracker, [row("A", "10", "4", updated=0), row("B", "2", "1", updated=1)])
    tracker.apply_fill(fill("B", "0"), 101.0)
    tracker.apply_position(position("B", "0", "0", "0.1", sent=2), 101.0)

    changes = tracker.take_changes()

    assert [each.ticker for each in changes.positions] == ["A"]
    assert [each.ticker for each in changes.closed] == ["B"]
    assert changes.markets == frozenset()


# Fills


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["fill first", "position first"])
def test_fill_with_its_position_misses_nothing(tracker, order):
    steps = [
        lambda: tracker.apply_fill(fill("A", "15"), 20.0),
        lambda: tracker.apply_position(position("A", "15", "6", sent=1), 20.0),
    ]

    for step in order:
        steps[step]()

    assert tracker.missing_positions(before=1000.0) == []
    assert tracker.holdings == {"A": holding("15", "6")}


def test_fill_whose_position_did_not_come_is_missed_after_a_while(tracker):
    tracker.apply_fill(fill("A", "15"), 20.0)

    assert tracker.missing_positions(before=20.0) == []
    assert tracker.missing_positions(before=20.1) == ["A"]


def test_position_that_went_before_its_fill_is_missed_until_that_comes(tracker):
    is_shown = tracker.apply_position(position("A", "0", "0", "1.5", sent=1), 20.0)
    early, late = (tracker.missing_positions(before=at) for at in (20.0, 20.1))

    tracker.apply_fill(fill("A", "0"), 20.2)

    assert (is_shown, early, late) == (False, [], ["A"])
    assert tracker.missing_positions(before=1000.0) == []
    assert tracker.holdings == {}


def test_two_fills_whose_positions_came_as_one_miss_nothing(tracker):
    tracker.apply_position(position("A", "20", "8", sent=1), 20.0)
    tracker.apply_fill(fill("A", "15"), 20.1)
    tracker.apply_fill(fill("A", "20"), 20.2)

    assert tracker.missing_positions(before=1000.0) == []


def test_fill_that_does_not_say_the_quantity_is_not_waited_for(tracker):
    tracker.apply_fill(fill("A", None), 20.0)

    assert tracker.missing_positions(before=1000.0) == []


def test_fill_that_arrived_after_the_read_was_sent_is_still_waited_for(tracker):
    tracker.apply_fill(fill("A", "15"), 100.1)

    reconcile(tracker, [row("A", "10", "4", updated=0)], requested_at=100.0)

    assert tracker.missing_positions(before=1000.0) == ["A"]


def test_position_in_a_market_new_here_waits_for_the_read(tracker):
    is_all = tracker.apply_position(position("B", "2", "1", sent=1), 99.9)

    assert not is_all
    assert tracker.tickers == ["A"]


def test_position_new_to_the_read_too_is_opened_on_the_stream_s_word(tracker):
    tracker.apply_position(position("B", "2", "1", sent=1), 99.9)

    unconfirmed = reconcile(tracker, [row("A", "10", "4", "0", "0.17", updated=0)])

    assert tracker.holdings["B"] == holding("2", "1")
    assert unconfirmed == {"B"}


def test_flat_position_in_a_market_not_held_is_no_news(tracker):
    assert tracker.apply_position(position("B", "0", "0", "1"), 20.0)
    assert tracker.take_changes().closed == ()


# Writes that failed


def test_put_back_changes_are_taken_again(tracker):
    reconcile(tracker, [row("A", "0", "0", "1"), row("B", "2", "1")])
    changes = tracker.take_changes()

    tracker.put_back(changes)

    assert tracker.take_changes() == changes


def test_put_back_positions_are_written_as_they_are_now(tracker):
    tracker.apply_ticker(prices("A", 1, yes_bid="0.50"), 20.0)
    changes = tracker.take_changes()
    tracker.apply_ticker(prices("A", 2, yes_bid="0.60"), 20.1)

    tracker.put_back(changes)

    assert only(tracker).quote.yes_bid == Decimal("0.60")


def test_put_back_position_closed_in_between_stays_closed(tracker):
    reconcile(tracker, [row("A", "15", "6")])
    changes = tracker.take_changes()
    reconcile(tracker, [row("A", "0", "0", "1")], requested_at=200.0)

    tracker.put_back(changes)

    taken = tracker.take_changes()
    assert taken.positions == ()
    assert taken.closed == (Closed("A", "closed", Decimal(1), Decimal(0)),)


def test_put_back_close_reopened_in_between_stays_open(tracker):
    reconcile(tracker, [row("A", "0", "0", "1")])
    changes = tracker.take_changes()
    reconcile(tracker, [row("A", "3", "1", "1")], requested_at=200.0)

    tracker.put_back(changes)

    taken = tracker.take_changes()
    assert taken.closed == ()
    assert [each.holding for each in taken.positions] == [holding("3", "1", "1")]


def test_put_back_close_that_was_reopened_and_closed_again_is_the_later_one(tracker):
    reconcile(tracker, [row("A", "0", "0", "1")])
    changes = tracker.take_changes()
    reconcile(tracker, [row("A", "3", "1", "1")], requested_at=200.0)
    reconcile(tracker, [row("A", "0", "0", "2")], requested_at=300.0)

    tracker.put_back(changes)

    assert tracker.take_changes().closed == (Closed("A", "closed", Decimal(2), Decimal(0)),)


def test_put_back_market_facts_are_written_with_their_position():
    tracker = Tracker("bid")
    reconcile(tracker, [row("A", "10", "4"), row("B", "2", "1")])
    changes = tracker.take_changes()
    reconcile(tracker, [row("A", "10", "4"), row("B", "0")], requested_at=200.0)

    tracker.put_back(changes)

    assert tracker.take_changes().markets == {"A"}


# Restored from the cache


def held_position(mark_price: pnl.MarkPrice = "bid") -> Position:
    facts, state, quotes = market("A", prices=quote(priced_at=NOON))
    held = holding("10", "4")
    figures = pnl.figures_of(held, quotes, state, mark_price)
    return Position("A", facts, state, held, quotes, figures)


def test_restored_tracker_knows_what_was_held():
    cash = Cash(Decimal(100), Decimal(4), NOON)

    tracker = Tracker(
        "bid", positions=[held_position()], valuation=Valuation(cash), reconciled_at=NOON
    )

    changes = tracker.take_changes()
    assert tracker.holdings == {"A": holding("10", "4")}
    assert changes.sums.positions_value == Decimal("4.00")
    assert (changes.cash, changes.reconciled_at) == (cash, NOON)


def test_restored_positions_are_marked_as_is_asked_for_now():
    tracker = Tracker("mid", positions=[held_position("bid")], reconciled_at=NOON)

    changed = only(tracker)

    assert changed.figures.mark == Mark(Decimal("0.43"), "mid")


def test_read_replaces_restored_prices():
    tracker = Tracker("bid", positions=[held_position()])
    told = market("A", prices=quote("0.60", "0.65", "0.62"))

    reconcile(tracker, [row("A", "10", "4")], {"A": told}, requested_at=0.0)

    assert only(tracker).quote == quote("0.60", "0.65", "0.62", None)


# What the rows can hold


def test_amounts_finer_than_the_rows_are_kept_rounded(tracker):
    tracker.apply_position(position("A", "10", "4.0000005", "0.1234567", "0.1700004"), 20.0)
    tracker.apply_ticker(prices("A", 1, yes_bid="0.50000051"), 20.1)

    changed = only(tracker)

    assert changed.holding == holding("10", "4.000000", "0.123457", "0.170000")
    assert changed.quote.yes_bid == Decimal("0.500001")


def test_read_of_finer_amounts_is_the_same_once_more(tracker):
    finer = [row("A", "10", "4.0000001", updated=1)]
    told = {"A": market("A", prices=quote("0.5000001", "0.55", "0.52"))}
    reconcile(tracker, finer, told, requested_at=100.0)
    tracker.take_changes()

    reconcile(tracker, finer, told, requested_at=200.0)

    assert tracker.take_changes().positions == ()


@pytest.mark.parametrize("impossible", ["1.0001", "-0.01", "100"])
def test_price_that_no_contract_can_have_is_none(tracker, impossible):
    tracker.apply_ticker(
        prices("A", 1, yes_bid=impossible, yes_ask=impossible, last_price=impossible), 20.0
    )

    changed = only(tracker)

    assert changed.quote == quote(None, None, None, at(1))
    assert changed.figures.mark is None


def test_settlement_value_that_no_contract_can_have_is_none(tracker):
    told = market("A", status="determined", settlement_value="7")

    reconcile(tracker, [row("A", "10", "4", "0", "0.17")], {"A": told})

    assert only(tracker).figures.mark == Mark(Decimal("0.41"), "last")


# What REST says late


def test_position_that_was_sold_stays_sold_until_the_exchange_has_caught_up(tracker):
    tracker.apply_fill(fill("A", "0", sent=10), 80.0)
    tracker.apply_position(position("A", "0", sent=10), 80.0)
    held = [row("A", "10", "4", updated=1)]

    behind = reconcile(tracker, held, requested_at=100.0, as_of=9.5)
    still_behind = reconcile(tracker, held, requested_at=160.0, as_of=9.9)
    caught_up = reconcile(tracker, [row("A", "0", updated=10)], requested_at=220.0, as_of=11)

    assert (behind, still_behind, caught_up) == ({"A"}, {"A"}, frozenset())
    assert tracker.holdings == {}
    # From then on REST decides again.
    reconcile(tracker, held, requested_at=300.0, as_of=12)
    assert tracker.holdings == {"A": holding("10", "4")}


def test_position_that_was_opened_stays_open_until_the_exchange_has_caught_up(tracker):
    tracker.apply_position(position("A", "25", "11", sent=10), 80.0)

    behind = reconcile(tracker, [row("A", "10", "4", updated=1)], requested_at=100.0, as_of=9)

    assert behind == {"A"}
    assert tracker.holdings == {"A": holding("25", "11")}


def test_read_that_is_newer_by_its_own_account_counts(tracker):
    tracker.apply_position(position("A", "25", "11", sent=10), 80.0)

    confirmed = reconcile(tracker, [row("A", "10", "4", updated=1)], requested_at=100.0, as_of=10)

    assert confirmed == frozenset()
    assert tracker.holdings == {"A": holding("10", "4")}


def test_fill_without_its_position_waits_for_a_read_that_can_know_it(tracker):
    tracker.apply_fill(fill("A", "7", sent=10), 80.0)

    reconcile(tracker, [row("A", "10", "4", updated=1)], requested_at=100.0, as_of=9)
    behind = tracker.missing_positions(before=101.0)
    reconcile(tracker, [row("A", "7", "3", updated=10)], requested_at=120.0, as_of=10.5)

    assert behind == ["A"]
    assert tracker.missing_positions(before=121.0) == []


def test_quote_counts_at_once_for_a_market_that_rest_does_not_know_yet():
    tracker = Tracker("bid")
    unknown = (market("A")[0], MarketState("unknown"), Quote())
    reconcile(tracker, [row("A", "10", "4")], {"A": unknown})

    tracker.apply_ticker(prices("A", 1, yes_bid="0.50"), 101.0)

    assert only(tracker).figures.mark == Mark(Decimal("0.50"), "bid")


# Rows that can't be understood


def test_position_whose_row_cannot_be_read_stays_with_its_value_unknown(tracker):
    reconcile(tracker, [], unreadable=["A"])

    changes = tracker.take_changes()
    (shown,) = changes.positions
    assert shown.unreadable == "position"
    assert shown.holding == holding("10", "4", "0", "0.17")
    assert (shown.figures.mark, shown.figures.market_value) == (None, None)
    assert shown.figures.net_pnl is None
    assert changes.sums.unpriced_count == 1
    assert changes.left_out == ("position A: odd",)


def test_position_whose_row_can_be_read_again_has_its_value_again(tracker):
    reconcile(tracker, [], unreadable=["A"])

    reconcile(tracker, [row("A", "10", "4", "0", "0.17")])

    changes = tracker.take_changes()
    (position,) = changes.positions
    assert position.unreadable is None
    assert position.figures.mark == Mark(Decimal("0.40"), "bid")
    assert changes.left_out == ()


def test_position_whose_row_can_be_read_again_while_its_markets_cannot_has_no_value(tracker):
    reconcile(tracker, [], unreadable=["A"], odd_markets=["A"])

    reconcile(tracker, [row("A", "10", "4", "0", "0.17")], odd_markets=["A"])

    shown = only(tracker)
    assert (shown.unreadable, shown.figures.mark) == ("market", None)


def test_frame_of_the_stream_makes_up_for_a_row_that_cannot_be_read(tracker):
    reconcile(tracker, [], unreadable=["A"])

    tracker.apply_position(position("A", "12", "5", sent=1), 101.0)
    told = only(tracker)
    reconcile(tracker, [], requested_at=200.0, unreadable=["A"])

    assert (told.unreadable, told.holding) == (None, holding("12", "5"))
    assert tracker.take_changes().positions == ()


def test_position_not_held_before_is_not_invented_from_a_row_that_cannot_be_read(tracker):
    reconcile(tracker, [row("A", "10", "4")], unreadable=["B"])

    assert tracker.holdings.keys() == {"A"}


def unreadable_market(tracker: Tracker, **told) -> None:
    """A reconciliation in which the row of A's market can't be understood."""
    rows = {"A": row("A", "10", "4", "0", "0.17", updated=0)}
    tracker.apply_difference(
        compare(tracker.holdings, rows, tracker.heard, 200.0),
        Read(markets={}, requested_at=200.0, at=NOON, unreadable_markets=frozenset("A"), **told),
    )


def test_worth_of_a_market_that_cannot_be_read_is_unknown_until_the_stream_quotes_it(tracker):
    unreadable_market(tracker)
    before = only(tracker)

    is_news = tracker.apply_ticker(prices("A", 1, yes_bid="0.50"), 201.0)
    after = only(tracker)

    assert (before.unreadable, before.figures.mark) == ("market", None)
    assert is_news
    assert (after.unreadable, after.figures.mark) == (None, Mark(Decimal("0.50"), "bid"))


def test_quote_of_an_earlier_connection_does_not_make_up_for_a_market(tracker):
    tracker.apply_ticker(prices("A", 1, yes_bid="0.50"), 101.0)
    tracker.follow(150.0)
    tracker.take_changes()

    unreadable_market(tracker)

    assert only(tracker).figures.mark is None


def test_same_quote_ends_the_doubt_too(tracker):
    tracker.apply_ticker(prices("A", 1, yes_bid="0.50"), 101.0)
    tracker.follow(150.0)
    unreadable_market(tracker)
    tracker.take_changes()

    assert tracker.apply_ticker(prices("A", 1, yes_bid="0.50"), 201.0)

    assert only(tracker).figures.mark == Mark(Decimal("0.50"), "bid")


def test_market_that_can_be_read_again_is_in_no_doubt(tracker):
    unreadable_market(tracker)
    tracker.take_changes()

    tracker.apply_markets({"A": market("A")}, requested_at=210.0)

    assert (only(tracker).unreadable, tracker.holdings.keys()) == (None, {"A"})


def test_rows_left_out_are_told_once_until_they_change(tracker):
    reconcile(tracker, [], unreadable=["A"])
    first = tracker.take_changes()
    reconcile(tracker, [], unreadable=["A"])
    same = tracker.take_changes()
    tracker.put_back(first)
    again = tracker.take_changes()

    assert first.left_out == ("position A: odd",)
    assert same.left_out is None
    assert again.left_out == ("position A: odd",)


# Titles


def test_titles_come_after_the_figures():
    tracker = Tracker("bid")
    facts, state, quoted = market("A")
    stand_in = replace(facts, title="A", is_described=False)
    reconcile(tracker, [row("A", "10", "4")], {"A": (stand_in, state, quoted)})
    before = tracker.undescribed_events
    tracker.take_changes()

    changed = tracker.describe({"KXGAME-A": EventFacts("KXGAME", "Who wins?")})

    (position,) = tracker.take_changes().positions
    assert (before, changed) == ({"KXGAME-A"}, True)
    assert (position.market.title, position.market.is_described) == ("Who wins?", True)
    assert tracker.undescribed_events == set()


def test_title_is_not_lost_to_a_read_without_it(tracker):
    facts, state, quoted = market("A")

    reconcile(
        tracker,
        [row("A", "10", "4")],
        {"A": (replace(facts, title="A", is_described=False), state, quoted)},
    )

    assert only(tracker).market.title == facts.title


def test_titles_of_events_not_held_change_nothing(tracker):
    assert not tracker.describe({"KXOTHER": EventFacts("KX", "Other")})
