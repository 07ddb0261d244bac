"""A web process tells how it does, to whoever may know it, without a database."""

import io
import logging
import time

import httpx
import pytest
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from prometheus_client.parser import text_string_to_metric_families

from config.logs import EventFormatter
from positions import doorbell
from streaming.web import hub as hub_module
from tests.integration.streaming import rows
from tests.integration.streaming.clients import watching
from tests.waiting import until

TOKEN = "nQ4vTz7-Lw2_kXb9RmJc5HsY8dFa1GpE"


def read(text: str) -> dict[str, float]:
    """Samples without labels by name, others by name and the labels' values."""
    return {
        " ".join([sample.name.removeprefix("kalshi_live_"), *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def metrics(client: httpx.AsyncClient, **headers: str) -> dict[str, float]:
    response = await client.get("/metrics", headers=headers)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    return read(response.text)


@pytest.mark.parametrize(
    ("token", "headers", "status"),
    [
        pytest.param(None, {}, 200, id="this machine"),
        pytest.param(None, {"X-Forwarded-For": "203.0.113.7"}, 403, id="by a proxy"),
        pytest.param(None, {"Authorization": f"Bearer {TOKEN}"}, 200, id="needless token"),
        pytest.param(TOKEN, {}, 401, id="without the token"),
        pytest.param(TOKEN, {"Authorization": "Bearer wrong"}, 401, id="wrong token"),
        pytest.param(TOKEN, {"Authorization": f"Bearer {TOKEN}"}, 200, id="token"),
        pytest.param(
            TOKEN,
            {"Authorization": f"Bearer {TOKEN}", "X-Forwarded-For": "203.0.113.7"},
            200,
            id="token by a proxy",
        ),
    ],
)
async def test_who_may_read_them(stranger, settings, token, headers, status):
    settings.METRICS_TOKEN = token

    response = await stranger.get("/metrics", headers=headers)

    assert response.status_code == status
    assert (b"kalshi_live_" in response.content) == (status == 200)
    assert response.headers.get("WWW-Authenticate") == ("Bearer" if status == 401 else None)


def test_this_machine_is_told_by_its_address(client):
    response = client.get("/metrics", REMOTE_ADDR="10.0.0.7")

    assert response.status_code == 403


@pytest.mark.parametrize(
    ("sent", "status"), [("Bearer secret", 200), ("Bearer wrong", 400), (None, 400)]
)
def test_who_has_the_token_may_ask_by_any_name(client, settings, sent, status):
    settings.METRICS_TOKEN = "secret"
    headers = {"Host": "172.18.0.5:8000"} | ({"Authorization": sent} if sent else {})

    response = client.get("/metrics", headers=headers, REMOTE_ADDR="172.18.0.9")

    assert response.status_code == status


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/account/session"])
def test_token_lets_nothing_else_be_asked_by_any_name(client, settings, path):
    settings.METRICS_TOKEN = "secret"
    headers = {"Host": "172.18.0.5:8000", "Authorization": "Bearer secret"}

    assert client.get(path, headers=headers).status_code == 400


@pytest.mark.django_db
def test_they_need_no_database(client, monkeypatch):
    def refuse(*args, **kwargs):
        raise OperationalError("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(BaseDatabaseWrapper, "cursor", refuse)
        response = client.get("/metrics")

    assert response.status_code == 200


async def test_stream_is_counted_from_its_rows_to_its_bytes(
    database, web, stranger, browser, alice, worker
):
    await database.run(worker.write, {"A": "0.10"})
    before = await metrics(stranger)

    async with browser.stream("GET", "/sse/positions") as response:
        lines = response.aiter_lines()
        async for line in lines:
            if line == "event: snapshot":
                break
        # Else the row comes by the reading that follows the first LISTEN.
        await until(database.is_listened_to)
        await database.run(worker.write, {"A": "0.20"})
        async for line in lines:
            if line == "event: position":
                break
        after = await until(lambda: sent(stranger, before))

    assert after["streams"] == 1
    assert after["watched_accounts"] == 1
    assert after["streams_opened_total"] == before["streams_opened_total"] + 1
    assert after["snapshots_total"] > before["snapshots_total"]
    assert after["stream_bytes_total"] > before["stream_bytes_total"] + 100
    assert after["stream_events_total"] > before["stream_events_total"]
    assert after["doorbells_heard_total"] > before["doorbells_heard_total"]
    assert after["process web"] == 1


async def sent(client: httpx.AsyncClient, before: dict[str, float]) -> dict[str, float] | None:
    """The metrics, once a row's way to a client has been measured."""
    now = await metrics(client)
    measured = "row_to_bytes_seconds_count"
    return now if now[measured] > before[measured] else None


async def test_answers_are_counted_by_status_and_refusals_by_code(stranger):
    before = await metrics(stranger)

    await stranger.get("/api/v1/account/session")
    await stranger.get("/nothing")
    await stranger.post("/healthz", content=b"x" * 100_000)

    after = await metrics(stranger)
    grown = {name for name in after if after[name] > before.get(name, 0)}
    assert {"requests_total 401", "requests_total 404", "requests_total 413"} <= grown
    assert {"refusals_total not_signed_in", "refusals_total request_too_large"} <= grown


async def test_each_answer_has_an_id_that_is_ours_and_in_the_log(stranger, monkeypatch):
    console = next(
        handler
        for handler in logging.getLogger("django").handlers
        if isinstance(handler.formatter, EventFormatter)
    )
    monkeypatch.setattr(console, "stream", io.StringIO())

    answers = [
        await stranger.get(path, headers={"X-Request-ID": "theirs"})
        for path in ("/healthz", "/nothing", "/static/css/none.css", "/sse/positions")
    ]
    answers.append(await stranger.post("/", content=b"x" * 100_000))

    ids = [answer.headers["X-Request-ID"] for answer in answers]
    assert len(set(ids)) == 5
    assert all(len(each) == 16 and each.isalnum() for each in ids)
    [line] = [each for each in console.stream.getvalue().splitlines() if "/nothing" in each]
    assert line.endswith(f"request_id={ids[1]}")
    assert "theirs" not in console.stream.getvalue()


async def test_lost_doorbell_is_counted(database, hub, alice, worker, monkeypatch):
    monkeypatch.setattr(hub_module, "POLL_SECONDS", 0.05)
    await database.run(worker.write, {"A": "0.10"})

    async with watching(hub, alice) as client:
        await until(database.is_listened_to)
        heard = hub_module.COUNTS.heard
        await database.run(worker.write, {"A": "0.15"})
        # Once it has heard something, it reads no more because it has begun to listen.
        await until(lambda: hub_module.COUNTS.heard > heard)
        await until(lambda: client.bids == {"A": "0.15"} and not hub.behind_seconds)
        missed = hub_module.COUNTS.missed
        await database.run(rows.write_unannounced, alice, "A", "0.20")
        await until(lambda: client.bids == {"A": "0.2"})
        await until(lambda: hub_module.COUNTS.missed > missed)


def test_late_doorbell_takes_its_flush_back():
    hub = hub_module.Hub()
    hub._unannounced = {1: 5, 2: 5}

    hub._heard(doorbell.heard("1:1:4"))
    assert hub._unannounced == {1: 5, 2: 5}
    hub._heard(doorbell.heard("1:1:5"))

    assert hub._unannounced == {2: 5}


async def test_process_that_cannot_read_says_for_how_long(hub):
    assert hub.behind_seconds == 0.0

    hub._behind[1] = time.monotonic() - 7.0

    assert 7.0 <= hub.behind_seconds < 60.0
