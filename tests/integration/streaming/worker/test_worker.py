"""Workers share the accounts, die in every way, and never write against each other."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise, repeat
from time import monotonic
from unittest import mock
from uuid import uuid4

import pytest
from django.db import OperationalError, ProgrammingError, connection
from django.utils import timezone

from accounts import credentials, forgetting
from accounts.models import Account
from positions import models, order_books, pnl, reading, twins, workers
from positions.cash import CashBook
from positions.connection import as_seen
from positions.order_books import Question
from positions.pnl import Quote
from positions.portfolio import Cash
from positions.taking_over import open_stream
from postgres import claims
from postgres.channels import (
    ACCOUNT_OFFERED,
    BOOK_ASKED,
    CREDENTIALS_CHANGED,
    REFRESH_REQUESTED,
)
from postgres.notifications import publish
from sandbox import keys
from streaming.worker import book_reads, sharing
from streaming.worker import worker as worker_module
from streaming.worker.backoff import Wait
from streaming.worker.counts import COUNTS
from streaming.worker.feed import Feed
from streaming.worker.worker import WRITER_THREADS, Worker
from tests.integration.streaming import faults, rows
from tests.waiting import PATIENCE_SECONDS, START_SECONDS, until

AN_HOUR = Wait(3600.0, 1, is_open=False)


@asynccontextmanager
async def working() -> AsyncIterator[Worker]:
    """
    A worker in this process, for as long as this lasts: it must not feed what later tests do.

    It keeps its claims although the process, which runs tests beside, stands still for some
    seconds. What becomes of one that stands still is told by tests with a process of its own.
    """
    with (
        mock.patch.object(claims, "IDLE_SESSION_TIMEOUT_SECONDS", 60),
        mock.patch.object(claims, "ANSWER_TIMEOUT_SECONDS", 40.0),
    ):
        worker = Worker()
        task = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            task.cancel()
            await asyncio.wait([task], timeout=60)
    assert task.cancelled()


@pytest.fixture
async def running(database, sandbox, sandbox_environment):
    """A worker in this process."""
    async with working() as worker:
        yield worker


@pytest.fixture
def ticker(sandbox) -> str:
    """A market that Alice holds, with a bid."""
    return next(
        ticker
        for ticker, position in sorted(sandbox.account.portfolios[0].positions.items())
        if position.quantity > 5 and sandbox.exchange.markets[ticker].tape.quote.has_bid
    )


def status_is(account_id: int, status: str, reason: str | None = None) -> bool:
    stream = rows.stream_of(account_id)
    return stream.status == status and (reason is None or stream.reason == reason)


def live_with_epoch_above(account_id: int, epoch: int) -> models.AccountStream | None:
    stream = rows.stream_of(account_id)
    return stream if stream.status == "live" and stream.epoch > epoch else None


def set_aside(account_id: int) -> models.AccountStream | None:
    stream = rows.stream_of(account_id)
    return stream if (stream.status, stream.reason) == ("disconnected", "set_aside") else None


def bid_is(account_id: int, ticker: str, bid: str) -> bool:
    return rows.open_positions(account_id)[ticker].yes_bid == Decimal(bid)


def heartbeat() -> datetime:
    return models.Worker.objects.get().heartbeat_at


def has_beaten_since(before: datetime) -> bool:
    return heartbeat() > before


def make_another_account(sandbox) -> int:
    """Another account of the product, with a key of its own to the same holdings."""
    key = keys.new_ed25519()
    sandbox.add_key(key)
    account_id = rows.make_account()
    rows.make_credential(
        account_id, sandbox, api_key_id=key.api_key_id, private_key=key.private_key
    )
    return account_id


async def test_worker_feeds_every_account(database, alice, credential, running, sandbox):
    other = await database.run(make_another_account, sandbox)

    await database.until(status_is, alice, "live")
    await database.until(status_is, other, "live")


async def test_account_that_signs_in_later_is_fed_at_once(
    database, sandbox, sandbox_environment, running
):
    await database.until(models.Worker.objects.exists)

    account_id = await database.run(make_another_account, sandbox)
    await database.run(publish, CREDENTIALS_CHANGED, str(account_id))

    await database.until(status_is, account_id, "live")


async def test_heart_beats_every_second(database, running):
    first = await database.until(models.Worker.objects.first)

    def has_beaten_again() -> bool:
        return models.Worker.objects.get().heartbeat_at > first.heartbeat_at

    await database.until(has_beaten_again)


async def test_question_for_an_order_book_reaches_the_feed(
    database, alice, credential, running, sandbox, ticker, monkeypatch
):
    monkeypatch.setattr(book_reads, "READ_SECONDS", PATIENCE_SECONDS)
    await database.until(status_is, alice, "live")
    await until(database.is_listened_to)
    for channel in (BOOK_ASKED, ACCOUNT_OFFERED, CREDENTIALS_CHANGED, REFRESH_REQUESTED):
        await database.run(publish, channel, "nothing of ours")

    read = await order_books.ask(Question.new(alice, ticker), PATIENCE_SECONDS)

    assert read is not None
    assert read.book.yes_bids[0].price == sandbox.exchange.markets[ticker].tape.quote.yes_bid


async def test_refresh_reaches_the_feed(database, alice, credential, running, sandbox, ticker):
    await database.until(status_is, alice, "live")
    faults.fill_untold(sandbox, ticker, "yes", "3", "0.30")
    expected = sandbox.account.portfolios[0].positions[ticker].quantity

    await database.run(publish, REFRESH_REQUESTED, str(alice))

    await database.until(lambda: rows.quantities(alice)[ticker] == expected)


async def test_deleted_key_reaches_the_feed(database, alice, credential, running, sandbox):
    await database.until(status_is, alice, "live")

    def delete() -> None:
        credentials.delete_credential([Account.objects.get(pk=alice)], credential)

    await database.run(delete)

    await database.until(status_is, alice, "disconnected", "no_credential")
    await until(lambda: sandbox.connection_count == 0)


async def test_forgotten_account_is_let_go_of(database, alice, credential, running, sandbox):
    await database.until(status_is, alice, "live")

    def forget() -> None:
        forgetting.forget_user(Account.objects.get(pk=alice).owner)

    await database.run(forget)

    await until(lambda: not running._tasks)
    await until(lambda: sandbox.connection_count == 0)
    assert not await database.run(models.Position.objects.exists)


async def test_locked_row_of_one_account_holds_up_no_other(
    database, alice, credential, sandbox, sandbox_environment, ticker
):
    """As a worker leaves it that was frozen in the middle of a write."""
    await database.run(rows.Worker, alice)
    other = await database.run(make_another_account, sandbox)
    await database.fetch("BEGIN")
    await database.fetch(
        "SELECT 1 FROM positions_accountstream WHERE account_id = %s FOR UPDATE", alice
    )
    async with working():
        await database.until(status_is, other, "live")
        await database.fetch("COMMIT")
        await database.until(status_is, alice, "live")


async def test_failing_search_for_twins_lets_go_of_no_account(
    database, alice, credential, running, monkeypatch
):
    asked = []

    def fail() -> int:
        asked.append(1)
        raise ProgrammingError("no such column")

    monkeypatch.setattr("streaming.worker.worker.TWINS_SECONDS", 0.01)
    monkeypatch.setattr(twins, "note", fail)

    await database.until(status_is, alice, "live")
    await until(lambda: len(asked) > 2)

    assert (await database.run(rows.stream_of, alice)).epoch == 1


async def test_heart_and_lookout_that_fail_for_a_while_let_go_of_no_account(
    database, alice, credential, running, sandbox, ticker, monkeypatch, caplog
):
    await database.until(status_is, alice, "live")

    def fail(*args: object) -> None:
        raise OperationalError("canceling statement due to lock timeout")

    with monkeypatch.context() as trouble:
        trouble.setattr(worker_module, "WORKER_DOWN_AFTER_SECONDS", 600.0)
        trouble.setattr(worker_module, "_account_ids", fail)
        trouble.setattr(workers, "beat", fail)
        await until(lambda: {"accounts not looked for", "heart stood still"} <= {*caplog.messages})
        sandbox.set_quote(ticker, Decimal("0.21"), Decimal("0.90"))
        await database.until(bid_is, alice, ticker, "0.21")
    before = await database.run(heartbeat)
    await database.until(has_beaten_since, before)

    assert (await database.run(rows.stream_of, alice)).epoch == 1
    assert sandbox.connection_count == 1


async def test_worker_that_stood_still_vouches_for_nothing_that_it_had(monkeypatch):
    """Frozen, say: readers gave its rows up long ago, which say live."""
    beats = []
    monkeypatch.setattr(workers, "beat", lambda *args: beats.append(args))
    monkeypatch.setattr(worker_module, "HEARTBEAT_SECONDS", 0.01)
    worker = worker_module.Worker()
    worker._beaten_at = monotonic() - worker_module.WORKER_DOWN_AFTER_SECONDS - 1

    with pytest.raises(OperationalError, match="stood still"):
        await worker._beat()

    assert beats == []


async def test_worker_whose_heart_stands_still_lets_go_of_all(
    database, alice, credential, running, monkeypatch
):
    await database.until(status_is, alice, "live")
    monkeypatch.setattr(worker_module, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr(worker_module, "WORKER_DOWN_AFTER_SECONDS", 2.0)
    # Three seconds of them.
    beat, failures = workers.beat, list(range(30))

    def fail(*args: object) -> None:
        if failures:
            failures.pop()
            raise OperationalError("the pooler is away")
        beat(*args)

    monkeypatch.setattr(workers, "beat", fail)

    # It takes them anew once its heart beats again.
    await database.until(live_with_epoch_above, alice, 1)


async def test_two_workers_share_the_accounts(
    database, alice, credential, running, sandbox, ticker
):
    await database.until(status_is, alice, "live")
    async with working() as second:
        await database.until(lambda: models.Worker.objects.count() == 2)

        sandbox.set_quote(ticker, Decimal("0.21"), Decimal("0.90"))
        await database.until(bid_is, alice, ticker, "0.21")

        assert second._held == {}
        assert sandbox.connection_count == 1
        assert (await database.run(rows.stream_of, alice)).epoch == 1


@pytest.fixture
def sharing_soon(monkeypatch) -> None:
    """Workers that hand accounts over though they have few, and to one that was just started."""
    monkeypatch.setattr(sharing, "FEW", 2)
    # However slow the machine is.
    for limit in ("OFFER_SECONDS", "LIVE_SECONDS", "BREAK_SECONDS"):
        monkeypatch.setattr(sharing, limit, 600.0)
    monkeypatch.setattr(worker_module, "SETTLED_SECONDS", 0.0)


@pytest.fixture
async def four(database, alice, credential, sandbox) -> list[int]:
    """Accounts with a key each."""
    return [alice, *[await database.run(make_another_account, sandbox) for _ in range(3)]]


def are_live(account_ids: Iterable[int]) -> bool:
    return all(status_is(account_id, "live") for account_id in account_ids)


async def test_worker_with_many_accounts_hands_some_over(
    database, four, running, sandbox, ticker, sharing_soon
):
    await database.until(are_live, four)
    async with working() as second:
        await until(lambda: (len(running.held), len(second.held)) == (2, 2), seconds=START_SECONDS)
        await database.until(are_live, four)
        sandbox.set_quote(ticker, Decimal("0.21"), Decimal("0.90"))
        for account_id in four:
            await database.until(bid_is, account_id, ticker, "0.21")

        await until(lambda: sandbox.connection_count == len(four))


async def test_account_that_nobody_takes_is_taken_back_and_no_more_is_handed_over(
    database, four, running, sharing_soon, monkeypatch, caplog
):
    monkeypatch.setattr(sharing, "OFFER_SECONDS", 0.5)
    idle = uuid4()

    def lives_and_does_nothing() -> bool:
        workers.beat(idle)
        return True

    def handed_over() -> list[list[int]]:
        return [each.accounts for each in caplog.records if each.message == "accounts handed over"]

    await database.until(are_live, four)
    # Not before four pasts are read.
    await database.until(lambda: lives_and_does_nothing() and handed_over(), seconds=START_SECONDS)
    [[one]] = handed_over()
    await database.until(lambda: live_with_epoch_above(one, 1))
    # A look is as often as a beat.
    before = COUNTS.beats
    await database.until(lambda: lives_and_does_nothing() and COUNTS.beats >= before + 3)

    assert await database.run(are_live, four)
    assert len(running.held) == len(four)
    assert handed_over() == [[one]]


async def test_nothing_is_handed_over_to_a_worker_that_died(
    database, four, running, sharing_soon, caplog
):
    await database.until(are_live, four)
    # Four pasts are much to read on a busy machine.
    await until(
        lambda: not any(each.is_reading_past for each in running.held), seconds=START_SECONDS
    )
    dead = uuid4()
    await database.run(workers.beat, dead)
    before = COUNTS.beats
    await until(lambda: COUNTS.beats >= before + 3)

    assert "accounts handed over" not in caplog.messages
    assert len(running.held) == len(four)


async def test_killed_worker_is_succeeded_within_seconds(
    database, alice, credential, start_worker, sandbox, ticker
):
    killed = start_worker()
    await database.until(live_with_epoch_above, alice, 0, seconds=START_SECONDS)
    before = await database.run(rows.stream_of, alice)
    start_worker()
    await database.until(lambda: models.Worker.objects.count() == 2, seconds=START_SECONDS)

    killed.signal(signal.SIGKILL)

    after = await database.until(live_with_epoch_above, alice, before.epoch, seconds=60)
    assert after.seq > before.seq
    assert after.worker_id != before.worker_id
    sandbox.set_quote(ticker, Decimal("0.21"), Decimal("0.90"))
    await database.until(bid_is, alice, ticker, "0.21")


async def test_frozen_worker_is_succeeded_and_writes_nothing_when_it_thaws(
    database, alice, credential, start_worker, sandbox, ticker
):
    frozen = start_worker()
    await database.until(live_with_epoch_above, alice, 0, seconds=START_SECONDS)
    before = await database.run(rows.stream_of, alice)
    start_worker()
    await database.until(lambda: models.Worker.objects.count() == 2, seconds=START_SECONDS)

    frozen.signal(signal.SIGSTOP)
    after = await database.until(live_with_epoch_above, alice, before.epoch, seconds=60)
    # It finds these ticks in its socket when it thaws.
    sandbox.set_quote(ticker, Decimal("0.21"), Decimal("0.90"))
    await database.until(bid_is, alice, ticker, "0.21")
    frozen.signal(signal.SIGCONT)
    await until(lambda: sandbox.connection_count == 1)
    sandbox.set_quote(ticker, Decimal("0.22"), Decimal("0.90"))
    await database.until(bid_is, alice, ticker, "0.22")

    now = await database.run(rows.stream_of, alice)
    assert (now.epoch, now.worker_id, now.status) == (after.epoch, after.worker_id, "live")


async def test_terminated_worker_says_goodbye_and_exits_with_success(
    database, alice, credential, start_worker
):
    worker = start_worker()
    await database.until(status_is, alice, "live", seconds=START_SECONDS)
    before = timezone.now()

    worker.signal(signal.SIGTERM)
    code = await asyncio.to_thread(worker.exit_code)

    stream = await database.run(rows.stream_of, alice)
    assert code == 0
    assert (stream.status, stream.reason) == ("reconnecting", "worker_down")
    assert stream.live_until > before - timedelta(seconds=10)


async def test_worker_that_is_stopped_before_it_has_begun_exits_with_success(
    database, start_worker
):
    worker = start_worker()
    await database.until(models.Worker.objects.exists, seconds=START_SECONDS)

    worker.signal(signal.SIGINT)

    assert await asyncio.to_thread(worker.exit_code) == 0


async def test_lost_sessions_are_got_over_within_seconds(
    database, alice, credential, running, sandbox, ticker
):
    await database.until(live_with_epoch_above, alice, 0)

    # As a restart of the database does.
    await database.fetch(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = user"
    )

    await database.until(live_with_epoch_above, alice, 1, seconds=60)
    sandbox.set_quote(ticker, Decimal("0.21"), Decimal("0.90"))
    await database.until(bid_is, alice, ticker, "0.21")


def feed_of(worker: Worker, account_id: int) -> Feed:
    return worker._held[account_id]._feed


def silent_accounts() -> set[str]:
    return set(models.Worker.objects.get().silent)


async def test_bug_in_one_account_sets_it_aside_and_leaves_the_others(
    database, alice, credential, running, sandbox, ticker, monkeypatch
):
    other = await database.run(make_another_account, sandbox)
    await database.until(status_is, alice, "live")
    await database.until(live_with_epoch_above, other, 0)
    before = await database.run(rows.stream_of, alice)

    monkeypatch.setattr(feed_of(running, alice)._tracker, "apply_ticker", None)
    sandbox.set_quote(ticker, Decimal("0.21"), Decimal("0.90"))

    aside = await database.until(set_aside, alice)
    assert aside.retry_at > aside.since
    assert aside.live_until >= before.since
    await database.until(bid_is, other, ticker, "0.21")
    # By itself, and everything is right again.
    await database.until(live_with_epoch_above, alice, before.epoch)
    await database.until(bid_is, alice, ticker, "0.21")
    assert (await database.run(rows.stream_of, other)).epoch == 1


async def test_refresh_tries_an_account_again_that_was_set_aside(
    database, alice, credential, sandbox, ticker, monkeypatch
):
    monkeypatch.setattr("streaming.worker.held_account.waits", lambda jitter: repeat(AN_HOUR))
    async with working() as worker:
        await database.until(status_is, alice, "live")
        monkeypatch.setattr(feed_of(worker, alice)._tracker, "apply_ticker", None)
        sandbox.set_quote(ticker, Decimal("0.21"), Decimal("0.90"))
        await database.until(set_aside, alice)

        await database.run(publish, REFRESH_REQUESTED, str(alice))

        await database.until(status_is, alice, "live")


async def test_account_that_cannot_be_opened_is_set_aside_and_costs_no_other(
    database, alice, credential, sandbox, sandbox_environment, monkeypatch
):
    other = await database.run(make_another_account, sandbox)
    openings = []

    def open_none_of_alice(account_id, *rest):
        if account_id == alice:
            openings.append(monotonic())
            raise RuntimeError("a bug")
        return open_stream(account_id, *rest)

    monkeypatch.setattr("streaming.worker.held_account.open_stream", open_none_of_alice)
    async with working():
        await database.until(status_is, other, "live")
        await database.until(set_aside, alice)
        # The worker's start may itself ask for another attempt, at once.
        await until(lambda: len(openings) == 3)
        monkeypatch.undo()
        await database.until(status_is, alice, "live")
        # Not at once: two seconds after a failure, but for the attempt that the start asks for.
        assert max(after - before for before, after in pairwise(openings[:3])) > 1
        assert (await database.run(rows.stream_of, other)).epoch == 1


async def test_account_whose_last_words_fail_ends_all_the_same(
    database, alice, credential, running, sandbox
):
    await database.until(status_is, alice, "live")
    # Refused by the database, as the account's own row.
    feed_of(running, alice)._tracker.valuation.cash = CashBook(
        Cash(Decimal(10) ** 30, None, timezone.now())
    )

    def forget() -> None:
        forgetting.forget_user(Account.objects.get(pk=alice).owner)

    await database.run(forget)

    await until(lambda: not running._tasks)
    await until(lambda: sandbox.connection_count == 0)


async def test_position_that_the_database_refuses_is_left_out_and_named(
    database, alice, credential, running, sandbox, ticker, monkeypatch
):
    monkeypatch.setattr("streaming.worker.flushes.REFUSED_RETRY_SECONDS", 10.0)
    await database.until(status_is, alice, "live")
    tracker = feed_of(running, alice)._tracker
    held = await database.run(rows.quantities, alice)
    another = next(
        each
        for each in held
        if each != ticker and sandbox.exchange.markets[each].tape.quote.has_ask
    )
    # Once the exchange's first quotes are in.
    sandbox.set_quote(ticker, Decimal("0.21"), Decimal("0.90"))
    await database.until(bid_is, alice, ticker, "0.21")

    # No price of a contract: no decoder lets it through, nor does its column.
    tracker._open[ticker].market.quote = Quote(Decimal(1000))
    tracker._touch(ticker)
    sandbox.set_quote(another, Decimal("0.22"), Decimal("0.90"))

    await database.until(bid_is, alice, another, "0.22")
    await database.until(lambda: rows.stream_of(alice).left_out)
    stream = await database.run(rows.stream_of, alice)
    assert stream.left_out == [f"position {ticker}: the database refuses it (DataError)"]
    assert stream.status == "live"
    assert await database.run(rows.quantities, alice) == held
    shown = (await database.run(rows.open_positions, alice))[ticker]
    # What it is worth nobody can say.
    assert (shown.unreadable, shown.mark, shown.market_value) == ("position", None, None)
    # By itself, although nothing moves any more.
    tracker._open[ticker].market.quote = Quote(Decimal("0.21"))
    tracker._open[ticker].figures = pnl.figures_of(
        tracker._open[ticker].holding,
        tracker._open[ticker].market.quote,
        tracker._open[ticker].market.state,
        "bid",
    )
    await database.until(lambda: rows.open_positions(alice)[ticker].unreadable is None)
    await database.until(lambda: not rows.stream_of(alice).left_out)


async def test_account_whose_own_row_is_refused_is_set_aside(
    database, alice, credential, running, sandbox, ticker
):
    other = await database.run(make_another_account, sandbox)
    await database.until(status_is, alice, "live")
    await database.until(status_is, other, "live")
    epoch = (await database.run(rows.stream_of, alice)).epoch

    feed_of(running, alice)._tracker.valuation.cash = CashBook(
        Cash(Decimal(10) ** 30, None, timezone.now())
    )
    sandbox.set_quote(ticker, Decimal("0.21"), Decimal("0.90"))

    await database.until(set_aside, alice)
    await database.until(bid_is, other, ticker, "0.21")
    # Opened anew from its rows, which are sound.
    await database.until(live_with_epoch_above, alice, epoch)


async def test_bug_ends_the_process_with_a_traceback(database, start_worker):
    def break_the_table(name: str, into: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {name} RENAME TO {into}")

    await database.run(break_the_table, "accounts_account", "broken")
    try:
        worker = start_worker()
        code = await asyncio.to_thread(worker.exit_code)
    finally:
        await database.run(break_the_table, "broken", "accounts_account")

    assert code == 1
    assert "Traceback" in worker.said
    assert "ProgrammingError" in worker.said


async def test_stuck_account_is_not_vouched_for_and_the_others_are(
    database, alice, credential, running, sandbox, ticker, monkeypatch
):
    monkeypatch.setattr("streaming.worker.flushes.STUCK_SECONDS", 2.0)
    other = await database.run(make_another_account, sandbox)
    await database.until(status_is, alice, "live")
    await database.until(status_is, other, "live")
    await database.fetch("BEGIN")
    await database.fetch(
        "SELECT 1 FROM positions_accountstream WHERE account_id = %s FOR UPDATE", alice
    )

    sandbox.set_quote(ticker, Decimal("0.21"), Decimal("0.90"))

    await database.until(lambda: silent_accounts() == {str(alice)})
    await database.until(bid_is, other, ticker, "0.21")
    before = await database.run(heartbeat)
    await database.until(has_beaten_since, before)
    seen = {each: await database.run(seen_status, each) for each in (alice, other)}
    await database.fetch("COMMIT")
    await database.until(bid_is, alice, ticker, "0.21")
    await database.until(lambda: not silent_accounts())
    assert seen == {alice: ("reconnecting", "write_stuck"), other: ("live", None)}


def seen_status(account_id: int) -> tuple[str, str | None]:
    """What a page is told."""
    account = reading.read(account_id)
    state = as_seen(account.written, account.heartbeat)
    return state.status, state.reason


async def test_worker_frozen_in_the_middle_of_a_write_holds_up_no_successor(
    database, alice, credential, start_worker, sandbox, ticker, writes_quick_again
):
    frozen = start_worker()
    await database.until(live_with_epoch_above, alice, 0, seconds=START_SECONDS)
    before = await database.run(rows.stream_of, alice)
    start_worker()
    await database.until(lambda: models.Worker.objects.count() == 2, seconds=START_SECONDS)
    await database.run(make_writes_slow)
    sandbox.set_quote(ticker, Decimal("0.21"), Decimal("0.90"))
    await database.until(is_writing)

    frozen.signal(signal.SIGSTOP)
    started = monotonic()
    await database.run(make_writes_quick)
    after = await database.until(live_with_epoch_above, alice, before.epoch, seconds=60)
    took = monotonic() - started
    frozen.signal(signal.SIGCONT)

    assert after.worker_id != before.worker_id
    # Five seconds are promised; a loaded machine gets some more.
    assert took < 20


def make_writes_slow() -> None:
    """Each write of a position takes some seconds, within its transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_sleep(3); RETURN NEW; END'"
        )
        cursor.execute(
            "CREATE TRIGGER dawdle BEFORE UPDATE ON positions_position"
            " FOR EACH ROW EXECUTE FUNCTION dawdle()"
        )


def make_writes_quick() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION IF EXISTS dawdle() CASCADE")


@pytest.fixture
async def writes_quick_again(database) -> AsyncIterator[None]:
    """However the test ends: all others share the tables."""
    yield
    await database.run(make_writes_quick)


def is_writing() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event = 'PgSleep'"
        )
        return cursor.fetchone() is not None


async def test_account_without_a_key_takes_no_thread_and_no_connection(
    database, running, sandbox, sandbox_environment
):
    await database.until(models.Worker.objects.exists)
    accounts = [await database.run(rows.make_account) for _ in range(40)]
    await database.run(publish, CREDENTIALS_CHANGED, str(accounts[0]))

    await database.until(lambda: all_without_a_key(accounts))

    sessions = await database.fetch(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND usename = user"
        " AND pid <> pg_backend_pid()"
    )
    # Claims, LISTEN, heartbeat, lookout, and the writers of all accounts; pytest's own.
    assert len(sessions) <= 4 + WRITER_THREADS + 1 + 1
    assert all(held._access._http is None for held in running._held.values())


def all_without_a_key(accounts: list[int]) -> bool:
    streams = models.AccountStream.objects.filter(pk__in=accounts, reason="no_credential")
    return streams.count() == len(accounts)
