from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sandbox.account import Account, ApiKey
from sandbox.exchange import Exchange
from sandbox.market import NEVER_QUOTED
from sandbox.rest import activity, markets, members, portfolio
from sandbox.rest.query import Rejected
from tests.unit.sandbox.conftest import add_key
from tests.unit.sandbox.published import answer


@pytest.fixture
def holdings(exchange: Exchange, alice: Account, now: datetime) -> None:
    """A is sold out again, B is held as NO, C as YES; subaccount 1 holds A."""
    at = [now + timedelta(seconds=second) for second in range(5)]
    exchange.fill(alice, "KXGAME-1-A", "yes", Decimal(10), Decimal("0.50"), at[0])
    exchange.fill(alice, "KXGAME-1-A", "no", Decimal(10), Decimal("0.60"), at[1])
    exchange.fill(alice, "KXGAME-1-B", "no", Decimal("2.50"), Decimal("0.60"), at[2])
    exchange.fill(alice, "KXRAIN-1-C", "yes", Decimal(4), Decimal("0.25"), at[3])
    exchange.fill(alice, "KXGAME-1-A", "yes", Decimal(1), Decimal("0.50"), at[4], subaccount=1)


def refused(status: int, call: Any, *arguments: Any) -> Any:
    with pytest.raises(Rejected) as rejected:
        call(*arguments)
    assert rejected.value.status == status
    return rejected.value.body


def tickers(body: Any) -> list[str]:
    return [row["ticker"] for row in body["market_positions"]]


@pytest.mark.usefixtures("holdings")
class TestPositions:
    def test_rows_and_sums_of_events(self, exchange: Exchange, alices_key: ApiKey) -> None:
        body = answer(portfolio.positions(exchange, alices_key, {}), "GetPositionsResponse")

        assert body["cursor"] == ""
        assert tickers(body) == ["KXGAME-1-A", "KXGAME-1-B", "KXRAIN-1-C"]
        # B: 2.5 NO at 0.40; its fee: up(0.035 * 2.5 * 0.24) = 0.021
        assert body["market_positions"][1] == {
            "ticker": "KXGAME-1-B",
            "exchange_index": 3,
            "total_traded_dollars": "1.000000",
            "position_fp": "-2.50",
            "market_exposure_dollars": "1.000000",
            "realized_pnl_dollars": "0.000000",
            "fees_paid_dollars": "0.021000",
            "last_updated_ts": "2026-11-23T13:00:02Z",
        }
        # A: bought for 5, sold for 6; fees up(0.0875) + up(0.084)
        assert body["event_positions"][0] == {
            "event_ticker": "KXGAME-1",
            "total_cost_dollars": "12.000000",
            "total_cost_shares_fp": "22.50",
            "event_exposure_dollars": "1.000000",
            "realized_pnl_dollars": "1.000000",
            "fees_paid_dollars": "0.192500",
        }

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({"count_filter": "position"}, ["KXGAME-1-B", "KXRAIN-1-C"]),
            ({"count_filter": "position,total_traded"}, ["KXGAME-1-A", "KXGAME-1-B", "KXRAIN-1-C"]),
            ({"ticker": "KXGAME-1-B"}, ["KXGAME-1-B"]),
            ({"event_ticker": "KXGAME-1"}, ["KXGAME-1-A", "KXGAME-1-B"]),
            ({"exchange_index": "0"}, ["KXRAIN-1-C"]),
            ({"subaccount": "1"}, ["KXGAME-1-A"]),
            ({"settlement_status": "all", "limit": "1"}, ["KXGAME-1-A", "KXGAME-1-B"]),
            ({"settlement_status": "settled"}, []),
            ({"cursor": "garbage"}, ["KXGAME-1-A", "KXGAME-1-B", "KXRAIN-1-C"]),
        ],
        ids=str,
    )
    def test_filters(
        self, exchange: Exchange, alices_key: ApiKey, query: dict[str, str], expected: list[str]
    ) -> None:
        body = answer(portfolio.positions(exchange, alices_key, query), "GetPositionsResponse")

        assert tickers(body) == expected

    def test_pages_join_without_gap_or_overlap(
        self, exchange: Exchange, alices_key: ApiKey
    ) -> None:
        first = portfolio.positions(exchange, alices_key, {"limit": "2"})
        second = portfolio.positions(
            exchange, alices_key, {"limit": "2", "cursor": first["cursor"]}
        )

        assert tickers(first) + tickers(second) == ["KXGAME-1-A", "KXGAME-1-B", "KXRAIN-1-C"]
        assert second["cursor"] == ""

    @pytest.mark.parametrize(("limit", "tag"), [("0", "gte"), ("1001", "lte")])
    def test_limit_out_of_range_is_refused(
        self, exchange: Exchange, alices_key: ApiKey, limit: str, tag: str
    ) -> None:
        body = refused(400, portfolio.positions, exchange, alices_key, {"limit": limit})

        assert body["msg"].startswith("Parameter validation failed for GetPositions")
        assert body["msg"].endswith(f"failed on the '{tag}' tag")

    @pytest.mark.parametrize(
        "query",
        [
            {"count_filter": "resting"},
            {"settlement_status": "open"},
            {"limit": "many"},
            {"subaccount": "x"},
        ],
        ids=str,
    )
    def test_value_that_the_documents_do_not_know_is_refused(
        self, exchange: Exchange, alices_key: ApiKey, query: dict[str, str]
    ) -> None:
        body = refused(400, portfolio.positions, exchange, alices_key, query)

        assert body["error"]["code"] == "bad_request"


