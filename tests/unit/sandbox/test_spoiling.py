import json
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.spoiling import ABSENT, Spoil, spoil_answer, spoil_frame


def markets() -> dict[str, Any]:
    return {
        "cursor": "x",
        "markets": [
            {"ticker": "A", "event_ticker": "E", "close_time": "c", "settlement_ts": "s"},
            {"ticker": "B", "event_ticker": "E", "close_time": "c"},
            {"ticker": "C", "event_ticker": "F", "close_time": "c"},
        ],
    }


def positions() -> dict[str, Any]:
    return {
        "cursor": "",
        "market_positions": [{"ticker": "A", "position_fp": "1.00", "fees_paid_dollars": "0"}],
        "event_positions": [{"event_ticker": "E", "fees_paid_dollars": "0"}],
    }


def spoilt(body: dict[str, Any], *spoils: Spoil) -> dict[str, Any]:
    spoil_answer(list(spoils), "/x", body)
    return body


def values(rows: list[dict[str, Any]], field: str) -> list[Any]:
    return [row.get(field, "left out") for row in rows]


@pytest.mark.parametrize(
    ("row", "expected"),
    [("", [None, None, None]), ("B", ["c", None, "c"]), ("E", [None, None, "c"])],
)
def test_field_is_replaced_in_the_rows_that_are_meant(row: str, expected: list[Any]) -> None:
    body = spoilt(markets(), Spoil("/x", "close_time", None, row))

    assert values(body["markets"], "close_time") == expected


@pytest.mark.parametrize(
    ("rows", "name"),
    [
        ("transfers", "transfer_id"),
        ("deposits", "id"),
        ("orderbooks", "ticker"),
        ("milestones", "id"),
    ],
)
def test_row_is_meant_by_its_own_name(rows: str, name: str) -> None:
    body = spoilt({"cursor": "", rows: [{name: "A"}, {name: "B"}]}, Spoil("/x", "new", 7, "B"))

    assert body == {"cursor": "", rows: [{name: "A"}, {name: "B", "new": 7}]}


def test_rows_without_a_name_are_spoilt_together() -> None:
    configs = [{"subaccount_number": number, "enabled": True} for number in range(2)]
    body = spoilt({"netting_configs": configs}, Spoil("/x", "enabled", None))

    assert values(body["netting_configs"], "enabled") == [None, None]


def test_field_is_left_out() -> None:
    body = spoilt(markets(), Spoil("/x", "close_time", ABSENT, "A"))

    assert values(body["markets"], "close_time") == ["left out", "c", "c"]


def test_field_that_a_row_lacks_is_given_to_it() -> None:
    body = spoilt(markets(), Spoil("/x", "settlement_ts", 7, "B"))

    assert values(body["markets"], "settlement_ts") == ["s", 7, "left out"]


def test_field_that_nobody_knows_is_put_into_rows_and_not_into_the_answer() -> None:
    body = spoilt(markets(), Spoil("/x", "new", [1]))
    empty = spoilt({"cursor": "", "markets": []}, Spoil("/x", "new", [1]))

    assert values(body["markets"], "new") == [[1], [1], [1]]
    assert "new" not in body
    assert empty == {"cursor": "", "markets": []}


def test_only_rows_of_the_kind_that_has_the_field_are_spoilt() -> None:
    body = spoilt(positions(), Spoil("/x", "position_fp", "many"))

    assert body["market_positions"][0]["position_fp"] == "many"
    assert "position_fp" not in body["event_positions"][0]


def test_field_of_both_kinds_is_spoilt_in_both() -> None:
    body = spoilt(positions(), Spoil("/x", "fees_paid_dollars", "-1"))

    assert [row["fees_paid_dollars"] for row in body["market_positions"]] == ["-1"]
    assert [row["fees_paid_dollars"] for row in body["event_positions"]] == ["-1"]


def test_row_may_be_an_event() -> None:
    body = spoilt(positions(), Spoil("/x", "fees_paid_dollars", "-1", "E"))

    assert body["market_positions"][0]["fees_paid_dollars"] == "0"
    assert body["event_positions"][0]["fees_paid_dollars"] == "-1"


