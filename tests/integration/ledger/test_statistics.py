"""`GET trades` and `GET statistics`."""

import io
import json
from datetime import time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import connection

from ledger import holes, points, return_reading, tally_reading
from ledger.models import EquityPoint, Followed, Hole, ImportedTrade, Trade
from ledger.periods import Period
from ledger.statistics import Tally
from ledger.trade_rows import trade_of
from positions.models import Market, Position
from tests.integration.ledger.rows import (
    fill,
    record,
    record_transfers,
    settlement,
    transfer,
)
from tests.integration.visitors import make_account
from tests.tallies import tally_of
from tests.told import NOON, at

pytestmark = pytest.mark.django_db

D = Decimal


def imported(account, ticker="KXOLD-X-Y", *, seconds: float = 0, fingerprint="1", **fields):
    values = {
        "side": "yes",
        "count": D(10),
        "average_entry_price": D("0.4"),
        "average_exit_price": D("1"),
        "fees_paid": D("0.1"),
        "net_pnl": D("5.9"),
        "result": "yes",
    }
    return ImportedTrade.objects.create(
        account=account,
        ticker=ticker,
        opened_at=at(seconds) - timedelta(hours=1),
        closed_at=at(seconds),
        fingerprint=fingerprint,
        **values | fields,
    )


def closed_trades(account, count: int) -> None:
    """So many in one market, a minute apart."""
    market, _ = Market.objects.get_or_create(environment=account.environment, ticker="KXMANY-A")
    Trade.objects.bulk_create(
        Trade(
            account=account,
            market=market,
            number=number,
            side="yes",
            opened_at=NOON - timedelta(minutes=number + 1),
            closed_at=NOON - timedelta(minutes=number),
            count=1,
            closed_count=1,
            entry_cost=0,
            exit_value=0,
            exposure=0,
            fees_paid=0,
            net_pnl=0,
            average_entry_price=0,
            contract_seconds=60,
        )
        for number in range(count)
    )


def trade_records(account):
    """One sold at a loss, one that paid, and one that is open."""
    record(
        account,
        [
            fill("a1", ticker="KXGAME-A-HOME", seconds=0),
            fill("a2", ticker="KXGAME-A-HOME", side="no", price="0.65", fee="0.16", seconds=60),
            fill("b1", ticker="KXGAME-B-HOME", seconds=10),
            settlement("KXGAME-B-HOME", seconds=100),
            fill("c1", ticker="KXRAIN-C", side="no", seconds=20),
        ],
    )


def test_trades_are_listed_open_ones_first(alice, account, second):
    trade_records(account)
    imported(account, seconds=70)
    record(second, [fill("z1", seconds=30)])

    told = alice.get("trades?account=all").json()

    assert told["next"] is None
    assert [(row["account_id"], row["ticker"], row["source"]) for row in told["trades"]] == [
        (second.pk, "KXGAME-A-HOME", "ledger"),
        (account.pk, "KXRAIN-C", "ledger"),
        (account.pk, "KXGAME-B-HOME", "ledger"),
        (account.pk, "KXOLD-X-Y", "statement"),
        (account.pk, "KXGAME-A-HOME", "ledger"),
    ]
    assert told["trades"][-1] == {
        "account_id": account.pk,
        "ticker": "KXGAME-A-HOME",
        "side": "yes",
        "opened_at": "2026-11-23T12:00:00Z",
        "closed_at": "2026-11-23T12:01:00Z",
        "count": "10",
        "average_entry_price": "0.4",
        "average_exit_price": "0.35",
        "fees_paid": "0.33",
        "net_pnl": "-0.83",
        "result": None,
        "source": "ledger",
    }
    open_one = told["trades"][1]
    assert (open_one["closed_at"], open_one["net_pnl"], open_one["average_exit_price"]) == (
        None,
        None,
        None,
    )


def test_trades_of_a_market_and_of_a_period(alice, account):
    trade_records(account)
    imported(account, seconds=70)

    def tickers(query: str) -> list[str]:
        return [row["ticker"] for row in alice.get(f"trades?{query}").json()["trades"]]

    assert tickers("ticker=KXGAME-B-HOME") == ["KXGAME-B-HOME"]
    assert tickers("ticker=KXOLD-X-Y") == ["KXOLD-X-Y"]
    assert tickers("ticker=NONE") == []
    assert tickers("from=2026-11-23T12:01:10Z") == ["KXRAIN-C", "KXGAME-B-HOME", "KXOLD-X-Y"]
    assert tickers("to=2026-11-23T12:01:10Z") == ["KXGAME-A-HOME"]