@pytest.mark.usefixtures("holdings")
class TestBalance:
    def test_cash_and_the_value_of_positions_at_the_last_trade(
        self, exchange: Exchange, alices_key: ApiKey
    ) -> None:
        body = answer(portfolio.balance(exchange, alices_key, {}), "GetBalanceResponse")

        # 1000 + 1 from A - 1 for B - 1 for C - fees 0.1715 + 0.021 + up(0.07 * 4 * 0.1875)
        # 2.5 * (1 - 0.60) + 4 * 0.25
        assert body == {
            "balance": 99875,
            "balance_dollars": "998.7550",
            "portfolio_value": 200,
            "updated_ts": 1795438803,
            "balance_breakdown": [{"exchange_index": 0, "balance": "998.7550"}],
        }

    def test_one_shard_has_the_value_of_its_own_markets(
        self, exchange: Exchange, alices_key: ApiKey
    ) -> None:
        baseball = portfolio.balance(exchange, alices_key, {"exchange_index": "3"})

        assert (baseball["balance"], baseball["portfolio_value"]) == (0, 100)

    def test_position_without_any_trade_counts_at_cost(
        self, exchange: Exchange, alices_key: ApiKey
    ) -> None:
        market = exchange.markets["KXRAIN-1-C"]
        market.tape = market.tape.traded(Decimal(0), Decimal(0), market.created_at)

        assert portfolio.balance(exchange, alices_key, {})["portfolio_value"] == 200

    def test_determined_position_counts_at_its_settlement_value(
        self, exchange: Exchange, alices_key: ApiKey, now: datetime
    ) -> None:
        exchange.determine("KXGAME-1-B", Decimal(0), now)

        # 2.5 NO at 1, 4 YES at 0.25
        assert portfolio.balance(exchange, alices_key, {})["portfolio_value"] == 350

    def test_key_of_one_subaccount_sees_it_without_asking(
        self, exchange: Exchange, alice: Account
    ) -> None:
        key = add_key(exchange, alice, "locked", subaccount=1)

        body = answer(portfolio.balance(exchange, key, {}), "GetBalanceResponse")

        # 500 - 0.50 - up(0.035 * 0.25)
        assert body["balance_dollars"] == "499.4912"
        assert "balance_breakdown" not in body


