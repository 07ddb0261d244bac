import copy
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi.errors import DecodeError, LegacyShape
from kalshi.messages import (
    CommandFailed,
    Fill,
    Frame,
    MarketPosition,
    Message,
    Ok,
    Subscribed,
    Ticker,
    Unknown,
    Unsubscribed,
    in_time,
)

MISSING = object()


def decode(text):
    return Frame(text).message()


def changed(frame, **fields):
    """The frame's text with some fields of its msg replaced or taken away."""
    frame = copy.deepcopy(frame)
    frame["msg"].update(fields)
    frame["msg"] = {name: value for name, value in frame["msg"].items() if value is not MISSING}
    return json.dumps(frame)


def decoded(frame, **fields):
    return decode(changed(frame, **fields) if fields else json.dumps(frame))


def test_ticker_is_decoded(frames):
    assert decoded(frames["ticker"]) == Ticker(
        market_ticker="KXMLBHIT-26AUG071845CINWSH-WSHNNUEZ26-1",
        last_price=Decimal("0.5000"),
        yes_bid=Decimal("0.4700"),
        yes_bid_size=Decimal("5.00"),
        yes_ask=Decimal("0.5100"),
        yes_ask_size=Decimal("206.00"),
        at=datetime(2026, 8, 8, 0, 49, 8, 65_000, tzinfo=UTC),
        sent_at=None,
    )


def test_ticker_at_close_has_no_quotes_but_a_last_price(frames):
    ticker = decoded(frames["ticker_at_close"])

    assert (ticker.yes_bid, ticker.yes_ask) == (None, None)
    assert ticker.last_price == Decimal("0.9990")


def test_sizes_alone_decide_whether_a_side_exists(frames):
    ticker = decoded(
        frames["ticker"], yes_bid_size_fp="0.00", yes_ask_size_fp="0.01", yes_ask_dollars="1.0000"
    )

    assert ticker.yes_bid is None
    assert ticker.yes_ask == Decimal(1)


def test_last_price_of_zero_means_never_traded(frames):
    assert decoded(frames["ticker"], price_dollars="0.0000").last_price is None


def test_ticker_without_milliseconds_takes_its_written_time(frames):
    ticker = decoded(frames["ticker"], ts_ms=MISSING)

    assert ticker.at == datetime(2026, 8, 8, 0, 49, 8, 65_758, tzinfo=UTC)


def test_time_of_sending_is_kept(frames):
    frame = frames["ticker"] | {"sending_ts_ms": 1790000000123}

    assert decoded(frame).sent_at == datetime(2026, 9, 21, 14, 13, 20, 123_000, tzinfo=UTC)


def test_market_position_is_decoded(frames):
    assert decoded(frames["market_position"]) == MarketPosition(
        market_ticker="KXHIGHNY-26JUL24-T81",
        quantity=Decimal("-12.50"),
        exposure=Decimal("9.125000"),
        realized_pnl=Decimal("-0.420000"),
        fees_paid=Decimal("0.172500"),
        subaccount=2,
        sent_at=datetime(2026, 9, 21, 14, 13, 20, 123_000, tzinfo=UTC),
    )


def test_market_position_without_subaccount_names_none(frames):
    assert decoded(frames["market_position"], subaccount=MISSING).subaccount is None


def test_fill_is_decoded(frames):
    assert decoded(frames["fill"]) == Fill(
        trade_id="7c9f0b52-0000-4000-8000-000000000002",
        order_id="7c9f0b52-0000-4000-8000-000000000003",
        market_ticker="KXHIGHNY-26JUL24-T81",
        outcome_side="no",
        count=Decimal("1.25"),
        yes_price=Decimal("0.2700"),
        fee_cost=Decimal("0.017300"),
        is_taker=True,
        post_quantity=Decimal("-12.50"),
        subaccount=None,
        at=datetime(2026, 9, 21, 14, 13, 20, 42_000, tzinfo=UTC),
        sent_at=datetime(2026, 9, 21, 14, 13, 20, 100_000, tzinfo=UTC),
    )


def test_deprecated_direction_of_a_fill_may_go_or_lie(frames):
    without = decoded(frames["fill"], side=MISSING, action=MISSING, purchased_side=MISSING)
    lying = decoded(frames["fill"], side="yes", action="buy", purchased_side="yes")

    assert without == lying == decoded(frames["fill"])


