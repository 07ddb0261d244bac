import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox import frames
from sandbox.account import Account, ApiKey
from sandbox.exchange import Exchange
from sandbox.happenings import Happening
from sandbox.session import CHANNELS, Session
from tests.unit.sandbox.conftest import add_key
from tests.unit.sandbox.published import frame

SENT_AT_MS = 1_795_438_800_000
LATER = 60.0


class Client:
    """The other end of a session: commands are objects, what comes back is checked and decoded."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def send(self, command: object, now: float = 0.0) -> None:
        text = command if isinstance(command, str) else json.dumps(command)
        self.session.receive(text, now, SENT_AT_MS)

    def subscribe(self, *channels: str, **params: Any) -> list[dict[str, Any]]:
        self.send({"id": 1, "cmd": "subscribe", "params": {"channels": channels, **params}})
        return self.received()

    def hear(self, happened: tuple[Happening, ...]) -> list[dict[str, Any]]:
        self.publish(happened)
        return self.received()

    def publish(self, happened: tuple[Happening, ...]) -> None:
        for happening in happened:
            for message in frames.messages(happening):
                self.session.publish(message, SENT_AT_MS)

    def received(self, now: float = LATER) -> list[dict[str, Any]]:
        return [frame(text) for text in iter(lambda: self._next(now), None)]

    def _next(self, now: float) -> str | None:
        reply = self.session.next_reply()
        return self.session.next_data(now) if reply is None else reply


@pytest.fixture
def tickers(exchange: Exchange) -> Callable[[str], frames.Message | None]:
    def ticker(market_ticker: str) -> frames.Message | None:
        market = exchange.markets.get(market_ticker)
        return market and frames.ticker_message(market)

    return ticker


@pytest.fixture
def client(alices_key: ApiKey, tickers: Callable[[str], frames.Message | None]) -> Client:
    return Client(Session(alices_key, tickers))


def test_each_channel_is_acknowledged_with_a_sid_of_its_own(client: Client) -> None:
    replies = client.subscribe("market_positions", "fill", "ticker")

    assert [(reply["id"], reply["type"], reply["msg"]) for reply in replies] == [
        (1, "subscribed", {"channel": "market_positions", "sid": 1}),
        (1, "subscribed", {"channel": "fill", "sid": 2}),
        (1, "subscribed", {"channel": "ticker", "sid": 3}),
    ]
    assert {reply["sending_ts_ms"] for reply in replies} == {SENT_AT_MS}


def test_second_subscription_of_a_channel_merges_and_names_all_tickers(client: Client) -> None:
    client.subscribe("ticker", market_tickers=["B", "C"])

    replies = client.subscribe("ticker", market_ticker="A")

    assert [(reply["type"], reply["sid"], reply["msg"]) for reply in replies] == [
        ("ok", 1, {"market_tickers": ["A", "B", "C"]})
    ]


def test_tickers_are_left_out_when_asked(client: Client) -> None:
    client.subscribe("ticker", market_tickers=["B"], skip_ticker_ack=True)

    (reply,) = client.subscribe("ticker", market_ticker="A")

    assert reply["msg"] == {}


def test_markets_are_added_and_deleted(client: Client) -> None:
    client.subscribe("ticker", market_tickers=["A"])

    client.send(update("add_markets", sids=[1], market_tickers=["C", "B"]))
    client.send(update("delete_markets", sid=1, market_ticker="A"))

    assert [reply["msg"] for reply in client.received()] == [
        {"market_tickers": ["A", "B", "C"]},
        {"market_tickers": ["B", "C"]},
    ]


def test_initial_snapshot_is_sent_for_each_known_market(client: Client) -> None:
    replies = client.subscribe(
        "ticker", market_tickers=["KXGAME-1-A", "UNKNOWN"], send_initial_snapshot=True
    )

    assert [reply["type"] for reply in replies] == ["subscribed", "ticker"]
    assert replies[1]["msg"] | {"time": ""} == {
        "market_id": "29c0608a-3169-4cf1-9e08-32f241927c20",
        "market_ticker": "KXGAME-1-A",
        "price_dollars": "0.5000",
        "yes_bid_dollars": "0.4700",
        "yes_ask_dollars": "0.5300",
        "volume_fp": "100.00",
        "open_interest_fp": "60.00",
        "dollar_volume": 50,
        "dollar_open_interest": 30,
        "yes_bid_size_fp": "10.00",
        "yes_ask_size_fp": "20.00",
        "last_trade_size_fp": "1.00",
        "ts": 1795438800,
        "ts_ms": 1795438800000,
        "time": "",
    }


def test_added_market_has_its_snapshot_too(client: Client) -> None:
    client.subscribe("ticker", market_tickers=["KXGAME-1-A"])

    client.send(
        update("add_markets", sid=1, market_ticker="KXGAME-1-B", send_initial_snapshot=True)
    )

    assert [reply["type"] for reply in client.received()] == ["ok", "ticker"]


def test_data_waits_until_the_commands_are_answered(client: Client) -> None:
    subscribe = {"channels": ["ticker"], "market_ticker": "KXGAME-1-A"}

    client.send(
        {"id": 1, "cmd": "subscribe", "params": {**subscribe, "send_initial_snapshot": True}},
        now=10.0,
    )
    at_once = client.received(now=10.0)
    client.send({"id": 2, "cmd": "subscribe", "params": {"channels": ["fill"]}}, now=10.01)
    soon = client.received(now=10.01)
    waiting = client.session.seconds_to_data(10.01)
    later = client.received(now=10.06)

    assert [reply["type"] for reply in at_once] == ["subscribed"]
    assert [reply["type"] for reply in soon] == ["subscribed"]
    assert waiting == pytest.approx(0.05)
    assert [reply["type"] for reply in later] == ["ticker"]


def test_ticker_frames_come_only_for_the_markets_asked_for(
    client: Client, exchange: Exchange, now: datetime
) -> None:
    client.subscribe("ticker", market_tickers=["KXGAME-1-A"])

    asked = client.hear(exchange.trade("KXGAME-1-A", Decimal("0.53"), Decimal(2), now))
    other = client.hear(exchange.trade("KXGAME-1-B", Decimal("0.53"), Decimal(2), now))

    assert [each["msg"]["price_dollars"] for each in asked] == ["0.5300"]
    assert other == []


def test_without_tickers_every_market_is_heard(
    client: Client, exchange: Exchange, now: datetime
) -> None:
    client.subscribe("ticker")

    heard = client.hear(exchange.trade("KXRAIN-1-C", Decimal("0.53"), Decimal(2), now))

    assert [each["msg"]["market_ticker"] for each in heard] == ["KXRAIN-1-C"]


def test_fill_is_heard_before_the_position_it_made(
    client: Client, exchange: Exchange, alice: Account, now: datetime
) -> None:
    client.subscribe("market_positions", "fill", "ticker")

    heard = client.hear(exchange.fill(alice, "KXRAIN-1-C", "no", Decimal(10), Decimal("0.60"), now))

    fill, position, ticker = heard
    assert [fill["type"], position["type"], ticker["type"]] == ["fill", "market_position", "ticker"]
    # 0.07 * 10 * 0.4 * 0.6
    assert fill["msg"]["fee_cost"] == "0.168000"
    assert fill["msg"]["outcome_side"] == "no"
    assert fill["msg"]["book_side"] == "ask"
    assert fill["msg"]["post_position_fp"] == "-10.00"
    assert position["msg"] == {
        "user_id": alice.user_id,
        "market_ticker": "KXRAIN-1-C",
        "position_fp": "-10.00",
        "position_cost_dollars": "4.000000",
        "realized_pnl_dollars": "0.000000",
        "fees_paid_dollars": "0.168000",
        "position_fee_cost_dollars": "0.168000",
        "volume_fp": "10.00",
        "subaccount": 0,
    }


def test_another_members_fills_are_not_heard(
    client: Client, exchange: Exchange, now: datetime
) -> None:
    charlie = exchange.open_account({0: Decimal(100)}, now)
    client.subscribe("market_positions", "fill")

    heard = client.hear(
        exchange.fill(charlie, "KXGAME-1-A", "yes", Decimal(1), Decimal("0.53"), now)
    )

    assert heard == []


def test_key_of_one_subaccount_hears_of_no_other(
    exchange: Exchange,
    alice: Account,
    tickers: Callable[[str], frames.Message | None],
    now: datetime,
) -> None:
    client = Client(Session(add_key(exchange, alice, "locked", subaccount=1), tickers))
    client.subscribe("fill")

    other = client.hear(exchange.fill(alice, "KXGAME-1-A", "yes", Decimal(1), Decimal("0.53"), now))
    own = client.hear(
        exchange.fill(alice, "KXGAME-1-A", "yes", Decimal(1), Decimal("0.53"), now, subaccount=1)
    )

    assert other == []
    assert [each["msg"]["subaccount"] for each in own] == [1]


def test_lifecycle_channel_counts_its_frames_and_takes_no_filter(
    client: Client, exchange: Exchange, now: datetime
) -> None:
    client.subscribe("market_lifecycle_v2", market_ticker="KXRAIN-1-C")

    first = client.hear(exchange.determine("KXGAME-1-A", Decimal(1), now))
    second = client.hear(exchange.determine("KXGAME-1-B", Decimal(0), now))

    assert [each["seq"] for each in first + second] == [1, 2]
    assert first[0]["msg"] == {
        "market_ticker": "KXGAME-1-A",
        "event_type": "determined",
        "determination_ts": 1795438800,
        "result": "yes",
        "settlement_value": "1.0000",
    }


def test_frames_are_numbered_in_the_order_in_which_they_are_sent(
    client: Client, exchange: Exchange, now: datetime
) -> None:
    client.subscribe("market_lifecycle_v2")
    for ticker in ("KXGAME-1-A", "KXGAME-1-B"):
        client.publish(exchange.determine(ticker, Decimal(0), now))

    # The reply goes ahead of what waits.
    replies = client.subscribe("market_lifecycle_v2")

    assert [(each["type"], each["seq"]) for each in replies] == [
        ("ok", 1),
        ("market_lifecycle_v2", 2),
        ("market_lifecycle_v2", 3),
    ]


def test_frames_that_were_never_sent_took_no_numbers(
    client: Client, exchange: Exchange, now: datetime
) -> None:
    client.subscribe("market_lifecycle_v2")
    client.publish(exchange.determine("KXGAME-1-A", Decimal(0), now))

    client.send({"id": 2, "cmd": "unsubscribe", "params": {"sids": [1]}})

    assert [(each["type"], each["seq"]) for each in client.received()] == [("unsubscribed", 1)]


def test_error_of_a_subscription_names_it_and_takes_a_number_where_they_are_counted(
    client: Client,
) -> None:
    client.subscribe("market_lifecycle_v2", "ticker")

    client.send(update("add_markets", sid=1, market_ticker="A"))
    client.send(update("dance", sid=1, market_ticker="A"))
    client.send(update("add_markets", sid=2))
    client.send(update("add_markets", sid=9, market_ticker="A"))

    assert [
        (each["id"], each["msg"]["code"], each.get("sid"), each.get("seq"))
        for each in client.received()
    ] == [(2, 13, 1, 1), (2, 13, 1, 2), (2, 14, 2, None), (2, 7, None, None)]


def test_ended_subscription_is_silent_and_can_be_made_again(
    client: Client, exchange: Exchange, now: datetime
) -> None:
    client.subscribe("ticker", "fill")

    client.send({"id": 2, "cmd": "unsubscribe", "params": {"sids": [1, 2]}})
    replies = client.received()
    silent = client.hear(exchange.trade("KXGAME-1-A", Decimal("0.53"), Decimal(2), now))
    (again,) = client.subscribe("ticker")

    assert [(reply["type"], reply["sid"], reply["id"]) for reply in replies] == [
        ("unsubscribed", 1, 2),
        ("unsubscribed", 2, 2),
    ]
    assert silent == []
    assert again["msg"] == {"channel": "ticker", "sid": 3}


def test_subscriptions_are_listed(client: Client) -> None:
    client.subscribe("ticker", "fill")

    client.send({"id": 2, "cmd": "list_subscriptions"})

    (reply,) = client.received()
    assert reply["msg"] == [{"channel": "ticker", "sid": 1}, {"channel": "fill", "sid": 2}]


def update(action: str, **params: Any) -> dict[str, Any]:
    return {"id": 2, "cmd": "update_subscription", "params": {"action": action, **params}}


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("no JSON", 1),
        ("[" * 100_000, 1),
        ("[]", 1),
        ({"id": 2, "cmd": "subscribe"}, 2),
        ({"id": 2, "cmd": "subscribe", "params": {}}, 3),
        ({"id": 2, "cmd": "subscribe", "params": {"channels": []}}, 3),
        ({"id": 2, "cmd": "unsubscribe", "params": {}}, 4),
        ({"id": 2, "cmd": "dance"}, 5),
        ({"id": 2, "cmd": "unsubscribe", "params": {"sids": [9]}}, 7),
        (update("add_markets", sid=9, market_ticker="A"), 7),
        ({"id": 2, "cmd": "subscribe", "params": {"channels": ["portfolio"]}}, 8),
        ({"id": 2, "cmd": "subscribe", "params": {"channels": [["ticker"]]}}, 8),
        (update("add_markets", sid=1, market_ticker="A", market_tickers=["B"]), 11),
        (update("add_markets", sid=1, market_tickers="A"), 11),
        (update("add_markets", sid=1, market_tickers=[]), 11),
        (update("add_markets", sid=1, market_tickers=["\ud800"]), 11),
        ({"cmd": "subscribe", "params": {"channels": ["ticker"], "market_tickers": []}}, 11),
        (update("delete_markets", sid=2, market_ticker="A"), 11),
        (update("add_markets", market_ticker="A"), 12),
        (update("add_markets", sids=[1, 2], market_ticker="A"), 12),
        (update("add_markets", sid=1, sids=[1], market_ticker="A"), 12),
        (update("get_snapshot", sid=1, market_ticker="A"), 13),
        (update("add_markets", sid=1), 14),
        (update("", sid=1, market_ticker="A"), 15),
    ],
)
def test_wrong_command_is_answered_with_the_number_of_its_error(
    client: Client, command: object, code: int
) -> None:
    client.subscribe("ticker", market_tickers=["A"])
    client.subscribe("fill")

    client.send(command)

    (reply,) = client.received()
    assert (reply["type"], reply["msg"]["code"]) == ("error", code)
    assert reply.get("id", 2) == 2


def test_subscription_whose_frames_do_not_fit_ends_and_the_others_stay(
    alices_key: ApiKey,
    exchange: Exchange,
    alice: Account,
    tickers: Callable[[str], frames.Message | None],
    now: datetime,
) -> None:
    client = Client(Session(alices_key, tickers, buffered_frames=3))
    client.subscribe("fill", "ticker")
    for price in ("0.47", "0.48", "0.49", "0.50"):
        (changed,) = exchange.trade("KXGAME-1-A", Decimal(price), Decimal(1), now)
        client.session.publish(frames.messages(changed)[0], SENT_AT_MS)

    received = client.received()
    heard = client.hear(exchange.fill(alice, "KXGAME-1-A", "yes", Decimal(1), Decimal("0.53"), now))

    assert [(reply["type"], reply["sid"], reply["msg"]) for reply in received] == [
        ("error", 2, {"code": 25, "msg": "Subscription buffer overflow"})
    ]
    assert [each["type"] for each in heard] == ["fill"]


def test_commands_without_end_and_unread_replies_are_a_flood(
    alices_key: ApiKey, tickers: Callable[[str], frames.Message | None]
) -> None:
    client = Client(Session(alices_key, tickers, buffered_frames=3))

    for _ in range(4):
        client.send({"id": 1, "cmd": "list_subscriptions"})

    assert client.session.is_flooded


class TestMarketIds:
    @pytest.fixture
    def client(self, alices_key: ApiKey, tickers: Callable[[str], frames.Message | None]) -> Client:
        ids = {"id-a": "KXGAME-1-A", "id-b": "KXGAME-1-B"}
        return Client(Session(alices_key, tickers, tickers_by_id=ids))

    def test_ticker_channel_knows_markets_by_them(
        self, client: Client, exchange: Exchange, now: datetime
    ) -> None:
        _, snapshot = client.subscribe("ticker", market_id="id-a", send_initial_snapshot=True)
        client.send(update("add_markets", sid=1, market_ids=["id-b"]))
        (added,) = client.received()
        heard = client.hear(exchange.trade("KXGAME-1-B", Decimal("0.53"), Decimal(2), now))

        assert snapshot["msg"]["market_ticker"] == "KXGAME-1-A"
        assert added["msg"] == {"market_ids": ["id-a", "id-b"]}
        assert [each["msg"]["market_ticker"] for each in heard] == ["KXGAME-1-B"]

    @pytest.mark.parametrize(
        "params",
        [
            {"channels": ["fill"], "market_id": "id-a"},
            {"channels": ["ticker", "fill"], "market_ids": ["id-a"]},
            {"channels": ["ticker"], "market_ids": ["id-unknown"]},
            {"channels": ["ticker"], "market_id": "id-a", "market_ticker": "KXGAME-1-A"},
            {"channels": ["ticker"], "market_id": 7},
        ],
        ids=str,
    )
    def test_they_are_refused_elsewhere_and_when_unknown(
        self, client: Client, params: dict[str, Any]
    ) -> None:
        client.send({"id": 1, "cmd": "subscribe", "params": params})

        (reply,) = client.received()
        assert (reply["type"], reply["msg"]["code"]) == ("error", 11)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
sids = st.lists(st.integers(0, 5) | st.booleans() | st.none(), max_size=4)
names = st.sampled_from([*CHANNELS, "none"])
params = st.fixed_dictionaries(
    {},
    optional={
        "channels": st.lists(names, max_size=4) | json_values,
        "market_ticker": st.just("KXGAME-1-A") | json_values,
        "market_tickers": st.lists(st.just("KXGAME-1-A"), max_size=2) | json_values,
        "market_ids": st.just(["id-a"]) | json_values,
        "sid": st.integers(0, 5) | json_values,
        "sids": sids | json_values,
        "action": st.sampled_from(["add_markets", "delete_markets", "get_snapshot"]) | json_values,
        "send_initial_snapshot": st.booleans() | json_values,
    },
)
commands = st.fixed_dictionaries(
    {"cmd": st.sampled_from(["subscribe", "update_subscription", "unsubscribe", "x"])},
    optional={"id": st.integers() | json_values, "params": params | json_values},
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(commands | json_values, max_size=6))
def test_whatever_is_sent_is_answered_in_a_published_shape(
    alices_key: ApiKey, tickers: Callable[[str], frames.Message | None], sent: list[Any]
) -> None:
    client = Client(Session(alices_key, tickers, tickers_by_id={"id-a": "KXGAME-1-A"}))

    for command in sent:
        client.send(json.dumps(command))

        assert client.received()
