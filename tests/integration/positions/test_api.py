import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import Account
from positions import workers
from positions.cash import CashBook
from positions.connection import ConnectionState
from positions.models import AccountStream, Worker
from positions.portfolio import Cash
from positions.schemas import PortfolioOut, PositionOut, PositionsOut
from tests.integration.positions.conftest import WORKER, age, hold, signed_in, write
from tests.integration.visitors import make_account
from tests.told import NOON, at, market, prices, quote, reconcile, row

pytestmark = pytest.mark.django_db(transaction=True)


def empty_portfolio(account: Account) -> dict[str, object]:
    return EMPTY | {"account_id": account.pk}


EMPTY = {
    "cash": None,
    "cash_as_of": None,
    "cash_provisional": False,
    "positions_value": None,
    "collateral_returned": None,
    "total_value": None,
    "exposure": None,
    "unrealized_pnl": None,
    "unrealized_pnl_percent": None,
    "realized_pnl": None,
    "fees_paid": None,
    "day_pnl": None,
    "day_pnl_since": None,
    "position_count": None,
    "unpriced_count": None,
    "estimated_count": None,
    "estimated_value": None,
    "unreadable_count": None,
    "exchange_portfolio_value": None,
    "reconciled_at": None,
    "version": 0,
    "updated_at": None,
}


@pytest.fixture
def alice(account):
    return signed_in(account)


@pytest.fixture
def charlie():
    return signed_in(make_account())


def test_position_of_yes_whole(opened, account, alice):
    reconcile(opened.tracker, [row("KXGAME-A-HOME", "12.50", "5", "1.25", "0.218750")])
    opened.tracker.apply_ticker(prices("KXGAME-A-HOME", 1.25, yes_bid="0.4801"), 200.0)
    facts, state, _ = market("A")
    reconcile(
        opened.tracker,
        [row("KXGAME-A-HOME", "12.50", "5", "1.25", "0.218750")],
        {"KXGAME-A-HOME": (facts, state, quote())},
        requested_at=150.0,
    )
    write(opened.writer, opened.tracker, at=at(2))

    answer = alice.get("positions")

    assert answer.status_code == 200
    assert answer.json()["positions"] == [
        {
            "account_id": account.pk,
            "ticker": "KXGAME-A-HOME",
            "event_ticker": "KXGAME-A",
            "series_ticker": "KXGAME",
            "title": "Who wins A?",
            "outcome": "Home",
            "yes_outcome": "Home",
            "side": "yes",
            "quantity": "12.5",
            "average_price": "0.4",
            "exposure": "5",
            "yes_bid": "0.4801",
            "yes_ask": "0.55",
            "last_price": "0.52",
            "yes_bid_size": "10",
            "yes_ask_size": "10",
            "priced_at": "2026-11-23T12:00:01.250000Z",
            "mark": "0.4801",
            "mark_source": "bid",
            "market_value": "6.00125",  # 12.5 * 0.4801
            "unrealized_pnl": "1.00125",
            "unrealized_pnl_percent": "20.025",  # 100.125 / 5
            "realized_pnl": "1.25",
            "fees_paid": "0.21875",
            "net_pnl": "2.0325",  # 1.25 + 1.00125 - 0.21875
            "day_pnl": None,
            "break_even_price": "0.3175",  # (5 + 0.21875 - 1.25) / 12.5
            "payout": "12.5",
            "settlement_value": None,
            "unreadable": None,
            "market_status": "active",
            "close_time": "2026-11-24T12:00:00Z",
            "expected_expiration_time": None,
            "url": "https://kalshi.com/markets/kxgame/who-wins-a/kxgame-a",
            "updated_at": "2026-11-23T12:00:02Z",
            "version": 1,
        }
    ]


def test_position_of_no_without_a_price(opened, alice):
    unquoted = {"M": market("M", status="closed", prices=quote(None, None, None))}
    reconcile(opened.tracker, [row("M", "-3", "2.1")], unquoted)
    write(opened.writer, opened.tracker)

    (position,) = alice.get("positions").json()["positions"]

    assert (position["side"], position["outcome"]) == ("no", "Away")
    assert position["yes_outcome"] == "Home"
    assert (position["quantity"], position["payout"]) == ("-3", "3")
    assert (position["average_price"], position["break_even_price"]) == ("0.7", "0.7")
    unknown = {name for name, value in position.items() if value is None}
    assert unknown == {
        "expected_expiration_time",
        "yes_bid_size",
        "yes_ask_size",
        "yes_bid",
        "yes_ask",
        "last_price",
        "priced_at",
        "mark",
        "mark_source",
        "market_value",
        "unrealized_pnl",
        "unrealized_pnl_percent",
        "net_pnl",
        "day_pnl",
        "settlement_value",
        "unreadable",
    }


