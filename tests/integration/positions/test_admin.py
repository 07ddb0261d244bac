from uuid import UUID

import pytest

from positions.models import AccountStream, Market, Position
from tests.integration.positions.conftest import WORKER, hold, open, write
from tests.integration.visitors import make_account
from tests.told import market, quote, reconcile, row

pytestmark = pytest.mark.django_db(transaction=True)

ADMIN = "/admin/positions/"
MODELS = ["accountstream", "market", "position", "worker"]
OTHER_WORKER = UUID(int=2)


@pytest.fixture
def cached(opened) -> None:
    """M000 and M001 in demo, live; in production X, closed, by a worker that is connecting."""
    hold(opened, 2)
    other = open(make_account(environment="production"), worker_id=OTHER_WORKER)
    write(other.writer, other.tracker)
    told = {"X": market("X", status="closed", prices=quote(None, None, "0.41"))}
    reconcile(other.tracker, [row("X", "5", "2")], told)
    write(other.writer, other.tracker)
    reconcile(other.tracker, [row("X", "0", "0", "1")], told, requested_at=200.0)
    write(other.writer, other.tracker)
    AccountStream.objects.filter(worker=OTHER_WORKER).update(
        status="reconnecting", reason="clock_skew"
    )


def found(admin_client, path: str) -> int:
    """How many rows a list shows."""
    answer = admin_client.get(ADMIN + path)
    assert answer.status_code == 200
    return answer.context["cl"].result_count


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("position/", 3),
        ("position/?q=M001", 1),
        ("position/?q=KXGAME-X", 1),
        ("position/?account__environment=production", 1),
        ("position/?closed_reason__isempty=1", 2),
        ("position/?closed_reason__isempty=0", 1),
        ("position/?mark_source__exact=bid", 2),
        ("position/?market_status=closed", 1),
        ("accountstream/", 2),
        ("accountstream/?status__exact=live", 1),
        ("accountstream/?account__environment=production", 1),
        ("accountstream/?q=clock_skew", 1),
        (f"accountstream/?q={WORKER}", 1),
        ("market/", 3),
        ("market/?environment=production", 1),
        ("market/?q=M00", 2),
        ("market/?q=wins+M001", 1),
        ("worker/", 2),
        (f"worker/?q={OTHER_WORKER}", 1),
        ("worker/?q=neither-a-worker", 0),
    ],
)
def test_rows_can_be_listed_searched_and_filtered(admin_client, cached, path, count):
    assert found(admin_client, path) == count


def test_positions_and_streams_are_found_by_their_account(admin_client, cached, account):
    assert found(admin_client, f"position/?q={account.pk}") == 2
    assert found(admin_client, f"accountstream/?q={account.pk}") == 1


def test_workers_are_listed_with_the_number_of_their_accounts(admin_client, cached):
    open(make_account(), worker_id=WORKER)

    answer = admin_client.get(ADMIN + "worker/?o=3")

    assert [each.account_count for each in answer.context["cl"].result_list] == [1, 2]


@pytest.mark.parametrize("model", MODELS)
def test_lists_cost_the_same_queries_however_long(
    admin_client, opened, model, django_assert_max_num_queries
):
    hold(opened, 60)
    for number in range(3, 9):
        open(make_account(), worker_id=UUID(int=number))

    # Session, user, count twice, the rows, and the values of a filter
    with django_assert_max_num_queries(8):
        answer = admin_client.get(f"{ADMIN}{model}/")

    assert answer.status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_nothing_can_be_added_changed_or_deleted(admin_client, cached, model):
    (pk, *_) = {
        "accountstream": AccountStream.objects.values_list("pk", flat=True),
        "market": Market.objects.values_list("pk", flat=True),
        "position": Position.objects.values_list("pk", flat=True),
        "worker": [WORKER],
    }[model]

    shown = admin_client.get(f"{ADMIN}{model}/{pk}/change/")
    answers = [
        admin_client.get(f"{ADMIN}{model}/add/"),
        admin_client.post(f"{ADMIN}{model}/{pk}/change/", {}),
        admin_client.post(f"{ADMIN}{model}/{pk}/delete/", {"post": "yes"}),
    ]

    assert shown.status_code == 200
    assert "deletelink" not in shown.content.decode()
    assert [answer.status_code for answer in answers] == [403, 403, 403]


@pytest.mark.parametrize("model", MODELS)
def test_who_is_no_staff_sees_nothing(client, cached, model):
    answer = client.get(f"{ADMIN}{model}/")

    assert answer.status_code == 302
    assert answer.url.startswith("/admin/login/")
