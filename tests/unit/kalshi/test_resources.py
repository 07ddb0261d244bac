from datetime import UTC, datetime
from decimal import Decimal

import pytest

from kalshi.errors import DecodeError, LegacyShape
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


def without(record, *names):
    return {name: value for name, value in record.items() if name not in names}


def test_keys_are_decoded_with_scopes_and_subaccount(answers):
    dashboard, bot = map(KeyRecord.decode, answers["api_keys"]["api_keys"])

    assert (dashboard.name, dashboard.scopes, dashboard.subaccount) == (
        "dashboard",
        ("read",),
        None,
    )
    assert (bot.scopes, bot.subaccount) == (("read", "write", "write::trade"), 7)


@pytest.mark.parametrize(
    "scopes", [["read", 7], ["read", "nul\0"], ["read", "x" * 65], ["read"] * 101], ids=repr
)
def test_scopes_of_which_one_cannot_be_understood_are_not_told(answers, scopes):
    record = answers["api_keys"]["api_keys"][0]

    assert KeyRecord.decode(record | {"scopes": scopes}).scopes == ()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("api_key_id", "a" * 129),
        ("api_key_id", "nul\0"),
        ("subaccount", -1),
        ("subaccount", 2**31),
    ],
)
def test_key_that_cannot_be_stored_is_refused(answers, field, value):
    record = answers["api_keys"]["api_keys"][0]

    with pytest.raises(DecodeError, match=field):
        KeyRecord.decode(record | {field: value})


def test_balance_is_exact_and_apart_from_the_positions(answers):
    assert Balance.decode(answers["balance"]) == Balance(
        balance=Decimal("98.0186"),
        portfolio_value=Decimal("1.98"),
        updated_at=datetime(2026, 6, 11, 6, 29, 8, tzinfo=UTC),
    )


def test_balance_without_dollars_is_read_from_cents(answers):
    balance = Balance.decode(without(answers["balance"], "balance_dollars"))

    assert balance.balance == Decimal("98.01")


def test_position_is_decoded(answers):
    (row,) = answers["positions"]["market_positions"]

    assert PositionRow.decode(row) == PositionRow(
        ticker="KXWTACHALLENGERMATCH-26JUN11JIMLEP-LEP",
        quantity=Decimal("3.00"),
        exposure=Decimal("2.500000"),
        realized_pnl=Decimal("0.000000"),
        fees_paid=Decimal("0.018900"),
        last_updated_at=datetime(2026, 6, 11, 6, 29, 30, 165_032, tzinfo=UTC),
    )


def test_position_in_no_is_negative_and_costs_money(answers):
    row = PositionRow.decode(answers["positions_with_no"]["market_positions"][0])

    assert (row.quantity, row.exposure) == (Decimal("-1.00"), Decimal("0.730000"))
    assert row.last_updated_at is None


def test_position_of_former_years_is_refused(answers):
    with pytest.raises(LegacyShape, match="position: position_fp is missing, position is an int"):
        PositionRow.decode(answers["legacy_position"])


def test_market_is_decoded(answers):
    assert Market.decode(answers["markets"]["two_sided"]) == Market(
        ticker="KXWTACHALLENGERMATCH-26JUN11JIMLEP-LEP",
        event_ticker="KXWTACHALLENGERMATCH-26JUN11JIMLEP",
        yes_outcome="Varvara Lepchenko",
        no_outcome="Varvara Lepchenko",
        title="Will Varvara Lepchenko win the Jimenez Kasintseva vs Lepchenko: Round Of 16 match?",
        status="active",
        result="",
        yes_bid=Decimal("0.4700"),
        yes_bid_size=Decimal("3.00"),
        yes_ask=Decimal("0.5200"),
        yes_ask_size=Decimal("3.00"),
        last_price=Decimal("0.9900"),
        close_time=datetime(2026, 6, 25, 16, tzinfo=UTC),
        settlement_value=None,
        settled_at=None,
        expected_at=datetime(2026, 6, 11, 19, tzinfo=UTC),
        market_type="binary",
    )


@pytest.mark.parametrize(
    ("state", "yes_bid", "yes_ask", "last_price"),
    [
        ("no_bid", None, "0.6500", "0.6500"),
        ("no_ask", "0.5100", None, None),
        ("empty_book", None, None, None),
        ("never_quoted", None, None, None),
        ("initialized", None, None, None),
        ("closed", None, None, None),
    ],
)
def test_side_of_the_book_that_nobody_quotes_has_no_price(
    answers, state, yes_bid, yes_ask, last_price
):
    market = Market.decode(answers["markets"][state])

    assert market.yes_bid == (yes_bid and Decimal(yes_bid))
    assert market.yes_ask == (yes_ask and Decimal(yes_ask))
    assert market.last_price == (last_price and Decimal(last_price))


@pytest.mark.parametrize("state", ["determined", "finalized"])
def test_settlement_at_nothing_is_a_value(answers, state):
    market = Market.decode(answers["markets"][state])

    assert (market.result, market.settlement_value) == ("no", Decimal("0.0000"))


def test_settled_market_tells_when_it_paid(answers):
    market = Market.decode(answers["markets"]["finalized"])

    assert market.settled_at == datetime(2026, 6, 11, 5, 38, 35, 804_719, tzinfo=UTC)


def test_market_without_titles_is_a_market(answers):
    record = without(answers["markets"]["two_sided"], "title", "yes_sub_title", "no_sub_title")

    market = Market.decode(record)

    assert (market.title, market.yes_outcome, market.no_outcome) == ("", "", "")


