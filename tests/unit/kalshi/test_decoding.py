"""Laws that hold for every decoder: a value or a DecodeError, whatever the exchange sends."""

import dataclasses
import json
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi.errors import DecodeError
from kalshi.fields import parse
from kalshi.history import Candle, Cutoff, Settlement, decode_fill
from kalshi.milestones import Milestone
from kalshi.orderbook import OrderBook
from kalshi.rate_limits import AccountLimits, EndpointCosts
from kalshi.resources import (
    Balance,
    Event,
    ExchangeStatus,
    KeyRecord,
    Market,
    Netting,
    PositionRow,
    Series,
    SubaccountBalance,
)
from kalshi.schedule import Schedule
from kalshi.transfers import ExchangeTransfer, Payment, SubaccountTransfer

# Each decoder with one of the answers that it is for.
DECODERS = {
    "api key": (KeyRecord.decode, lambda answers: answers["api_keys"]["api_keys"][1]),
    "limits": (AccountLimits.decode, lambda answers: answers["limits"]),
    "costs": (EndpointCosts.decode, lambda answers: answers["endpoint_costs"]),
    "balance": (Balance.decode, lambda answers: answers["balance"]),
    "subaccount": (
        SubaccountBalance.decode,
        lambda answers: answers["subaccount_balances"]["subaccount_balances"][0],
    ),
    "position": (PositionRow.decode, lambda answers: answers["positions"]["market_positions"][0]),
    "market": (Market.decode, lambda answers: answers["markets"]["determined"]),
    "event": (Event.decode, lambda answers: answers["event"]),
    "series": (Series.decode, lambda answers: answers["series"]["series"]),
    "fill": (decode_fill, lambda answers: answers["fills"]["fills"][0]),
    "settlement": (Settlement.decode, lambda answers: answers["settlements"]["settlements"][0]),
    "payment": (Payment.decode, lambda answers: answers["deposits"]["deposits"][0]),
    "subaccount transfer": (
        SubaccountTransfer.decode,
        lambda answers: answers["subaccount_transfers"]["transfers"][0],
    ),
    "exchange transfer": (
        ExchangeTransfer.decode,
        lambda answers: answers["exchange_transfers"]["transfers"][0],
    ),
    "netting": (Netting.decode, lambda answers: answers["netting"]["netting_configs"][0]),
    "milestone": (Milestone.decode, lambda answers: answers["milestones"]["milestones"][0]),
    "order book": (OrderBook.decode, lambda answers: answers["orderbook"]),
    "cutoff": (Cutoff.decode, lambda answers: answers["cutoff"]),
    "candle": (Candle.decode, lambda answers: answers["candlesticks"]["candlesticks"][0]),
    "archived candle": (
        Candle.decode_archived,
        lambda answers: {
            "end_period_ts": 1786137900,
            "yes_bid": dict.fromkeys(("open", "high", "low", "close"), "0.3300"),
            "yes_ask": dict.fromkeys(("open", "high", "low", "close"), "0.3400"),
            "price": dict.fromkeys(("open", "high", "low", "close", "previous"), "0.3400"),
            "volume": "28.74",
            "open_interest": "128107.77",
        },
    ),
    "status": (ExchangeStatus.decode, lambda answers: answers["exchange_status"]),
    "schedule": (Schedule.decode, lambda answers: answers["schedule"]),
}

# The fields without which a row is of no use; all others may be missing, null or anything.
NEEDED = {
    "api key": {"api_key_id", "subaccount"},
    "balance": {"balance", "balance_dollars"},
    "position": {
        "ticker",
        "position_fp",
        "market_exposure_dollars",
        "realized_pnl_dollars",
        "fees_paid_dollars",
    },
    "market": {"ticker"},
    "event": {"event_ticker"},
    "milestone": {"id", "start_date"},
    "status": {"exchange_active"},
}

decoders = pytest.mark.parametrize("name", DECODERS)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**300, 10**310)
    | st.floats()
    | st.text()
    | st.sampled_from(["0.50", "-1.00", "1e5", "NaN", "2026-06-11T06:29:08Z", "0001-01-01T00:00Z"])
)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def value_or_refusal(decode, text):
    try:
        return decode(parse(text))
    except DecodeError as error:
        return error


@decoders
@given(value=json_values)
def test_any_json_is_a_value_or_refused(name, value):
    decode, _ = DECODERS[name]

    told = value_or_refusal(decode, json.dumps(value))

    assert isinstance(told, DecodeError) or dataclasses.is_dataclass(told)


@decoders
@given(data=st.data())
def test_any_change_of_an_answer_leaves_a_value_or_is_refused(answers, name, data):
    decode, example = DECODERS[name]
    answer = example(answers)
    field = data.draw(st.sampled_from(sorted(answer)))

    told = value_or_refusal(decode, json.dumps(answer | {field: data.draw(json_values)}))

    assert isinstance(told, DecodeError) or dataclasses.is_dataclass(told)


@pytest.mark.parametrize("name", NEEDED)
@given(data=st.data())
def test_what_no_figure_rests_on_costs_no_row(answers, name, data):
    decode, example = DECODERS[name]
    answer = example(answers)
    field = data.draw(st.sampled_from(sorted(answer.keys() - NEEDED[name])))
    odd = data.draw(json_values)

    told = decode(parse(json.dumps(answer | {field: odd})))
    without_it = decode({key: value for key, value in answer.items() if key != field})

    assert dataclasses.is_dataclass(told)
    assert dataclasses.is_dataclass(without_it)


@decoders
def test_fields_of_next_month_change_nothing(answers, name):
    decode, example = DECODERS[name]

    assert decode(example(answers) | {"invented": [{}]}) == decode(example(answers))


@decoders
def test_no_float_leaves_a_decoder(answers, name):
    decode, example = DECODERS[name]

    assert not list(floats_in(decode(example(answers))))


def floats_in(value):
    """All floats, and all times without a zone, in a value and what it holds."""
    match value:
        case float():
            yield value
        case datetime(tzinfo=None):
            yield value
        case tuple():
            for item in value:
                yield from floats_in(item)
        case _ if dataclasses.is_dataclass(value):
            for field in dataclasses.fields(value):
                yield from floats_in(getattr(value, field.name))


@given(amount=st.decimals("-999999999999", "999999999999", places=6))
def test_money_survives_to_the_last_digit(answers, amount):
    row = answers["positions"]["market_positions"][0] | {"realized_pnl_dollars": f"{amount:f}"}

    told = PositionRow.decode(parse(json.dumps(row)))

    assert told.realized_pnl.as_tuple() == Decimal(f"{amount:f}").as_tuple()
