import json
from datetime import UTC, datetime
from decimal import Decimal

from kalshi.presentation import as_json, as_table
from kalshi.rate_limits import AccountLimits, EndpointCosts
from kalshi.resources import Balance, ExchangeStatus, KeyRecord, PositionRow
from kalshi.schedule import Schedule

AT = datetime(2026, 11, 23, 14, 5, 6, 789_000, tzinfo=UTC)
YES = PositionRow("KXA", Decimal("3.00"), Decimal("2.500000"), Decimal("0"), Decimal("0.02"), AT)
NO = PositionRow("KXLONGER", Decimal("-12.50"), Decimal("9"), Decimal("-1"), Decimal("0"), None)


def test_rows_are_aligned_under_their_names():
    assert as_table([YES, NO]).splitlines() == [
        "ticker    quantity  exposure  realized_pnl  fees_paid  last_updated_at",
        "KXA       3.00      2.500000  0             0.02       2026-11-23 14:05:06",
        "KXLONGER  -12.50    9         -1            0",
    ]


def test_no_rows_are_none():
    assert as_table([]) == "none"


def test_single_value_has_a_line_for_each_field():
    assert as_table(ExchangeStatus(True, False, None)).splitlines() == [
        "exchange_active        yes",
        "trading_active         no",
        "estimated_resume_time",
    ]


def test_time_alone_is_a_table_too():
    assert as_table(AT) == "2026-11-23 14:05:06"


def test_values_within_values_are_told(answers):
    limits = as_table(AccountLimits.decode(answers["limits"]))
    costs = as_table(EndpointCosts.decode(answers["endpoint_costs"]))
    schedule = as_table(Schedule.decode(answers["schedule"]))

    assert "read        200-200" in limits
    assert "default  10" in costs
    assert "DELETE  /trade-api/v2/portfolio/orders/batched" in costs
    assert "00:00-03:00 05:00-00:00" in schedule


def test_several_words_of_a_field_are_told_apart():
    assert "read write" in as_table([KeyRecord("id", "bot", ("read", "write"), None)])


def test_what_a_terminal_would_obey_is_hidden():
    table = as_table([KeyRecord("id", "\x1b[2Jcleared\nline", (), None)])

    assert "\x1b" not in table
    assert len(table.splitlines()) == 2


def test_json_keeps_the_digits_and_the_times():
    balance = Balance(Decimal("98.018600"), Decimal("1E+2"), AT)

    assert json.loads(as_json(balance)) == {
        "balance": "98.018600",
        "portfolio_value": "100",
        "updated_at": "2026-11-23T14:05:06.789000+00:00",
    }


def test_json_of_rows_is_an_array(answers):
    schedule = Schedule.decode(answers["schedule"])

    assert [row["ticker"] for row in json.loads(as_json([YES, NO]))] == ["KXA", "KXLONGER"]
    assert json.loads(as_json(schedule))["weeks"][0]["days"][3][0] == {
        "opens": "00:00:00",
        "closes": "03:00:00",
    }
