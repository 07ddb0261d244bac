import random
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DataError, OperationalError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from positions import pnl
from positions.cash import CashBook
from positions.connection import ConnectionState
from positions.fencing import TakenOver
from positions.models import AccountStream, Market, Position, Worker
from positions.pnl import Holding, MarketState, Quote
from positions.portfolio import Cash, Changes, EventFacts, Worth
from positions.portfolio import Position as Held
from positions.reading import connection_of
from positions.taking_over import open_stream
from postgres.prepared import prepared_cursor
from tests.integration.blocking import wait_for_a_blocked_session
from tests.integration.positions.conftest import (
    LIVE,
    LOST,
    SECOND_WORKER,
    WORKER,
    hold,
    open,
    stream_of,
    write,
)
from tests.integration.visitors import make_account
from tests.told import NOON, at, fill, market, position, prices, quote, reconcile, row

pytestmark = pytest.mark.django_db(transaction=True)

FIGURES = [
    "average_price",
    "market_value",
    "unrealized_pnl",
    "unrealized_pnl_percent",
    "net_pnl",
    "break_even_price",
    "payout",
]


def waiting(attempt: int) -> ConnectionState:
    """The exchange is away, and was tried so often."""
    return ConnectionState(
        "reconnecting", since=NOON, attempt=attempt, retry_at=at(9), reason="unreachable"
    )


# What is written


def assert_row_is(written: Position, held: Held) -> None:
    market_row = written.market
    assert market_row.ticker == held.ticker
    for name, value in asdict(held.market).items():
        assert getattr(market_row, name) == value
    for part in (held.holding, held.quote):
        for name, value in asdict(part).items():
            assert getattr(written, name) == value
    assert (written.market_status, written.settlement_value) == (
        held.state.status,
        held.state.settlement_value,
    )
    for name in FIGURES:
        assert getattr(written, name) == getattr(held.figures, name)
    assert (written.mark, written.mark_source) == (
        (held.figures.mark.value, held.figures.mark.source) if held.figures.mark else (None, None)
    )


PRICES = st.none() | st.decimals(0, 1, places=6)
MONEY = st.decimals(0, "999999999999.999999", places=6)
SIGNED_MONEY = st.decimals("-999999999999.999999", "999999999999.999999", places=6)
COUNTS = st.decimals("0.01", "999999999999.99", places=2)
HELD = st.builds(
    lambda held, quotes, state: Held(
        "M",
        market("M")[0],
        state,
        held,
        quotes,
        pnl.figures_of(held, quotes, state, "mid"),
    ),
    st.builds(Holding, COUNTS | COUNTS.map(lambda count: -count), MONEY, SIGNED_MONEY, MONEY),
    st.builds(Quote, PRICES, PRICES, PRICES, st.none() | st.just(at(0.123456))),
    st.builds(MarketState, st.sampled_from(["active", "closed", "finalized"]), PRICES),
)


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(held=HELD, balance=MONEY)
def test_rows_are_what_was_given_to_the_last_digit(opened, account, held, balance):
    sums = pnl.sums_of([(held.holding, held.figures)], "mid")
    cash = Cash(balance, Decimal("4.12"), at(1))

    worth = Worth(balance + sums.positions_value - 2, Decimal(2), Decimal("-0.000001"), at(1))
    changes = Changes((held,), (), frozenset(), sums, cash, at(2), worth=worth)

    seq = opened.writer.write(changes, LIVE, at(3))

    written = Position.objects.of(account.pk).get()
    stream = stream_of(account)
    assert_row_is(written, held)
    assert (written.seq, written.updated_at, written.closed_reason) == (seq, at(3), None)
    for name, value in asdict(sums).items():
        assert getattr(stream, name) == value
    assert (stream.cash, stream.cash_as_of) == (balance, at(1))
    assert stream.exchange_portfolio_value == Decimal("4.12")
    for name, value in asdict(worth).items():
        assert getattr(stream, name) == value
    assert (stream.seq, stream.reconciled_at, stream.updated_at) == (seq, at(2), at(3))


