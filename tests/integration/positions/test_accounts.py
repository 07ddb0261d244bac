"""Several accounts of one person: each by itself, all together, and their sums."""

import re
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.models import Account, User
from positions import workers
from positions.cash import CashBook
from positions.connection import ConnectionState
from positions.models import AccountStream
from positions.portfolio import Cash
from positions.schemas import AccountsOut, AccountWithFiguresOut, PositionsOfAllOut, SumOut
from positions.taking_over import OpenedStream
from tests.integration.positions.conftest import LIVE, age, open, write
from tests.integration.visitors import (
    Visitor,
    key_session,
    make_account,
    make_user,
    person_session,
    visitor_with,
)
from tests.told import NOON, at, market, quote, reconcile, row

pytestmark = pytest.mark.django_db(transaction=True)

ANOTHER_WORKER = UUID(int=2)


@pytest.fixture
def olga() -> User:
    return make_user()


@pytest.fixture
def a(olga) -> Account:
    return make_account(olga, name="A")


@pytest.fixture
def b(olga, a) -> Account:
    return make_account(olga, name="B")


@pytest.fixture
def visitor(olga) -> Visitor:
    """Olga herself."""
    return visitor_with(person_session(olga)[1])


def holder(*accounts: Account) -> Visitor:
    """Who has shown a key of each of these."""
    session = None
    for account in accounts:
        session, token = key_session(account, session)
    return visitor_with(token)


def hold(
    account: Account,
    ticker: str,
    count: str,
    cost: str,
    *,
    cash: str | None = "100",
    cash_at=NOON,
    **prices,
) -> OpenedStream:
    """Have an account hold contracts of one market, as its worker writes it."""
    opened = open(account)
    if cash is not None:
        opened.tracker.valuation.cash = CashBook(Cash(Decimal(cash), Decimal(7), cash_at))
    markets = {ticker: market(ticker, prices=quote(**prices))} if prices else None
    reconcile(opened.tracker, [row(ticker, count, cost, "1", "0.17")], markets)
    write(opened.writer, opened.tracker)
    return opened


def accounts_of(visitor: Visitor) -> dict[str, dict]:
    return {each["name"]: each for each in visitor.get("accounts").json()["accounts"]}


def sums_of(visitor: Visitor) -> list[dict]:
    return visitor.get("accounts").json()["sums"]


# Each by itself


def test_each_account_is_told_with_its_figures(a, b, visitor):
    hold(a, "M", "10", "4")
    hold(b, "N", "-5", "3")

    answer = visitor.get("accounts")

    told = accounts_of(visitor)
    assert answer.status_code == 200
    assert list(told) == ["A", "B"]
    for account in (a, b):
        each = told[account.name]
        assert each["id"] == account.pk
        assert each["portfolio"] == visitor.get(f"portfolio?account={account.pk}").json()
        assert each["portfolio"]["account_id"] == account.pk
    assert (told["A"]["is_default"], told["B"]["is_default"]) == (True, False)


def test_one_accounts_trouble_is_said_on_that_account_and_the_other_goes_on(a, b, visitor):
    hold(a, "M", "10", "4")
    opened = open(b, worker_id=ANOTHER_WORKER)
    write(opened.writer, opened.tracker)
    age(ANOTHER_WORKER, 60)
    workers.beat(UUID(int=1))

    told = accounts_of(visitor)

    assert told["A"]["connection"]["status"] == "live"
    assert told["B"]["connection"]["status"] == "reconnecting"
    assert told["B"]["connection"]["reason"] == "worker_down"


def test_refused_key_is_said_on_its_account_with_its_last_figures(a, b, visitor):
    hold(a, "M", "10", "4")
    opened = hold(b, "N", "10", "4")
    refused = ConnectionState("unauthorized", since=at(5), reason="key_refused")
    write(opened.writer, opened.tracker, connection=refused)

    told = accounts_of(visitor)

    assert told["A"]["connection"]["status"] == "live"
    assert told["B"]["connection"]["reason"] == "key_refused"
    assert told["B"]["portfolio"]["positions_value"] == "4"
    [total] = sums_of(visitor)
    assert total["positions_value"] == "8"


def test_account_that_no_worker_ever_opened_is_connecting_and_unknown(a, visitor):
    workers.beat(UUID(int=1))

    told = accounts_of(visitor)["A"]

    assert told["connection"]["status"] == "connecting"
    assert (told["portfolio"]["total_value"], told["portfolio"]["version"]) == (None, 0)


def test_person_without_accounts_has_none(visitor, announced):
    listed = visitor.get("accounts")
    portfolio = visitor.get("portfolio")
    of_all = visitor.get("positions?account=all")
    refreshed = [visitor.post(path).status_code for path in ("refresh", "refresh?account=all")]

    assert listed.json() == {"accounts": [], "sums": []}
    assert (portfolio.status_code, portfolio.json()["error"]["code"]) == (404, "no_account")
    assert of_all.json() == {"positions": [], "as_of": None}
    assert refreshed == [404, 202]
    assert announced() == []


