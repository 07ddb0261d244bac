"""Workers share the accounts, die in every way, and never write against each other."""

import asyncio
import signal
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from accounts import credentials
from accounts.models import Account
from positions import models
from postgres.channels import CREDENTIALS_CHANGED, REFRESH_REQUESTED
from postgres.notifications import publish
from sandbox import keys
from streaming.worker.worker import Worker
from tests.integration.streaming import faults, rows
from tests.integration.streaming.conftest import stuck_database
from tests.waiting import until


@pytest.fixture
async def running(database, sandbox, sandbox_environment):
    """A worker in this process."""
    worker = Worker()
    task = asyncio.create_task(worker.run())
    yield worker
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


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

    await database.until(status_is, account_id, "live", seconds=15)


async def test_heart_beats_every_second(database, running):
    first = await database.until(models.Worker.objects.first)

    def has_beaten_again() -> bool:
        return models.Worker.objects.get().heartbeat_at > first.heartbeat_at

    await database.until(has_beaten_again, seconds=10)


async def test_refresh_reaches_the_feed(database, alice, credential, running, sandbox, ticker):
    await database.until(status_is, alice, "live")
    faults.fill_untold(sandbox, ticker, "yes", "3", "0.30")
    expected = sandbox.account.portfolios[0].positions[ticker].quantity

    await database.run(publish, REFRESH_REQUESTED, str(alice))

    await database.until(lambda: rows.quantities(alice)[ticker] == expected, seconds=20)


async def test_deleted_key_reaches_the_feed(database, alice, credential, running, sandbox):
    await database.until(status_is, alice, "live")

    def delete() -> None:
        credentials.delete_credential(Account.objects.get(pk=alice), credential)

    await database.run(delete)

    await database.until(status_is, alice, "disconnected", "no_credential")
    await until(lambda: sandbox.connection_count == 0)


async def test_forgotten_account_is_let_go_of(database, alice, credential, running, sandbox):
    await database.until(status_is, alice, "live")

    def forget() -> None:
        credentials.forget(Account.objects.get(pk=alice))

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
    task = asyncio.create_task(Worker().run())

    await database.until(status_is, other, "live")
    await database.fetch("COMMIT")
    await database.until(status_is, alice, "live")
    task.cancel()
    await asyncio.wait([task])


async def test_two_workers_share_the_accounts(
    database, alice, credential, running, sandbox, ticker
):
    await database.until(status_is, alice, "live")
    second = Worker()
    task = asyncio.create_task(second.run())
    await database.until(lambda: models.Worker.objects.count() == 2)

    sandbox.set_quote(ticker, Decimal("0.21"), Decimal("0.90"))
    await database.until(bid_is, alice, ticker, "0.21")

    assert second._feeds == {}
    assert sandbox.connection_count == 1
    assert (await database.run(rows.stream_of, alice)).epoch == 1
    task.cancel()
    await asyncio.wait([task])


async def test_killed_worker_is_succeeded_within_seconds(
    database, alice, credential, start_worker, sandbox, ticker
):
    killed = start_worker()
    await database.until(live_with_epoch_above, alice, 0)
    before = await database.run(rows.stream_of, alice)
    start_worker()
    await database.until(lambda: models.Worker.objects.count() == 2)

    killed.signal(signal.SIGKILL)

    after = await database.until(live_with_epoch_above, alice, before.epoch, seconds=20)
    assert after.seq > before.seq
    assert after.worker_id != before.worker_id
    sandbox.set_quote(ticker, Decimal("0.21"), Decimal("0.90"))
    await database.until(bid_is, alice, ticker, "0.21")


async def test_frozen_worker_is_succeeded_and_writes_nothing_when_it_thaws(
    database, alice, credential, start_worker, sandbox, ticker
):
    frozen = start_worker()
    await database.until(live_with_epoch_above, alice, 0)
    before = await database.run(rows.stream_of, alice)
    start_worker()
    await database.until(lambda: models.Worker.objects.count() == 2)

    frozen.signal(signal.SIGSTOP)
    after = await database.until(live_with_epoch_above, alice, before.epoch, seconds=20)
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
    await database.until(status_is, alice, "live")
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
    await database.until(models.Worker.objects.exists)

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

    await database.until(live_with_epoch_above, alice, 1, seconds=20)
    sandbox.set_quote(ticker, Decimal("0.21"), Decimal("0.90"))
    await database.until(bid_is, alice, ticker, "0.21")


async def test_bug_in_a_feed_ends_the_worker(
    database, alice, credential, sandbox, sandbox_environment, ticker, monkeypatch
):
    worker = Worker()
    task = asyncio.create_task(worker.run())
    await database.until(status_is, alice, "live")

    monkeypatch.setattr(worker._feeds[alice]._tracker, "apply_ticker", None)
    sandbox.set_quote(ticker, Decimal("0.21"), Decimal("0.90"))
    await asyncio.wait([task], timeout=30)

    with pytest.raises(TypeError):
        task.result()
    await until(lambda: sandbox.connection_count == 0)


async def test_row_that_the_database_refuses_is_a_bug_and_ends_the_worker(
    database, alice, credential, sandbox, sandbox_environment, ticker, monkeypatch
):
    worker = Worker()
    task = asyncio.create_task(worker.run())
    await database.until(status_is, alice, "live")

    tracked = worker._feeds[alice]._tracker._open[ticker]
    too_large = Decimal(10) ** 30
    monkeypatch.setattr(tracked, "holding", type(tracked.holding)(too_large, *[too_large] * 3))
    sandbox.set_quote(ticker, Decimal("0.21"), Decimal("0.90"))
    await asyncio.wait([task], timeout=30)

    with pytest.raises(Exception, match="numeric field overflow"):
        task.result()


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


async def test_heart_stands_still_while_a_write_is_stuck(
    database, alice, credential, running, sandbox, ticker, monkeypatch, caplog
):
    monkeypatch.setattr("streaming.worker.feed.STUCK_SECONDS", 0.1)
    await database.until(status_is, alice, "live")
    async with stuck_database(running._feeds[alice]):
        # A slow write before this may have been complained of.
        caplog.clear()
        sandbox.set_quote(ticker, Decimal("0.21"), Decimal("0.24"))
        await until(lambda: "a write is stuck" in caplog.messages)
        before = await database.run(heartbeat)
        caplog.clear()
        await until(lambda: "a write is stuck" in caplog.messages)
        stuck = await database.run(heartbeat)

    assert stuck == before
    await database.until(has_beaten_since, before)
