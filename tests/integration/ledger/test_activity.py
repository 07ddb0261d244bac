"""All that happened, in one list."""

from urllib.parse import quote

import pytest

from tests.integration.ledger.kept import noticed
from tests.integration.ledger.rows import fill, record, record_transfers, settlement, transfer
from tests.told import at

pytestmark = pytest.mark.django_db


@pytest.fixture
def history(account, second) -> None:
    """Of each account a fill and what followed, all within one instant."""
    for each in (account, second):
        record(each, [fill(f"of {each.pk}"), settlement(seconds=0)])
        record_transfers(each, [transfer("d", "0", status="pending"), transfer("d", "100")])
        noticed(each, at(0), "KXGAME-A-HOME")


def test_each_kind_is_told_in_plain_english(alice, account, history):
    rows = alice.get("activity").json()["activity"]

    assert {row["account_id"] for row in rows} == {account.pk}
    assert [(row["kind"], row["ticker"], row["text"]) for row in rows] == [
        ("market", "KXGAME-A-HOME", "Closed for trading. KXGAME-A-HOME."),
        (
            "reconciliation",
            None,
            "Read again after a break: KXGAME-A-HOME: 10 instead of 9 contracts.",
        ),
        ("connection", None, "Live: figures follow the exchange at once."),
        ("transfer", None, "Deposit of $100.00 (ach): applied, cash +$100.00."),
        ("transfer", None, "Deposit of $0.00 (ach): pending."),
        (
            "settlement",
            "KXGAME-A-HOME",
            "Settled as YES: 10 YES paid $10.00, a gain of $6.00. KXGAME-A-HOME.",
        ),
        ("fill", "KXGAME-A-HOME", "Bought 10 YES at 40¢. KXGAME-A-HOME, fee $0.17."),
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_pages_hold_everything_once(limit, alice, history):
    whole = alice.get("activity?account=all").json()["activity"]
    found, cursor = [], ""
    for _ in range(30):
        answer = alice.get(f"activity?account=all&limit={limit}{cursor}").json()
        found += answer["activity"]
        if answer["next"] is None:
            break
        cursor = f"&cursor={quote(answer['next'])}"

    assert len(whole) == 14
    assert found == whole


def test_one_market_only(alice, history):
    rows = alice.get("activity?ticker=KXGAME-A-HOME").json()["activity"]

    assert [row["kind"] for row in rows] == ["market", "settlement", "fill"]


def test_it_is_csv_too(alice, history):
    text = b"".join(alice.get("activity?format=csv")).decode()

    assert text.splitlines()[0] == "account_id,at,kind,ticker,text"
    assert len(text.splitlines()) == 8


def test_nobody_sees_what_is_not_theirs(alice, charlie, account, history):
    assert charlie.get(f"activity?account={account.pk}").status_code == 404
    assert charlie.get("activity?account=all").json() == {"activity": [], "next": None}
