"""Cash that moved on the exchange, netting, order books and milestones, as REST tells them."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sandbox.account import Account, ApiKey
from sandbox.exchange import Exchange
from sandbox.offering import Offering
from sandbox.rest import markets, milestones, moved_money, orderbooks, portfolio
from sandbox.rest.query import Rejected
from tests.unit.sandbox.conftest import add_key
from tests.unit.sandbox.published import answer


def refused(status: int, call: Any, *arguments: Any) -> Any:
    with pytest.raises(Rejected) as rejected:
        call(*arguments)
    assert rejected.value.status == status
    return rejected.value.body


class TestSubaccountTransfers:
    def test_both_ways_are_told_newest_first(
        self, exchange: Exchange, alice: Account, alices_key: ApiKey, now: datetime
    ) -> None:
        exchange.move_cash(alice, 0, 1, 2_550, now)
        exchange.move_cash(alice, 1, 0, 100, now + timedelta(seconds=1))

        body = answer(
            moved_money.subaccount_transfers(exchange, alices_key, {}),
            "GetSubaccountTransfersResponse",
        )

        assert [row["amount_cents"] for row in body["transfers"]] == [100, 2_550]
        assert body["transfers"][1] | {"transfer_id": ""} == {
            "transfer_id": "",
            "from_subaccount": 0,
            "to_subaccount": 1,
            "amount_cents": 2_550,
            "created_ts": 1795438800,
            "exchange_index": 0,
        }
        assert body["cursor"] == ""

    def test_pages_join_without_gap_or_overlap(
        self, exchange: Exchange, alice: Account, alices_key: ApiKey, now: datetime
    ) -> None:
        for cents in (100, 200, 300):
            exchange.move_cash(alice, 0, 1, cents, now)

        first = moved_money.subaccount_transfers(exchange, alices_key, {"limit": "2"})
        query = {"limit": "2", "cursor": first["cursor"]}
        second = moved_money.subaccount_transfers(exchange, alices_key, query)

        rows = first["transfers"] + second["transfers"]
        assert sorted(row["amount_cents"] for row in rows) == [100, 200, 300]

    @pytest.mark.parametrize(
        "call", [moved_money.subaccount_transfers, moved_money.instance_transfers]
    )
    def test_key_that_sees_one_subaccount_or_no_portfolio_may_not_read(
        self, exchange: Exchange, alice: Account, call: Any
    ) -> None:
        refused(403, call, exchange, add_key(exchange, alice, "locked", subaccount=1), {})
        narrow = add_key(exchange, alice, "narrow", ("read::portfolio_balance",))
        refused(403, call, exchange, narrow, {})


def test_cash_moved_to_another_exchange_is_told_in_dollars(
    exchange: Exchange, alice: Account, alices_key: ApiKey, now: datetime
) -> None:
    exchange.move_instance(alice, Decimal("12.3456"), now)
    exchange.move_instance(alice, Decimal("-2"), now + timedelta(seconds=1))

    body = answer(
        moved_money.instance_transfers(exchange, alices_key, {}),
        "GetIntraExchangeInstanceTransfersResponse",
    )

    assert [(row["source"], row["destination"], row["amount"]) for row in body["transfers"]] == [
        ("margined", "event_contract", "2.0000"),
        ("event_contract", "margined", "12.3456"),
    ]
    assert "cursor" not in body
    assert alice.portfolios[0].cash == Decimal("989.6544")


class TestNetting:
    def test_every_subaccount_is_told_of(
        self, exchange: Exchange, alice: Account, alices_key: ApiKey, now: datetime
    ) -> None:
        exchange.set_netting(alice, 1, False, now)

        body = answer(portfolio.netting(exchange, alices_key), "GetSubaccountNettingResponse")

        assert body["netting_configs"] == [
            {"subaccount_number": 0, "enabled": True, "exchange_index": 0},
            {"subaccount_number": 1, "enabled": False, "exchange_index": 0},
        ]

    def test_key_of_one_sees_its_own(self, exchange: Exchange, alice: Account) -> None:
        key = add_key(exchange, alice, "locked", subaccount=1)

        rows = portfolio.netting(exchange, key)["netting_configs"]

        assert [row["subaccount_number"] for row in rows] == [1]


class TestOrderbooks:
    def test_best_bids_are_the_markets_quote(self, exchange: Exchange) -> None:
        body = answer(
            orderbooks.of_market(exchange, "KXGAME-1-A", {}), "GetMarketOrderbookResponse"
        )

        book = body["orderbook_fp"]
        assert book["yes_dollars"][-1] == ["0.4700", "10.00"]
        # The YES ask of 0.53 is a bid for NO.
        assert book["no_dollars"][-1] == ["0.4700", "20.00"]

    def test_depth_cuts_it(self, exchange: Exchange) -> None:
        book = orderbooks.of_market(exchange, "KXGAME-1-A", {"depth": "1"})["orderbook_fp"]

        assert book == {"yes_dollars": [["0.4700", "10.00"]], "no_dollars": [["0.4700", "20.00"]]}

    @pytest.mark.parametrize("depth", ["101", "-1", "deep"])
    def test_depth_that_the_documents_do_not_know_is_refused(
        self, exchange: Exchange, depth: str
    ) -> None:
        refused(400, orderbooks.of_market, exchange, "KXGAME-1-A", {"depth": depth})

    def test_several_are_told_at_once(self, exchange: Exchange) -> None:
        asked = ["KXRAIN-1-C", "KXGAME-1-A", "NONE", "KXGAME-1-A"]
        body = answer(orderbooks.of_markets(exchange, asked), "GetMarketOrderbooksResponse")

        assert [row["ticker"] for row in body["orderbooks"]] == ["KXGAME-1-A", "KXRAIN-1-C"]
        refused(400, orderbooks.of_markets, exchange, [])
        refused(400, orderbooks.of_markets, exchange, [f"KX-{number}" for number in range(101)])

    def test_unknown_and_archived_markets_have_none(
        self, exchange: Exchange, now: datetime
    ) -> None:
        exchange.determine("KXRAIN-1-C", Decimal(1), now)
        exchange.settle("KXRAIN-1-C", now)
        exchange.archive(now + timedelta(1))

        refused(404, orderbooks.of_market, exchange, "KXRAIN-1-C", {})
        refused(404, orderbooks.of_market, exchange, "NONE", {})


class TestMilestones:
    @pytest.fixture(autouse=True)
    def games(self, exchange: Exchange, now: datetime) -> None:
        """Two games, beginning in one and in two days."""
        for day in (2, 1):
            offering = Offering(
                event_ticker=f"KXMATCH-{day}",
                series_ticker="KXMATCH",
                title="Who wins the match?",
                outcomes=[("HOME", Decimal("0.55"))],
                closes_in=timedelta(days=day, hours=3),
                starts_in=timedelta(days=day),
            )
            exchange.list_event(*offering.listing(now), now)

    def test_they_are_told_with_their_start(self, exchange: Exchange) -> None:
        query = {"limit": "10", "related_event_ticker": "KXMATCH-1"}
        body = answer(milestones.milestones(exchange, query), "GetMilestonesResponse")

        (row,) = body["milestones"]
        assert row["start_date"] == "2026-11-24T13:00:00Z"
        assert row["related_event_tickers"] == ["KXMATCH-1"]

    @pytest.mark.parametrize(
        ("query", "events"),
        [
            ({}, ["KXMATCH-1", "KXMATCH-2"]),
            ({"minimum_start_date": "2026-11-25T13:00:00Z"}, ["KXMATCH-2"]),
            ({"category": "Sports"}, ["KXMATCH-1", "KXMATCH-2"]),
            ({"category": "Crypto"}, []),
            ({"type": "football_game"}, []),
            ({"source_id": "x"}, []),
            ({"competition": "x"}, []),
            ({"min_updated_ts": "1795438801"}, []),
        ],
        ids=str,
    )
    def test_filters(self, exchange: Exchange, query: dict[str, str], events: list[str]) -> None:
        rows = milestones.milestones(exchange, {"limit": "10", **query})["milestones"]

        assert [row["primary_event_tickers"][0] for row in rows] == events

    def test_pages_join_without_gap_or_overlap(self, exchange: Exchange) -> None:
        first = milestones.milestones(exchange, {"limit": "1"})
        second = milestones.milestones(exchange, {"limit": "1", "cursor": first["cursor"]})

        rows = first["milestones"] + second["milestones"]
        assert [row["primary_event_tickers"][0] for row in rows] == ["KXMATCH-1", "KXMATCH-2"]
        assert second["cursor"] == ""

    @pytest.mark.parametrize(
        "query",
        [{}, {"limit": "0"}, {"limit": "501"}, {"limit": "1", "minimum_start_date": "soon"}],
        ids=str,
    )
    def test_query_that_the_documents_do_not_know_is_refused(
        self, exchange: Exchange, query: dict[str, str]
    ) -> None:
        refused(400, milestones.milestones, exchange, query)

    def test_events_bring_theirs_along(self, exchange: Exchange) -> None:
        query = {"with_milestones": "true", "tickers": "KXMATCH-2,KXRAIN-1"}
        body = answer(markets.events(exchange, query), "GetEventsResponse")

        assert [row["primary_event_tickers"] for row in body["milestones"]] == [["KXMATCH-2"]]
