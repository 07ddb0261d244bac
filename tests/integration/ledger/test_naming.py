"""What the exchange does not tell of, named by the owner."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ledger.models import Transfer

pytestmark = pytest.mark.django_db

INTEREST = {"at": "2026-11-01T00:00:00Z", "amount": "1.25", "name": "Interest"}


def test_named_money_is_a_transfer(alice, account):
    answer = alice.post("transfers", INTEREST)

    assert answer.status_code == 201
    row = answer.json()
    assert alice.get("transfers").json() == {"transfers": [row], "next": None}
    del row["id"]
    assert row == {
        "account_id": account.pk,
        "at": "2026-11-01T00:00:00Z",
        "kind": "named",
        "method": "Interest",
        "amount": "1.25",
        "fee": "0",
        "status": "applied",
        "cash_flow": "1.25",
    }


def test_the_same_twice_is_two(alice, account):
    ids = {alice.post("transfers", INTEREST).json()["id"] for _ in range(2)}

    assert len(ids) == 2
    assert Transfer.objects.filter(account=account).count() == 2


def test_money_that_went_is_negative(alice):
    row = alice.post("transfers", INTEREST | {"amount": "-0.000001", "at": "2026-11-01"}).json()

    assert (row["amount"], row["cash_flow"]) == ("-0.000001", "-0.000001")
    assert row["at"] == "2026-11-01T04:00:00Z"  # midnight in New York, an hour behind in summer


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"amount": "0"}, "“amount”"),
        ({"amount": "-0.00"}, "“amount”"),
        ({"amount": "NaN"}, "“amount”"),
        ({"amount": "1e3"}, "“amount”"),
        ({"amount": "1.0000001"}, "“amount”"),
        ({"amount": "1000000000000"}, "“amount”"),
        ({"amount": 1.25}, "“amount”"),
        ({"amount": "١"}, "“amount”"),
        ({"amount": "5\n"}, "“amount”"),
        ({"amount": None}, "“amount”"),
        ({"name": " "}, "“name”"),
        ({"name": "a\nb"}, "“name”"),
        ({"name": "a\0b"}, "“name”"),
        ({"name": "x" * 201}, "“name”"),
        ({"at": "today"}, "“at”"),
        ({"at": "2026-11-01T00:00:00"}, "“at”"),
        ({"at": None}, "“at”"),
        ({"at": (timezone.now() + timedelta(days=2)).isoformat()}, "future"),
    ],
)
def test_what_is_no_flow_is_told_in_words(changes, named, alice, account):
    answer = alice.post("transfers", INTEREST | changes)

    assert answer.status_code == 422
    assert named in answer.json()["error"]["message"]
    assert not Transfer.objects.exists()


def test_nobody_names_what_is_not_theirs(alice, charlie, account, second):
    assert charlie.post(f"transfers?account={account.pk}", INTEREST).status_code == 404
    assert alice.post("transfers?account=all", INTEREST).status_code == 422
    assert not Transfer.objects.exists()

    assert alice.post(f"transfers?account={second.pk}", INTEREST).status_code == 201

    assert Transfer.objects.get().account_id == second.pk


def test_what_was_named_stays(alice, account):
    row = alice.post("transfers", INTEREST).json()

    assert alice.delete(f"transfers/{row['id']}").status_code == 404
    assert alice.patch("transfers", INTEREST).status_code == 405