def test_portfolio_whole(opened, account, alice):
    opened.tracker.valuation.cash = CashBook(Cash(Decimal("98.0186"), Decimal("8.12"), at(1)))
    reconcile(
        opened.tracker,
        [row("A", "10", "4", "1", "0.17"), row("B", "-5", "3", "0", "0.05"), row("C", "2", "1")],
        {
            "B": market("B", prices=quote(None, None, "0.41")),
            "C": market("C", prices=quote(None, None, None)),
        },
    )
    write(opened.writer, opened.tracker, at=at(2))

    answer = alice.get("portfolio")

    assert answer.status_code == 200
    assert answer.json() == {
        "account_id": account.pk,
        "cash": "98.0186",
        "cash_as_of": "2026-11-23T12:00:01Z",
        "cash_provisional": False,
        "positions_value": "6.95",  # 10 * 0.40 + 5 * (1 - 0.41)
        "collateral_returned": "0",
        "total_value": "104.9686",
        "exposure": "8",
        "unrealized_pnl": "-0.05",  # 6.95 - (4 + 3)
        "unrealized_pnl_percent": "-0.714286",  # -5 / 7
        "realized_pnl": "1",
        "fees_paid": "0.22",
        "day_pnl": None,
        "day_pnl_since": None,
        "position_count": 3,
        "unpriced_count": 1,
        "estimated_count": 1,
        "estimated_value": "2.95",
        "unreadable_count": 0,
        "exchange_portfolio_value": "8.12",
        "reconciled_at": "2026-11-23T12:00:00Z",
        "version": 1,
        "updated_at": "2026-11-23T12:00:02Z",
    }


def test_before_the_first_reconciliation_everything_is_unknown(account, alice):
    positions, portfolio = alice.get("positions"), alice.get("portfolio")

    assert positions.status_code == 200
    assert positions.json() == {"positions": [], "version": 0, "as_of": None}
    assert portfolio.status_code == 200
    assert portfolio.json() == empty_portfolio(account)


def test_opened_and_not_reconciled_everything_is_unknown_too(opened, account, alice):
    write(opened.writer, opened.tracker)

    positions, portfolio = alice.get("positions"), alice.get("portfolio")

    assert positions.json() == {"positions": [], "version": 1, "as_of": None}
    # No figure has ever changed.
    assert portfolio.json() == empty_portfolio(account) | {"version": 1}


def test_account_without_positions_has_sums_of_zero(opened, alice):
    hold(opened, 0)

    portfolio = alice.get("portfolio").json()

    assert (portfolio["positions_value"], portfolio["exposure"]) == ("0", "0")
    assert (portfolio["position_count"], portfolio["unrealized_pnl_percent"]) == (0, None)


def test_closed_positions_are_not_listed(opened, alice):
    hold(opened, 2)
    reconcile(opened.tracker, [row("M001", "10", "4", "0.5", "0.17")], requested_at=200.0)
    write(opened.writer, opened.tracker)

    answer = alice.get("positions").json()

    assert [each["ticker"] for each in answer["positions"]] == ["M001"]
    assert answer["version"] == 2


# As of when


def test_positions_are_as_of_now_while_live(opened, alice):
    hold(opened, 1)
    workers.beat(WORKER)
    before = timezone.now()

    as_of = datetime.fromisoformat(alice.get("positions").json()["as_of"])

    assert before <= as_of <= timezone.now()
    assert as_of.utcoffset() == timedelta(0)


def test_positions_of_a_dead_worker_are_as_of_its_last_heartbeat(opened, alice):
    hold(opened, 1)
    age(WORKER, 60)

    as_of = datetime.fromisoformat(alice.get("positions").json()["as_of"])

    assert as_of == Worker.objects.get(pk=WORKER).heartbeat_at


def test_positions_are_as_of_the_exchange_s_last_sign_of_life(opened, alice):
    hold(opened, 1)
    state = ConnectionState("reconnecting", since=at(31), live_until=at(30))
    write(opened.writer, opened.tracker, connection=state)
    workers.beat(WORKER)

    assert alice.get("positions").json()["as_of"] == "2026-11-23T12:00:30Z"


def test_positions_read_but_not_yet_followed_are_as_of_the_read(opened, alice):
    reconcile(opened.tracker, [row("A", "10", "4")])
    write(opened.writer, opened.tracker, connection=ConnectionState("connecting", since=at(-1)))
    workers.beat(WORKER)

    assert alice.get("positions").json()["as_of"] == "2026-11-23T12:00:00Z"


