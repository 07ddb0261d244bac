from uuid import UUID

import pytest

from positions import workers
from positions.models import Worker
from tests.integration.positions.conftest import WORKER, age, open

pytestmark = pytest.mark.django_db

OTHER = UUID(int=2)
DAY = 24 * 60 * 60


def test_first_beat_makes_a_worker_known():
    workers.beat(WORKER)

    worker = Worker.objects.get(pk=WORKER)
    assert worker.started_at <= worker.heartbeat_at


def test_further_beats_keep_its_start():
    workers.beat(WORKER)
    first = Worker.objects.get(pk=WORKER)

    workers.beat(WORKER)

    worker = Worker.objects.get(pk=WORKER)
    assert worker.started_at == first.started_at
    assert worker.heartbeat_at > first.heartbeat_at


def test_further_beat_is_one_statement(django_assert_num_queries):
    workers.beat(WORKER)

    with django_assert_num_queries(1):
        workers.beat(WORKER)


def test_newest_heartbeat_of_any_worker_counts():
    workers.beat(WORKER)
    workers.beat(OTHER)
    age(WORKER, 10)
    age(OTHER, 3)

    heartbeat = workers.last_heartbeat()

    assert 3 <= heartbeat.age_seconds < 10
    assert heartbeat.at == Worker.objects.get(pk=OTHER).heartbeat_at


def test_without_a_worker_there_is_no_heartbeat():
    assert workers.last_heartbeat() is None


def test_beat_from_the_future_is_none():
    workers.beat(WORKER)
    workers.beat(OTHER)
    age(WORKER, 8)
    age(OTHER, -20 * 60)

    assert workers.last_heartbeat().age_seconds >= 8


@pytest.mark.parametrize(
    ("silent_for", "known"),
    [(DAY - 60, {WORKER, OTHER}), (DAY + 60, {OTHER})],
    ids=["a day", "longer"],
)
def test_worker_silent_for_more_than_a_day_is_forgotten(silent_for, known):
    workers.beat(WORKER)
    age(WORKER, silent_for)

    workers.beat(OTHER)

    assert set(Worker.objects.values_list("pk", flat=True)) == known


def test_last_writer_of_an_account_is_never_forgotten(account):
    open(account)
    age(WORKER, 30 * DAY)

    workers.beat(OTHER)

    assert Worker.objects.filter(pk=WORKER).exists()


def test_beat_tells_which_accounts_it_does_not_vouch_for():
    workers.beat(WORKER, {7: 4.5})
    silent = Worker.objects.get(pk=WORKER).silent

    workers.beat(WORKER)

    assert silent == {"7": 4.5}
    assert Worker.objects.get(pk=WORKER).silent == {}
