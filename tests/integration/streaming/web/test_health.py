"""Readiness names what is missing; life needs nothing."""

from uuid import uuid4

import pytest
from django.db import OperationalError
from django.db.migrations.recorder import MigrationRecorder

from positions import workers
from streaming.web import health
from tests.integration.positions.conftest import age

pytestmark = pytest.mark.django_db


def beat_seconds_ago(seconds: float) -> None:
    worker_id = uuid4()
    workers.beat(worker_id)
    age(worker_id, seconds)


def test_ready_with_a_worker_whose_heart_beats(client):
    beat_seconds_ago(10)

    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json() == {"status": "ready"}


@pytest.mark.parametrize("ages", [[], [16], [60, 16]], ids=["none", "one", "two"])
def test_not_ready_without_a_worker(client, ages, caplog):
    for seconds in ages:
        beat_seconds_ago(seconds)

    response = client.get("/readyz")

    # It is no error: every start begins so.
    assert caplog.records == []

    assert response.status_code == 503
    assert response.json()["reasons"] == ["no worker is alive: start manage.py run_kalshi_stream"]


def test_one_of_two_workers_is_enough():
    beat_seconds_ago(60)
    beat_seconds_ago(1)

    assert health.unreadiness() == []


def test_not_ready_without_all_migrations(client):
    beat_seconds_ago(0)
    MigrationRecorder.Migration.objects.filter(app="positions").order_by("-pk")[:1].get().delete()

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["reasons"] == ["migrations are not applied: run manage.py migrate"]


def test_not_ready_without_the_database(client, monkeypatch):
    def refuse(*args):
        raise OperationalError("connection to /a/path failed")

    monkeypatch.setattr("django.db.backends.base.base.BaseDatabaseWrapper.cursor", refuse)

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["reasons"] == ["the database cannot be reached"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_change_nothing_and_answer_safe_methods_only(client, path):
    assert client.post(path).status_code == 405


def test_life_needs_no_worker(client):
    response = client.get("/healthz")

    assert response.status_code == 200
    assert response.json() == {"status": "ok"}
