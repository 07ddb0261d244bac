from datetime import timedelta
from uuid import UUID

import pytest

from positions import workers
from positions.models import Worker
from tests.integration.positions.conftest import WORKER, open
from tests.told import NOON, at

pytestmark = pytest.mark.django_db

OTHER = UUID(int=2)


def test_first_beat_makes_a_worker_known():
    workers.beat(WORKER, NOON)

    worker = Worker.objects.get(pk=WORKER)
    assert (worker.started_at, worker.heartbeat_at) == (NOON, NOON)


def test_further_beats_keep_its_start():
    workers.beat(WORKER, NOON)
    workers.beat(WORKER, at(1))

    worker = Worker.objects.get(pk=WORKER)
    assert (worker.started_at, worker.heartbeat_at) == (NOON, at(1))


def test_further_beat_is_one_statement(django_assert_num_queries):
    workers.beat(WORKER, NOON)

    with django_assert_num_queries(1):
        workers.beat(WORKER, at(1))


def test_newest_heartbeat_of_any_worker_counts():
    workers.beat(WORKER, at(2))
    workers.beat(OTHER, at(1))

    assert workers.last_heartbeat() == at(2)


def test_without_a_worker_there_is_no_heartbeat():
    assert workers.last_heartbeat() is None


@pytest.mark.parametrize(
    ("silent_for", "known"),
    [(timedelta(days=1), {WORKER, OTHER}), (timedelta(days=1, seconds=1), {OTHER})],
    ids=["a day", "longer"],
)
def test_worker_silent_for_more_than_a_day_is_forgotten(silent_for, known):
    workers.beat(WORKER, NOON)

    workers.beat(OTHER, NOON + silent_for)

    assert set(Worker.objects.values_list("pk", flat=True)) == known


def test_last_writer_of_an_account_is_never_forgotten(account):
    open(account)

    workers.beat(OTHER, NOON + timedelta(days=30))

    assert Worker.objects.filter(pk=WORKER).exists()