@pytest.mark.usefixtures("holdings")
class TestFills:
    def test_newest_first_and_of_all_subaccounts(
        self, exchange: Exchange, alices_key: ApiKey
    ) -> None:
        body = answer(activity.fills(exchange, alices_key, {}), "GetFillsResponse")

        assert [(row["ticker"], row["subaccount_number"]) for row in body["fills"]] == [
            ("KXGAME-1-A", 1),
            ("KXRAIN-1-C", 0),
            ("KXGAME-1-B", 0),
            ("KXGAME-1-A", 0),
            ("KXGAME-1-A", 0),
        ]

    def test_closing_fill_names_the_side_it_moved_to(
        self, exchange: Exchange, alices_key: ApiKey
    ) -> None:
        body = activity.fills(exchange, alices_key, {"ticker": "KXGAME-1-A", "subaccount": "0"})

        closing = body["fills"][0]
        assert closing | {"fill_id": "", "trade_id": "", "order_id": ""} == {
            "fill_id": "",
            "trade_id": "",
            "order_id": "",
            "exchange_index": 3,
            "ticker": "KXGAME-1-A",
            "market_ticker": "KXGAME-1-A",
            "side": "no",
            "action": "sell",
            "outcome_side": "no",
            "book_side": "ask",
            "count_fp": "10.00",
            "yes_price_dollars": "0.6000",
            "no_price_dollars": "0.4000",
            "is_taker": True,
            "fee_cost": "0.084000",
            "created_time": "2026-11-23T13:00:01Z",
            "subaccount_number": 0,
            "ts": 1795438801,
        }

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ({"ticker": "KXGAME-1-B,KXRAIN-1-C"}, 2),
            ({"subaccount": "1"}, 1),
            ({"min_ts": "1795438802"}, 3),
            ({"max_ts": "1795438801"}, 2),
            ({"exchange_index": "0"}, 1),
            ({"order_id": "unknown"}, 0),
        ],
        ids=str,
    )
    def test_filters(
        self, exchange: Exchange, alices_key: ApiKey, query: dict[str, str], count: int
    ) -> None:
        assert len(activity.fills(exchange, alices_key, query)["fills"]) == count

    def test_fills_of_more_than_a_hundred_markets_are_refused(
        self, exchange: Exchange, alices_key: ApiKey
    ) -> None:
        hundred = ",".join(f"KX-{number}" for number in range(100))

        assert activity.fills(exchange, alices_key, {"ticker": hundred})["fills"] == []
        refused(400, activity.fills, exchange, alices_key, {"ticker": f"{hundred},KX"})

    def test_pages_join_without_gap_or_overlap(
        self, exchange: Exchange, alices_key: ApiKey
    ) -> None:
        everything = activity.fills(exchange, alices_key, {})["fills"]

        first = activity.fills(exchange, alices_key, {"limit": "3"})
        second = activity.fills(exchange, alices_key, {"limit": "3", "cursor": first["cursor"]})

        assert first["fills"] + second["fills"] == everything
        assert second["cursor"] == ""


class TestKeys:
    def test_all_keys_of_the_member_are_listed(
        self, exchange: Exchange, alice: Account, alices_key: ApiKey, now: datetime
    ) -> None:
        add_key(exchange, alice, "trading", ("read", "write"), subaccount=1)
        add_key(exchange, exchange.open_account({0: Decimal(1)}, now), "charlies")

        body = answer(members.api_keys(exchange, alices_key), "GetApiKeysResponse")

        assert body["api_keys"] == [
            {"api_key_id": "alices", "name": "test", "scopes": ["read"]},
            {
                "api_key_id": "trading",
                "name": "test",
                "scopes": ["read", "write"],
                "subaccount": 1,
            },
        ]

    def test_key_without_the_scope_may_not_read(self, exchange: Exchange, alice: Account) -> None:
        key = add_key(exchange, alice, "narrow", ("read::portfolio_balance",))

        assert refused(403, members.api_keys, exchange, key)["error"]["code"] == "forbidden"
        refused(403, portfolio.positions, exchange, key, {})
        refused(403, activity.fills, exchange, key, {})
        assert portfolio.balance(exchange, key, {})["balance"] == 100000

    def test_key_of_one_subaccount_may_see_no_other(
        self, exchange: Exchange, alice: Account
    ) -> None:
        key = add_key(exchange, alice, "locked", subaccount=1)

        refused(403, portfolio.positions, exchange, key, {"subaccount": "0"})
        refused(403, activity.fills, exchange, key, {"subaccount": "0"})
        assert portfolio.positions(exchange, key, {"subaccount": "1"})["market_positions"] == []

    def test_subaccount_that_does_not_exist_is_not_found(
        self, exchange: Exchange, alices_key: ApiKey
    ) -> None:
        refused(404, portfolio.balance, exchange, alices_key, {"subaccount": "7"})


