import csv
import io
from decimal import Decimal

import pytest

from accounts.models import Account
from ledger import models
from tests.integration.ledger.kept import at, point, transfer
from tests.integration.visitors import make_account

pytestmark = pytest.mark.django_db

MINUTE, HOUR, DAY = 60, 3600, 86400
A_DAY = "from=2025-06-02&to=2025-06-03"


def points(account: Account, seconds, value=lambda second: 100) -> None:
    """Points at these seconds."""
    models.EquityPoint.objects.bulk_create(
        models.EquityPoint(
            account=account,
            at=at(second),
            total_value=Decimal(value(second)),
            cash=Decimal(value(second)) - 40,
            positions_value=Decimal(40),
            collateral_returned=Decimal(0),
        )
        for second in seconds
    )


def values(answer) -> list[str]:
    return [point["total_value"] for point in answer.json()["points"]]


def gaps(answer) -> list[tuple[str, str]]:
    return [(gap["from"], gap["to"]) for gap in answer.json()["gaps"]]


def test_points_come_oldest_first_with_what_came_in_since_the_one_before(alice, account):
    transfer(account, -10, "5")
    point(account, 0, "100", cash="60")
    transfer(account, 30, "50")
    transfer(account, 40, "-20", "withdrawal")
    point(account, 60, "131", cash="90")
    point(account, 120, "130.5", cash="90")

    answer = alice.get(f"equity?{A_DAY}")

    assert answer.json()["account_id"] == account.pk
    assert answer.json()["points"] == [
        {
            "at": f"2025-06-02T04:0{minute}:00Z",
            "total_value": total,
            "cash": cash,
            "positions_value": positions,
            "collateral_returned": "0",
            "net_transfers": flow,
        }
        for minute, total, cash, positions, flow in [
            (0, "100", "60", "40", "0"),
            (1, "131", "90", "41", "30"),
            (2, "130.5", "90", "40.5", "0"),
        ]
    ]


def test_of_many_points_both_ends_and_both_extremes_are_among_those_shown(alice, account):
    special = {333 * MINUTE: 7, 777 * MINUTE: 1234}
    points(account, range(0, DAY, MINUTE), lambda second: special.get(second, 100 + second % 7))
    transfer(account, 10 * HOUR, "50")

    answer = alice.get(f"equity?{A_DAY}&points=40")

    shown = answer.json()["points"]
    assert 30 < len(shown) <= 40
    assert (shown[0]["at"], shown[-1]["at"]) == ("2025-06-02T04:00:00Z", "2025-06-03T03:59:00Z")
    assert {"7", "1234"} <= set(values(answer))
    assert [each["at"] for each in shown] == sorted(each["at"] for each in shown)
    assert sum(Decimal(each["net_transfers"]) for each in shown) == 50


@pytest.mark.parametrize("most", [2, 3, 4, 5])
def test_very_few_points_are_the_ends_first(alice, account, most):
    points(account, range(0, HOUR, MINUTE))

    shown = alice.get(f"equity?{A_DAY}&points={most}").json()["points"]

    assert len(shown) <= most
    assert (shown[0]["at"], shown[-1]["at"]) == ("2025-06-02T04:00:00Z", "2025-06-02T04:59:00Z")


def test_more_than_three_minutes_without_a_point_are_a_gap(alice, account):
    points(account, [-60, 0, 60, 240, 300, 481, DAY - 60, DAY])

    assert gaps(alice.get(f"equity?{A_DAY}")) == [
        ("2025-06-02T04:05:00Z", "2025-06-02T04:08:01Z"),
        ("2025-06-02T04:08:01Z", "2025-06-03T03:59:00Z"),
    ]


def test_gaps_that_began_before_or_still_go_on_are_told(alice, account):
    points(account, [-HOUR, HOUR, HOUR + 60])

    assert gaps(alice.get(f"equity?{A_DAY}")) == [
        ("2025-06-02T03:00:00Z", "2025-06-02T05:00:00Z"),
        ("2025-06-02T05:01:00Z", "2025-06-03T04:00:00Z"),
    ]


def test_thinned_points_are_no_gap(alice, account):
    points(account, [0, 900, 1800, 2700])
    models.EquityPoint.objects.filter(at__gt=at(0), at__lt=at(2700)).update(is_after_thinned=True)

    assert gaps(alice.get("equity?from=2025-06-02&to=2025-06-02T04:46:00Z")) == [
        ("2025-06-02T04:30:00Z", "2025-06-02T04:45:00Z")
    ]