def test_answers_are_what_the_documentation_says(a, b, visitor):
    hold(a, "M", "10", "4")
    hold(b, "N", "10", "4")

    told = visitor.get("accounts").json()
    of_all = visitor.get("positions?account=all").json()

    AccountsOut.model_validate(told)
    PositionsOfAllOut.model_validate(of_all)
    assert told["accounts"][0].keys() == AccountWithFiguresOut.model_fields.keys()
    assert told["sums"][0].keys() == SumOut.model_fields.keys()
    assert of_all.keys() == PositionsOfAllOut.model_fields.keys()


def test_answers_hold_no_floats_and_no_exponents(a, b, visitor):
    hold(a, "M", "10", "0.000001", cash="100000000000")
    hold(b, "N", "10", "4", cash="0.000001")

    text = visitor.get("accounts").content.decode()

    assert not re.search(r'":\s*-?\d+[.eE]', text)
    assert not re.search(r'"-?\d+(\.\d+)?[eE]', text)
    assert sums_of(visitor)[0]["cash"] == "100000000000.000001"


# Sums


def test_accounts_of_one_environment_are_added_up(a, b, visitor):
    hold(a, "M", "10", "4", cash="98.0186")  # at 0.40
    hold(b, "N", "-5", "3", cash="1.5", yes_bid=None, yes_ask="0.30", last_price=None)

    [total] = sums_of(visitor)

    assert total == {
        "account_id": None,
        "environment": "demo",
        "version": None,
        "cash": "99.5186",
        "cash_as_of": "2026-11-23T12:00:00Z",
        "cash_provisional": False,
        "positions_value": "7.5",  # 10 * 0.40 + 5 * (1 - 0.30)
        "collateral_returned": "0",
        "total_value": "107.0186",
        "exposure": "7",
        "unrealized_pnl": "0.5",  # 7.5 - (4 + 3)
        "unrealized_pnl_percent": "7.142857",
        "realized_pnl": "2",
        "fees_paid": "0.34",
        "day_pnl": None,
        "day_pnl_since": None,
        "position_count": 2,
        "unpriced_count": 0,
        "estimated_count": 0,
        "estimated_value": "0",
        "unreadable_count": 0,
        "exchange_portfolio_value": "14",
        "reconciled_at": "2026-11-23T12:00:00Z",
        "updated_at": "2026-11-23T12:00:00Z",
    }


def test_one_account_of_an_environment_has_no_sum(a, visitor):
    hold(a, "M", "10", "4")

    assert sums_of(visitor) == []


def test_environments_are_never_added_up(a, b, olga, visitor):
    real = [make_account(olga, environment="production", name=name) for name in ("C", "D")]
    alone = make_account(olga, environment="sandbox", name="E")
    for account, cash in [(a, "1"), (b, "2"), (real[0], "10"), (real[1], "20"), (alone, "500")]:
        hold(account, "M", "10", "4", cash=cash)

    totals = {total["environment"]: total["cash"] for total in sums_of(visitor)}

    assert totals == {"demo": "3", "production": "30"}


def test_figure_that_is_unknown_for_one_is_unknown_for_the_sum(a, b, visitor):
    hold(a, "M", "10", "4")
    hold(b, "N", "10", "4", cash=None)

    [total] = sums_of(visitor)

    assert (total["cash"], total["total_value"], total["cash_as_of"]) == (None, None, None)
    assert (total["exposure"], total["positions_value"]) == ("8", "8")


def test_account_that_was_not_read_yet_leaves_the_sum_unknown(a, b, visitor):
    hold(a, "M", "10", "4")

    [total] = sums_of(visitor)

    known = {name for name, value in total.items() if value is not None}
    assert known == {"environment", "cash_provisional", "updated_at"}


def test_sum_is_as_old_as_the_oldest_of_it(a, b, visitor):
    hold(a, "M", "10", "4", cash_at=at(60))
    hold(b, "N", "10", "4", cash_at=at(30))
    AccountStream.objects.filter(account=a).update(reconciled_at=at(-90))

    [total] = sums_of(visitor)

    assert total["cash_as_of"] == "2026-11-23T12:00:30Z"
    assert total["reconciled_at"] == "2026-11-23T11:58:30Z"


def test_same_account_at_the_exchange_is_counted_once_and_said(a, b, olga, visitor):
    third = make_account(olga, name="C")
    for account in (a, b, third):
        hold(account, "M", "10", "4")
    Account.objects.filter(pk=b.pk).update(same_as=a)

    [total] = sums_of(visitor)

    assert (total["cash"], total["position_count"]) == ("200", 2)
    assert accounts_of(visitor)["B"]["same_as"] == a.pk
    assert list(accounts_of(visitor)) == ["A", "B", "C"]


def test_it_is_counted_once_too_where_the_session_does_not_see_which_one_it_is(a, b, olga):
    first = make_account(olga, name="C")
    Account.objects.filter(pk__in=[a.pk, b.pk]).update(same_as=first)
    for account in (a, b):
        hold(account, "M", "10", "4")

    [total] = sums_of(holder(a, b))

    assert (total["cash"], total["position_count"]) == ("100", 1)