def test_every_trade_is_on_one_page_and_in_the_csv(alice, account, second):
    for number in range(4):
        ticker = f"KXGAME-{number}"
        for each in (account, second):
            of_it = [
                fill(f"a{number}", ticker=ticker),
                fill(f"b{number}", ticker=ticker, side="no"),
            ]
            record(each, of_it if number else of_it[:1])
        imported(account, f"KXOLD-{number}", fingerprint=str(number))
    whole = alice.get("trades?account=all").json()["trades"]

    paged, cursor = [], ""
    while cursor is not None:
        page = alice.get(f"trades?account=all&limit=1{cursor and '&cursor=' + cursor}").json()
        paged += page["trades"]
        cursor = page["next"]

    assert len(whole) == 12
    assert paged == whole
    written = io.StringIO()
    call_command("export", "trades", format="json", stdout=written)
    assert json.loads(written.getvalue()) == whole
    lines = alice.get("trades?account=all&format=csv").getvalue().decode().splitlines()
    assert lines[0] == ",".join(whole[0])
    assert len(lines) == 13


def test_open_trade_is_worth_what_its_position_is(alice, account):
    trade_records(account)
    market = Market.objects.get(ticker="KXRAIN-C")
    position = {
        "account": account,
        "market": market,
        "exposure": 4,
        "realized_pnl": 0,
        "fees_paid": "0.17",
        "mark": "0.5",
        "mark_source": "bid",
        "market_value": 5,
        "unrealized_pnl": 1,
        "payout": 10,
        "seq": 1,
        "updated_at": NOON,
    }
    Position.objects.create(quantity=-10, **position)

    assert alice.get("trades").json()["trades"][0]["net_pnl"] == "0.83"

    # As one of the two that is told of a fill first.
    Position.objects.update(quantity=-11)
    assert alice.get("trades").json()["trades"][0]["net_pnl"] is None


def test_statistics_add_up_closed_trades_of_both_sources(alice, account):
    trade_records(account)
    imported(account)

    told = alice.get("statistics").json()

    total = told["total"]
    assert (told["account_id"], told["environment"], told["groups"]) == (account.pk, "demo", [])
    # - 0.83 + 5.83 + 5.9
    assert (total["trades"], total["wins"], total["losses"], total["net_pnl"]) == (3, 2, 1, "10.9")
    assert (total["gross_loss"], total["fees_paid"], total["win_rate"]) == (
        "0.83",
        "0.6",
        "0.666667",
    )
    # (60 + 90 + 3600) / 3
    assert total["average_holding_seconds"] == "1250"
    assert total["entry_brier"] == "0.36"
    assert total["time_weighted_return"] is None
    assert total["max_drawdown"] is None
    assert set(total["reasons"]) == {
        "closing_line_value",
        "time_weighted_return",
        "money_weighted_return",
        "sharpe",
        "max_drawdown",
    }


@pytest.mark.parametrize(
    ("by", "keys"),
    [
        ("series", ["KXGAME", "KXOLD"]),
        ("event", ["KXGAME-A", "KXGAME-B", "KXOLD-X"]),
        ("side", ["yes"]),
        ("day", ["2026-11-22", "2026-11-23"]),
        ("week", ["2026-W47", "2026-W48"]),
        ("month", ["2026-11"]),
        ("weekday", ["Monday", "Sunday"]),
    ],
)
def test_groups_add_up_to_the_total(alice, account, by, keys):
    """The imported one closes at a quarter to midnight in New York, the day before."""
    trade_records(account)
    imported(account, seconds=-26100)

    told = alice.get(f"statistics?by={by}").json()

    assert [group["key"] for group in told["groups"]] == keys
    assert sum(group["trades"] for group in told["groups"]) == told["total"]["trades"] == 3
    assert sum(D(group["net_pnl"]) for group in told["groups"]) == D(told["total"]["net_pnl"])


def test_period_counts_what_was_closed_in_it(alice, account):
    trade_records(account)

    whole = alice.get("statistics?from=2026-11-23&to=2026-11-24").json()["total"]["trades"]
    first = alice.get("statistics?to=2026-11-23T12:01:00Z").json()["total"]["trades"]
    rest = alice.get("statistics?from=2026-11-23T12:01:00Z").json()["total"]["trades"]

    assert (whole, first, rest) == (2, 0, 2)