def test_connection_is_written_with_the_positions(opened, account):
    write(opened.writer, opened.tracker, connection=LOST)

    assert connection_of(stream_of(account)) == LOST


def test_attempt_to_connect_that_changes_no_figure_moves_no_clock(opened, account):
    hold(opened, 2)
    before = stream_of(account)

    seq = write(opened.writer, opened.tracker, connection=waiting(attempt=1), at=at(5))

    after = stream_of(account)
    assert before.updated_at == NOON
    assert (after.updated_at, after.attempt, after.seq) == (NOON, 1, seq)
    assert seq > before.seq


def test_each_figure_that_changes_moves_it(opened, account):
    hold(opened, 2)

    opened.tracker.apply_ticker(prices("M000", 1), 200.0)
    write(opened.writer, opened.tracker, at=at(5))
    of_price = stream_of(account).updated_at
    opened.tracker.apply_fill(fill("M000", "0"), 201.0)
    opened.tracker.apply_position(position("M000", "0"), 201.0)
    write(opened.writer, opened.tracker, at=at(6))
    of_sale = stream_of(account).updated_at

    assert (of_price, of_sale) == (at(5), at(6))


def test_balance_that_changed_moves_it(opened, account):
    figures = replace(opened.tracker.take_changes(), cash=Cash(Decimal(7), None, at(1)))
    opened.writer.write(figures, LIVE, at(2))

    same = replace(figures, cash=Cash(Decimal(7), None, at(3)))
    opened.writer.write(same, LIVE, at(4))
    of_the_same = stream_of(account)
    opened.writer.write(replace(figures, cash=Cash(Decimal(8), None, at(5))), LIVE, at(6))

    # That it was read once more is told, and is no change.
    assert (of_the_same.cash_as_of, of_the_same.updated_at) == (at(3), at(2))
    assert stream_of(account).updated_at == at(6)


def test_before_the_first_reconciliation_sums_are_unknown(opened, account):
    write(opened.writer, opened.tracker)

    stream = stream_of(account)
    assert (stream.positions_value, stream.exposure, stream.position_count) == (None, None, None)
    assert (stream.total_value, stream.cash, stream.reconciled_at) == (None, None, None)


def test_total_is_unknown_while_cash_is(opened, account):
    hold(opened, 1)

    stream = stream_of(account)
    assert stream.positions_value == Decimal("4.00")
    assert stream.total_value is None


def test_cash_finer_than_the_rows_is_rounded_and_still_adds_up(opened, account):
    opened.tracker.valuation.cash = CashBook(Cash(Decimal("100.12345678"), Decimal(4), NOON))

    hold(opened, 1)

    stream = stream_of(account)
    assert stream.cash == Decimal("100.123457")
    assert stream.total_value == Decimal("104.123457")


def test_new_facts_of_a_market_replace_the_old_ones(opened, account):
    hold(opened, 1)
    facts, state, quotes = market("M000")
    renamed = replace(facts, title="Who wins it all?", close_time=None)

    reconcile(
        opened.tracker,
        [row("M000", "10", "4", "0.5", "0.17")],
        {"M000": (renamed, state, quotes)},
        requested_at=200.0,
    )
    write(opened.writer, opened.tracker)

    written = Market.objects.get()
    assert (written.title, written.close_time) == ("Who wins it all?", None)


def test_market_held_by_two_accounts_is_one_row(opened):
    others = open(make_account(), worker_id=SECOND_WORKER)

    hold(opened, 2)
    hold(others, 2)

    assert Market.objects.count() == 2
    assert Position.objects.count() == 4


def test_same_ticker_of_another_environment_is_another_market(opened):
    others = open(make_account(environment="production"), worker_id=SECOND_WORKER)

    hold(opened, 1)
    hold(others, 1)

    assert set(Market.objects.values_list("environment", "ticker")) == {
        ("demo", "M000"),
        ("production", "M000"),
    }