def test_unread_copy_of_an_account_does_not_make_the_sum_unknown(a, b, visitor):
    hold(a, "M", "10", "4")
    Account.objects.filter(pk=b.pk).update(same_as=a)

    [total] = sums_of(visitor)

    assert total["cash"] == "100"


def test_key_adds_up_what_it_sees(a, b, olga):
    third = make_account(olga, name="C")
    for account, cash in [(a, "1"), (b, "2"), (third, "500")]:
        hold(account, "M", "10", "4", cash=cash)

    assert sums_of(holder(a)) == []
    [total] = sums_of(holder(a, b))
    assert total["cash"] == "3"


# All together


def test_positions_of_all_accounts_come_together(a, b, olga, visitor):
    real = make_account(olga, environment="production", name="C")
    hold(a, "M", "10", "4")
    hold(b, "M", "-5", "3")
    hold(real, "N", "2", "1")

    told = visitor.get("positions?account=all").json()

    assert [
        (each["account_id"], each["ticker"], each["quantity"]) for each in told["positions"]
    ] == [(a.pk, "M", "10"), (b.pk, "M", "-5"), (real.pk, "N", "2")]
    assert "version" not in told


def test_positions_of_all_are_as_of_the_account_furthest_behind(a, b, visitor):
    hold(a, "M", "10", "4")
    opened = hold(b, "N", "10", "4")
    lost = ConnectionState("reconnecting", since=at(31), live_until=at(30))
    write(opened.writer, opened.tracker, connection=lost)
    workers.beat(UUID(int=1))

    assert visitor.get("positions?account=all").json()["as_of"] == "2026-11-23T12:00:30Z"


def test_positions_of_all_are_as_of_now_where_all_are_live(a, b, visitor):
    for account in (a, b):
        opened = hold(account, "M", "10", "4")
        write(opened.writer, opened.tracker, connection=LIVE)
    workers.beat(UUID(int=1))

    as_of = visitor.get("positions?account=all").json()["as_of"]

    assert as_of > (timezone.now() - timedelta(minutes=1)).isoformat()


def test_positions_of_all_are_as_of_nobody_knows_when_while_one_is_unread(a, b, visitor):
    hold(a, "M", "10", "4")

    told = visitor.get("positions?account=all").json()

    assert (len(told["positions"]), told["as_of"]) == (1, None)


# Which is meant


def test_account_is_meant_by_its_id_and_the_default_without(a, b, visitor):
    hold(a, "M", "10", "4")
    hold(b, "N", "10", "4")

    def tickers(path):
        return [each["ticker"] for each in visitor.get(path).json()["positions"]]

    assert tickers(f"positions?account={b.pk}") == ["N"]
    assert tickers(f"positions?account=000{a.pk}") == ["M"]
    assert tickers("positions") == ["M"]
    assert visitor.get(f"portfolio?account={b.pk}").json()["account_id"] == b.pk
    assert visitor.get("portfolio").json()["account_id"] == a.pk


@pytest.mark.parametrize(
    "garbage",
    [
        *("", " ", "-1", "+1", "1.0", "1e1", "0x1", "\u0661", "1,2", "9" * 20),
        *("ALL", "all ", "null", "1%0A", "all%0A", "1%00", "A" * 5000),
    ],
    ids=ascii,
)
@pytest.mark.parametrize("path", ["positions", "portfolio", "refresh"])
def test_garbage_means_no_account(a, visitor, announced, path, garbage):
    ask = visitor.post if path == "refresh" else visitor.get

    answer = ask(f"{path}?account={garbage}".replace("+", "%2B"))

    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_request")
    assert announced() == []


def test_portfolio_is_of_one_account(a, b, visitor):
    # Their sums are those of GET accounts: there is one for each environment.
    assert visitor.get("portfolio?account=all").status_code == 422


@pytest.mark.parametrize("whose", ["somebody else's", "nobody's", "beyond any"])
@pytest.mark.parametrize("path", ["positions", "portfolio", "refresh"])
def test_account_that_is_not_seen_is_not_there(a, visitor, announced, path, whose):
    other = make_account()
    hold(other, "M", "10", "4")
    number = {
        "somebody else's": other.pk,
        "nobody's": other.pk + 1000,
        "beyond any": 9_999_999_999_999_999_999,
    }[whose]
    announced()
    ask = visitor.post if path == "refresh" else visitor.get

    answer = ask(f"{path}?account={number}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert announced() == []


def test_refresh_is_of_the_account_that_is_meant(a, b, visitor, announced):
    make_account()
    asked = {"": [a], f"?account={b.pk}": [b], "?account=all": [a, b]}

    told = {}
    for query in asked:
        assert visitor.post(f"refresh{query}").status_code == 202
        told[query] = announced()

    assert told == {
        query: [("refresh_requested", str(account.pk)) for account in accounts]
        for query, accounts in asked.items()
    }


def test_refresh_of_all_is_of_all_that_the_session_sees(a, b, announced):
    assert holder(b).post("refresh?account=all").status_code == 202
    assert announced() == [("refresh_requested", str(b.pk))]
