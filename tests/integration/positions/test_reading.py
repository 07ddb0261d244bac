from uuid import UUID

import pytest
from django.db import connection

from positions import reading, workers
from positions.models import AccountStream
from tests.integration.positions.conftest import LIVE, WORKER, hold, open, write
from tests.integration.visitors import make_account
from tests.told import at, prices, reconcile, row

pytestmark = pytest.mark.django_db(transaction=True)

OTHER_WORKER = UUID(int=2)


def tickers(found: reading.AccountRows) -> list[str]:
    return [each.market.ticker for each in found.positions]


def test_account_that_no_worker_ever_opened_is_empty(account):
    found = reading.read(account.pk)

    assert (found.stream, found.positions, found.written) == (None, [], None)
    assert (found.seq, found.heartbeat_at) == (0, None)


def test_account_that_no_worker_opened_yet_has_the_heartbeat_of_any(account):
    workers.beat(WORKER, at(3))

    assert reading.read(account.pk).heartbeat_at == at(3)


def test_book_is_all_that_is_open(opened, account):
    hold(opened, 3)
    reconcile(opened.tracker, [row("M000", "10", "4"), row("M002", "10", "4")], requested_at=200.0)
    write(opened.writer, opened.tracker)

    found = reading.read(account.pk)

    assert sorted(tickers(found)) == ["M000", "M002"]
    assert (found.seq, found.written) == (2, LIVE)


def test_book_since_a_seq_is_what_changed_after_it_tombstones_included(opened, account):
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


def test_book_holds_nothing_of_another_account(opened):
    hold(opened, 2)
    other = make_account()

    found = reading.read(other.pk)

    assert (found.positions, found.stream) == ([], None)


def test_heartbeat_is_that_of_the_account_s_own_worker(opened, account):
    workers.beat(OTHER_WORKER, at(60))
    workers.beat(WORKER, at(30))

    assert reading.read(account.pk).heartbeat_at == at(30)


def test_flush_in_the_middle_of_a_read_is_not_seen_by_halves(opened, account, in_thread):
    hold(opened, 2)
    opened.tracker.apply_ticker(prices("M000", 1), 200.0)
    written = []

    def flush_after_the_stream_was_read(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if "positions_accountstream" in sql and not written:
            written.append(in_thread(write, opened.writer, opened.tracker).result(timeout=10))
        return result

    with connection.execute_wrapper(flush_after_the_stream_was_read):
        before = reading.read(account.pk)
    after = reading.read_since(account.pk, before.seq)

    assert written == [2]
    assert before.seq == 1
    assert {each.seq for each in before.positions} == {1}
    assert (after.seq, tickers(after)) == (2, ["M000"])


def test_book_costs_the_same_whatever_it_holds(opened, account, django_assert_num_queries):
    hold(opened, 50)

    with django_assert_num_queries(5) as captured:
        found = reading.read(account.pk)
        names = tickers(found)

    assert len(names) == 50
    assert [query["sql"].split()[0] for query in captured.captured_queries] == [
        "BEGIN",
        "SET",
        "SELECT",
        "SELECT",
        "COMMIT",
    ]


def test_progress_is_how_far_each_account_got(opened, account):
    hold(opened, 1)
    other = make_account()
    open(other, worker_id=OTHER_WORKER)
    workers.beat(OTHER_WORKER, at(9))
    unopened = make_account()

    progress = reading.progress([account.pk, other.pk, unopened.pk])

    assert progress == {
        account.pk: reading.Progress(1, 1, at(0)),
        other.pk: reading.Progress(1, 0, at(9)),
        unopened.pk: reading.Progress(0, 0, at(9)),
    }


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
