"""`manage.py export`."""

import csv
import io
import json

import pytest
from django.core.management import CommandError, call_command

from ledger.exports import EXPORTS
from ledger.management.commands import export
from ledger.models import Fill
from tests.integration.ledger.rows import fill, record, record_transfers, settlement, transfer
from tests.integration.streaming.rows import Worker

pytestmark = pytest.mark.django_db


def exported(name: str, **options) -> str:
    out = io.StringIO()
    call_command("export", name, stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def happened(account, second) -> None:
    for each in (account, second):
        record(each, [fill(f"a{each.pk}"), fill(f"b{each.pk}", seconds=5), settlement()])
        record_transfers(each, [transfer("=1+1", "-2", kind="withdrawal")])
        Worker(each.pk).write({"KXGAME-A-HOME": "0.40", "KXGAME-B-HOME": "0.40"})


@pytest.mark.parametrize(
    ("name", "count"), [("positions", 4), ("fills", 4), ("settlements", 2), ("transfers", 2)]
)
def test_both_forms_have_the_fields_that_the_api_gives(name, count, alice, happened):
    told = alice.get(f"{name}?account=all").json()[name]

    as_json = json.loads(exported(name, format="json"))
    rows = list(csv.DictReader(io.StringIO(exported(name))))

    assert len(told) == count
    assert as_json == told
    assert [list(row) for row in rows] == [list(EXPORTS[name].columns)] * count
    assert {frozenset(row) for row in as_json} == {frozenset(EXPORTS[name].columns)}


def test_formulas_are_for_csv_alone(happened):
    assert exported("transfers").count(",'=1+1,") == 2
    assert [row["id"] for row in json.loads(exported("transfers", format="json"))] == ["=1+1"] * 2


def test_one_account_and_a_period(account, happened):
    text = exported("fills", account=account.pk, since="2026-11-23T12:00:05Z", until="2026-11-24")

    assert [row["id"] for row in csv.DictReader(io.StringIO(text))] == [f"b{account.pk}"]


def test_of_a_long_list_it_is_told_how_far_it_has_come(happened, monkeypatch):
    monkeypatch.setattr(export, "_TOLD_EVERY", 4)
    monkeypatch.setattr(
        EXPORTS["fills"].__class__,
        "pages",
        lambda self, asked: iter([[{"id": "a"}] * 3, [{"id": "b"}] * 3, [{"id": "c"}]]),
    )
    told = io.StringIO()

    written = exported("fills", format="json", stderr=told)

    assert told.getvalue() == "6 rows written …\n"
    assert len(json.loads(written)) == 7


def test_nothing_is_an_empty_list(db):
    assert exported("fills", format="json") == "[]\n"
    assert exported("fills").splitlines() == [",".join(EXPORTS["fills"].columns)]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"account": 1}, "There is no account 1."),
        ({"since": "yesterday"}, "--from must be a day"),
    ],
)
def test_what_can_not_be_is_told(options, named, db):
    with pytest.raises(CommandError, match=named):
        exported("fills", **options)


def test_positions_are_of_now(db):
    with pytest.raises(CommandError, match="positions are of now"):
        exported("positions", since="2026-11-23")


def test_more_than_a_page_is_written_whole(account):
    record(account, [fill("t0000")])
    like = Fill.objects.values().get()
    del like["id"]
    Fill.objects.bulk_create(
        Fill(**like | {"trade_id": f"t{number:04}"}) for number in range(1, 2_500)
    )

    rows = json.loads(exported("fills", format="json"))

    assert [row["id"] for row in rows] == [f"t{number:04}" for number in range(2_499, -1, -1)]