# Shapes


def test_answers_are_what_the_documentation_says(opened, alice):
    hold(opened, 2)
    positions, portfolio = alice.get("positions").json(), alice.get("portfolio").json()

    PositionsOut.model_validate(positions)
    PortfolioOut.model_validate(portfolio)

    assert positions.keys() == PositionsOut.model_fields.keys()
    assert positions["positions"][0].keys() == PositionOut.model_fields.keys()
    assert portfolio.keys() == PortfolioOut.model_fields.keys()


def test_answers_hold_no_floats_and_no_exponents(opened, alice):
    hold(opened, 1)
    text = alice.get("positions").content.decode() + alice.get("portfolio").content.decode()

    assert not re.search(r'":\s*-?\d+[.eE]', text)
    assert not re.search(r'"-?\d+(\.\d+)?[eE]', text)


def test_times_are_told_in_utc(opened, alice):
    hold(opened, 1)

    (position,) = alice.get("positions").json()["positions"]

    assert datetime.fromisoformat(position["updated_at"]) == NOON.astimezone(UTC)
    assert position["updated_at"].endswith("Z")


# Whose


@pytest.mark.parametrize("path", ["positions", "portfolio"])
def test_without_a_session_nothing_is_told(opened, path, client):
    hold(opened, 1)

    answer = client.get(f"/api/v1/account/{path}")

    assert answer.status_code == 401
    assert set(answer.json()["error"]) == {"code", "message"}


def test_charlie_sees_nothing_of_alice_s(opened, account, alice, charlie):
    opened.tracker.valuation.cash = CashBook(Cash(Decimal(100), Decimal(4), NOON))
    hold(opened, 2)

    positions, portfolio = charlie.get("positions"), charlie.get("portfolio")

    assert len(alice.get("positions").json()["positions"]) == 2
    assert positions.json() == {"positions": [], "version": 0, "as_of": None}
    assert portfolio.json() == EMPTY | {"account_id": portfolio.json()["account_id"]}
    assert portfolio.json()["account_id"] != account.pk


def test_refresh_asks_for_the_own_account_only(opened, account, alice, announced):
    answer = alice.post("refresh")

    assert answer.status_code == 202
    assert announced() == [("refresh_requested", str(account.pk))]


def test_refresh_without_a_session_is_refused(client, announced):
    answer = client.post("/api/v1/account/refresh")

    assert answer.status_code in (401, 403)
    assert announced() == []


def test_refresh_without_a_session_but_with_the_token_is_refused(charlie, announced):
    del charlie.browser.cookies["session"]

    answer = charlie.post("refresh")

    assert answer.status_code == 401
    assert answer.json()["error"]["code"]
    assert announced() == []


def test_refresh_without_the_csrf_token_is_refused(alice, announced):
    answer = alice.browser.post("/api/v1/account/refresh")

    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "csrf_failed"
    assert announced() == []


@pytest.mark.parametrize(("method", "path"), [("post", "positions"), ("get", "refresh")])
def test_other_methods_are_refused(alice, method, path):
    answer = getattr(alice, method)(path)

    assert answer.status_code == 405


# What an answer costs


@pytest.mark.parametrize("count", [1, 500])
def test_any_number_of_positions_costs_the_same_queries(
    opened, alice, count, django_assert_num_queries
):
    hold(opened, count)

    # The session, what it sees, and the account.
    with django_assert_num_queries(3):
        answer = alice.get("positions")

    assert len(answer.json()["positions"]) == count


def test_portfolio_of_a_stream_row_alone_needs_no_positions(account, alice):
    AccountStream.objects.create(account=account)

    assert alice.get("portfolio").json() == empty_portfolio(account)


def test_rows_of_the_exchange_that_cannot_be_read_are_counted(opened, alice):
    hold(opened, 2)
    reconcile(
        opened.tracker,
        [row("M000", "10", "4", "0.5", "0.17")],
        requested_at=200.0,
        unreadable=["M001"],
    )
    write(opened.writer, opened.tracker)

    positions = {each["ticker"]: each for each in alice.get("positions").json()["positions"]}
    portfolio = alice.get("portfolio").json()

    assert (positions["M000"]["unreadable"], positions["M001"]["unreadable"]) == (None, "position")
    assert (positions["M001"]["quantity"], positions["M001"]["market_value"]) == ("10", None)
    assert (portfolio["unreadable_count"], portfolio["unpriced_count"]) == (1, 1)
    assert AccountStream.objects.get().left_out == ["position M001: odd"]