# Closed positions


def test_sold_position_becomes_a_tombstone(opened, account):
    hold(opened, 2)
    opened.tracker.apply_fill(fill("M000", "0"), 200.0)
    opened.tracker.apply_position(position("M000", "0", "0", "1.5", "0.3"), 200.0)

    seq = write(opened.writer, opened.tracker, at=at(5))

    buried = Position.objects.get(market__ticker="M000")
    assert (buried.quantity, buried.exposure, buried.payout) == (0, 0, 0)
    assert (buried.closed_reason, buried.realized_pnl) == ("closed", Decimal("1.5"))
    assert (buried.mark, buried.market_value, buried.net_pnl) == (None, None, None)
    assert (buried.seq, buried.updated_at) == (seq, at(5))
    assert [each.market.ticker for each in Position.objects.of(account.pk).open()] == ["M001"]


def test_settled_position_tells_what_it_realized_with_its_payout(opened):
    hold(opened, 1)
    settled = {"M000": market("M000", status="finalized", settlement_value="1")}

    reconcile(opened.tracker, [], settled, requested_at=200.0)
    write(opened.writer, opened.tracker)

    buried = Position.objects.get()
    # 0.50 + 10 * 1 - 4
    assert (buried.closed_reason, buried.realized_pnl) == ("settled", Decimal("6.5"))


def test_position_gone_for_an_unknown_reason_realized_nobody_knows_what(opened):
    hold(opened, 1)

    reconcile(opened.tracker, [], requested_at=200.0)
    write(opened.writer, opened.tracker)

    buried = Position.objects.get()
    assert (buried.closed_reason, buried.realized_pnl) == ("closed", None)


def test_reopened_position_is_no_tombstone(opened):
    hold(opened, 1)
    reconcile(opened.tracker, [row("M000", "0", "0", "1")], requested_at=200.0)
    write(opened.writer, opened.tracker)

    reconcile(opened.tracker, [row("M000", "-3", "2", "1", "0.2")], requested_at=300.0)
    write(opened.writer, opened.tracker)

    reopened = Position.objects.get()
    assert (reopened.quantity, reopened.closed_reason) == (-3, None)
    assert reopened.mark is not None


def test_tombstones_are_purged_an_hour_after_the_close(opened, account):
    hold(opened, 2)
    reconcile(
        opened.tracker,
        [row("M000", "10", "4", "0.5", "0.17"), row("M001", "0")],
        requested_at=200.0,
    )
    write(opened.writer, opened.tracker, at=NOON)

    opened.writer.purge(NOON + timedelta(hours=1))
    kept = Position.objects.count()
    opened.writer.purge(NOON + timedelta(hours=1, seconds=1))

    assert kept == 2
    assert Position.objects.get().market.ticker == "M000"


def test_purge_touches_no_other_account(opened):
    others = open(make_account(), worker_id=SECOND_WORKER)
    hold(others, 1)
    reconcile(others.tracker, [], requested_at=200.0)
    write(others.writer, others.tracker)

    opened.writer.purge(NOON + timedelta(days=1))

    assert Position.objects.count() == 1


# The count of flushes and its announcement


def rung(announced) -> list[str]:
    """How far the account got, by each doorbell, without what it carries."""
    return [
        ":".join(payload.split(":")[:3])
        for channel, payload in announced()
        if channel == "account_changed"
    ]


def test_every_write_is_the_next_one_and_announced_once(opened, account, announced):
    seqs = [write(opened.writer, opened.tracker) for _ in range(3)]

    assert seqs == [1, 2, 3]
    assert stream_of(account).seq == 3
    assert rung(announced) == [f"{account.pk}:1:{seq}" for seq in seqs]


def test_positions_carry_the_seq_of_their_last_change(opened):
    hold(opened, 2)
    opened.tracker.apply_ticker(prices("M001", 1), 200.0)

    write(opened.writer, opened.tracker)

    assert dict(Position.objects.values_list("market__ticker", "seq")) == {"M000": 1, "M001": 2}