@pytest.mark.parametrize(
    ("result", "told", "value"),
    [
        ("yes", None, "1"),
        ("no", None, "0"),
        ("scalar", None, None),
        ("", None, None),
        ("void", None, None),
        ("yes", "soon", "1"),
        ("yes", "0.9900", "0.9900"),
    ],
)
def test_result_without_a_value_has_the_value_that_it_says(answers, result, told, value):
    record = answers["markets"]["determined"] | {
        "result": result,
        "settlement_value_dollars": told,
    }

    assert Market.decode(record).settlement_value == (value and Decimal(value))


@pytest.mark.parametrize("field", ["yes_bid", "yes_ask", "last_price"])
def test_market_of_former_years_is_refused(answers, field):
    record = without(answers["markets"]["two_sided"], f"{field}_dollars") | {field: 45}

    with pytest.raises(LegacyShape, match=f"market: {field}_dollars is missing"):
        Market.decode(record)


def test_price_whose_size_is_not_told_is_no_quote(answers):
    market = Market.decode(without(answers["markets"]["two_sided"], "yes_bid_size_fp"))

    assert (market.yes_bid, market.yes_ask) == (None, Decimal("0.5200"))


def test_key_whose_subaccount_is_odd_is_refused(answers):
    with pytest.raises(DecodeError, match="API key: subaccount"):
        KeyRecord.decode(answers["api_keys"]["api_keys"][1] | {"subaccount": "seven"})


def test_event_is_decoded(answers):
    assert Event.decode(answers["event"]) == Event(
        event_ticker="KXNBA-27",
        series_ticker="KXNBA",
        title="2027 Pro Basketball Champion",
        sub_title="2026-27",
        mutually_exclusive=True,
        collateral_return_type="MECNET",
    )


@pytest.mark.parametrize(
    ("told", "understood"), [({}, ""), ({"collateral_return_type": 3}, None)], ids=["none", "odd"]
)
def test_return_of_collateral_that_cannot_be_understood_is_not_taken_for_none(told, understood):
    event = Event.decode({"event_ticker": "KXNBA-27", **told})

    assert event.collateral_return_type == understood


def test_subaccount_balance_is_decoded(answers):
    primary, _ = map(
        SubaccountBalance.decode, answers["subaccount_balances"]["subaccount_balances"]
    )

    assert primary == SubaccountBalance(
        subaccount=0,
        exchange_index=0,
        balance=Decimal("64876.8883"),
        updated_at=datetime(2026, 7, 22, 6, 30, 54, tzinfo=UTC),
    )


def test_netting_is_told_for_each_subaccount_and_shard(answers):
    on, off = map(Netting.decode, answers["netting"]["netting_configs"])

    assert on == Netting(subaccount=0, is_enabled=True, exchange_index=0)
    assert off == Netting(subaccount=3, is_enabled=False, exchange_index=2)


@pytest.mark.parametrize("shard", [None, "first", 0.5], ids=repr)
def test_cash_and_netting_count_whatever_is_said_of_shards(answers, shard):
    primary, _ = answers["subaccount_balances"]["subaccount_balances"]
    on, _ = answers["netting"]["netting_configs"]

    cash = SubaccountBalance.decode({**primary, "exchange_index": shard})
    netting = Netting.decode({**on, "exchange_index": shard})

    assert (cash.balance, cash.exchange_index) == (Decimal("64876.8883"), None)
    assert netting == Netting(subaccount=0, is_enabled=True, exchange_index=None)


def test_series_is_decoded_with_its_fees(answers):
    assert Series.decode(answers["series"]["series"]) == Series(
        ticker="KXMLBGAME",
        title="Professional Baseball Game",
        category="Sports",
        frequency="custom",
        fee_type="quadratic_with_maker_fees",
        fee_multiplier=Decimal("0.5"),
    )


@pytest.mark.parametrize("number", ["0.5", True, None, float("nan"), float("inf")], ids=repr)
def test_multiplier_that_is_no_number_is_refused(answers, number):
    with pytest.raises(DecodeError, match="series: fee_multiplier"):
        Series.decode(answers["series"]["series"] | {"fee_multiplier": number})


@pytest.mark.parametrize(
    ("number", "expected"), [(1, "1"), (0.07, "0.07"), (0.1 + 0.2, "0.30000000000000004")]
)
def test_number_is_taken_by_its_digits(answers, number, expected):
    series = Series.decode(answers["series"]["series"] | {"fee_multiplier": number})

    assert str(series.fee_multiplier) == expected


def test_status_is_decoded(answers):
    assert ExchangeStatus.decode(answers["exchange_status"]) == ExchangeStatus(True, True, None)


def test_status_in_maintenance_may_name_its_end():
    status = ExchangeStatus.decode(
        {
            "exchange_active": False,
            "trading_active": False,
            "exchange_estimated_resume_time": "2026-11-19T10:00:00Z",
        }
    )

    assert status.estimated_resume_time == datetime(2026, 11, 19, 10, tzinfo=UTC)


@pytest.mark.parametrize("kind", [KeyRecord, Balance, PositionRow, Market, Event, ExchangeStatus])
@pytest.mark.parametrize("value", [None, [], "text", 7, {}], ids=repr)
def test_anything_undocumented_is_refused(kind, value):
    with pytest.raises(DecodeError):
        kind.decode(value)