class TestMarkets:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({}, ["KXGAME-1-A", "KXGAME-1-B", "KXRAIN-1-C"]),
            ({"tickers": "KXRAIN-1-C,KXGAME-1-A,NONE"}, ["KXGAME-1-A", "KXRAIN-1-C"]),
            ({"event_ticker": "KXRAIN-1"}, ["KXRAIN-1-C"]),
            ({"series_ticker": "KXGAME"}, ["KXGAME-1-A", "KXGAME-1-B"]),
            ({"status": "open"}, ["KXGAME-1-B", "KXRAIN-1-C"]),
            ({"status": "closed"}, ["KXGAME-1-A"]),
            ({"status": "settled"}, []),
            ({"limit": "0"}, ["KXGAME-1-A", "KXGAME-1-B", "KXRAIN-1-C"]),
        ],
        ids=str,
    )
    def test_filters(
        self, exchange: Exchange, now: datetime, query: dict[str, str], expected: list[str]
    ) -> None:
        exchange.determine("KXGAME-1-A", Decimal(1), now)

        body = answer(markets.markets(exchange, query), "GetMarketsResponse")

        assert [row["ticker"] for row in body["markets"]] == expected

    def test_pages_join_without_gap_or_overlap(self, exchange: Exchange) -> None:
        everything = markets.markets(exchange, {})["markets"]

        first = markets.markets(exchange, {"limit": "2"})
        second = markets.markets(exchange, {"limit": "2", "cursor": first["cursor"]})

        assert first["markets"] + second["markets"] == everything

    def test_limit_over_the_maximum_has_the_recorded_body(self, exchange: Exchange) -> None:
        body = refused(400, markets.markets, exchange, {"limit": "1001"})

        assert body == {
            "msg": "Parameter validation failed for GetMarkets: Key: 'GetMarketsParams.Limit' "
            "Error:Field validation for 'Limit' failed on the 'lte' tag"
        }

    def test_word_of_the_answer_is_no_word_of_the_filter(self, exchange: Exchange) -> None:
        body = refused(400, markets.markets, exchange, {"status": "finalized"})

        assert body["error"]["details"] == "invalid status filter"

    def test_never_quoted_market_shows_a_bid_for_no_with_nothing_behind_it(
        self, exchange: Exchange, now: datetime
    ) -> None:
        exchange.set_quote("KXRAIN-1-C", NEVER_QUOTED, now)

        body = answer(markets.market(exchange, "KXRAIN-1-C"), "GetMarketResponse")

        market = body["market"]
        assert (market["yes_bid_dollars"], market["yes_ask_dollars"]) == ("0.0000", "0.0000")
        assert (market["no_bid_dollars"], market["no_ask_dollars"]) == ("1.0000", "1.0000")
        assert (market["yes_bid_size_fp"], market["yes_ask_size_fp"]) == ("0.00", "0.00")

    def test_determined_market_has_its_value_and_an_empty_book(
        self, exchange: Exchange, now: datetime
    ) -> None:
        exchange.determine("KXRAIN-1-C", Decimal("0.35"), now)

        market = answer(markets.market(exchange, "KXRAIN-1-C"), "GetMarketResponse")["market"]

        assert (market["status"], market["result"]) == ("determined", "scalar")
        assert market["settlement_value_dollars"] == "0.3500"
        assert (market["yes_bid_dollars"], market["yes_ask_dollars"]) == ("0.0000", "1.0000")

    def test_unknown_market_is_not_found(self, exchange: Exchange) -> None:
        body = refused(404, markets.market, exchange, "NONE")

        assert body == {"error": {"code": "not_found", "message": "not found"}}


class TestEvents:
    @pytest.mark.parametrize(
        ("query", "beside", "nested"),
        [
            ({}, ["KXGAME-1-A", "KXGAME-1-B"], None),
            ({"with_nested_markets": "true"}, [], ["KXGAME-1-A", "KXGAME-1-B"]),
            ({"exclude_markets": "true"}, [], None),
        ],
        ids=str,
    )
    def test_markets_stand_beside_the_event_or_in_it(
        self,
        exchange: Exchange,
        query: dict[str, str],
        beside: list[str],
        nested: list[str] | None,
    ) -> None:
        body = answer(markets.event(exchange, "KXGAME-1", query), "GetEventResponse")

        inside = body["event"].get("markets")
        assert [row["ticker"] for row in body["markets"]] == beside
        assert (inside and [row["ticker"] for row in inside]) == nested
        assert body["event"]["series_ticker"] == "KXGAME"
        assert body["event"]["mutually_exclusive"] is True
        assert body["event"]["collateral_return_type"] == "MECNET"

    def test_unknown_event_is_not_found(self, exchange: Exchange) -> None:
        refused(404, markets.event, exchange, "NONE", {})