def unwritable(opened) -> Changes:
    """A price move whose write fails half way: no row can hold so many contracts."""
    opened.tracker.apply_ticker(prices("M000", 1), 200.0)
    changes = opened.tracker.take_changes()
    (held,) = changes.positions
    return replace(changes, positions=(too_many(held),), markets=frozenset(["M000"]))


def too_many(held: Held) -> Held:
    return replace(held, holding=replace(held.holding, quantity=Decimal(10) ** 30))


def test_rolled_back_write_announces_nothing(opened, account, announced):
    hold(opened, 1)
    announced()

    with pytest.raises(DataError):
        opened.writer.write(unwritable(opened), LIVE, NOON)

    assert announced() == []
    assert stream_of(account).seq == 1


def test_changes_of_a_rolled_back_write_can_be_written_again(opened, announced):
    hold(opened, 1)
    announced()
    changes = unwritable(opened)
    with pytest.raises(DataError):
        opened.writer.write(changes, LIVE, NOON)

    opened.tracker.put_back(changes)
    seq = write(opened.writer, opened.tracker)

    assert seq == 2
    assert len(announced()) == 1
    assert Position.objects.get().yes_bid == Decimal("0.50")


def test_market_of_a_rolled_back_write_is_written_by_the_next(opened):
    reconcile(opened.tracker, [row("A", "10", "4")])
    changes = opened.tracker.take_changes()
    unwritable = replace(too_many(changes.positions[0]), ticker="B")
    with pytest.raises(DataError):
        opened.writer.write(
            replace(changes, positions=(changes.positions[0], unwritable)), LIVE, NOON
        )

    opened.tracker.put_back(changes)
    write(opened.writer, opened.tracker)

    assert Position.objects.get().market.ticker == "A"


@contextmanager
def connection_lost(when):
    """Lose Django's connection with the next statement, before it is carried out or after."""

    def lose_it(execute, *statement):
        if when == "after":
            execute(*statement)
        # As a database thread does after such an error.
        connection.close()
        raise OperationalError("server closed the connection unexpectedly")

    with connection.execute_wrapper(lose_it), pytest.raises(OperationalError):
        yield


@pytest.mark.parametrize(("when", "seq"), [("before", 2), ("after", 3)])
def test_connection_lost_at_commit_leads_to_the_right_seq(opened, account, announced, when, seq):
    hold(opened, 1)
    opened.tracker.apply_ticker(prices("M000", 1), 200.0)
    changes = opened.tracker.take_changes()
    with connection_lost(when):
        opened.writer.write(changes, LIVE, NOON)

    opened.tracker.put_back(changes)
    written = write(opened.writer, opened.tracker)

    assert written == seq
    assert stream_of(account).seq == seq
    assert Position.objects.get().seq == seq
    assert rung(announced) == [f"{account.pk}:1:{each}" for each in range(1, seq + 1)]


def test_write_waits_for_its_own_commit_that_is_still_under_way(
    opened, account, own_connection, in_thread
):
    hold(opened, 1)
    with connection_lost("before"):
        write(opened.writer, opened.tracker)
    # The server has not noticed yet, and is about to commit.
    with own_connection.transaction():
        own_connection.execute(
            "UPDATE positions_accountstream SET seq = 2 WHERE account_id = %s", [account.pk]
        )
        written = in_thread(write, opened.writer, opened.tracker)
        wait_for_a_blocked_session()

    assert written.result(timeout=10) == 3
    assert stream_of(account).seq == 3


