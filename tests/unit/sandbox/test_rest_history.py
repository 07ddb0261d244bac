"""Settlements, transfers, and what is moved from the live data to the archive."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sandbox.account import Account, ApiKey
from sandbox.exchange import Exchange
from sandbox.rest import activity, markets, members, moved_money, portfolio, venue
from sandbox.rest.query import Rejected
from tests.unit.sandbox.conftest import add_key
from tests.unit.sandbox.published import answer


@pytest.fixture
def settled(exchange: Exchange, alice: Account, now: datetime) -> None:
    """10 YES of A won, 4 NO of B won, 8 YES of C paid 0.35 an hour later."""
    exchange.fill(alice, "KXGAME-1-A", "yes", Decimal(10), Decimal("0.40"), now)
    exchange.fill(alice, "KXGAME-1-B", "no", Decimal(4), Decimal("0.30"), now)
    exchange.fill(alice, "KXRAIN-1-C", "yes", Decimal(8), Decimal("0.50"), now)
    exchange.fill(alice, "KXGAME-1-A", "yes", Decimal(1), Decimal("0.40"), now, subaccount=1)
    exchange.determine("KXGAME-1-A", Decimal(1), now)
    exchange.determine("KXGAME-1-B", Decimal(0), now)
    exchange.determine("KXRAIN-1-C", Decimal("0.35"), now)
    exchange.settle("KXGAME-1-A", now)
    exchange.settle("KXGAME-1-B", now)
    exchange.settle("KXRAIN-1-C", now + timedelta(hours=1))


def refused(status: int, call: Any, *arguments: Any) -> Any:
    with pytest.raises(Rejected) as rejected:
        call(*arguments)
    assert rejected.value.status == status
    return rejected.value.body


@pytest.mark.usefixtures("settled")
class TestSettlements:
    def test_scalar_settlement_tells_count_cost_and_payout(
        self, exchange: Exchange, alices_key: ApiKey
    ) -> None:
        query = {"ticker": "KXRAIN-1-C"}
        body = answer(activity.settlements(exchange, alices_key, query), "GetSettlementsResponse")

        # 8 * 35 cents; fee up(0.07 * 8 * 0.25) = 0.14
        assert body["settlements"] == [
            {
                "ticker": "KXRAIN-1-C",
                "event_ticker": "KXRAIN-1",
                "exchange_index": 0,
                "market_result": "scalar",
                "yes_count_fp": "8.00",
                "yes_total_cost_dollars": "4.000000",
                "no_count_fp": "0.00",
                "no_total_cost_dollars": "0.000000",
                "revenue": 280,
                "settled_time": "2026-11-23T14:00:00Z",
                "fee_cost": "0.140000",
                "value": 35,
            }
        ]

    def test_revenue_is_what_the_counts_pay(self, exchange: Exchange, alices_key: ApiKey) -> None:
        rows = activity.settlements(exchange, alices_key, {})["settlements"]

        assert len(rows) == 4
        assert all(
            row["revenue"]
            == Decimal(row["yes_count_fp"]) * row["value"]
            + Decimal(row["no_count_fp"]) * (100 - row["value"])
            for row in rows
        )

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ({}, 4),
            ({"event_ticker": "KXGAME-1"}, 3),
            ({"subaccount": "1"}, 1),
            ({"min_ts": "1795438801"}, 1),
            ({"max_ts": "1795438801"}, 3),
            ({"ticker": "NONE"}, 0),
        ],
        ids=str,
    )
    def test_filters(
        self, exchange: Exchange, alices_key: ApiKey, query: dict[str, str], count: int
    ) -> None:
        rows = activity.settlements(exchange, alices_key, query)["settlements"]

        assert len(rows) == count

    def test_pages_join_without_gap_or_overlap(
        self, exchange: Exchange, alices_key: ApiKey
    ) -> None:
        everything = activity.settlements(exchange, alices_key, {})["settlements"]

        first = activity.settlements(exchange, alices_key, {"limit": "2"})
        after = {"limit": "2", "cursor": first["cursor"]}
        second = activity.settlements(exchange, alices_key, after)

        assert first["settlements"] + second["settlements"] == everything
        assert second["cursor"] == ""

    def test_settled_positions_leave_the_default_list(
        self, exchange: Exchange, alices_key: ApiKey
    ) -> None:
        unsettled = portfolio.positions(exchange, alices_key, {})
        query = {"settlement_status": "settled"}
        over = answer(portfolio.positions(exchange, alices_key, query), "GetPositionsResponse")

        assert unsettled["market_positions"] == []
        assert [row["position_fp"] for row in over["market_positions"]] == ["0.00"] * 3
        # 10 * 0.60, 4 * 0.30, 8 * -0.15
        assert [row["realized_pnl_dollars"] for row in over["market_positions"]] == [
            "6.000000",
            "1.200000",
            "-1.200000",
        ]

    def test_settled_positions_are_paged_by_whole_events(
        self, exchange: Exchange, alices_key: ApiKey
    ) -> None:
        query = {"settlement_status": "settled", "limit": "1"}
        first = portfolio.positions(exchange, alices_key, query)
        second = portfolio.positions(exchange, alices_key, {**query, "cursor": first["cursor"]})

        assert [row["ticker"] for row in first["market_positions"]] == ["KXGAME-1-A", "KXGAME-1-B"]
        assert [row["ticker"] for row in second["market_positions"]] == ["KXRAIN-1-C"]
        assert second["cursor"] == ""


@pytest.mark.usefixtures("settled")
class TestArchive:
    @pytest.fixture(autouse=True)
    def archived(self, exchange: Exchange, now: datetime) -> None:
        """What is older than half an hour: the fills and KXGAME-1, but not KXRAIN-1."""
        exchange.archive(now + timedelta(minutes=30))

    def test_cutoff_is_told(self, exchange: Exchange) -> None:
        body = answer(venue.historical_cutoff(exchange), "GetHistoricalCutoffResponse")

        assert set(body.values()) == {"2026-11-23T13:30:00Z"}

    def test_each_settled_position_is_in_one_of_both(
        self, exchange: Exchange, alices_key: ApiKey
    ) -> None:
        live = portfolio.positions(exchange, alices_key, {"settlement_status": "all"})
        old = answer(
            portfolio.historical_positions(exchange, alices_key, {}), "GetPositionsResponse"
        )

        assert [row["ticker"] for row in live["market_positions"]] == ["KXRAIN-1-C"]
        assert [row["ticker"] for row in old["market_positions"]] == ["KXGAME-1-A", "KXGAME-1-B"]

    def test_archived_position_keeps_what_it_made_and_what_it_cost(
        self, exchange: Exchange, alices_key: ApiKey
    ) -> None:
        rows = portfolio.historical_positions(exchange, alices_key, {})["market_positions"]

        # Fees: up(0.035 * 10 * 0.24), and up(0.035 * 4 * 0.21)
        assert [(row["realized_pnl_dollars"], row["fees_paid_dollars"]) for row in rows] == [
            ("6.000000", "0.084000"),
            ("1.200000", "0.029400"),
        ]

    def test_market_that_is_decided_anew_is_told_of_again(
        self, exchange: Exchange, alices_key: ApiKey, now: datetime
    ) -> None:
        exchange.amend_paid("KXGAME-1-B", Decimal("0"), now + timedelta(hours=2))

        rows = activity.settlements(exchange, alices_key, {})["settlements"]
        assert [row["ticker"] for row in rows] == ["KXGAME-1-B", "KXRAIN-1-C"]
        assert rows[0]["settled_time"] == "2026-11-23T15:00:00Z"
        assert markets.market(exchange, "KXGAME-1-B")["market"]["settlement_ts"] == (
            "2026-11-23T15:00:00Z"
        )

    def test_each_fill_is_in_one_of_both(
        self, exchange: Exchange, alices_key: ApiKey, alice: Account, now: datetime
    ) -> None:
        exchange.archive(now)
        live = activity.fills(exchange, alices_key, {})["fills"]
        exchange.archive(now + timedelta(minutes=30))
        old = answer(activity.historical_fills(exchange, alices_key, {}), "GetFillsResponse")

        assert len(live) == len(old["fills"]) == 4
        assert activity.fills(exchange, alices_key, {})["fills"] == []

    def test_old_fills_are_of_one_market_and_live_ones_of_several(
        self, exchange: Exchange, alices_key: ApiKey, now: datetime
    ) -> None:
        both = {"ticker": "KXGAME-1-A,KXGAME-1-B"}
        exchange.archive(now + timedelta(minutes=30))
        old = activity.historical_fills(exchange, alices_key, {"ticker": "KXGAME-1-A"})["fills"]
        none = activity.historical_fills(exchange, alices_key, both)["fills"]

        assert {row["ticker"] for row in old} == {"KXGAME-1-A"}
        assert none == []

    def test_archived_markets_go_by_one_filter_alone(self, exchange: Exchange) -> None:
        found = markets.historical_markets(exchange, {"event_ticker": "KXGAME-1", "limit": "1"})

        assert [row["ticker"] for row in found["markets"]] == ["KXGAME-1-A"]
        for other in ({"tickers": "KXGAME-1-A"}, {"mve_filter": "exclude"}):
            query = {"event_ticker": "KXGAME-1", **other}
            refused(400, markets.historical_markets, exchange, query)

    def test_each_market_is_in_one_of_both(self, exchange: Exchange) -> None:
        live = markets.markets(exchange, {})["markets"]
        old = answer(markets.historical_markets(exchange, {}), "GetMarketsResponse")["markets"]

        assert [row["ticker"] for row in live] == ["KXRAIN-1-C"]
        assert [row["ticker"] for row in old] == ["KXGAME-1-A", "KXGAME-1-B"]
        assert old[0]["settlement_ts"] == "2026-11-23T13:00:00Z"
        refused(404, markets.market, exchange, "KXGAME-1-A")
        assert markets.historical_market(exchange, "KXGAME-1-A")["market"] == old[0]
        refused(404, markets.historical_market, exchange, "KXRAIN-1-C")

    def test_archived_settlements_are_listed_nowhere(
        self, exchange: Exchange, alices_key: ApiKey
    ) -> None:
        rows = activity.settlements(exchange, alices_key, {})["settlements"]

        assert [row["ticker"] for row in rows] == ["KXRAIN-1-C"]


class TestTransfers:
    def test_deposits_and_withdrawals_are_apart_and_newest_first(
        self, exchange: Exchange, alice: Account, alices_key: ApiKey, now: datetime
    ) -> None:
        exchange.transfer(alice, "deposit", 10_000, now, fee_cents=25, method="debit")
        exchange.transfer(alice, "deposit", 500, now + timedelta(1), status="pending")
        exchange.transfer(alice, "withdrawal", 700, now, method="wire")

        incoming = answer(moved_money.deposits(exchange, alices_key, {}), "GetDepositsResponse")
        outgoing = answer(
            moved_money.withdrawals(exchange, alices_key, {}), "GetWithdrawalsResponse"
        )

        assert [row["amount_cents"] for row in incoming["deposits"]] == [500, 10_000]
        assert incoming["deposits"][1] | {"id": ""} == {
            "id": "",
            "status": "applied",
            "type": "debit",
            "amount_cents": 10_000,
            "fee_cents": 25,
            "created_ts": 1795438800,
            "finalized_ts": 1795438800,
        }
        assert "finalized_ts" not in incoming["deposits"][0]
        assert [row["type"] for row in outgoing["withdrawals"]] == ["wire"]

    def test_pages_join_without_gap_or_overlap(
        self, exchange: Exchange, alice: Account, alices_key: ApiKey, now: datetime
    ) -> None:
        for cents in (100, 200, 300):
            exchange.transfer(alice, "deposit", cents, now)

        first = moved_money.deposits(exchange, alices_key, {"limit": "2"})
        query = {"limit": "2", "cursor": first["cursor"]}
        second = moved_money.deposits(exchange, alices_key, query)

        rows = first["deposits"] + second["deposits"]
        assert sorted(row["amount_cents"] for row in rows) == [100, 200, 300]
        assert second["cursor"] == ""

    def test_limit_over_the_maximum_is_refused(
        self, exchange: Exchange, alices_key: ApiKey
    ) -> None:
        body = refused(400, moved_money.deposits, exchange, alices_key, {"limit": "501"})

        assert "GetDepositsParams.Limit" in body["msg"]

    def test_key_of_one_subaccount_may_not_see_them(
        self, exchange: Exchange, alice: Account
    ) -> None:
        key = add_key(exchange, alice, "locked", subaccount=1)

        refused(403, moved_money.deposits, exchange, key, {})
        refused(403, moved_money.withdrawals, exchange, key, {})


class TestSubaccounts:
    def test_every_subaccount_is_told_of(self, exchange: Exchange, alices_key: ApiKey) -> None:
        body = answer(
            portfolio.subaccount_balances(exchange, alices_key), "GetSubaccountBalancesResponse"
        )

        assert [
            (row["subaccount_number"], row["balance"]) for row in body["subaccount_balances"]
        ] == [(0, "1000.0000"), (1, "500.0000")]

    def test_key_of_one_sees_its_own(self, exchange: Exchange, alice: Account) -> None:
        key = add_key(exchange, alice, "locked", subaccount=1)

        rows = portfolio.subaccount_balances(exchange, key)["subaccount_balances"]

        assert [row["subaccount_number"] for row in rows] == [1]


@pytest.mark.parametrize(
    "call",
    [
        activity.settlements,
        moved_money.deposits,
        moved_money.withdrawals,
        activity.historical_fills,
        portfolio.historical_positions,
    ],
)
def test_key_without_the_scope_may_not_read(exchange: Exchange, alice: Account, call: Any) -> None:
    key = add_key(exchange, alice, "narrow", ("read::portfolio_balance",))

    assert refused(403, call, exchange, key, {})["error"]["code"] == "forbidden"
    refused(403, portfolio.subaccount_balances, exchange, key)
    refused(403, members.account_limits, key, None)
