"""
What may be thinned, is: old equity points, and what was noticed of connections, markets and
reconciliations over a year ago.

Never what happened (fills, settlements, transfers), nor a point that a day begins or ends with, nor
the edges of a gap. A day at a time, each in a transaction of its own, so that nobody waits for it
and it can be broken off.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet

from accounts.models import Account
from ledger import holes, models
from ledger.periods import Period
from ledger.thinning import Stored, thinned

# Points older than the first are thinned to one in the second.
GRAINS = (
    (timedelta(days=7), timedelta(minutes=1)),
    (timedelta(days=30), timedelta(minutes=15)),
)
CHANGES_KEPT = timedelta(days=365)
_BATCH = 5_000
_DAY = timedelta(days=1)

# The days, in UTC, on which some stretch has more than one point.
_DAYS = f"""
    SELECT day FROM (
        SELECT date_trunc('day', at AT TIME ZONE 'UTC')::date AS day
        FROM {models.EquityPoint._meta.db_table}
        WHERE account_id = %(account)s AND at >= %(since)s AND at < %(until)s
        GROUP BY day, floor(extract(epoch FROM at) / %(grain)s)
        HAVING count(*) > 1
    ) AS full_stretch
    GROUP BY day ORDER BY day
"""  # noqa: S608  # names of tables, all from our own models


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many points of an account's day went, or would go."""

    account: Account
    day: date
    points: int


def prune_points(now: datetime, *, is_dry_run: bool) -> Iterator[Pruned]:
    """Thin the points of all accounts, a day at a time."""
    for account in Account.objects.order_by("pk"):
        for period, grain in _stages(now):
            for day in _days(account.pk, period, grain):
                count = _thin_day(account.pk, day, grain, is_dry_run=is_dry_run)
                if count:
                    yield Pruned(account, day, count)


def prune_changes(now: datetime, *, is_dry_run: bool) -> int:
    """Delete old changes of connections and markets, and reconciliations; how many."""
    return sum(
        _prune(model.objects.filter(at__lt=now - CHANGES_KEPT), is_dry_run=is_dry_run)
        for model in (models.ConnectionChange, models.MarketChange, models.Reconciliation)
    )


def _prune(old: QuerySet[Any], *, is_dry_run: bool) -> int:
    if is_dry_run:
        return old.count()
    count = 0
    while ids := list(old.values_list("pk", flat=True)[:_BATCH]):
        old.filter(pk__in=ids).delete()
        count += len(ids)
    return count


def _stages(now: datetime) -> Iterator[tuple[Period, timedelta]]:
    """Whole days each, the oldest and coarsest first."""
    since: datetime | None = None
    for age, grain in reversed(GRAINS):
        until = (now - age).replace(hour=0, minute=0, second=0, microsecond=0)
        yield Period(since, until), grain
        since = until


def _days(account_id: int, period: Period, grain: timedelta) -> list[date]:
    with connection.cursor() as cursor:
        cursor.execute(
            _DAYS,
            {
                "account": account_id,
                "since": period.since or "-infinity",
                "until": period.until,
                "grain": grain.total_seconds(),
            },
        )
        return [day for (day,) in cursor.fetchall()]


def _thin_day(account_id: int, day: date, grain: timedelta, *, is_dry_run: bool) -> int:
    start = datetime.fromisoformat(f"{day}T00:00:00+00:00")
    points = models.EquityPoint.objects.filter(account_id=account_id)
    before = _stored(points.filter(at__lt=start).order_by("-at")[:1])
    of_day = _stored(points.filter(at__gte=start, at__lt=start + _DAY).order_by("at"))
    after = _stored(points.filter(at__gte=start + _DAY).order_by("at")[:1])
    # With both neighbours, as the ends of what is thinned stay.
    result = thinned([*before, *of_day, *after], grain)
    if not is_dry_run:
        with transaction.atomic():
            holes.keep(account_id)
            points.filter(pk__in=result.after_dropped).update(is_after_thinned=True)
            # A day may have begun with one since it was read.
            points.filter(pk__in=result.dropped, is_baseline=False).delete()
    return len(result.dropped)


def _stored(rows: QuerySet[models.EquityPoint]) -> list[Stored]:
    # One with its nets may be what a day ended with before a night off.
    needed = ExpressionWrapper(Q(is_baseline=True) | Q(nets__isnull=False), BooleanField())
    found = rows.annotate(is_needed=needed)
    return [Stored(*row) for row in found.values_list("pk", "at", "is_needed", "is_after_thinned")]
