"""A worker tells how it does at a port of its own, while everything happens to it."""

from decimal import Decimal

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.ports import free_port
from sandbox.faults import FailedAnswer
from streaming.worker.backoff import ATTEMPTS_BEFORE_OPEN
from streaming.worker.counts import COUNTS
from streaming.worker.metrics import WorkerMetrics
from tests.integration.streaming import faults
from tests.integration.streaming.conftest import stuck_database
from tests.integration.streaming.worker.test_feed import status_is
from tests.waiting import PATIENCE_SECONDS, START_SECONDS, until


def told(feed) -> dict[str, float]:
    """Samples without labels by name, others by name and the labels' values."""
    return {
        " ".join([sample.name.removeprefix("kalshi_live_"), *sample.labels.values()]): sample.value
        for metric in WorkerMetrics([feed]).collect()
        for sample in metric.samples
    }


async def grown(feed, before: dict[str, float], *names: str) -> dict[str, float]:
    """All that is told, once each of these is more than before."""
    after = {}

    def are_more() -> bool:
        after.update(told(feed))
        return all(after[name] > before.get(name, 0.0) for name in names)

    await until(are_more)
    return after


@pytest.fixture
async def live(database, alice, credential, start_feed):
    """Her feed, live."""
    feed = await start_feed(alice)
    await database.until(status_is, alice, "live")
    return feed


async def test_tick_is_counted_on_its_way_to_its_row(live, sandbox, tickers):
    before = told(live)

    sandbox.set_quote(tickers[0], Decimal("0.21"), Decimal("0.24"))
    after = await grown(
        live,
        before,
        "ticks_total",
        "flush_rows_total",
        "flush_seconds_count",
        "frame_to_row_seconds_count",
    )

    assert after["accounts live"] == after["accounts_held"] == 1
    assert after["exchange_lag_seconds_count"] > 0
    assert after["reconciliation_seconds_count"] > 0
    assert after["breakers_open"] == after["accounts_silent"] == 0


async def test_lost_connection_is_a_failure_and_a_connection_more(live, sandbox):
    before = told(live)

    sandbox.drop_connections()

    await grown(
        live,
        before,
        "connection_failures_total Unavailable",
        "connections_total",
        "connections_live_total",
    )


async def test_exchange_that_fails_opens_the_breaker(live, sandbox):
    before = told(live)
    sandbox.faults.answers.append(FailedAnswer(503, times=None))

    sandbox.drop_connections()

    after = await grown(live, before, "breakers_open", "connection_failures_total ServerFailed")
    assert after["accounts live"] == 0
    assert live.state.attempt >= ATTEMPTS_BEFORE_OPEN


async def test_account_that_cannot_be_written_is_silent(live, sandbox, tickers, monkeypatch):
    before = told(live)
    monkeypatch.setattr("streaming.worker.flushes.STUCK_SECONDS", 0.0)

    async with stuck_database(live):
        sandbox.set_quote(tickers[0], Decimal("0.21"), Decimal("0.24"))
        await grown(live, before, "accounts_silent")


async def test_what_the_stream_did_not_tell_is_found(live, sandbox, tickers):
    before = told(live)

    faults.fill_untold(sandbox, tickers[0], "yes", "3", "0.30")
    live.refresh()
    after = await grown(live, before, "reconciliation_found_total changed")

    changed = "reconciliation_found_total changed"
    assert after[changed] == before[changed] + 1


async def test_past_that_is_read_is_told(alice, credential, start_feed):
    before = COUNTS.holes_filled

    feed = await start_feed(alice)
    at_first = told(feed)["accounts_reading_past"]
    await until(lambda: told(feed)["accounts_reading_past"] == 0)

    assert at_first == 1
    assert COUNTS.holes_filled == before + 1


async def test_worker_of_its_own_answers_at_its_port(alice, credential, start_process, sandbox):
    port = free_port()
    start_process("run_kalshi_stream", TEST_METRICS_PORT=str(port))

    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_SECONDS
    ) as client:

        async def live() -> str | None:
            try:
                text = (await client.get("/metrics")).text
            except httpx.TransportError:
                return None
            return text if 'kalshi_live_accounts{status="live"} 1.0' in text else None

        text = await until(live, seconds=START_SECONDS)
        health = await client.get("/healthz")

    names = {family.name for family in text_string_to_metric_families(text)}
    assert {"process_resident_memory_bytes", "kalshi_live_heartbeats"} <= names
    assert 'kalshi_live_process{role="worker"} 1.0' in text
    assert health.json() == {"status": "ok"}
    held = sandbox.account.portfolios[0].positions
    assert not [ticker for ticker in held if ticker in text]