def test_fill_without_the_position_after_it_is_a_fill(frames):
    assert decoded(frames["fill"], post_position_fp=MISSING).post_quantity is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("subscribed", Subscribed("orderbook_delta", 1)),
        (
            "ok",
            Ok(
                4,
                1,
                ("KXMLBGAME-26AUG071840TORPHI-PHI", "KXMLBGAME-26AUG072140LADAZ-LAD"),
            ),
        ),
        (
            "subscription_list",
            Ok(3, None, ()),
        ),
        ("unsubscribed", Unsubscribed(2)),
        ("command_error", CommandFailed(123, None, 8, "Unknown channel name")),
        ("scoped_error", CommandFailed(None, 4, 14, "Market Ticker required")),
        ("orderbook_snapshot", Unknown("orderbook_snapshot")),
    ],
)
def test_other_frames_are_decoded(frames, name, expected):
    assert decoded(frames[name]) == expected


def test_ok_without_markets_has_none():
    assert decode('{"type": "ok", "id": 3, "sid": 4}') == Ok(3, 4, ())


def test_new_fields_are_ignored(frames):
    assert decoded(frames["ticker"], invented=[{}]) == decoded(frames["ticker"])


@pytest.mark.parametrize(
    ("name", "field"),
    [
        *[("ticker", field) for field in ["market_ticker", "price_dollars"]],
        *[("ticker", f"yes_{side}_dollars") for side in ["bid", "ask"]],
        *[("ticker", f"yes_{side}_size_fp") for side in ["bid", "ask"]],
        *[("market_position", field) for field in ["position_fp", "position_cost_dollars"]],
        *[("market_position", field) for field in ["realized_pnl_dollars", "fees_paid_dollars"]],
        *[("fill", field) for field in ["trade_id", "outcome_side", "count_fp", "fee_cost"]],
        *[("fill", field) for field in ["yes_price_dollars", "ts_ms"]],
        *[("subscribed", field) for field in ["channel", "sid"]],
        ("command_error", "code"),
    ],
)
def test_missing_needed_field_is_named(frames, name, field):
    with pytest.raises(DecodeError, match=f"{field} is missing"):
        decoded(frames[name], **{field: MISSING})


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("ticker", "yes_bid_dollars", 47),
        ("ticker", "yes_bid_dollars", 0.47),
        ("ticker", "market_ticker", ""),
        ("ticker", "market_ticker", "KX\u0000"),
        ("ticker", "market_ticker", "KX\ud800"),
        ("market_position", "position_fp", 3),
        ("market_position", "position_fp", "3.001"),
        ("market_position", "subaccount", "2"),
        ("fill", "outcome_side", "maybe"),
        ("fill", "trade_id", "\ud800"),
    ],
)
def test_field_of_another_type_is_named(frames, name, field, value):
    with pytest.raises(DecodeError, match=field):
        decoded(frames[name], **{field: value})


@pytest.mark.parametrize("ts_ms", [MISSING, None, True, 10**30, "1786150148065"])
def test_time_in_words_stands_in_for_one_in_numbers(frames, ts_ms):
    ticker = decoded(frames["ticker"], ts_ms=ts_ms, time="2026-08-08T00:49:08.25Z")

    assert ticker.at == datetime(2026, 8, 8, 0, 49, 8, 250_000, tzinfo=UTC)


@pytest.mark.parametrize("time", ["2026-08-08T00:49:08", "0001-01-01T00:00:00+01:00", "soon"])
def test_time_outside_the_calendar_or_without_zone_is_refused(frames, time):
    with pytest.raises(DecodeError, match="time is not an RFC 3339 time"):
        decoded(frames["ticker"], ts_ms=MISSING, time=time)


def test_integer_cents_of_former_years_are_refused():
    text = (
        '{"type": "ticker", "sid": 1, "msg": {"market_ticker": "KX", "yes_bid": 47, "price": 48}}'
    )

    with pytest.raises(LegacyShape, match="ticker: yes_bid_dollars is missing, yes_bid is an int"):
        decode(text)


def test_integers_of_a_position_of_former_years_are_refused_by_name(frames):
    with pytest.raises(LegacyShape, match="market_position: position_fp is missing"):
        decoded(frames["market_position"], position_fp=MISSING, position=-12)


def test_missing_field_without_a_predecessor_is_no_legacy_shape(frames):
    with pytest.raises(DecodeError) as refusal:
        decoded(frames["ticker"], yes_bid_dollars=MISSING)

    assert type(refusal.value) is DecodeError


