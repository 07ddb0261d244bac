"""Fills, settlements and transfers as lists: pages, periods, accounts, and CSV."""

import csv
import io
import json
import tracemalloc
from urllib.parse import quote

import pytest

from ledger.models import Fill
from tests.integration.ledger.rows import (
    fill,
    record,
    record_transfers,
    settlement,
    transfer,
)
from tests.integration.visitors import make_account

pytestmark = pytest.mark.django_db

LISTS = ["fills", "settlements", "transfers"]


def pages(visitor, path: str, name: str) -> list[list[dict]]:
    """Every page to the last, as a client would read them."""
    found, cursor = [], ""
    while True:
        answer = visitor.get(path + cursor).json()
        found.append(answer[name])
        if answer["next"] is None:
            return found
        cursor = f"&cursor={quote(answer['next'])}"


def all_ids(visitor, path: str) -> list[str]:
    return [row["id"] for page in pages(visitor, path, "fills") for row in page]


def csv_rows(answer) -> list[dict]:
    text = b"".join(answer).decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_fill_whole(alice, account):
    record(account, [fill("t1", "10", "0.40"), fill("t2", "4", "0.55", side="no", seconds=1.5)])

    answer = alice.get("fills")

    assert answer.status_code == 200
    newest, _ = answer.json()["fills"]
    assert newest == {
        "account_id": account.pk,
        "id": "t2",
        "order_id": "order of t2",
        "ticker": "KXGAME-A-HOME",
        "event_ticker": "KXGAME-A",
        "at": "2026-11-23T12:00:01.500000Z",
        "side": "no",
        "count": "4",
        "closed_count": "4",
        "price": "0.55",
        "cash_flow": "1.63",  # 4 * (1 - 0.55) - 0.17
        "fee": "0.17",
        "is_taker": True,
        "quantity_after": "6",
        "realized_pnl": "0.2",  # 4 * (0.45 - 0.40)
    }
    assert answer.json()["next"] is None


def test_settlement_whole(alice, account):
    record(account, [fill("t1"), settlement()])

    assert alice.get("settlements").json() == {
        "settlements": [
            {
                "account_id": account.pk,
                "ticker": "KXGAME-A-HOME",
                "event_ticker": "KXGAME-A",
                "at": "2026-11-23T12:01:00Z",
                "result": "yes",
                "value": "1",
                "quantity": "10",
                "exposure": "4",
                "cash_flow": "10",
                "realized_pnl": "6",
                "fees_paid": "0.17",
                "source": "exchange",
            }
        ],
        "next": None,
    }


def test_transfer_is_listed_at_its_newest_status(alice, account):
    record_transfers(account, [transfer("d", "0", status="pending")])
    record_transfers(account, [transfer("d", "100", seconds=5)])

    (row,) = alice.get("transfers").json()["transfers"]

    assert row == {
        "account_id": account.pk,
        "id": "d",
        "at": "2026-11-23T12:00:05Z",
        "kind": "deposit",
        "method": "ach",
        "amount": "100",
        "fee": "0",
        "status": "applied",
        "cash_flow": "100",
    }


def test_returned_transfer_is_a_second_flow_at_its_own_time(alice, account):
    gone = transfer("w", "-50", kind="withdrawal")
    back = transfer("w", "50", kind="withdrawal", status="returned", seconds=9)
    record_transfers(account, [gone, back])

    rows = alice.get("transfers").json()["transfers"]

    assert [(row["status"], row["cash_flow"]) for row in rows] == [
        ("returned", "50"),
        ("applied", "-50"),
    ]


def test_deposit_and_withdrawal_of_one_id_are_two(alice, account):
    record_transfers(account, [transfer("x", "5"), transfer("x", "0", kind="withdrawal")])

    assert len(alice.get("transfers").json()["transfers"]) == 2


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_lead_to_the_last_row_whatever_happened_at_one_instant(alice, account, second, limit):
    # Three of each account at each of three instants.
    for each in (account, second):
        record(
            each,
            [
                fill(f"{each.pk}-{second_}-{number}", seconds=second_)
                for second_ in range(3)
                for number in range(3)
            ],
        )

    ids = all_ids(alice, f"fills?account=all&limit={limit}")

    assert len(ids) == 18
    assert ids == all_ids(alice, "fills?account=all")
    assert ids == [
        f"{each.pk}-{second_}-{number}"
        for second_ in (2, 1, 0)
        for each in (second, account)
        for number in (2, 1, 0)
    ]


