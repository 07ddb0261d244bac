import csv
import io
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from ledger import day_reading, models
from ledger.periods import day_at, start_of
from positions.models import AccountStream
from tests.integration.ledger.kept import at, buy, hole, point, settle, transfer
from tests.integration.streaming import rows
from tests.integration.visitors import make_account

pytestmark = pytest.mark.django_db

HOUR, DAY = 3600, 86400
NEW_YORK = ZoneInfo("America/New_York")


def parts(day: dict) -> dict:
    return {part["ticker"]: part["amount"] for part in day["parts"]}


def figures(day: dict) -> list:
    return [day[name] for name in ("opening", "closing", "net_transfers", "day_pnl")]


def test_a_day_of_a_partial_close_a_flip_a_payout_and_a_deposit(alice, account):
    # HELD: ten at 40¢ yesterday, four sold at 55¢ today, the rest worth 52¢ at the day's end:
    # 4×15 + 6×12 - 0.10 = 1.22; it was worth 45¢: 0.50 in all.
    buy(account, -HOUR, "HELD", "10", "0.40")
    buy(account, HOUR, "HELD", "4", "0.45", side="no", fee="0.10")
    # FLIP: five YES at 30¢ today, then eight NO at 60¢: five sold at 40¢, three NO held, worth 58¢:
    # 0.50 - 0.06 = 0.44.
    buy(account, HOUR, "FLIP", "5", "0.30")
    buy(account, 2 * HOUR, "FLIP", "8", "0.60", side="no")
    # PAID: two at 80¢ yesterday, worth 1.80 at the day's beginning; pays 2 today.
    buy(account, -2 * HOUR, "PAID", "2", "0.80")
    settle(account, 3 * HOUR, "PAID", "2", "1.6", revenue="2")
    transfer(account, 4 * HOUR, "50")
    point(account, -60, "100", {"HELD": "0.5", "PAID": "0.2"})
    # 0.72 of HELD, 0.44 of FLIP, 0.20 of PAID, 0.01 that nobody knows
    point(account, DAY - 30, "151.37", {"HELD": "1.22", "FLIP": "0.44"})

    day = alice.get("day?date=2025-06-02").json()

    assert figures(day) == ["100", "151.37", "50", "1.37"]
    assert parts(day) == {"HELD": "0.72", "FLIP": "0.44", "PAID": "0.2", None: "0.01"}
    assert [part["kind"] for part in day["parts"]] == ["market"] * 3 + ["unexplained"]
    assert (day["since"], day["until"]) == ("2025-06-02T03:59:00Z", "2025-06-03T03:59:30Z")
    assert day["account_id"] == account.pk


def test_a_market_closed_last_week_and_bought_again_counts_from_what_it_had_locked_in(
    alice, account
):
    buy(account, -7 * DAY, "M", "10", "0.40")
    buy(account, -6 * DAY, "M", "10", "0.75", side="no")  # sold at 25¢: lost 1.50
    point(account, -60, "100", {})
    buy(account, HOUR, "M", "10", "0.30", fee="0.20")
    point(account, DAY - 30, "100.80", {"M": "-0.7"})

    day = alice.get("day?date=2025-06-02").json()

    assert (day["day_pnl"], parts(day)) == ("0.8", {"M": "0.8"})


def test_a_fill_that_the_point_did_not_know_of_yet_belongs_to_the_day_after(alice, account):
    # Its frame was under way when the point was stored.
    buy(account, -60.05, "M", "10", "0.40")
    point(account, -60, "100", {})
    point(account, DAY - 30, "103", {"M": "3"})

    assert parts(alice.get("day?date=2025-06-02").json()) == {"M": "3"}


def test_after_a_night_off_the_day_begins_with_its_first_point(alice, account):
    point(account, 17 * HOUR, "100", {"M": "1"})
    point(account, 18 * HOUR, "101", {"M": "2"})
    point(account, DAY + 9 * HOUR, "105", {"M": "6"})
    point(account, DAY + 10 * HOUR, "104", {"M": "5"})

    days = alice.get("days").json()["days"]

    assert [(day["date"], *figures(day)) for day in days] == [
        ("2025-06-03", "105", "104", "0", "-1"),
        ("2025-06-02", "100", "101", "0", "1"),
    ]
    assert [parts(day) for day in days] == [{"M": "-1"}, {"M": "1"}]


