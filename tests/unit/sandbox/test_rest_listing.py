"""Filters of markets, events and series, candlesticks, and what the venue says of itself."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sandbox.catalogue import world
from sandbox.exchange import Exchange
from sandbox.rest import candlesticks, markets, venue
from sandbox.rest.query import Rejected
from tests.unit.sandbox.published import answer

DAY = {"start_ts": "1795438000", "end_ts": "1795525200"}


def refused(status: int, call: Any, *arguments: Any) -> Any:
    with pytest.raises(Rejected) as rejected:
        call(*arguments)
    assert rejected.value.status == status
    return rejected.value.body


class TestMarketTimes:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({"min_close_ts": "1800000000"}, ["KXGAME-1-A", "KXGAME-1-B"]),
            ({"max_close_ts": "1800000000"}, ["KXRAIN-1-C"]),
            ({"min_settled_ts": "1795438800"}, ["KXRAIN-1-C"]),
            ({"min_created_ts": "1795438801"}, []),
            ({"min_updated_ts": "1795438801"}, ["KXRAIN-1-C"]),
            ({"min_updated_ts": "1795439099"}, ["KXRAIN-1-C"]),
            # Later than that.
            ({"min_updated_ts": "1795439100"}, []),
            (
                {
                    "max_updated_ts": "1795438800",
                    "mve_filter": "exclude",
                    "series_ticker": "KXGAME",
                },
                ["KXGAME-1-A", "KXGAME-1-B"],
            ),
            ({"mve_filter": "only"}, []),
        ],
        ids=str,
    )
    def test_filters(
        self, exchange: Exchange, now: datetime, query: dict[str, str], expected: list[str]
    ) -> None:
        exchange.determine("KXRAIN-1-C", Decimal(1), now)
        exchange.settle("KXRAIN-1-C", now + timedelta(minutes=5))

        body = answer(markets.markets(exchange, query), "GetMarketsResponse")

        assert [row["ticker"] for row in body["markets"]] == expected

    @pytest.mark.parametrize(
        "query",
        [
            {"min_close_ts": "1", "min_created_ts": "1"},
            {"min_close_ts": "1", "status": "open"},
            {"max_settled_ts": "1", "status": "closed"},
            {"min_updated_ts": "1", "tickers": "KXRAIN-1-C"},
            {"min_updated_ts": "1", "mve_filter": "only"},
            {"min_updated_ts": "1", "series_ticker": "KXRAIN"},
            {"mve_filter": "combos"},
            {"min_close_ts": "soon"},
        ],
        ids=str,
    )
    def test_filters_that_do_not_go_together_are_refused(
        self, exchange: Exchange, query: dict[str, str]
    ) -> None:
        body = refused(400, markets.markets, exchange, query)

        assert body["error"]["code"] == "bad_request"


class TestEvents:
    def test_combos_are_listed_apart(self, now: datetime) -> None:
        exchange, _ = world(positions=50, seed=1, now=now)

        plain = answer(markets.events(exchange, {}), "GetEventsResponse")["events"]
        combos = answer(
            markets.multivariate_events(exchange, {"with_nested_markets": "true"}),
            "GetMultivariateEventsResponse",
        )["events"]

        assert len(plain) + len(combos) == len(exchange.events)
        assert combos
        assert all(event["series_ticker"].startswith("KXMVE") for event in combos)
        assert all(len(event["markets"]) == 1 for event in combos)

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({}, ["KXGAME-1", "KXRAIN-1"]),
            ({"series_ticker": "KXRAIN"}, ["KXRAIN-1"]),
            ({"tickers": "KXGAME-1,NONE"}, ["KXGAME-1"]),
            ({"status": "open"}, ["KXGAME-1"]),
            ({"status": "closed"}, ["KXRAIN-1"]),
            ({"min_close_ts": "1800000000"}, ["KXGAME-1"]),
            ({"min_updated_ts": "1795438801"}, []),
        ],
        ids=str,
    )
    def test_filters(
        self, exchange: Exchange, now: datetime, query: dict[str, str], expected: list[str]
    ) -> None:
        exchange.close("KXRAIN-1-C", now)

        body = answer(markets.events(exchange, query), "GetEventsResponse")

        assert [row["event_ticker"] for row in body["events"]] == expected

    def test_pages_join_without_gap_or_overlap(self, exchange: Exchange) -> None:
        first = markets.events(exchange, {"limit": "1"})
        second = markets.events(exchange, {"limit": "1", "cursor": first["cursor"]})

        tickers = [row["event_ticker"] for row in first["events"] + second["events"]]
        assert tickers == ["KXGAME-1", "KXRAIN-1"]
        assert second["cursor"] == ""

    def test_own_fees_stand_before_those_of_the_series(self, exchange: Exchange) -> None:
        exchange.set_fees("KXGAME-1", ("quadratic", Decimal("0.25")))

        body = answer(markets.event(exchange, "KXGAME-1", {}), "GetEventResponse")

        assert body["event"]["fee_type_override"] == "quadratic"
        assert body["event"]["fee_multiplier_override"] == 0.25

    def test_milestones_are_none_and_asked_for(self, exchange: Exchange) -> None:
        assert markets.events(exchange, {"with_milestones": "true"})["milestones"] == []


class TestSeries:
    def test_series_tells_its_fees(self, exchange: Exchange) -> None:
        body = answer(markets.series(exchange, "KXGAME", {}), "GetSeriesResponse")

        assert (body["series"]["fee_type"], body["series"]["fee_multiplier"]) == ("quadratic", 0.5)

    def test_volume_is_told_when_asked(self, exchange: Exchange) -> None:
        body = answer(
            markets.series(exchange, "KXGAME", {"include_volume": "true"}), "GetSeriesResponse"
        )

        assert body["series"]["volume_fp"] == "200.00"

    def test_unknown_series_is_not_found(self, exchange: Exchange) -> None:
        refused(404, markets.series, exchange, "NONE", {})


class TestCandlesticks:
    @pytest.fixture(autouse=True)
    def traded(self, exchange: Exchange, now: datetime) -> None:
        for minute, price in ((1, "0.51"), (2, "0.47"), (61, "0.55")):
            at = now + timedelta(minutes=minute)
            exchange.trade("KXRAIN-1-C", Decimal(price), Decimal(2), at)

    def test_market_has_one_candle_for_each_period_that_moved(self, exchange: Exchange) -> None:
        minutes = candlesticks.of_market(
            exchange, "KXRAIN", "KXRAIN-1-C", {**DAY, "period_interval": "1"}
        )
        hours = candlesticks.of_market(
            exchange, "KXRAIN", "KXRAIN-1-C", {**DAY, "period_interval": "60"}
        )

        answer(minutes, "GetMarketCandlesticksResponse")
        answer(hours, "GetMarketCandlesticksResponse")
        assert [each["volume_fp"] for each in minutes["candlesticks"]] == ["2.00"] * 3
        assert [each["volume_fp"] for each in hours["candlesticks"]] == ["4.00", "2.00"]
        assert hours["candlesticks"][0]["price"] == {
            "open_dollars": "0.5100",
            "low_dollars": "0.4700",
            "high_dollars": "0.5100",
            "close_dollars": "0.4700",
            "mean_dollars": "0.4900",
            "previous_dollars": "0.5000",
        }

    @pytest.mark.parametrize("start", [1_795_440_000_000, -1])
    def test_time_that_is_no_unix_second_is_refused(self, exchange: Exchange, start: int) -> None:
        query = {
            "start_ts": str(start),
            "end_ts": str(start + 1),
            "period_interval": "1440",
            "include_latest_before_start": "true",
        }

        refused(400, candlesticks.of_market, exchange, "KXRAIN", "KXRAIN-1-C", query)

    def test_latest_before_the_start_is_drawn_on(self, exchange: Exchange) -> None:
        query = {"start_ts": "1795440001", "end_ts": "1795440100", "period_interval": "1"}
        body = candlesticks.of_market(
            exchange,
            "KXRAIN",
            "KXRAIN-1-C",
            {**query, "include_latest_before_start": "true"},
        )

        (candle,) = answer(body, "GetMarketCandlesticksResponse")["candlesticks"]
        assert candle["end_period_ts"] == 1795440060
        assert candle["price"] == {"previous_dollars": "0.4700"}
        assert candle["volume_fp"] == "0.00"

    def test_several_markets_and_events_at_once(self, exchange: Exchange) -> None:
        query = {**DAY, "period_interval": "1440"}
        tickers = {"market_tickers": "KXRAIN-1-C,NONE,KXGAME-1-A"}

        several = answer(
            candlesticks.of_markets(exchange, {**query, **tickers}),
            "BatchGetMarketCandlesticksResponse",
        )
        event = answer(
            candlesticks.of_event(exchange, "KXRAIN", "KXRAIN-1", query),
            "GetEventCandlesticksResponse",
        )

        assert [len(each["candlesticks"]) for each in several["markets"]] == [1, 0]
        assert event["market_tickers"] == ["KXRAIN-1-C"]
        assert event["market_candlesticks"] == [several["markets"][0]["candlesticks"]]

    def test_archived_market_tells_them_without_suffixes(
        self, exchange: Exchange, now: datetime
    ) -> None:
        exchange.determine("KXRAIN-1-C", Decimal(1), now + timedelta(hours=2))
        exchange.settle("KXRAIN-1-C", now + timedelta(hours=2))
        exchange.archive(now + timedelta(hours=3))
        query = {**DAY, "period_interval": "60"}

        body = answer(
            candlesticks.of_historical_market(exchange, "KXRAIN-1-C", query),
            "GetMarketCandlesticksHistoricalResponse",
        )

        assert body["candlesticks"][0]["volume"] == "4.00"
        refused(404, candlesticks.of_market, exchange, "KXRAIN", "KXRAIN-1-C", query)

    @pytest.mark.parametrize(
        "query",
        [
            {"end_ts": "2", "period_interval": "1"},
            {"start_ts": "1", "period_interval": "1"},
            {"start_ts": "1", "end_ts": "2"},
            {"start_ts": "1", "end_ts": "2", "period_interval": "5"},
            {"start_ts": "3", "end_ts": "2", "period_interval": "1"},
        ],
        ids=str,
    )
    def test_period_must_be_one_that_there_is(
        self, exchange: Exchange, query: dict[str, str]
    ) -> None:
        refused(400, candlesticks.of_market, exchange, "KXRAIN", "KXRAIN-1-C", query)

    def test_market_of_another_series_is_not_found(self, exchange: Exchange) -> None:
        query = {**DAY, "period_interval": "1"}

        refused(404, candlesticks.of_market, exchange, "KXGAME", "KXRAIN-1-C", query)
        refused(404, candlesticks.of_event, exchange, "KXGAME", "KXRAIN-1", query)

    def test_no_markets_and_too_many_are_refused(self, exchange: Exchange) -> None:
        query = {**DAY, "period_interval": "1"}
        many = ",".join(f"M{number}" for number in range(101))

        refused(400, candlesticks.of_markets, exchange, query)
        refused(400, candlesticks.of_markets, exchange, {**query, "market_tickers": many})


def test_schedule_has_the_pause_on_thursday() -> None:
    body = answer(venue.schedule(), "GetExchangeScheduleResponse")

    (week,) = body["schedule"]["standard_hours"]
    assert [hours["open_time"] for hours in week["thursday"]] == ["00:00", "05:00"]
    assert [hours["close_time"] for hours in week["thursday"]] == ["03:00", "00:00"]


def test_user_data_is_as_of_now(now: datetime) -> None:
    body = answer(venue.user_data_timestamp(now), "GetUserDataTimestampResponse")

    assert body["as_of_time"] == "2026-11-23T13:00:00Z"


def test_pause_of_trading_leaves_the_exchange_active(exchange: Exchange) -> None:
    exchange.trading_active = False

    body = answer(venue.status(exchange), "ExchangeStatus")

    assert (body["exchange_active"], body["trading_active"]) == (True, False)
    assert len(body["exchange_index_statuses"]) == 4


def test_endpoint_costs_are_the_default(exchange: Exchange) -> None:
    body = answer(venue.endpoint_costs(), "GetAccountEndpointCostsResponse")

    assert body == {"default_cost": 10, "endpoint_costs": []}
