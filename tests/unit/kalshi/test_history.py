from datetime import UTC, datetime
from decimal import Decimal

import pytest

from kalshi.errors import DecodeError, LegacyShape
from kalshi.history import Candle, Cutoff, Range, Settlement, decode_fill
from kalshi.messages import Fill


def without(record, *names):
    return {name: value for name, value in record.items() if name not in names}


def test_fill_is_the_value_that_the_stream_has_too(answers):
    assert decode_fill(answers["fills"]["fills"][0]) == Fill(
        trade_id="f4a42159-b500-57c6-efa2-c31d94d916c1",
        order_id="97ec18b7-10d3-4557-9de0-8598aad625f0",
        market_ticker="KXWTACHALLENGERMATCH-26JUN11JIMLEP-LEP",
        outcome_side="yes",
        count=Decimal("1.00"),
        yes_price=Decimal("0.5200"),
        fee_cost=Decimal("0.017500"),
        is_taker=True,
        post_quantity=None,
        subaccount=0,
        at=datetime(2026, 6, 11, 6, 29, 30, 164_956, tzinfo=UTC),
    )


def test_fractional_fill_is_exact(answers):
    fill = decode_fill(answers["fills"]["fills"][1])

    assert (fill.count, fill.yes_price, fill.fee_cost) == (
        Decimal("227.27"),
        Decimal("0.0010"),
        Decimal("0.015930"),
    )


def test_closing_fill_moves_the_position_by_its_outcome_and_not_by_action_and_side(answers):
    fill = decode_fill(answers["closing_fill"])

    assert (answers["closing_fill"]["action"], answers["closing_fill"]["side"]) == ("sell", "no")
    assert fill.outcome_side == answers["closing_fill"]["outcome_side"]


def test_fill_without_a_written_time_takes_its_seconds(answers):
    fill = decode_fill(without(answers["fills"]["fills"][0], "created_time"))

    assert fill.at == datetime(2026, 6, 11, 6, 29, 30, tzinfo=UTC)


def test_settlement_is_decoded_in_dollars(answers):
    won, lost = map(Settlement.decode, answers["settlements"]["settlements"][:2])

    assert (won.result, won.yes_value) == ("yes", Decimal(1))
    assert (lost.result, lost.yes_value) == ("no", Decimal(0))
    assert lost == Settlement(
        ticker="KXTRUMPSAY-REDACTED000",
        event_ticker="KXTRUMPSAY-REDACTED001",
        result="no",
        yes_count=Decimal("10.00"),
        yes_cost=Decimal("0.400000"),
        no_count=Decimal("0.00"),
        no_cost=Decimal("0.000000"),
        revenue=Decimal(0),
        yes_value=Decimal(0),
        fee_cost=Decimal("0.026900"),
        settled_at=datetime(2026, 8, 17, 14, tzinfo=UTC),
    )


@pytest.mark.parametrize("index", [0, 1])
def test_revenue_is_what_the_contracts_paid(answers, index):
    paid = Settlement.decode(answers["settlements"]["settlements"][index])

    assert paid.revenue == paid.yes_count * paid.yes_value + paid.no_count * (1 - paid.yes_value)


@pytest.mark.parametrize(
    ("counts", "result", "value", "revenue", "quantity", "payout"),
    [
        # Of both sides as many: all was closed by trades, and nothing is paid for.
        (("37.00", "37.00"), "yes", 100, 0, "0", "0"),
        (("10.00", "4.00"), "yes", 100, 600, "6", "6"),
        (("4.00", "10.00"), "scalar", 35, 390, "-6", "3.90"),
        # The same with the pairs in it, a dollar for each.
        (("10.00", "4.00"), "yes", 100, 1000, "6", "6"),
        (("2.00", "2.00"), "no", 0, 200, "0", "0"),
        # Rounded: 37.4 cents are told as 37, and each side may be rounded by itself.
        (("10.00", "4.00"), "scalar", 37, 224, "6", "2.24"),
        (("10.00", "4.00"), "scalar", 37, 624, "6", "2.24"),
        # No value is told, but a contract pays a dollar at the most.
        (("10.00", "4.00"), "scalar", None, 1000, "6", "6"),
        (("10.00", "4.00"), "scalar", None, 400, "6", "4"),
        # Nonsense stays what it is.
        (("1.00", "0.00"), "yes", 100, 777, "1", "7.77"),
    ],
)
def test_contracts_that_trades_closed_are_not_paid_for_again(
    answers, counts, result, value, revenue, quantity, payout
):
    yes, no = counts
    row = answers["settlements"]["settlements"][0] | {
        "yes_count_fp": yes,
        "no_count_fp": no,
        "market_result": result,
        "value": value,
        "revenue": revenue,
    }

    paid = Settlement.decode(row)

    assert (paid.quantity, paid.payout) == (Decimal(quantity), Decimal(payout))


@pytest.mark.parametrize(
    ("result", "told", "value"),
    [
        ("yes", None, "1"),
        ("no", None, "0"),
        ("yes", "a dollar", "1"),
        ("scalar", None, None),
        ("scalar", 35, "0.35"),
        # Told for itself, it counts.
        ("yes", 99, "0.99"),
    ],
)
def test_value_follows_from_the_result_where_it_is_not_told(answers, result, told, value):
    row = answers["settlements"]["settlements"][0] | {"market_result": result, "value": told}

    assert Settlement.decode(row).yes_value == (None if value is None else Decimal(value))


def test_settlement_of_former_years_is_refused_by_name(answers):
    with pytest.raises(LegacyShape, match="settlement: yes_count_fp is missing"):
        Settlement.decode(answers["legacy_settlement"])


def test_cutoff_is_decoded(answers):
    assert Cutoff.decode(answers["cutoff"]) == Cutoff(
        market_settled_at=datetime(2026, 8, 20, tzinfo=UTC),
        trades_created_at=datetime(2026, 8, 21, tzinfo=UTC),
        orders_updated_at=datetime(2026, 8, 22, tzinfo=UTC),
        positions_updated_at=datetime(2026, 8, 23, tzinfo=UTC),
    )


def test_cutoff_of_positions_may_be_untold(answers):
    cutoff = Cutoff.decode(without(answers["cutoff"], "market_positions_last_updated_ts"))

    assert cutoff.positions_updated_at is None


def test_candle_is_decoded(answers):
    candle = Candle.decode(answers["candlesticks"]["candlesticks"][0])

    assert candle == Candle(
        ends_at=datetime(2026, 8, 7, 21, 25, tzinfo=UTC),
        yes_bid=Range(*[Decimal("0.3300")] * 4),
        yes_ask=Range(*[Decimal("0.3400")] * 4),
        price=Range(*[Decimal("0.3400")] * 4),
        previous_price=Decimal("0.3400"),
        volume=Decimal("28.74"),
        open_interest=Decimal("128107.77"),
    )


@pytest.mark.parametrize("price", [{}, {"close_dollars": None}, {"previous_dollars": "0.1100"}])
def test_candle_without_a_trade_has_no_price(answers, price):
    record = answers["candlesticks"]["candlesticks"][0] | {"price": price}

    assert Candle.decode(record).price is None


def test_candle_of_former_years_is_refused_by_name(answers):
    with pytest.raises(LegacyShape, match="candlestick: volume_fp is missing"):
        Candle.decode(answers["legacy_candlestick"])


@pytest.mark.parametrize("decode", [decode_fill, Settlement.decode])
@pytest.mark.parametrize("value", [None, [], "text", 7, {}], ids=repr)
def test_anything_undocumented_is_refused(decode, value):
    with pytest.raises(DecodeError):
        decode(value)
