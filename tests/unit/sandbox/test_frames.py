"""What the channels say about the life of markets, each frame held against the documents."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sandbox import frames
from sandbox.account import Account, ApiKey
from sandbox.catalogue import world
from sandbox.exchange import Exchange
from sandbox.happenings import Happening, LifecycleChanged
from sandbox.offering import Offering
from sandbox.session import Session
from tests.unit.sandbox.published import frame

TICKER = "KXRAIN-1-C"


@pytest.fixture
def hear(alices_key: ApiKey) -> Callable[[tuple[Happening, ...]], list[dict[str, Any]]]:
    """What Alice hears who subscribed to everything."""
    session = Session(alices_key, lambda ticker: None)
    channels = ["ticker", "fill", "market_positions", "market_lifecycle_v2"]
    subscribe = {"id": 1, "cmd": "subscribe", "params": {"channels": channels}}
    session.receive(json.dumps(subscribe), 0.0, 1)
    for _ in channels:
        session.next_reply()

    def hear(happened: tuple[Happening, ...]) -> list[dict[str, Any]]:
        for happening in happened:
            for message in frames.messages(happening):
                session.publish(message, 1)
        return [frame(text) for text in iter(lambda: session.next_data(60.0), None)]

    return hear


Hear = Callable[[tuple[Happening, ...]], list[dict[str, Any]]]


def test_settlement_is_told_with_what_is_left_of_the_position(
    exchange: Exchange, alice: Account, hear: Hear, now: datetime
) -> None:
    exchange.fill(alice, TICKER, "yes", Decimal(10), Decimal("0.40"), now)
    exchange.determine(TICKER, Decimal(1), now)

    settled, position = hear(exchange.settle(TICKER, now + timedelta(minutes=5)))

    assert settled["msg"] == {
        "market_ticker": TICKER,
        "event_type": "settled",
        "settled_ts": 1795439100,
    }
    # 10 - 4; fee 0.07 * 10 * 0.24
    assert position["msg"] == {
        "user_id": alice.user_id,
        "market_ticker": TICKER,
        "position_fp": "0.00",
        "position_cost_dollars": "0.000000",
        "realized_pnl_dollars": "6.000000",
        "fees_paid_dollars": "0.168000",
        "position_fee_cost_dollars": "0.000000",
        "volume_fp": "10.00",
        "subaccount": 0,
    }


def test_pause_and_resumption_are_told(exchange: Exchange, hear: Hear, now: datetime) -> None:
    (paused,) = hear(exchange.pause(TICKER, now))
    (resumed,) = hear(exchange.resume(TICKER, now))

    assert (paused["msg"]["event_type"], paused["msg"]["is_deactivated"]) == ("deactivated", True)
    assert (resumed["msg"]["event_type"], resumed["msg"]["is_deactivated"]) == ("activated", False)


def test_new_close_time_is_told(exchange: Exchange, hear: Hear, now: datetime) -> None:
    (told,) = hear(exchange.reschedule(TICKER, now + timedelta(hours=1), now))

    assert told["msg"]["event_type"] == "close_date_updated"
    assert told["msg"]["close_ts"] == 1795442400


def test_life_of_a_combo_is_told_on_a_channel_of_its_own_too(
    alices_key: ApiKey, now: datetime
) -> None:
    combo = Offering(
        event_ticker="KXMVEGAMES-1",
        series_ticker="KXMVEGAMES",
        title="Who wins both?",
        outcomes=[("HOME", Decimal("0.55"))],
        closes_in=timedelta(hours=3),
    )
    exchange, _ = world(positions=0, seed=3, now=now)
    game = replace(combo, event_ticker="KXGAMES-1", series_ticker="KXGAMES")
    session = Session(alices_key, lambda ticker: None)
    subscribe = {"channels": ["market_lifecycle_v2", "multivariate_market_lifecycle"]}
    session.receive(json.dumps({"id": 1, "cmd": "subscribe", "params": subscribe}), 0.0, 1)

    for offering in (combo, game):
        for happening in exchange.list_event(*offering.listing(now), now):
            for message in frames.messages(happening):
                session.publish(message, 1)

    heard = [frame(text) for text in iter(lambda: session.next_data(60.0), None)]
    assert [(each["sid"], each["seq"], each["type"]) for each in heard] == [
        (1, 1, "event_lifecycle"),
        (2, 1, "event_lifecycle"),
        (1, 2, "market_lifecycle_v2"),
        (2, 2, "multivariate_market_lifecycle"),
        (1, 3, "event_lifecycle"),
        (1, 4, "market_lifecycle_v2"),
    ]
    assert heard[3]["msg"] == heard[2]["msg"]


def test_fees_of_an_event_are_told_and_that_they_are_gone(exchange: Exchange, hear: Hear) -> None:
    (own,) = hear(exchange.set_fees("KXRAIN-1", ("quadratic_with_maker_fees", Decimal("0.5"))))
    (gone,) = hear(exchange.set_fees("KXRAIN-1", None))

    assert own["msg"] == {
        "event_ticker": "KXRAIN-1",
        "fee_type_override": "quadratic_with_maker_fees",
        "fee_multiplier_override": 0.5,
    }
    assert set(gone["msg"].values()) == {"KXRAIN-1", None}
    assert (own["seq"], gone["seq"]) == (1, 2)


def test_closing_is_told_by_the_ticker_alone(exchange: Exchange, hear: Hear, now: datetime) -> None:
    (told,) = hear(exchange.close(TICKER, now))

    assert told["type"] == "ticker"
    assert (told["msg"]["yes_bid_dollars"], told["msg"]["yes_ask_dollars"]) == ("0.0000", "1.0000")


def test_new_event_is_told_before_markets(hear: Hear, now: datetime) -> None:
    exchange, _ = world(positions=20, seed=3, now=now)
    happened = [
        each
        for hour in range(24 * 6)
        for each in exchange.advance(now + timedelta(hours=hour))
        if not isinstance(each, LifecycleChanged) or each.type == "created"
    ]

    told = [each for each in hear(tuple(happened)) if each["type"] != "ticker"]

    event, market = told[:2]
    assert event["type"] == "event_lifecycle"
    assert market["msg"]["event_type"] == "created"
    assert market["msg"]["additional_metadata"]["event_ticker"] == event["msg"]["event_ticker"]
    assert market["msg"]["open_ts"] < market["msg"]["close_ts"]