def test_an_account_that_opens_in_mid_day_has_a_day_from_then_on(alice, account):
    buy(account, 13 * HOUR, "M", "10", "0.40")
    point(account, 12 * HOUR, "50", {})
    point(account, 14 * HOUR, "51", {"M": "1"})

    day = alice.get("day?date=2025-06-02").json()

    assert (day["since"], day["day_pnl"], parts(day)) == ("2025-06-02T16:00:00Z", "1", {"M": "1"})


def test_while_older_records_are_read_what_a_flat_market_had_made_is_not_known(alice, account):
    hole(account, None, 0)
    buy(account, 13 * HOUR, "M", "10", "0.40")
    point(account, 12 * HOUR, "50", {})
    point(account, 14 * HOUR, "51", {"M": "1"})

    day = alice.get("day?date=2025-06-02").json()

    assert (day["day_pnl"], parts(day)) == ("1", {"M": None, None: "1"})


def test_what_entered_a_baseline_at_its_first_mark_is_no_profit(alice, account):
    point(account, -60, "100", {"M": "0.25"}, entered="4.25")
    point(account, DAY - 30, "104.50", {"M": "0.50"})

    assert figures(alice.get("day?date=2025-06-02").json()) == ["104.25", "104.5", "0", "0.25"]


@pytest.mark.parametrize(
    ("on", "hours"), [("2025-03-09", 23), ("2025-11-02", 25)], ids=["spring", "autumn"]
)
def test_a_day_on_which_the_clocks_change_ends_at_midnight_all_the_same(alice, account, on, hours):
    start = datetime.fromisoformat(on).replace(tzinfo=NEW_YORK)
    seconds = (start - at(0)).total_seconds()
    point(account, seconds - 60, "100", {})
    point(account, seconds + hours * HOUR - 60, "107", {})
    point(account, seconds + hours * HOUR + 60, "1000", {})

    assert figures(alice.get(f"day?date={on}").json()) == ["100", "107", "0", "7"]


def test_a_day_of_which_nothing_is_known_has_no_figures(alice, account):
    point(account, 0, "100", {})

    day = alice.get("day?date=2025-05-01").json()

    assert figures(day) == [None] * 4
    assert (day["since"], day["parts"]) == (None, [])


def test_today_is_what_the_page_shows(alice, account):
    start = start_of(day_at(timezone.now(), NEW_YORK), NEW_YORK)
    baseline = start - timedelta(minutes=1)
    models.EquityPoint.objects.create(
        account=account,
        at=baseline,
        total_value=Decimal(100),
        cash=Decimal(100),
        positions_value=Decimal(0),
        nets={},
    )
    rows.Worker(account.pk).write({"M": "0.50"})
    account.positions.update(day_pnl=Decimal("0.5"))
    AccountStream.objects.filter(pk=account.pk).update(
        cash=Decimal("98.1"),
        positions_value=Decimal("2.5"),
        total_value=Decimal("100.6"),
        reconciled_at=timezone.now(),
        updated_at=timezone.now(),
        day_pnl=Decimal("0.6"),
        day_pnl_since=baseline,
    )

    models.EquityPoint.objects.create(
        account=account,
        at=timezone.now(),
        total_value=Decimal(99),
        cash=Decimal(99),
        positions_value=Decimal(0),
        nets={},
    )

    day = alice.get("day").json()
    listed = alice.get("days").json()["days"]

    assert figures(day) == ["100", "100.6", "0", "0.6"]
    assert parts(day) == {"M": "0.5", None: "0.1"}
    assert listed[0] == day


def test_today_without_a_worker_since_yesterday_is_not_known(alice, account):
    rows.Worker(account.pk).write({})
    AccountStream.objects.filter(pk=account.pk).update(
        day_pnl=Decimal(5), day_pnl_since=timezone.now() - timedelta(days=2)
    )

    assert figures(alice.get("day").json()) == [None] * 4


