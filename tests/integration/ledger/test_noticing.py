"""What was noticed is recorded with the account's other writes, once, and by its one writer."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from ledger.keeping import LedgerRecords
from ledger.models import Fill, MarketChange, Reconciliation
from positions import workers
from positions.connection import ConnectionState
from positions.fencing import TakenOver
from positions.models import Position
from positions.taking_over import OpenedStream, open_stream
from tests.integration.visitors import make_account
from tests.told import NOON, at, fill, market, reconcile, row

pytestmark = pytest.mark.django_db(transaction=True)
LIVE = ConnectionState("live", since=NOON)


def open_account(account_id: int, worker_id: UUID) -> OpenedStream:
    workers.beat(worker_id)
    return open_stream(account_id, worker_id, "bid", LedgerRecords())


@pytest.fixture
def account() -> int:
    return make_account(environment="sandbox").pk


@pytest.fixture
def opened(account) -> OpenedStream:
    """An account that holds ten YES of A, written."""
    opened = open_account(account, uuid4())
    opened.tracker.follow(1.0)
    reconcile(opened.tracker, [row("A", "10", "4")])
    write(opened)
    return opened


def write(opened: OpenedStream, second: float = 0) -> None:
    changes = opened.tracker.take_changes(at(second))
    opened.writer.write(changes, LIVE, at(second))


def close_the_market(opened: OpenedStream) -> None:
    opened.tracker.apply_markets({"A": market("A", status="closed")}, 200.0)


def test_what_was_noticed_is_written_with_the_position(opened):
    close_the_market(opened)
    reconcile(
        opened.tracker,
        [row("A", "12", "5")],
        {"A": market("A", status="closed")},
        requested_at=300.0,
    )

    write(opened, 5)

    change = MarketChange.objects.get()
    assert (change.market.ticker, change.status, change.at) == ("A", "closed", at(5))
    assert Position.objects.get().market_status == "closed"
    found = Reconciliation.objects.get()
    assert (found.at, found.is_first) == (NOON, False)
    assert found.differing == [{"ticker": "A", "figure": "quantity", "ours": "10", "theirs": "12"}]


def test_what_is_written_twice_is_there_once(opened):
    for second, status in enumerate(("inactive", "active", "inactive")):
        opened.tracker.apply_markets({"A": market("A", status=status)}, 200.0)
        changes = opened.tracker.take_changes(at(second))
        # As after a commit of which the worker did not hear.
        for _ in range(2):
            opened.writer.write(changes, LIVE, NOON)

    told = MarketChange.objects.order_by("at").values_list("status", flat=True)
    assert list(told) == ["inactive", "active", "inactive"]


def test_writer_that_was_overtaken_records_nothing(opened, account):
    close_the_market(opened)
    open_account(account, uuid4())

    with pytest.raises(TakenOver):
        write(opened)

    assert not MarketChange.objects.exists()


def test_successor_does_not_tell_again_what_was_told(opened, account):
    close_the_market(opened)
    write(opened)
    successor = open_account(account, uuid4())

    close_the_market(successor)
    write(successor, 60)

    assert MarketChange.objects.count() == 1


def test_successor_tells_what_happened_meanwhile_and_that_it_has_read_again(opened, account):
    successor = open_account(account, uuid4())
    successor.tracker.follow(500.0)

    reconcile(
        successor.tracker,
        [row("A", "10", "4")],
        {"A": market("A", status="determined", settlement_value="1")},
        requested_at=600.0,
    )
    write(successor)

    assert MarketChange.objects.get().settlement_value == 1
    found = Reconciliation.objects.get()
    assert (found.is_first, found.differing) == (True, [])


def test_refused_position_costs_no_notice(opened):
    close_the_market(opened)
    changes = opened.tracker.take_changes(NOON)
    (held,) = changes.positions
    unwritable = replace(
        held, holding=replace(held.holding, quantity=held.holding.quantity * 10**30)
    )

    refused = opened.writer.write_apart(replace(changes, positions=(unwritable,)), LIVE, NOON)

    assert list(refused) == ["A"]
    assert MarketChange.objects.count() == 1


def test_refused_record_costs_no_position_and_no_other_record(opened, caplog):
    closed = {"A": market("A", status="closed")}
    reconcile(opened.tracker, [row("A", "12", "5")], closed, requested_at=300.0)
    changes = opened.tracker.take_changes(NOON)
    bought = replace(fill("A", "12"), trade_id="F1")
    unwritable = replace(bought, trade_id="F2", count=Decimal(10) ** 30)
    fills = (bought, unwritable, replace(bought, trade_id="F3"))

    refused = opened.writer.write_apart(replace(changes, fills=fills), LIVE, NOON)

    assert refused == {}
    assert Position.objects.get().quantity == 12
    assert MarketChange.objects.count() == 1
    assert list(Fill.objects.order_by("trade_id").values_list("trade_id", flat=True)) == [
        "F1",
        "F3",
    ]
    (told,) = [each for each in caplog.records if each.message == "record refused"]
    assert (told.kinds, told.error) == (["Fill"], "DataError")