@pytest.mark.parametrize("name", ["market", "event", "series"])
def test_single_object_is_a_row(name: str) -> None:
    body = spoilt({name: {"ticker": "A", "title": "t"}}, Spoil("/x", "title", "", "A"))

    assert body == {name: {"ticker": "A", "title": ""}}


def test_markets_inside_events_and_beside_one_are_rows() -> None:
    inside = {"events": [{"event_ticker": "E", "markets": [{"ticker": "A", "status": "s"}]}]}
    beside = {"event": {"event_ticker": "E"}, "markets": [{"ticker": "A", "status": "s"}]}

    for body in (inside, beside):
        spoilt(body, Spoil("/x", "status", "odd", "A"))

    assert inside["events"][0]["markets"] == [{"ticker": "A", "status": "odd"}]
    assert beside["markets"] == [{"ticker": "A", "status": "odd"}]


def test_answer_without_rows_is_one_itself() -> None:
    body = spoilt({"balance": 1}, Spoil("/x", "balance", None), Spoil("/x", "new", 2))

    assert body == {"balance": None, "new": 2}


def test_lists_and_cursors_are_fields_of_the_answer() -> None:
    body = spoilt(markets(), Spoil("/x", "cursor", "again"), Spoil("/x", "markets", None))

    assert body == {"cursor": "again", "markets": None}


def test_other_calls_are_left_alone() -> None:
    assert spoilt(markets(), Spoil("/y", "close_time", None)) == markets()


def test_only_answers_that_changed_are_counted() -> None:
    spoils = [Spoil("/x", "close_time", None, "C", times=2)]
    bodies = [{"markets": [{"ticker": "A", "close_time": "c"}]}, markets(), markets(), markets()]

    for body in bodies:
        spoil_answer(spoils, "/x", body)

    assert [values(body["markets"], "close_time")[-1] for body in bodies] == ["c", None, None, "c"]
    assert spoils == []


# Frames


@pytest.fixture
def ticker() -> Callable[..., Any]:
    def send(*spoils: Spoil) -> Any:
        body = '{"market_ticker":"A","yes_bid_dollars":"0.4700"}'
        frame = f'{{"type":"ticker","sid":1,"sending_ts_ms":5,"msg":{body}}}'
        return json.loads(spoil_frame(list(spoils), frame))["msg"].get("yes_bid_dollars")

    return send


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (Spoil("/ws", "yes_bid_dollars", "x"), "x"),
        (Spoil("/ws", "yes_bid_dollars", ABSENT, "A"), None),
        (Spoil("/ws/ticker", "yes_bid_dollars", "x"), "x"),
        (Spoil("/ws", "yes_bid_dollars", "x", "B"), "0.4700"),
        (Spoil("/ws/fill", "yes_bid_dollars", "x"), "0.4700"),
        (Spoil("/markets", "yes_bid_dollars", "x"), "0.4700"),
    ],
    ids=str,
)
def test_frame_is_spoilt_by_its_type_and_market(
    ticker: Callable[..., Any], spoil: Spoil, expected: str | None
) -> None:
    assert ticker(spoil) == expected


def test_frame_without_the_field_is_not_counted() -> None:
    spoils = [Spoil("/ws", "position_fp", None, times=1)]
    frame = '{"type":"ticker","sid":1,"msg":{"market_ticker":"A"}}'

    assert spoil_frame(spoils, frame) == frame
    assert len(spoils) == 1


def test_field_of_the_frame_around_a_message_is_spoilt_for_those_meant() -> None:
    frame = '{"type":"ticker","sending_ts_ms":1,"msg":{"market_ticker":"A"}}'
    spoils = [Spoil("/ws/ticker", "sending_ts_ms", 2, "A"), Spoil("/ws", "sending_ts_ms", 3, "B")]

    assert json.loads(spoil_frame(spoils, frame))["sending_ts_ms"] == 2