def test_rows_that_come_while_somebody_reads_move_nothing(alice, account):
    record(account, [fill(f"t{number}", seconds=number) for number in range(4)])
    first = alice.get("fills?limit=2").json()

    record(account, [fill("new", seconds=10)])
    second = alice.get(f"fills?limit=2&cursor={quote(first['next'])}").json()

    assert [row["id"] for row in first["fills"] + second["fills"]] == ["t3", "t2", "t1", "t0"]


def test_settlements_of_one_instant_are_all_found(alice, account):
    tickers = [f"KXGAME-A-{number}" for number in range(5)]
    record(
        account,
        [
            each
            for ticker in tickers
            for each in (fill(f"of {ticker}", ticker=ticker), settlement(ticker))
        ],
    )

    found = pages(alice, "settlements?limit=2", "settlements")

    assert [len(page) for page in found] == [2, 2, 1]
    assert sorted(row["ticker"] for page in found for row in page) == tickers


def test_period_has_its_first_instant_and_not_its_last(alice, account):
    record(account, [fill(f"t{number}", seconds=number) for number in range(4)])

    period = "from=2026-11-23T12:00:01Z&to=2026-11-23T12:00:03Z"

    assert all_ids(alice, f"fills?{period}&limit=1") == ["t2", "t1"]


def test_days_begin_where_trading_days_do(alice, account, settings):
    assert str(settings.TRADING_DAY_TIMEZONE) == "America/New_York"
    # Noon of the 23rd in UTC is 7:00 there; 16 hours later it is 23:00, and one more midnight.
    record(account, [fill("late", seconds=16 * 3600), fill("next day", seconds=17 * 3600)])

    assert all_ids(alice, "fills?from=2026-11-23&to=2026-11-24") == ["late"]
    assert all_ids(alice, "fills?from=2026-11-24&limit=5") == ["next day"]


def test_plus_sign_that_was_not_escaped_is_understood(alice, account):
    record(account, [fill("t0"), fill("t1", seconds=1)])

    assert all_ids(alice, "fills?from=2026-11-23T13:00:01+01:00&limit=5") == ["t1"]


def test_one_market_only(alice, account):
    record(account, [fill("t1"), fill("t2", ticker="KXGAME-B-HOME"), settlement(seconds=9)])

    assert all_ids(alice, "fills?ticker=KXGAME-B-HOME") == ["t2"]
    assert all_ids(alice, "fills?ticker=KXNONE") == []
    assert len(alice.get("settlements?ticker=KXGAME-A-HOME").json()["settlements"]) == 1
    assert alice.get("settlements?ticker=KXGAME-B-HOME").json()["settlements"] == []


def test_market_of_the_same_name_in_another_environment_is_another(alice, account, owner):
    sandbox = make_account(owner, environment="sandbox")
    record(account, [fill("demo")])
    record(sandbox, [fill("sandbox")])

    assert all_ids(alice, f"fills?ticker=KXGAME-A-HOME&account={sandbox.pk}") == ["sandbox"]
    assert sorted(all_ids(alice, "fills?ticker=KXGAME-A-HOME&account=all")) == ["demo", "sandbox"]


@pytest.mark.parametrize("name", LISTS)
def test_nobody_sees_what_is_not_theirs(name, alice, charlie, account, second, client):
    for each in (account, second):
        record(each, [fill(f"of {each.pk}"), settlement()])
        record_transfers(each, [transfer("d", "1")])

    assert charlie.get(f"{name}?account={account.pk}").status_code == 404
    assert charlie.get(f"{name}?account={account.pk}&format=csv").status_code == 404
    assert charlie.get(f"{name}?account=all").json()[name] == []
    assert client.get(f"/api/v1/account/{name}").status_code == 401
    seen = {row["account_id"] for row in alice.get(f"{name}?account=all").json()[name]}
    assert seen == {account.pk, second.pk}
    assert {row["account_id"] for row in alice.get(name).json()[name]} == {account.pk}


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("from=yesterday", "“from” must be a day"),
        ("from=2026-11-23T12:00:00", "“from” must be a day"),
        ("to=2026-13-01", "“to” must be a day"),
        ("from=0001-01-01T00:00:00%2B10:00", "“from” must be a day"),
        ("from=0001-01-01T00:00:00Z", "“from” must be a day"),
        ("to=9999-12-31T12:00:00Z", "“to” must be a day"),
        ("to=%00", "“to” must be a day"),
        ("limit=0", "“limit” must be at least 1"),
        ("limit=1001", "“limit” must be at most 1000"),
        ("cursor=nonsense", "“cursor” must be"),
        ("cursor=", "“cursor” must be"),
        ("format=xls", "“format” must be"),
        ("account=mine", "“account”"),
    ],
)
def test_what_can_not_be_read_is_told_in_words(name, query, named, alice):
    answer = alice.get(f"{name}?{query}")

    assert answer.status_code == 422
    assert named in answer.json()["error"]["message"]


