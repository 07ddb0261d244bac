"""Records become rows once, and what follows from them is the same in any order of arrival."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import import_module

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kalshi import history
from ledger import (
    collateral_flows,
    comparing,
    following,
    holes,
    markets,
    new_world,
    points,
    recording,
)
from ledger.flows import settled_revenue
from ledger.models import (
    CollateralFlow,
    EquityPoint,
    Fill,
    Followed,
    Hole,
    RecordedPosition,
    Settlement,
    Trade,
)
from ledger.records import Fill as Filled
from ledger.records import Settlement as Paid
from ledger.records import settlement_of
from ledger.what_happened import settlement_document
from positions.models import Market
from tests.integration.blocking import wait_for_a_blocked_session
from tests.integration.visitors import make_account
from tests.replayed import replay
from tests.told import row

pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime(2026, 11, 23, 17, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def bought(
    ticker: str, side: str, count: str, price: str, second: int, fee: str = "0.01"
) -> Filled:
    return Filled(
        f"{ticker}-{second}",
        "order",
        ticker,
        at(second),
        side,
        Decimal(count),
        Decimal(price),
        Decimal(fee),
        is_taker=True,
    )


def paid(ticker: str, value: str, quantity: str, exposure: str, second: int) -> Paid:
    return Paid(
        ticker=ticker,
        at=at(second),
        result={"1": "yes", "0": "no"}.get(value, "scalar"),
        value=Decimal(value),
        quantity=Decimal(quantity),
        exposure=Decimal(exposure),
        revenue=settled_revenue(Decimal(quantity), Decimal(value)),
        fees_paid=Decimal("0.05"),
    )


@pytest.fixture
def account() -> int:
    account_id = make_account(environment="sandbox").pk
    Followed.objects.create(account_id=account_id, until=at(-60), is_netting=True)
    return account_id


@pytest.fixture
def late_ones_wait(monkeypatch) -> None:
    """Every market counts as a long one."""
    monkeypatch.setattr(following, "AT_ONCE", 0)


def told(account_id: int) -> list[tuple[object, ...]]:
    """All that follows from the records, in their order."""
    columns = ("at", "closed_count", "cash_flow", "realized_pnl", "quantity_after")
    more = ("exposure_after", "realized_after", "fees_after")
    fills = Fill.objects.filter(account_id=account_id).values_list("trade_id", *columns, *more)
    payouts = Settlement.objects.filter(account_id=account_id).values_list(
        "market__ticker", *columns, *more
    )
    return sorted([*fills, *payouts], key=lambda each: (each[1], each[0]))


HISTORY = [
    bought("M", "yes", "10", "0.40", 1),
    bought("M", "no", "4", "0.45", 2),
    bought("M", "no", "9", "0.37", 3),
    bought("N", "no", "3", "0.73", 4),
    bought("M", "yes", "3", "0.62", 5),
    paid("N", "0", "-3", "2.19", 6),
    bought("M", "no", "2.50", "0.41", 7),
]


def follow_all(account_id: int) -> None:
    """As the historian does."""
    for market in following.open_markets(account_id):
        following.follow_market(account_id, market)


def forget_all() -> None:
    for model in (Fill, Settlement, RecordedPosition, Trade):
        model.objects.all().delete()


def expected() -> list[tuple[object, ...]]:
    """What `told` is to be once all of HISTORY is recorded."""
    return sorted(
        (
            (
                each.trade_id if isinstance(each, Filled) else each.ticker,
                each.at,
                effect.closed_count,
                effect.cash_flow,
                effect.realized_pnl,
                effect.after.quantity,
                effect.after.exposure,
                effect.after.realized_pnl,
                effect.after.fees_paid,
            )
            for ticker in "MN"
            for each, effect in replay(one for one in HISTORY if one.ticker == ticker)
        ),
        key=lambda each: (each[1], each[0]),
    )


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(HISTORY), cuts=st.sets(st.integers(1, len(HISTORY) - 1)))
def test_any_order_of_arrival_gives_the_same_rows(account, order, cuts):
    forget_all()

    begin = 0
    for cut in [*sorted(cuts), len(order)]:
        recording.record(account, order[begin:cut], at(60))
        # As the exchange does, once more.
        assert recording.record(account, order[begin:cut], at(61)) == []
        begin = cut

    assert told(account) == expected()


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(HISTORY), followed=st.sets(st.integers(0, len(HISTORY) - 1)))
def test_any_order_gives_the_same_rows_where_late_records_wait(
    account, late_ones_wait, order, followed
):
    forget_all()

    for place, each in enumerate(order):
        recording.record(account, [each], at(60))
        if place in followed:
            follow_all(account)
    follow_all(account)

    assert told(account) == expected()
    assert not following.late_markets(account)


def test_late_record_of_a_long_market_waits_and_so_do_newer_ones(account, late_ones_wait):
    recording.record(account, [bought("M", "yes", "10", "0.40", each) for each in (1, 2, 9)], NOON)
    recording.record(account, [bought("M", "no", "5", "0.50", 3)], NOON)

    recording.record(account, [bought("M", "yes", "1", "0.40", 10)], NOON)
    recording.record(account, [bought("N", "yes", "1", "0.40", 10)], NOON)

    fills = Fill.objects.filter(market__ticker="M").order_by("at")
    assert [fill.quantity_after for fill in fills] == [10, 20, None, 30, None]
    assert RecordedPosition.objects.get(market__ticker="N").quantity == 1
    assert [market.ticker for market in following.late_markets(account)] == ["M"]

    follow_all(account)

    assert [fill.quantity_after for fill in fills.all()] == [10, 20, 15, 25, 26]
    assert RecordedPosition.objects.get(market__ticker="M").quantity == 26
    assert Trade.objects.get(market__ticker="M").closed_count == 5


def test_late_record_of_a_short_market_counts_at_once(account):
    recording.record(account, [bought("M", "yes", "10", "0.40", each) for each in (1, 9)], NOON)

    recording.record(account, [bought("M", "no", "5", "0.50", 3)], NOON)

    assert not following.late_markets(account)
    assert RecordedPosition.objects.get().quantity == 15


def test_record_that_comes_while_its_market_is_replayed_is_not_forgotten(
    account, late_ones_wait, in_thread
):
    for second in (2, 1):
        recording.record(account, [bought("M", "yes", "10", "0.40", second)], NOON)
    (market,) = following.late_markets(account)

    with transaction.atomic():
        holes.lock(account)
        followed = in_thread(following.follow_market, account, market)
        # It has gone through the records that there were.
        wait_for_a_blocked_session()
        recording.record(account, [bought("M", "yes", "5", "0.40", 3)], NOON)
    followed.result(timeout=10)

    assert [fill.quantity_after for fill in Fill.objects.order_by("at")] == [10, 20, 25]
    assert RecordedPosition.objects.get().quantity == 25


def test_record_of_a_market_that_is_just_being_written_holds_up_nobody(account, in_thread):
    with transaction.atomic():
        # As a flush does, which records at its end what it has of the same market.
        markets.ids_of("sandbox", ["M"])
        kept = in_thread(recording.record, account, [bought("M", "yes", "10", "0.40", 1)], NOON)
        wait_for_a_blocked_session()
        recording.record(account, [bought("M", "yes", "5", "0.40", 2)], NOON)
    kept.result(timeout=10)

    assert [fill.quantity_after for fill in Fill.objects.order_by("at")] == [10, 15]


def test_correction_is_a_row_of_its_own_and_moves_the_difference(account):
    recording.record(account, [bought("M", "yes", "10", "0.40", 1)], at(1))
    first = paid("M", "1", "10", "4", 2)
    recording.record(account, [first], at(2))

    corrected = replace(paid("M", "0", "10", "4", 500), fees_paid=first.fees_paid)
    recording.record(account, [corrected], at(500))
    recording.record(account, [corrected, first], at(501))

    rows = Settlement.objects.order_by("at").values_list("cash_flow", "realized_pnl", "revenue")
    assert list(rows) == [(10, 6, 10), (-10, -10, 0)]
    book = RecordedPosition.objects.get()
    assert (book.quantity, book.realized_pnl) == (0, -4)


def test_settlements_that_are_told_again_are_looked_up_at_once(
    account, django_assert_max_num_queries
):
    told = [paid(f"KXA-{number}", "1", "10", "4", 60) for number in range(50)]
    recording.record(account, told, NOON)

    with django_assert_max_num_queries(8):
        recording.record(account, told, NOON)

    assert Settlement.objects.count() == 50


def test_contracts_that_a_trade_closed_cost_nothing_at_the_end(account):
    # The row tells both sides, as much as was bought of each.
    row = history.Settlement.decode(
        {
            "ticker": "KXA-1",
            "market_result": "no",
            "yes_count_fp": "2.00",
            "yes_total_cost_dollars": "0.0120",
            "no_count_fp": "2.00",
            "no_total_cost_dollars": "1.6000",
            "revenue": 0,
            "value": 0,
            "settled_time": at(60).isoformat(),
            "fee_cost": "0.00",
        }
    )
    records = [
        bought("KXA-1", "no", "2", "0.80", 1, "0"),
        bought("KXA-1", "yes", "2", "0.006", 2, "0"),
        settlement_of(row),
    ]

    recording.record(account, records, NOON)

    assert figures_of_the_settlement() == {"exposure": 0, "cash_flow": 0, "realized_pnl": 0}
    assert RecordedPosition.objects.get().realized_pnl == Decimal("0.388")


def test_cost_of_what_is_paid_for_is_that_of_the_books(account):
    records = [
        bought("KXA-1", "yes", "10", "0.50", 1),
        bought("KXA-1", "no", "14", "0.30", 2),
        # Four close what is left of the NO; six are open at the end.
        bought("KXA-1", "yes", "10", "0.20", 3),
        # All YES that were bought cost 35 cents on the average, which is no cost of these.
        paid("KXA-1", "1", "6", "2.1", 60),
    ]

    recording.record(account, records, NOON)

    assert figures_of_the_settlement() == {
        "exposure": Decimal("1.2"),
        "cash_flow": 6,
        "realized_pnl": Decimal("4.8"),
    }


def test_settlement_that_counted_both_sides_is_followed_anew(account):
    records = [
        bought("KXA-1", "no", "2", "0.80", 1, "0"),
        bought("KXA-1", "yes", "2", "0.006", 2, "0"),
        paid("KXA-1", "0", "0", "0", 60),
        bought("KXB-1", "yes", "10", "0.40", 1, "0"),
        paid("KXB-1", "1", "10", "4", 60),
    ]
    recording.record(account, records, NOON)
    right = figures_of_books()
    # As a version before had it.
    Settlement.objects.filter(market__ticker="KXA-1").update(realized_pnl=-1, realized_after=-2)
    RecordedPosition.objects.filter(market__ticker="KXA-1").update(realized_pnl=-2)
    migration = import_module("ledger.migrations.0008_follow_settlements_of_both_sides_anew")

    with connection.cursor() as cursor:
        cursor.execute(migration._OPEN)

    (market,) = following.open_markets(account)
    assert market.ticker == "KXA-1"
    following.follow_market(account, market)
    assert figures_of_books() == right
    assert not Settlement.objects.filter(cash_flow=None).exists()


def figures_of_books() -> dict[str, Decimal]:
    return dict(RecordedPosition.objects.values_list("market__ticker", "realized_pnl"))


def figures_of_the_settlement() -> dict[str, Decimal]:
    """Of the only one, as clients are told it."""
    told = settlement_document(Settlement.objects.select_related("market").get())
    return {name: Decimal(str(told[name])) for name in ("exposure", "cash_flow", "realized_pnl")}


def test_nothing_follows_while_the_past_is_being_read(account):
    Hole.objects.create(account_id=account, until=at(0), opened_until=at(0), opened_at=at(0))
    recording.record(account, [bought("M", "no", "4", "0.45", 2)], at(2))
    assert Fill.objects.get().cash_flow is None

    recording.record(account, [bought("M", "yes", "10", "0.40", 1)], at(3))
    holes.close(holes.next_to_fill(account), at(4))
    follow_all(account)

    assert [fill.quantity_after for fill in Fill.objects.order_by("at")] == [10, 6]
    assert RecordedPosition.objects.get().quantity == 6


@pytest.fixture
def event() -> None:
    """An event of two markets that gives collateral back."""
    for name in "AB":
        Market.objects.create(
            environment="sandbox",
            ticker=f"EVENT-{name}",
            event_ticker="EVENT",
            series_ticker="SERIES",
            title="Who?",
            yes_outcome="",
            no_outcome="",
            collateral_return_type="MECNET",
        )


OF_EVENT = [
    bought("EVENT-A", "no", "10", "0.60", 1),
    bought("EVENT-B", "no", "4", "0.50", 2),
    bought("EVENT-A", "yes", "8", "0.45", 3),
    paid("EVENT-A", "1", "-2", "1.20", 4),
    paid("EVENT-B", "0", "-4", "2.00", 5),
]
# Four back; two taken back with the sale; all four certain once A has won; taken as B is paid.
FLOWS = [(at(2), 4), (at(3), -2), (at(4), 2), (at(5), -4)]


def flows() -> list[tuple[datetime, Decimal]]:
    return list(CollateralFlow.objects.order_by("at").values_list("at", "amount"))


def test_collateral_flows_follow_the_records_of_their_event(account, event):
    for each in OF_EVENT:
        recording.record(account, [each], each.at)

    assert flows() == FLOWS
    collateral_flows.rewrite(account, "EVENT")
    assert flows() == FLOWS


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(OF_EVENT), cuts=st.sets(st.integers(1, len(OF_EVENT) - 1)))
def test_any_order_of_arrival_gives_the_same_collateral_flows(account, event, order, cuts):
    forget_all()
    CollateralFlow.objects.all().delete()

    begin = 0
    for cut in [*sorted(cuts), len(order)]:
        recording.record(account, order[begin:cut], at(60))
        begin = cut

    assert flows() == FLOWS


def test_market_that_says_yes_without_a_value_has_won(account, event):
    *before, won, paid_last = OF_EVENT

    recording.record(account, [*before, replace(won, value=None), paid_last], NOON)

    assert flows() == FLOWS


def test_market_that_was_just_met_is_of_the_event_that_is_known(account, event):
    Market.objects.filter(ticker="EVENT-A").delete()

    recording.record(account, OF_EVENT[:2], NOON)

    assert flows() == FLOWS[:1]


@pytest.fixture
def every_event_is_long(monkeypatch) -> None:
    monkeypatch.setattr(collateral_flows, "AT_ONCE", 0)


def test_newest_records_of_a_long_event_are_followed_at_once(account, event, every_event_is_long):
    recording.record(account, OF_EVENT[:3], at(3))
    recording.record(account, OF_EVENT[3:], at(5))

    assert not following.late_markets(account)
    assert flows() == FLOWS


def test_late_record_of_a_long_event_waits(account, event, every_event_is_long):
    first, *others = OF_EVENT
    recording.record(account, others[:1], NOON)

    # Its market has no newer record, but the other one has.
    recording.record(account, [first], NOON)

    assert [market.ticker for market in following.late_markets(account)] == ["EVENT-A"]
    follow_all(account)
    assert flows() == FLOWS[:1]


def test_it_is_told_from_when_on_something_else_follows(account, event, every_event_is_long):
    recording.record(account, [OF_EVENT[0], OF_EVENT[2]], NOON)
    recording.record(account, [OF_EVENT[1]], NOON)
    (market,) = following.late_markets(account)

    assert following.follow_market(account, market) == at(2)
    assert following.follow_market(account, market) is None
    CollateralFlow.objects.filter(at=at(3)).delete()
    assert collateral_flows.rewrite(account, "EVENT") == at(3)


def test_event_that_gives_nothing_back_costs_a_look(account, event, django_assert_num_queries):
    recording.record(account, OF_EVENT[:2], NOON)
    Market.objects.update(collateral_return_type="")

    # What it was thought to give back goes.
    assert collateral_flows.rewrite(account, "EVENT") == at(2)
    assert flows() == []
    with django_assert_num_queries(2):
        assert collateral_flows.rewrite(account, "EVENT") is None


def test_record_that_comes_while_its_event_is_reckoned_is_not_forgotten(account, event, in_thread):
    recording.record(account, OF_EVENT[:2], NOON)
    CollateralFlow.objects.all().delete()

    with transaction.atomic():
        holes.lock(account)
        rewritten = in_thread(collateral_flows.rewrite, account, "EVENT")
        # It has gone through the records that there were, while who records waited for nothing.
        wait_for_a_blocked_session()
        recording.record(account, OF_EVENT[2:], NOON)
    rewritten.result(timeout=10)

    assert flows() == FLOWS


def test_difference_counts_when_two_readings_show_it(account):
    recording.record(account, [bought("M", "yes", "10", "0.40", 1, fee="0.17")], at(1))
    shown = {"M": replace(row("M", "10", "4", "-0.17", "0.17"), last_updated_at=at(1))}

    first = comparing.compare(account, shown, {}, at(10))
    assert RecordedPosition.objects.get().disagreement is None
    comparing.compare(account, shown, first, at(20))

    told = RecordedPosition.objects.get().disagreement
    assert "realized_pnl 0 here, -0.17 there" in told
    assert "after fees" in told
    right = {"M": replace(row("M", "10", "4", "0", "0.17"), last_updated_at=at(1))}
    comparing.compare(account, right, comparing.compare(account, right, {}, at(30)), at(40))
    assert RecordedPosition.objects.get().disagreement == ""


def test_row_older_than_the_records_says_nothing(account):
    recording.record(account, [bought("M", "yes", "10", "0.40", 100)], at(100))
    old = {"M": replace(row("M", "3", "1"), last_updated_at=at(1))}

    assert comparing.compare(account, old, {}, at(110)) == {}


@pytest.mark.parametrize(
    ("absence", "is_hole"), [(timedelta(minutes=59), False), (timedelta(minutes=61), True)]
)
def test_long_absence_is_a_hole(account, absence, is_hole):
    Followed.objects.filter(account_id=account).update(until=at(0))

    holes.begin(account, at(0) + absence)

    hole = holes.next_to_fill(account)
    assert bool(hole) is is_hole
    if hole:
        assert (hole.since, hole.until) == (at(0) - holes.OVERLAP, at(0) + absence)
        assert holes.followed_until(account) == at(0) + absence


def valued(second: float, total: str, **nets: str | None) -> points.Valued:
    return points.Valued(
        at=at(second),
        total_value=Decimal(total),
        cash=Decimal(total),
        positions_value=Decimal(0),
        collateral_returned=Decimal(0),
        nets={ticker: None if net is None else Decimal(net) for ticker, net in nets.items()},
    )


# Midnight in New York.
MIDNIGHT = (datetime(2026, 11, 24, 5, tzinfo=UTC) - NOON).total_seconds()


@pytest.mark.parametrize(
    ("last_before", "expected"), [(-60.0, "100"), (-14 * 60.0, "100"), (-16 * 60.0, "103")]
)
def test_day_begins_with_the_last_point_before_it_or_the_first_in_it(
    account, last_before, expected
):
    points.add(account, valued(MIDNIGHT + last_before, "100", M="1"))
    points.add(account, valued(MIDNIGHT + 30, "103", M="4"))
    points.add(account, valued(MIDNIGHT + 90, "105", M="6"))

    baseline = points.baseline(account, at(MIDNIGHT + 100))

    assert baseline.total_value == Decimal(expected)
    assert baseline.nets == {"M": Decimal(1 if expected == "100" else 4)}
    # Of others than baselines and the newest it is not kept what each market was worth.
    kept = EquityPoint.objects.filter(nets__isnull=False).count()
    assert kept == (2 if expected == "100" else 3)


def test_baseline_knows_what_flat_markets_had_made(account):
    week_ago = -7 * 86_400
    recording.record(
        account,
        [
            bought("M", "yes", "10", "0.40", week_ago),
            bought("M", "no", "10", "0.50", week_ago + 1),
            bought("M", "yes", "5", "0.30", 100),
            bought("NEW", "yes", "5", "0.30", 100),
        ],
        at(100),
    )
    points.add(account, valued(10, "100"))

    baseline = points.baseline(account, at(200))

    # (0.50 − 0.40) × 10 less two cents of fees; the other was never traded before.
    assert baseline.nets == {"M": Decimal("0.98"), "NEW": Decimal(0)}
    assert baseline.is_complete


def test_of_a_point_without_its_markets_no_part_is_known(account):
    """As when days have come to begin elsewhere: M may have been held then."""
    recording.record(account, [bought("M", "yes", "10", "0.40", 5)], at(5))
    points.add(account, valued(10, "100"))
    EquityPoint.objects.update(nets=None)
    recording.record(account, [bought("M", "yes", "5", "0.30", 100)], at(100))

    baseline = points.baseline(account, at(200))

    assert (baseline.nets, baseline.is_complete) == ({}, False)


def test_fill_that_the_baseline_did_not_know_of_yet_is_of_the_day(account):
    points.add(account, valued(10, "100"))
    # Its frame was under way when the point was stored.
    first = bought("M", "yes", "10", "0.40", 10, fee="0.07")
    recording.record(account, [first, bought("M", "yes", "5", "0.30", 100)], at(100))

    assert points.baseline(account, at(200)).nets == {"M": Decimal(0)}


def test_account_that_opens_just_before_midnight_begins_the_next_day_anew(account):
    points.add(account, valued(MIDNIGHT - 600, "100"))
    points.add(account, valued(MIDNIGHT - 60, "101"))
    assert points.baseline(account, at(MIDNIGHT - 30)).total_value == 100

    points.add(account, valued(MIDNIGHT + 30, "103"))

    assert points.baseline(account, at(MIDNIGHT + 60)).total_value == 101


def test_world_that_begins_anew_leaves_nothing_of_the_old_and_all_of_others(account):
    other = make_account().pk
    for each in (account, other):
        recording.record(each, HISTORY, at(60))
        points.add(each, valued(10, "100", M="1"))

    new_world.forget_the_old(account)

    for model in (Fill, Settlement, RecordedPosition, EquityPoint, Trade):
        assert set(model.objects.values_list("account_id", flat=True)) == {other}
    assert not Followed.objects.filter(account_id=account).exists()


# What could not be read


def given_up(account: int, reason: str = "fill T: count_fp", *, is_named: bool = True) -> Hole:
    holes.give_up(account, at(-60), at(0), reason, at(0), is_named=is_named)
    return Hole.objects.get()


def test_what_cannot_be_read_is_said_once_and_keeps_nothing_waiting(account):
    given_up(account)
    holes.give_up(account, at(-30), at(30), "fill T: count_fp", at(30), is_named=True)

    hole = Hole.objects.get()
    assert (hole.since, hole.until, hole.opened_at) == (at(-60), at(0), at(0))
    assert not holes.being_filled(account).exists()


def test_what_has_no_name_may_be_another_one(account):
    given_up(account, "fill (no name): trade_id", is_named=False)
    holes.give_up(account, at(-90), at(30), "fill (no name): trade_id", at(30), is_named=False)

    hole = Hole.objects.get()
    assert (hole.since, hole.until, hole.opened_until) == (at(-90), at(30), at(30))


def test_what_could_not_be_read_is_tried_every_hour_until_it_is(account):
    hole = given_up(account)
    assert holes.to_try(account, at(3599)) == []

    assert holes.to_try(account, at(3600)) == [hole]
    holes.tried(hole, at(3600))
    assert holes.to_try(account, at(7199)) == []
    holes.close(hole, at(7200))

    assert holes.to_try(account, at(9e9)) == []
    # Should it become unreadable again, that is said again.
    holes.give_up(account, at(-60), at(0), hole.reason, at(9999), is_named=True)
    assert Hole.objects.filter(filled_at=None).count() == 1
