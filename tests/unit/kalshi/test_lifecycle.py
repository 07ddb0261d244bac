import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from kalshi.errors import DecodeError
from kalshi.lifecycle import (
    Activated,
    CloseTimeChanged,
    Created,
    Deactivated,
    Determined,
    MetadataChanged,
    PriceGridChanged,
    Settled,
)
from kalshi.messages import Frame, Unknown

MARKET = "KXHIGHNY-26NOV24-T40"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "lifecycle_created",
            Created(
                MARKET,
                event_ticker="KXHIGHNY-26NOV24",
                title="Will it be warmer than 40°?",
                yes_outcome="41° or above",
                no_outcome="40° or below",
                open_time=datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC),
                close_time=datetime(2026, 9, 22, 14, 13, 20, tzinfo=UTC),
            ),
        ),
        ("lifecycle_activated", Activated(MARKET)),
        ("lifecycle_deactivated", Deactivated(MARKET)),
        (
            "lifecycle_close_date_updated",
            CloseTimeChanged(MARKET, datetime(2026, 9, 22, 12, 26, 40, tzinfo=UTC)),
        ),
        (
            "lifecycle",
            Determined(
                "KXMLBSPREAD-26JUL191605WSHATH-ATH4",
                result="no",
                settlement_value=Decimal("0.0000"),
                at=datetime(2026, 7, 19, 22, 55, 22, tzinfo=UTC),
            ),
        ),
        (
            "lifecycle_settled",
            Settled("KXBNB15M-26JUL191830-30", datetime(2026, 7, 19, 22, 30, 6, tzinfo=UTC)),
        ),
        ("lifecycle_price_level_structure_updated", PriceGridChanged(MARKET, "deci_cent")),
        ("lifecycle_metadata_updated", MetadataChanged(MARKET, "42° or above")),
        (
            "lifecycle_of_combo",
            Settled(
                "KXMVECROSSCATEGORY-S20260001-A",
                datetime(2026, 9, 22, 15, 13, 20, tzinfo=UTC),
            ),
        ),
    ],
)
def test_every_kind_is_decoded(frames, name, expected):
    assert Frame(json.dumps(frames[name])).message() == expected


def lifecycle(**msg):
    frame = {"type": "market_lifecycle_v2", "sid": 1, "seq": 1, "msg": msg}
    return Frame(json.dumps(frame)).message()


@pytest.mark.parametrize(
    ("event_type", "expected"),
    [
        ("created", Created("KX", None, "", "", "", None, None)),
        ("settled", Settled("KX", None)),
        ("determined", Determined("KX", "", None, None)),
        ("close_date_updated", CloseTimeChanged("KX", None)),
        ("price_level_structure_updated", PriceGridChanged("KX", "")),
        ("metadata_updated", MetadataChanged("KX", None)),
    ],
)
def test_what_we_do_not_need_may_be_missing(event_type, expected):
    assert lifecycle(market_ticker="KX", event_type=event_type) == expected


@pytest.mark.parametrize(
    ("msg", "expected"),
    [
        (
            {"event_type": "determined", "result": "no", "settlement_value": 0},
            Determined("KX", "no", Decimal(0), None),
        ),
        ({"event_type": "settled", "settled_ts": "yesterday"}, Settled("KX", None)),
        ({"event_type": "close_date_updated", "close_ts": "soon"}, CloseTimeChanged("KX", None)),
    ],
    ids=lambda value: str(value),
)
def test_event_counts_although_what_it_adds_is_odd(msg, expected):
    assert lifecycle(market_ticker="KX", **msg) == expected


@pytest.mark.parametrize(
    ("told", "value"),
    [
        ({"result": "yes"}, Decimal(1)),
        ({"result": "no", "settlement_value": "2.00"}, Decimal(0)),
        ({"result": "scalar"}, None),
        ({"result": "scalar", "settlement_value": "0.3700"}, Decimal("0.37")),
    ],
)
def test_determination_without_a_value_has_that_of_its_result(told, value):
    event = lifecycle(market_ticker="KX", event_type="determined", **told)

    assert event == Determined("KX", told["result"], value, None)


@pytest.mark.parametrize(
    "msg",
    [
        {"event_type": "settled"},
        {"market_ticker": "KX"},
        {"market_ticker": "KX", "event_type": "created", "additional_metadata": [1]},
    ],
    ids=repr,
)
def test_anything_undocumented_is_refused(msg):
    with pytest.raises(DecodeError):
        lifecycle(**msg)


def test_new_kind_is_unknown_by_name():
    event = lifecycle(market_ticker="KX", event_type="postponed")

    assert event == Unknown("market_lifecycle_v2/postponed")
