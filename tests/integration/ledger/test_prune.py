from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.utils import timezone

from ledger import equity, models
from ledger.periods import Period
from tests.integration.ledger.kept import buy, noticed, settle, transfer

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def days_ago(days: int) -> datetime:
    """Midnight, in UTC, so many days ago."""
    today = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days)


def points(account, times, **fields) -> None:
    models.EquityPoint.objects.bulk_create(
        models.EquityPoint(
            account=account,
            at=each,
            total_value=Decimal(1),
            cash=Decimal(1),
            positions_value=Decimal(0),
            **fields,
        )
        for each in times
    )


def left(account, start: datetime) -> list[float]:
    """Minutes after `start` at which there are points on that day."""
    of_day = models.EquityPoint.objects.filter(
        account=account, at__gte=start, at__lt=start + timedelta(days=1)
    )
    return [(at - start) / MINUTE for at in of_day.order_by("at").values_list("at", flat=True)]


@pytest.fixture
def history(account) -> tuple[datetime, datetime, datetime]:
    """Two hours of a point every half minute, 40, 20 and 3 days ago."""
    starts = days_ago(40), days_ago(20), days_ago(3)
    for start in starts:
        points(account, [start + number * MINUTE / 2 for number in range(240)])
    return starts


def test_points_are_thinned_by_their_age(account, history, capsys):
    call_command("prune")

    # The last one edges what was off after it.
    assert left(account, history[0]) == [*range(0, 120, 15), 119.5]
    assert left(account, history[1]) == [*range(120), 119.5]
    assert len(left(account, history[2])) == 240
    assert "Deleted 350 points and 0 changes." in capsys.readouterr().out


def test_a_dry_run_says_it_and_leaves_everything(account, history, capsys):
    call_command("prune", "--dry-run")

    assert "Would delete 350 points" in capsys.readouterr().out
    assert models.EquityPoint.objects.count() == 720


def test_what_is_pruned_again_stays(account, history, capsys):
    call_command("prune")
    call_command("prune")

    assert "Deleted 0 points" in capsys.readouterr().out


def test_baselines_and_points_with_what_each_market_was_worth_stay(account):
    start = days_ago(40)
    points(account, [start + number * MINUTE for number in range(120)])
    models.EquityPoint.objects.filter(at=start + 7 * MINUTE).update(is_baseline=True)
    models.EquityPoint.objects.filter(at=start + 22 * MINUTE).update(nets={"M": "1"})

    call_command("prune")

    assert left(account, start) == [0, 7, 15, 22, *range(30, 120, 15), 119]


def test_gaps_are_the_same_before_and_after(account):
    start = days_ago(41)
    minutes = [*range(1435), *range(1445, 1500), *range(1504, 1530), *range(1900, 2880)]
    points(account, [start + number * MINUTE for number in minutes])
    period = Period(start, start + timedelta(days=2))
    before = equity.gaps([account.pk], period, timezone.now())

    call_command("prune")

    assert equity.gaps([account.pk], period, timezone.now()) == before
    assert len(before) == 3
    assert models.EquityPoint.objects.count() < 200


def test_what_was_noticed_goes_after_a_year(account):
    for days in (400, 366, 364):
        noticed(account, timezone.now() - timedelta(days=days), "E-M")

    call_command("prune")

    kinds = (models.ConnectionChange, models.MarketChange, models.Reconciliation)
    assert [model.objects.count() for model in kinds] == [1, 1, 1]


def test_what_happened_is_not_touched(account, history):
    buy(account, -9e8)
    settle(account, -8e8)
    transfer(account, -9e8, "50")

    call_command("prune")

    kept = (models.Fill, models.Settlement, models.Transfer)
    assert [model.objects.count() for model in kept] == [1, 1, 1]