def test_frame_is_placed_by_sid_and_seq(frames):
    assert Frame(json.dumps(frames["lifecycle"])).place == (1, 279_597)


@pytest.mark.parametrize(
    "place", [{}, {"sid": 1}, {"seq": 1}, {"sid": "1", "seq": 1}, {"sid": 1, "seq": True}]
)
def test_frame_without_both_numbers_has_no_place(place):
    assert Frame(json.dumps({"type": "news"} | place)).place is None


@pytest.mark.parametrize("msg", [None, [], {}, {"market_ticker": ["KX"]}], ids=repr)
def test_frame_may_be_about_no_market(msg):
    assert Frame(json.dumps({"type": "news", "msg": msg})).market_ticker is None


def test_error_does_not_repeat_the_text(frames):
    with pytest.raises(DecodeError) as refusal:
        decoded(frames["ticker"], yes_bid_dollars="a secret")

    assert "a secret" not in str(refusal.value)
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "heartbeat",
        "[]",
        "null",
        "{}",
        '{"type": 7}',
        '{"type": "ticker"}',
        '{"type": "ticker", "msg": []}',
        '{"type": "fill", "msg": nu',
        b"\xff\xfe\xff",
        "[" * 100_000,
    ],
    ids=lambda text: repr(text[:30]),
)
def test_garbage_is_refused(text):
    with pytest.raises(DecodeError):
        decode(text)


def test_value_that_is_none_costs_no_other():
    odd = (
        b'{"type": "ok", "id": '
        + b"9" * 5000
        + b', "sid": 7, "msg": {"market_tickers": ["K\xff", "KXA"]}}'
    )

    assert decode(odd) == Ok(None, 7, ("K\N{REPLACEMENT CHARACTER}", "KXA"))


def test_bytes_are_read_like_text(frames):
    text = json.dumps(frames["fill"])

    assert decode(text.encode() + b"\n") == decode(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("0.50"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
types = st.sampled_from(
    [
        *["ticker", "market_position", "fill", "market_lifecycle_v2"],
        *["subscribed", "ok", "unsubscribed", "error", "news"],
    ]
)


def message_or_refusal(text):
    try:
        return decode(text)
    except DecodeError as error:
        return error


@given(st.text() | st.binary())
def test_any_text_is_a_message_or_refused(text):
    assert isinstance(message_or_refusal(text), (*get_args(Message), DecodeError))


@given(type=types, msg=json_values, id=json_values, sid=json_values)
def test_any_json_is_a_message_or_refused(type, msg, id, sid):
    text = json.dumps({"type": type, "id": id, "sid": sid, "msg": msg})

    assert isinstance(message_or_refusal(text), (*get_args(Message), DecodeError))


@given(
    data=st.data(),
    name=st.sampled_from(
        [
            *["ticker", "market_position", "fill", "scoped_error", "lifecycle"],
            *["lifecycle_created", "lifecycle_close_date_updated", "lifecycle_metadata_updated"],
        ]
    ),
)
def test_any_change_of_a_frame_leaves_a_message_or_is_refused(frames, data, name):
    field = data.draw(st.sampled_from(sorted(frames[name]["msg"])))
    text = changed(frames[name], **{field: data.draw(json_values)})

    assert isinstance(message_or_refusal(text), (*get_args(Message), DecodeError))


# Times that have yet to come

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOW = NOON + timedelta(seconds=1)
FILLED = Fill(
    trade_id="t",
    order_id="o",
    market_ticker="KXA",
    outcome_side="yes",
    count=Decimal(1),
    yes_price=Decimal("0.40"),
    fee_cost=Decimal(0),
    is_taker=True,
    post_quantity=None,
    subaccount=None,
    at=NOON,
    sent_at=NOON,
)
TOMORROW = NOON + timedelta(days=1)


@pytest.mark.parametrize(
    ("at", "sent_at", "expected"),
    [
        (NOON, NOON, (NOON, NOON)),
        (NOON, None, (NOON, None)),
        (TOMORROW, NOON, (NOON, NOON)),
        (TOMORROW, TOMORROW, (NOW, None)),
        (TOMORROW, None, (NOW, None)),
        (NOON, TOMORROW, (NOON, None)),
    ],
)
def test_execution_of_tomorrow_is_of_now(at, sent_at, expected):
    told = in_time(replace(FILLED, at=at, sent_at=sent_at), NOW)

    assert (told.at, told.sent_at) == expected