@pytest.mark.parametrize("ticker", ["%00", "A%00B", "X" * 201])
def test_ticker_that_no_market_can_have(ticker, alice):
    assert alice.get(f"fills?ticker={ticker}").status_code == 422


def test_cursor_of_another_list_or_changed_is_refused(alice, account):
    record(account, [fill("t1"), fill("t2"), settlement()])
    cursor = alice.get("fills?limit=1").json()["next"]

    assert alice.get(f"settlements?cursor={quote(cursor)}").status_code == 422
    assert alice.get(f"fills?cursor={quote(cursor[:-1])}").status_code == 422
    assert alice.get(f"fills?cursor={quote(cursor)}").status_code == 200


def csv_text(value: bool | int | None) -> str:
    return "" if value is None else json.dumps(value)


@pytest.mark.parametrize("name", LISTS)
def test_csv_has_the_fields_of_the_rows_as_columns(name, alice, account):
    record(account, [fill("t1"), settlement()])
    record_transfers(account, [transfer("d", "1")])
    rows = alice.get(name).json()[name]

    answer = alice.get(f"{name}?format=csv")

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    disposition = answer.headers["Content-Disposition"]
    assert disposition == f'attachment; filename="kalshi-{name}-account-{account.pk}.csv"'
    assert csv_rows(answer) == [
        {
            field: value if isinstance(value, str) else csv_text(value)
            for field, value in row.items()
        }
        for row in rows
    ]


def test_csv_is_asked_for_by_the_header_too(alice):
    answer = alice.browser.get("/api/v1/account/fills", headers={"Accept": "text/csv"})
    named = alice.browser.get("/api/v1/account/fills?format=json", headers={"Accept": "text/csv"})
    browsers = alice.browser.get(
        "/api/v1/account/fills", headers={"Accept": "text/html,application/xml;q=0.9,*/*;q=0.8"}
    )

    assert answer.headers["Content-Type"].startswith("text/csv")
    assert named.headers["Content-Type"] == "application/json"
    assert browsers.headers["Content-Type"] == "application/json"


def test_spreadsheet_is_given_nothing_to_run(alice, account):
    record_transfers(
        account,
        [
            transfer("=1+1", "-7.5", kind="withdrawal", method='=HYPERLINK("http://x","y")'),
            transfer("plain", "5", method=" @SUM(A1)", seconds=1),
        ],
    )

    newest, oldest = csv_rows(alice.get("transfers?format=csv"))

    assert newest["method"] == "' @SUM(A1)"
    assert oldest["id"] == "'=1+1"
    assert oldest["method"] == '\'=HYPERLINK("http://x","y")'
    assert oldest["cash_flow"] == "-7.5"


def test_ten_thousand_rows_are_streamed_in_bounded_memory(alice, account):
    record(account, [fill("t00000")])
    like = Fill.objects.values().get()
    del like["id"]
    Fill.objects.bulk_create(
        Fill(**like | {"trade_id": f"t{number:05}"}) for number in range(1, 10_000)
    )
    answer = iter(alice.get("fills?format=csv"))
    lines = next(answer).count(b"\n") + next(answer).count(b"\n")

    tracemalloc.start()
    for chunk in answer:
        lines += chunk.count(b"\n")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert lines == 10_001
    # A page of a thousand rows takes some 4 MB, all of them 40.
    assert peak < 12_000_000