def test_accounts_of_one_environment_are_added_up(alice, account, second):
    make_account(account.owner, environment="production")
    for of, closing in ((account, "103"), (second, "99")):
        point(of, -60, "100", {"M": "0"})
        point(of, DAY - 30, closing, {"M": str(int(closing) - 100)})

    day = alice.get("day?date=2025-06-02&account=all&environment=demo").json()

    assert (day["account_id"], *figures(day)) == (None, "200", "202", "0", "2")
    assert parts(day) == {"M": "2"}
    assert alice.get("day?account=all").status_code == 422


def test_an_account_opened_later_takes_nothing_from_the_days_before(alice, account, second):
    point(account, -60, "100", {})
    point(account, DAY - 30, "103", {})
    point(second, 5 * DAY, "50", {})

    day = alice.get("day?date=2025-06-02&account=all").json()

    assert figures(day) == ["100", "103", "0", "3"]


def test_a_day_of_which_one_account_knows_nothing_is_unknown_for_all(alice, account, second):
    point(account, -60, "100", {})
    point(account, DAY - 30, "103", {})
    point(second, -5 * DAY, "50", {})

    assert figures(alice.get("day?date=2025-06-02&account=all").json()) == [None] * 4


def test_days_come_by_pages_newest_first_of_all_accounts(alice, account, second):
    for number in range(5):
        point(account, number * DAY + HOUR, "100", {})
        point(second, number * DAY + HOUR, "100", {})

    seen, cursor = [], ""
    while cursor is not None:
        page = alice.get(
            f"days?account=all&limit=3&cursor={cursor}" if cursor else "days?account=all&limit=3"
        ).json()
        seen += [(day["date"], day["account_id"]) for day in page["days"]]
        cursor = page["next"]

    assert seen == sorted(
        ((f"2025-06-{2 + number:02}", of.pk) for number in range(5) for of in (account, second)),
        reverse=True,
    )


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("from=2025-06-03", "2025-06-06", "2025-06-03"),
        ("to=2025-06-03", "2025-06-02", "2025-06-02"),
        ("from=2025-06-03T04:00:01Z&to=2025-06-05T04:00:01Z", "2025-06-05", "2025-06-04"),
    ],
)
def test_days_of_a_period_are_those_that_begin_in_it(alice, account, query, first, last):
    for number in range(5):
        point(account, number * DAY + HOUR, "100", {})

    days = alice.get(f"days?{query}").json()["days"]

    assert (days[0]["date"], days[-1]["date"]) == (first, last)


def test_days_as_csv_are_without_their_parts(alice, account):
    point(account, -60, "100", {})
    point(account, DAY - 30, "103", {})

    answer = alice.get("days?format=csv&from=2025-06-02")

    lines = list(csv.DictReader(io.StringIO(b"".join(answer).decode())))
    assert [(line["date"], line["day_pnl"]) for line in lines] == [("2025-06-02", "3")]
    assert "parts" not in lines[0]


def test_years_without_a_point_cost_no_query_each(account, alice, django_assert_max_num_queries):
    point(account, -3000 * DAY, "100", {})
    point(account, HOUR, "100", {})

    with django_assert_max_num_queries(40):
        days = alice.get("days").json()["days"]

    assert len(days) == 2


@pytest.mark.parametrize("on", ["nonsense", "2025-02-30", "0001-01-01", "9999-12-31", "2025-6-2"])
def test_what_is_no_day_is_refused_in_words(alice, account, on):
    answer = alice.get(f"day?date={on}")

    assert answer.status_code == 422
    assert "2026-11-23" in answer.json()["error"]["message"]


def test_days_of_others_are_not_there(charlie, account):
    assert charlie.get(f"day?account={account.pk}").status_code == 404
    assert charlie.get(f"days?account={account.pk}").status_code == 404


def test_days_cost_the_same_however_many_there_are(alice, account, django_assert_max_num_queries):
    for number in range(12):
        # Some of them after an absence.
        point(account, number // 4 * 30 * DAY + number * DAY + HOUR, str(100 + number))

    with django_assert_max_num_queries(1):
        days = day_reading.days_with_points(account.pk, date(2025, 6, 3), date(2026, 1, 1), 20)

    assert days[0] == date(2025, 8, 12)
    assert (len(days), days[-1]) == (11, date(2025, 6, 3))
    assert days == sorted(days, reverse=True)