def test_write_given_up_that_is_carried_out_late_undoes_nothing(opened, account, announced):
    hold(opened, 1)
    opened.tracker.apply_ticker(prices("M000", 1, yes_bid="0.41"), 200.0)
    changes = opened.tracker.take_changes()
    late = []

    def hang(execute, statement, parameters, *rest):
        late.append((statement, parameters))
        raise OperationalError("hung up on")

    with connection.execute_wrapper(hang), pytest.raises(OperationalError):
        opened.writer.write(changes, LIVE, NOON)
    opened.tracker.put_back(changes)
    opened.tracker.apply_ticker(prices("M000", 2, yes_bid="0.42"), 201.0)
    write(opened.writer, opened.tracker)
    told = rung(announced)
    # What was sent by the old connection reaches the server at last.
    (sent,) = late
    with prepared_cursor(connection) as cursor:
        cursor.execute(*sent)

    assert Position.objects.get().yes_bid == Decimal("0.42")
    assert stream_of(account).seq == 2
    assert len(told) == 2
    assert rung(announced) == []
    opened.tracker.apply_ticker(prices("M000", 3, yes_bid="0.43"), 202.0)
    assert write(opened.writer, opened.tracker) == 3


def test_flushes_of_the_next_writer_are_numbered_anew(opened, account):
    hold(opened, 1)
    hold(opened, 2)
    successor = open(account, worker_id=SECOND_WORKER)

    write(successor.writer, successor.tracker)

    assert (stream_of(account).epoch, stream_of(account).flush) == (2, 1)


# One writer at a time


def test_writer_that_was_overtaken_writes_nothing(opened, account, announced):
    hold(opened, 1)
    open(account, worker_id=SECOND_WORKER)
    opened.tracker.apply_ticker(prices("M000", 1, yes_bid="0.99"), 200.0)
    announced()

    with pytest.raises(TakenOver):
        write(opened.writer, opened.tracker)

    assert announced() == []
    assert Position.objects.get().yes_bid == Decimal("0.40")
    assert stream_of(account).seq == 1


def test_writer_that_was_overtaken_while_its_write_failed_writes_nothing(opened, account):
    hold(opened, 1)
    with connection_lost("before"):
        write(opened.writer, opened.tracker)
    open(account, worker_id=SECOND_WORKER)

    with pytest.raises(TakenOver):
        write(opened.writer, opened.tracker)

    assert stream_of(account).seq == 1


def test_overtaken_writer_leaves_the_facts_of_markets_alone(opened, account):
    hold(opened, 1)
    write(opened.writer, opened.tracker)
    open(account, worker_id=SECOND_WORKER)
    Market.objects.update(title="As the other has read it since", is_described=True)
    opened.tracker.describe({"KXGAME-M000": EventFacts("KXGAME", "As it was before")})

    with pytest.raises(TakenOver):
        write(opened.writer, opened.tracker)

    assert Market.objects.get().title == "As the other has read it since"


def test_overtaken_writer_stays_overtaken(opened, account):
    open(account, worker_id=SECOND_WORKER)
    with pytest.raises(TakenOver):
        write(opened.writer, opened.tracker)

    with pytest.raises(TakenOver):
        write(opened.writer, opened.tracker)


def test_write_under_way_while_another_worker_takes_over_is_refused(opened, account, in_thread):
    hold(opened, 1)

    with transaction.atomic():
        open(account, worker_id=SECOND_WORKER)
        written = in_thread(write, opened.writer, opened.tracker)
        wait_for_a_blocked_session()

    with pytest.raises(TakenOver):
        written.result(timeout=10)
    assert stream_of(account).seq == 1


def test_take_over_waits_for_a_write_under_way_and_loads_what_it_wrote(opened, account, in_thread):
    hold(opened, 1)
    opened.tracker.apply_ticker(prices("M000", 1, yes_bid="0.99"), 200.0)

    with transaction.atomic():
        write(opened.writer, opened.tracker)
        taken_over = in_thread(open_stream, account.pk, WORKER, "bid")
        wait_for_a_blocked_session()

    (loaded,) = taken_over.result(timeout=10).tracker.take_changes().positions
    assert loaded.quote.yes_bid == Decimal("0.99")


def test_next_writer_goes_on_counting(opened, account, announced):
    hold(opened, 1)
    successor = open(account, worker_id=SECOND_WORKER)

    seq = write(successor.writer, successor.tracker)

    assert seq == 2
    assert rung(announced)[-1] == f"{account.pk}:2:2"


