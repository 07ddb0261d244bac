"""The operator's desk: what it shows of accounts and workers, and what is done from it."""

import pytest
from django.utils import timezone

from accounts.models import Account, User
from ledger.models import Reconciliation
from positions.models import AccountStream
from tests.integration.positions.conftest import WORKER, age, hold, open
from tests.integration.visitors import make_account, make_user

pytestmark = pytest.mark.django_db(transaction=True)

STREAMS = "/admin/positions/accountstream/"
DIFFERING = [{"ticker": "KXA", "figure": "quantity", "ours": "5", "theirs": "4"}]


@pytest.fixture
def account() -> Account:
    return make_account(name="Hers")


@pytest.fixture
def fed(account):
    """An account with two positions, live by a worker whose heart beats."""
    hold(open(account), 2)
    return account


def chosen(admin_client, action: str, *accounts: Account, **form):
    return admin_client.post(
        STREAMS, {"action": action, "_selected_action": [each.pk for each in accounts]} | form
    )


def page(admin_client, path: str = STREAMS) -> str:
    return admin_client.get(path).content.decode().replace("\u00a0", " ")


def test_list_tells_how_each_account_stands_and_what_differed(admin_client, fed):
    Reconciliation.objects.create(
        account=fed, at=timezone.now(), is_first=False, differing=DIFFERING
    )

    told = page(admin_client)

    assert '<td class="field-standing">Live</td>' in told
    assert '<td class="field-figures_age">now</td>' in told
    assert "s ago: Set right by the exchange" in told
    assert "KXA: 4 instead of 5 contracts." in told


def test_account_whose_worker_died_is_not_told_as_live(admin_client, fed):
    age(WORKER, 90)

    told = page(admin_client)

    assert '<td class="field-standing">Reconnecting (worker_down)</td>' in told
    assert '<td class="field-figures_age">1 min ago</td>' in told


def test_page_of_an_account_has_its_last_reconciliations(admin_client, fed):
    for second in range(25):
        Reconciliation.objects.create(
            account=fed,
            at=f"2026-11-23T12:00:{second:02}Z",
            is_first=False,
            differing=[DIFFERING[0] | {"ticker": "<b>KXA"}],
        )

    told = page(admin_client, f"{STREAMS}{fed.pk}/change/")

    assert told.count("4 instead of 5 contracts") == 20
    assert "&lt;b&gt;KXA" in told


def test_reconciliation_is_asked_for_as_the_page_asks(admin_client, fed, announced):
    announced()

    answer = chosen(admin_client, "reconcile_now", fed)

    assert answer.status_code == 302
    assert announced() == [("refresh_requested", str(fed.pk))]


def test_account_is_set_aside_and_taken_back(admin_client, fed, announced):
    announced()

    chosen(admin_client, "set_aside", fed)
    is_set_aside = Account.objects.get().is_set_aside
    # Once more changes nothing, and tells nobody.
    chosen(admin_client, "set_aside", fed)
    chosen(admin_client, "take_back", fed)

    assert is_set_aside
    assert not Account.objects.get().is_set_aside
    assert announced() == [("credentials_changed", str(fed.pk))] * 2


def test_forgetting_asks_first(admin_client, fed):
    asked = chosen(admin_client, "forget", fed)

    assert asked.status_code == 200
    assert f"Account {fed.pk}, Hers (demo)" in asked.content.decode()
    assert Account.objects.exists()


def test_forgotten_account_is_gone_with_its_data_and_the_worker_is_told(
    admin_client, fed, announced
):
    spare = make_account(environment="production")
    open(spare)
    announced()

    answer = chosen(admin_client, "forget", fed, spare, post="yes")

    assert answer.status_code == 302
    assert not Account.objects.exists()
    assert not AccountStream.objects.exists()
    # They had nothing else, and no way in: staff remain.
    assert [user.username for user in User.objects.all()] == ["ada"]
    assert set(announced()) == {
        ("credentials_changed", str(fed.pk)),
        ("credentials_changed", str(spare.pk)),
    }


@pytest.mark.parametrize("action", ["reconcile_now", "set_aside", "take_back", "forget"])
def test_nobody_but_staff_does_any_of_it(client, fed, action, announced):
    make_user("bob", "a long password")
    announced()

    answer = chosen(client, action, fed, post="yes")

    assert answer.url.startswith("/admin/login/")
    assert not Account.objects.get().is_set_aside
    assert announced() == []


def test_workers_are_told_with_their_accounts_and_heartbeats(admin_client, fed):
    second = make_account()
    open(second)
    age(WORKER, 90)

    told = page(admin_client, "/admin/positions/worker/")

    assert f'<td class="field-accounts">{fed.pk}, {second.pk}</td>' in told
    assert '<td class="field-heartbeat_age">1 min ago: down</td>' in told


def test_worker_whose_beat_is_of_the_future_is_told_as_down(admin_client, fed):
    age(WORKER, -90)

    told = page(admin_client, "/admin/positions/worker/")

    assert ": down</td>" in told


def test_tables_are_told_with_their_sizes(admin_client, fed):
    told = page(admin_client, "/admin/tables/")

    assert "positions_position" in told
    assert "kB" in told.replace("KB", "kB")
    assert "/admin/tables/" in page(admin_client, "/admin/")