def test_two_accounts_are_added_up_where_both_are_known(alice, account, second):
    points(account, [5, 65, 125, 185])
    points(second, [20, 80, 200], lambda _: 50)
    make_account(account.owner, environment="production")

    answer = alice.get(f"equity?{A_DAY}&account=all&environment=demo")

    assert values(answer) == ["150", "150", "150"]
    assert [each["at"] for each in answer.json()["points"]] == [
        "2025-06-02T04:00:20Z",
        "2025-06-02T04:01:20Z",
        "2025-06-02T04:03:20Z",
    ]
    assert answer.json()["account_id"] is None
    assert alice.get("equity?account=all").status_code == 422


def test_an_account_that_begins_later_came_in_with_what_it_was_worth(alice, account, second):
    points(account, [0, 60, 120, 180])
    transfer(second, 100, "10")
    points(second, [125, 185], lambda _: 50)
    transfer(second, 150, "7")

    answer = alice.get(f"equity?{A_DAY}&account=all")

    assert values(answer) == ["100", "100", "150", "150"]
    assert [each["net_transfers"] for each in answer.json()["points"]] == ["0", "0", "50", "7"]


def test_a_move_between_two_accounts_is_none_for_their_sum(alice, account, second):
    points(account, [0, 60])
    points(second, [0, 60])
    transfer(account, 30, "-25", "subaccount")
    transfer(second, 30, "25", "subaccount")

    flows = alice.get(f"equity?{A_DAY}&account=all").json()["points"]

    assert [each["net_transfers"] for each in flows] == ["0", "0"]


def test_what_is_unknown_for_one_account_is_unknown_for_the_sum(alice, account, second):
    points(account, [0])
    points(second, [0])
    models.EquityPoint.objects.filter(account=second).update(collateral_returned=None)

    [shown] = alice.get(f"equity?{A_DAY}&account=all").json()["points"]

    assert shown["collateral_returned"] is None


def test_of_a_long_time_sums_are_made_by_the_quarter_hour(alice, account, second):
    points(account, range(0, 9 * DAY, 900))
    points(second, range(60, 9 * DAY, 900))

    answer = alice.get("equity?from=2025-06-02&account=all&points=1000")

    assert len(values(answer)) == 9 * 96
    assert set(values(answer)) == {"200"}


def test_an_account_without_a_point_has_none_and_no_gap(alice, account):
    answer = alice.get("equity")

    assert (answer.json()["points"], answer.json()["gaps"]) == ([], [])
    assert alice.get("equity?account=all").json()["points"] == []


def test_as_csv_every_point_is_there_newest_first(alice, account):
    points(account, [0, 60, 120])
    transfer(account, 90, "50")

    answer = alice.get("equity?format=csv")

    lines = list(csv.DictReader(io.StringIO(b"".join(answer).decode())))
    assert [(line["at"], line["net_transfers"]) for line in lines] == [
        ("2025-06-02T04:02:00Z", "50"),
        ("2025-06-02T04:01:00Z", "0"),
        ("2025-06-02T04:00:00Z", "0"),
    ]
    assert lines[0]["account_id"] == str(account.pk)


def test_as_csv_points_of_one_environment_are_those_of_its_accounts(alice, account):
    real = make_account(account.owner, environment="production")
    points(account, [0])
    points(real, [60])

    answer = alice.get("equity?format=csv&account=all&environment=production")
    nowhere = alice.get("equity?format=csv&account=all&environment=nowhere")

    lines = list(csv.DictReader(io.StringIO(b"".join(answer).decode())))
    assert [line["account_id"] for line in lines] == [str(real.pk)]
    assert nowhere.status_code == 404


@pytest.mark.parametrize("query", ["points=1", "points=5001", "points=x", "from=yesterday"])
def test_what_can_not_be_asked_is_refused(alice, account, query):
    assert alice.get(f"equity?{query}").status_code == 422


def test_points_of_others_are_not_there(charlie, account):
    assert charlie.get(f"equity?account={account.pk}").status_code == 404


def test_queries_are_as_many_however_many_points_there_are(
    alice, account, django_assert_max_num_queries
):
    points(account, range(0, DAY, MINUTE))

    with django_assert_max_num_queries(20):
        alice.get("equity?points=100")