def test_writers_of_accounts_with_the_same_markets_do_not_block_each_other(opened, in_thread):
    others = open(make_account(), worker_id=SECOND_WORKER)
    rows = [row(f"M{number:03}", "10", "4") for number in range(50)]

    def write_often(its):
        for turn in range(15):
            shuffled = random.Random(turn).sample(rows, len(rows))
            facts = {
                each.ticker: (replace(market(each.ticker)[0], title=f"{turn}"), *market("")[1:])
                for each in shuffled
            }
            reconcile(its.tracker, shuffled, facts, requested_at=200.0 + turn)
            seq = write(its.writer, its.tracker)
        return seq

    both = [in_thread(write_often, its) for its in (opened, others)]

    assert [each.result(timeout=60) for each in both] == [15, 15]


# Loading


def test_loaded_tracker_is_the_one_that_was_written(opened, account):
    opened.tracker.valuation.cash = CashBook(Cash(Decimal("100.5"), Decimal("4.12"), at(1)))
    reconcile(
        opened.tracker,
        [
            row("A", "12.50", "4.000001", "-0.42", "0.1725"),
            row("B", "-3", "2.1"),
            row("C", "1", "0.5"),
            row("D", "2", "0.8"),
        ],
        {
            "B": market("B", prices=quote("0.0001", "0.0013", None)),
            "C": market("C", status="finalized", settlement_value="0.37"),
            "D": market("D", prices=quote(None, None, None)),
        },
    )
    opened.tracker.apply_ticker(prices("A", 1.123), 200.0)
    before = opened.tracker.take_changes()
    opened.writer.write(before, LIVE, NOON)

    loaded = open(account).tracker.take_changes()

    assert loaded.positions == before.positions
    assert (loaded.sums, loaded.cash, loaded.reconciled_at) == (
        before.sums,
        before.cash,
        before.reconciled_at,
    )


def test_closed_positions_are_not_loaded(opened, account):
    hold(opened, 2)
    reconcile(opened.tracker, [row("M001", "10", "4", "0.5", "0.17")], requested_at=200.0)
    write(opened.writer, opened.tracker)

    assert open(account).tracker.tickers == ["M001"]


def test_positions_of_another_mark_price_are_marked_anew_by_the_first_write(opened, account):
    hold(opened, 1)

    successor = open(account, mark_price="mid")
    write(successor.writer, successor.tracker)

    written = Position.objects.get()
    assert (written.mark, written.mark_source) == (Decimal("0.43"), "mid")
    assert stream_of(account).positions_value == Decimal("4.30")


def test_account_nobody_opened_before_has_nothing(account):
    opened = open(account)

    stream = stream_of(account)
    assert opened.tracker.tickers == []
    assert (opened.live_until, opened.tracker.reconciled_at) == (None, None)
    assert (stream.epoch, stream.seq, stream.status) == (1, 0, "connecting")
    assert stream.worker_id == WORKER


def test_figures_of_a_killed_worker_are_as_of_its_last_heartbeat(opened, account):
    write(opened.writer, opened.tracker)
    Worker.objects.filter(pk=WORKER).update(heartbeat_at=at(60))

    successor = open(account, worker_id=SECOND_WORKER)

    stream = stream_of(account)
    assert successor.live_until == at(60)
    # Its heart beats, and it is not connected: nothing may seem live yet.
    assert (stream.status, stream.since, stream.live_until) == ("connecting", at(60), at(60))


def test_state_of_a_worker_that_was_not_live_is_kept(opened, account):
    state = ConnectionState("unauthorized", since=at(-60), reason="key_refused", live_until=at(-61))
    write(opened.writer, opened.tracker, connection=state)

    successor = open(account, worker_id=SECOND_WORKER)

    assert successor.live_until == at(-61)
    assert connection_of(stream_of(account)) == state


