from uuid import UUID

import pytest

from positions import reading, workers
from positions.models import AccountStream, Worker
from tests.integration.positions.conftest import LIVE, WORKER, age, hold, open, write
from tests.integration.visitors import make_account
from tests.told import prices, reconcile, row

pytestmark = pytest.mark.django_db(transaction=True)

OTHER_WORKER = UUID(int=2)


def tickers(found: reading.AccountRows) -> list[str]:
    return [each.market.ticker for each in found.positions]


def test_account_that_no_worker_ever_opened_is_empty(account):
    found = reading.read(account.pk)

    assert (found.stream, found.positions, found.written) == (None, [], None)
    assert (found.seq, found.heartbeat) == (0, None)


def test_account_that_no_worker_opened_yet_has_the_heartbeat_of_any(account):
    workers.beat(WORKER)
    age(WORKER, 3)

    assert 3 <= reading.read(account.pk).heartbeat.age_seconds < 60


def test_rows_are_all_that_is_open(opened, account):
    hold(opened, 3)
    reconcile(opened.tracker, [row("M000", "10", "4"), row("M002", "10", "4")], requested_at=200.0)
    write(opened.writer, opened.tracker)

    found = reading.read(account.pk)

    assert sorted(tickers(found)) == ["M000", "M002"]
    assert (found.seq, found.written) == (2, LIVE)


def test_rows_since_a_seq_is_what_changed_after_it_tombstones_included(opened, account):
    hold(opened, 3)
    opened.tracker.apply_ticker(prices("M001", 1), 150.0)
    write(opened.writer, opened.tracker)
    reconcile(
        opened.tracker,
        [row(f"M00{number}", "10", "4", "0.5", "0.17") for number in (0, 1)],
        requested_at=100.5,
    )
    write(opened.writer, opened.tracker)

    since = [tickers(reading.read_since(account.pk, seq)) for seq in (1, 2, 3)]

    assert since == [["M001", "M002"], ["M002"], []]


def test_rows_hold_nothing_of_another_account(opened):
    hold(opened, 2)
    other = make_account()

    found = reading.read(other.pk)

    assert (found.positions, found.stream) == ([], None)


def test_rows_are_as_the_orm_reads_them(opened, account):
    hold(opened, 2)

    found = reading.read(account.pk)

    read = [found.stream, *found.positions, *(each.market for each in found.positions)]
    for found_row in read:
        by_orm = type(found_row).objects.get(pk=found_row.pk)
        names = [field.attname for field in type(found_row)._meta.concrete_fields]
        assert {name: getattr(found_row, name) for name in names} == {
            name: getattr(by_orm, name) for name in names
        }
        assert (found_row == by_orm, found_row._state.adding, found_row._state.db) == (
            True,
            False,
            "default",
        )
        assert found_row.get_deferred_fields() == set()
    assert [each.account for each in found.positions] == [account, account]


def test_heartbeat_is_that_of_the_account_s_own_worker(opened, account):
    workers.beat(OTHER_WORKER)
    age(WORKER, 300)

    heartbeat = reading.read(account.pk).heartbeat

    assert heartbeat.age_seconds >= 300
    assert heartbeat.at == Worker.objects.get(pk=WORKER).heartbeat_at


def test_account_that_its_worker_does_not_vouch_for_is_told_as_such(opened, account):
    other = make_account()
    open(other)
    workers.beat(WORKER, {account.pk: 4.5})

    silent = {
        account_id: reading.read(account_id).heartbeat.silent_seconds
        for account_id in (account.pk, other.pk)
    }
    progress = reading.progress([account.pk, other.pk])

    assert silent == {account.pk: 4.5, other.pk: None}
    assert {each: progress[each].heartbeat.silent_seconds for each in progress} == silent


def test_account_is_read_in_one_statement_whatever_it_holds(
    opened, account, django_assert_num_queries
):
    # So that a flush in the middle of it can't be seen by halves.
    hold(opened, 50)

    with django_assert_num_queries(1):
        found = reading.read(account.pk)
        names = tickers(found)

    assert len(names) == 50


def test_progress_is_how_far_each_account_got(opened, account):
    hold(opened, 1)
    other = make_account()
    open(other, worker_id=OTHER_WORKER)
    age(WORKER, 100)
    age(OTHER_WORKER, 50)
    unopened = make_account()

    progress = reading.progress([account.pk, other.pk, unopened.pk])

    assert {each: (its.epoch, its.seq) for each, its in progress.items()} == {
        account.pk: (1, 1),
        other.pk: (1, 0),
        unopened.pk: (0, 0),
    }
    ages = {each: its.heartbeat.age_seconds // 50 for each, its in progress.items()}
    assert ages == {account.pk: 2, other.pk: 1, unopened.pk: 1}


def test_progress_of_any_number_of_accounts_is_one_query(opened, django_assert_num_queries):
    others = [open(make_account()) for _ in range(5)]
    wanted = [each.writer.account_id for each in [opened, *others]]

    with django_assert_num_queries(1):
        progress = reading.progress(wanted)

    assert progress.keys() == set(wanted)


def test_progress_of_no_account_is_none():
    assert reading.progress([]) == {}


def test_read_leaves_the_connection_fit_for_writing(opened, account):
    reading.read(account.pk)

    seq = write(opened.writer, opened.tracker)

    assert AccountStream.objects.get().seq == seq