def test_database_adds_up_as_the_core_does(account):
    trade_records(account)
    Trade.objects.filter(market__ticker="KXGAME-A-HOME").update(closing_price=D("0.3712"))

    [(_, told)] = tally_reading.tallies([account.pk], "demo", Period()).items()

    rows = Trade.objects.filter(account=account)
    assert told == sum((tally_of(trade_of(row), row.closing_price) for row in rows), Tally())


def test_statistics_of_all_are_of_one_environment(alice, owner, account, second):
    trade_records(account)
    trade_records(second)
    elsewhere = make_account(owner, environment="production")
    Followed.objects.create(account=elsewhere, until=NOON)
    trade_records(elsewhere)

    assert alice.get("statistics?account=all").status_code == 422
    told = alice.get("statistics?account=all&environment=demo").json()
    assert (told["account_id"], told["total"]["trades"]) == (None, 4)
    told = alice.get("statistics?account=all&environment=production").json()
    assert told["total"]["trades"] == 2


@pytest.mark.parametrize("path", ["trades", "statistics"])
def test_others_see_nothing_of_it(charlie, account, path):
    trade_records(account)

    assert charlie.get(f"{path}?account={account.pk}").status_code == 404
    assert "KX" not in charlie.get(f"{path}?account=all").content.decode()


@pytest.mark.parametrize(
    "query", ["from=yesterday", "from=0001-01-01", "to=", "by=fortune", "account=x"]
)
def test_what_cannot_be_read_is_told(alice, query):
    assert alice.get(f"statistics?{query}").status_code == 422


def point(account, hours: float, value: str) -> None:
    EquityPoint.objects.create(
        account=account,
        at=NOON + timedelta(hours=hours),
        total_value=D(value),
        cash=D(value),
        positions_value=0,
    )


def test_returns_leave_transfers_out(alice, account):
    for hours, value in ((0, "100"), (1, "110"), (2, "160"), (3, "144")):
        point(account, hours, value)
    record_transfers(account, [transfer("d", "50", seconds=5400)])

    total = alice.get("statistics").json()["total"]

    # 1.1 x 1 x 0.9
    assert total["time_weighted_return"] == "-0.01"
    assert total["max_drawdown"] == {
        "amount": "16",
        "percent": "10",
        "from": "2026-11-23T14:00:00Z",
        "to": "2026-11-23T15:00:00Z",
        "recovered_at": None,
    }
    assert "money_weighted_return" in total["reasons"]


def test_point_that_lacks_a_position_is_no_loss(alice, account):
    """It had no mark for a moment."""
    for minute, value, net in ((0, "1000", D(1)), (1, "100", None), (2, "1000", D(1))):
        moment = at(minute * 60)
        points.add(account.pk, points.Valued(moment, D(value), D(value), D(0), None, {"M": net}))

    total = alice.get("statistics").json()["total"]

    assert (total["time_weighted_return"], total["max_drawdown"]["amount"]) == ("0", "0")


def test_position_that_never_has_a_price_keeps_no_return_from_being_told(alice, account):
    # The first was stored before it was noted.
    for minute, value in ((0, "1000"), (1, "1050"), (2, "1100")):
        moment = at(minute * 60)
        points.add(account.pk, points.Valued(moment, D(value), D(value), D(0), None, {"M": None}))
    EquityPoint.objects.filter(at=at(0)).update(unpriced_count=None)

    assert alice.get("statistics").json()["total"]["time_weighted_return"] == "0.1"


def test_nothing_is_said_of_an_end_at_which_a_position_has_no_price(alice, account):
    for minute, value, net in ((0, "1000", D(1)), (1, "1100", D(1)), (17, "100", None)):
        moment = at(minute * 60)
        points.add(account.pk, points.Valued(moment, D(value), D(value), D(0), None, {"M": net}))

    whole = alice.get("statistics").json()["total"]
    before = alice.get("statistics?to=2026-11-23T12:10:00Z").json()["total"]

    assert whole["time_weighted_return"] is None
    assert "no price that had one" in whole["reasons"]["time_weighted_return"]
    assert before["time_weighted_return"] == "0.1"


def test_period_of_returns_begins_with_the_point_just_before_it(alice, account):
    for hours, value in ((0, "100"), (1, "110"), (1.1, "121"), (2, "133.1")):
        point(account, hours, value)

    def told(query: str) -> str:
        return alice.get(f"statistics?{query}").json()["total"]["time_weighted_return"]

    assert told("from=2026-11-23T13:01:00Z") == "0.21"
    assert told("from=2026-11-23T13:30:00Z&to=2026-11-23T14:00:00Z") is None
    assert told("from=2026-11-23T13:20:00Z") == "0.1"