def test_new_worker_promises_no_attempt_of_the_one_before(opened, account):
    write(opened.writer, opened.tracker, connection=waiting(attempt=5))

    open(account, worker_id=SECOND_WORKER)

    found = connection_of(stream_of(account))
    assert (found.status, found.reason) == ("connecting", None)
    assert (found.attempt, found.retry_at) == (0, None)


# What a write costs


def test_tick_is_one_statement(opened, django_assert_num_queries):
    hold(opened, 50)
    opened.tracker.apply_ticker(prices("M000", 1), 200.0)

    with django_assert_num_queries(1):
        write(opened.writer, opened.tracker)


@pytest.mark.parametrize(
    ("model", "never_changed"),
    [
        (Position, {"id", "account_id", "market_id"}),
        (AccountStream, {"account_id", "worker_id"}),
    ],
)
def test_tick_changes_nothing_that_an_index_holds(model, never_changed):
    """Else PostgreSQL writes an entry into each of the table's indexes for every tick."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)

    indexed = {
        column
        for each in found.values()
        if each["index"] or each["unique"] or each["primary_key"]
        for column in each["columns"]
    }
    assert indexed == never_changed


def test_storm_costs_as_many_statements_as_a_tick(opened, django_assert_num_queries):
    hold(opened, 50)
    for number in range(50):
        opened.tracker.apply_ticker(prices(f"M{number:03}", 1), 200.0)

    with django_assert_num_queries(1):
        write(opened.writer, opened.tracker)

    assert set(Position.objects.values_list("seq", flat=True)) == {2}


def test_new_markets_cost_one_statement_and_a_look_whether_it_is_ours_to_write(
    opened, django_assert_num_queries
):
    write(opened.writer, opened.tracker)
    reconcile(opened.tracker, [row(f"M{number:03}", "10", "4") for number in range(50)])

    with django_assert_num_queries(5) as captured:
        write(opened.writer, opened.tracker)

    assert [query["sql"].split()[0] for query in captured.captured_queries] == [
        "SELECT",
        "BEGIN",
        "INSERT",
        "COMMIT",
        "WITH",
    ]


def test_flush_that_waits_holds_no_market(opened, account, own_connection, in_thread):
    """Else two accounts that share two markets could wait for each other."""
    reconcile(opened.tracker, [row("A", "10", "4"), row("B", "10", "4")])

    with own_connection.transaction():
        own_connection.execute(
            "SELECT 1 FROM positions_accountstream WHERE account_id = %s FOR UPDATE", [account.pk]
        )
        written = in_thread(write, opened.writer, opened.tracker)
        wait_for_a_blocked_session()
        with transaction.atomic():
            free = Market.objects.select_for_update(nowait=True)
            assert set(free.values_list("ticker", flat=True)) == {"A", "B"}

    assert written.result(timeout=10) == 1


def test_storm_announces_that_it_happened_and_carries_nothing(opened, announced):
    hold(opened, 50)
    announced()
    for number in range(20):
        opened.tracker.apply_ticker(prices(f"M{number:03}", 1), 200.0)

    write(opened.writer, opened.tracker)

    ((_, payload),) = announced()
    assert payload.count(":") == 2


def test_market_that_closed_is_remembered_no_longer(opened):
    hold(opened, 2)
    reconcile(opened.tracker, [row("M000", "10", "4")], requested_at=200.0)

    write(opened.writer, opened.tracker)

    assert opened.writer._market_ids.keys() == {"M000"}


def test_write_without_positions_costs_the_stream_alone(opened, django_assert_num_queries):
    write(opened.writer, opened.tracker)

    with django_assert_num_queries(1):
        write(opened.writer, opened.tracker)


def test_position_never_written_leaves_no_tombstone(opened):
    reconcile(opened.tracker, [row("A", "10", "4")])
    reconcile(opened.tracker, [row("A", "0")], requested_at=200.0)

    write(opened.writer, opened.tracker)

    assert not Position.objects.exists()
