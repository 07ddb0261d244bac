import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledger import models
from ledger.admin import UncountedPages
from tests.integration.ledger.kept import balance, one_of_each

pytestmark = pytest.mark.django_db

ADMIN = "/admin/ledger/"
MODELS = {
    "balance": models.Balance,
    "recordedposition": models.RecordedPosition,
    "connectionchange": models.ConnectionChange,
    "equitypoint": models.EquityPoint,
    "fill": models.Fill,
    "hole": models.Hole,
    "marketchange": models.MarketChange,
    "reconciliation": models.Reconciliation,
    "settlement": models.Settlement,
    "transfer": models.Transfer,
    "unexplained": models.Unexplained,
}


@pytest.fixture
def kept(account, second) -> None:
    """A row of each kind, and one of another account's."""
    for of in (account, second):
        one_of_each(of, "E-M")
    models.RecordedPosition.objects.filter(account=account).update(
        disagreement="quantity 5 here, 4 there"
    )


def found(admin_client, path: str) -> int:
    """How many rows a list shows."""
    answer = admin_client.get(ADMIN + path)
    assert answer.status_code == 200
    return answer.context["cl"].result_count


@pytest.mark.parametrize(
    ("path", "count"),
    [
        *((f"{name}/", 4 if name == "balance" else 2) for name in MODELS),
        ("fill/?q=E-M", 2),
        ("fill/?q=nothing", 0),
        ("recordedposition/?disagreement__isempty=0", 1),
        ("transfer/?kind__exact=deposit", 2),
        ("marketchange/?q=E-M", 2),
        ("reconciliation/?is_first__exact=1", 2),
        ("hole/?filled_at__isempty=1", 0),
    ],
)
def test_rows_can_be_listed_searched_and_filtered(admin_client, kept, path, count):
    assert found(admin_client, path) == count


@pytest.mark.parametrize("name", MODELS)
def test_rows_are_found_by_their_account(admin_client, kept, account, name):
    assert found(admin_client, f"{name}/?q={account.pk}") == (2 if name == "balance" else 1)


@pytest.mark.parametrize("name", MODELS)
def test_nothing_can_be_added_changed_or_deleted(admin_client, kept, name):
    pk = MODELS[name].objects.values_list("pk", flat=True).first()

    shown = admin_client.get(f"{ADMIN}{name}/{pk}/change/")
    answers = [
        admin_client.get(f"{ADMIN}{name}/add/"),
        admin_client.post(f"{ADMIN}{name}/{pk}/change/", {}),
        admin_client.post(f"{ADMIN}{name}/{pk}/delete/", {"post": "yes"}),
    ]

    assert shown.status_code == 200
    assert [answer.status_code for answer in answers] == [403, 403, 403]


@pytest.mark.parametrize("name", MODELS)
def test_a_list_counts_no_rows(admin_client, kept, name):
    with CaptureQueriesContext(connection) as queries:
        admin_client.get(f"{ADMIN}{name}/")

    assert not [query["sql"] for query in queries if "COUNT(" in query["sql"]]


def test_a_list_ends_after_so_many_pages(account):
    for number in range(7):
        balance(account, number, "100")
    pages = UncountedPages(models.Balance.objects.order_by("-pk"), 3)
    pages.MOST_PAGES = 2

    assert (pages.count, pages.num_pages) == (6, 2)