def test_returns_of_all_are_those_of_the_sum(alice, account, second):
    for hours, one, other in ((0, "100", "300"), (1, "110", "330"), (2, "60", "434")):
        point(account, hours, one)
        point(second, hours + 0.01, other)
    # From the one to the other, told a minute apart.
    record_transfers(account, [transfer("o", "-50", kind="withdrawal", seconds=5400)])
    record_transfers(second, [transfer("i", "50", seconds=7230)])

    told = alice.get("statistics?account=all&environment=demo").json()["total"]

    # 440 / 400, then 494 / 440
    assert told["time_weighted_return"] == "0.235"


def test_plans_of_the_lists_are_on_an_index(account):
    closed_trades(account, 1_000)
    rows = Trade.objects.filter(account=account)
    with connection.cursor() as cursor:
        # Of what the planner knows from elsewhere it may think any index the best.
        cursor.execute("ANALYZE ledger_trade")
        by_close = rows.filter(closed_at__lt=NOON).order_by("-closed_at", "-pk")[:100].explain()
        still_open = rows.filter(closed_at=None).explain()

    assert "trade_by_close" in by_close
    assert "Sort" not in by_close
    assert "trade_open" in still_open


@pytest.mark.parametrize(
    ("days", "step"), [(7, None), (8, timedelta(minutes=15)), (93, timedelta(hours=1))]
)
def test_of_long_periods_the_last_point_of_each_step_counts(account, days, step):
    """The first and the last point always do."""
    begin = NOON - timedelta(days=days)
    rows = [
        EquityPoint(account=account, at=at, total_value=number, cash=number, positions_value=0)
        for number, at in enumerate(
            [begin + timedelta(minutes=minutes) for minutes in range(1, 150)] + [NOON]
        )
    ]
    EquityPoint.objects.bulk_create(rows)

    told = [point.at for point in return_reading._points(account.pk, Period())]

    if step is None:
        assert told == [row.at for row in rows]
    else:
        last_of_each = {(row.at - begin) // step: row.at for row in rows}
        assert told == sorted({rows[0].at, *last_of_each.values()})


def test_of_a_long_period_points_stand_at_midnight_where_hours_are_not_utcs(account, settings):
    settings.TRADING_DAY_TIMEZONE = zone = ZoneInfo("Asia/Kolkata")
    rows = [
        # A minute before each half hour of UTC; some days go up, some down.
        EquityPoint(
            account=account,
            at=NOON - timedelta(minutes=30 * number + 1),
            total_value=1000 + number // 48 % 3,
            cash=1000,
            positions_value=0,
        )
        for number in range(100 * 48)
    ]
    EquityPoint.objects.bulk_create(rows)

    assert return_reading.read([account.pk], Period()).sharpe is not None
    told = {
        point.at.astimezone(zone).time() for point in return_reading._points(account.pk, Period())
    }
    assert time(23, 59) in told


@pytest.mark.parametrize("is_followed", [True, False], ids=["being read", "not begun"])
def test_nothing_is_said_until_the_past_is_read(alice, account, is_followed):
    trade_records(account)
    if is_followed:
        Hole.objects.create(account=account, until=at(0), opened_until=at(0), opened_at=at(0))
    else:
        Followed.objects.all().delete()

    total = alice.get("statistics").json()["total"]

    assert {value for name, value in total.items() if name != "reasons"} == {None}
    assert set(total["reasons"].values()) == {"Older records are still being read."}


def test_trades_are_not_summed_up_over_what_cannot_be_read(alice, account):
    trade_records(account)
    for hours, value in ((0, "100"), (1, "110")):
        point(account, hours, value)
    holes.give_up(account.pk, at(-60), at(60), "fill T: fee_cost is null", at(60), is_named=True)

    whole = alice.get("statistics").json()["total"]
    later = alice.get("statistics?from=2026-11-23T12:01:00Z").json()["total"]

    assert (whole["net_pnl"], whole["trades"]) == (None, None)
    assert whole["reasons"]["net_pnl"].startswith("Some records of this period can’t be read")
    assert whole["time_weighted_return"] == "0.1"
    assert later["trades"] is not None


def test_deposit_that_cannot_be_read_hides_no_trade(alice, account):
    trade_records(account)
    holes.give_up(account.pk, None, at(60), "payment 1: amount", at(60), is_named=True)

    assert alice.get("statistics").json()["total"]["trades"] is not None
