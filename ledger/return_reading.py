"""The returns of accounts, from their equity points and transfers."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Min, Q, QuerySet

from ledger.equity import within
from ledger.models import EquityPoint, Transfer
from ledger.periods import STALE_AFTER, Period, day_at, start_of
from ledger.returns import (
    NO_MARK,
    RETURNS,
    Payment,
    Point,
    Returns,
    returns_of,
    summed,
    with_payments,
)

_PAGE = 10_000
# Of a long period one point in each of these counts, the last: some 9,000 a season, or a year.
_QUARTER = timedelta(minutes=15)
_HOUR = timedelta(hours=1)
_WEEK = timedelta(days=7)
_SEASON = timedelta(days=92)
_POINTS = f"""
    SELECT point.at, point.total_value
    FROM (
        SELECT max(at) AS at
        FROM {EquityPoint._meta.db_table}
        WHERE account_id = %(account)s AND at > %(after)s AND at <= %(last)s
            AND coalesce(unpriced_count = %(fewest)s, true)
        GROUP BY date_bin(%(step)s::interval, at, %(origin)s)
    ) AS chosen
    JOIN {EquityPoint._meta.db_table} AS point
        ON point.account_id = %(account)s AND point.at = chosen.at
    ORDER BY point.at
"""  # noqa: S608  # the name of our own table


def read(account_ids: Sequence[int], period: Period) -> Returns:
    """The returns of these accounts together, from the period's beginning to its end."""
    payments = {account_id: _payments(account_id, period) for account_id in account_ids}
    fewest = {account_id: _fewest_unpriced(account_id, period) for account_id in account_ids}
    if any(_ends_partial(account_id, period, fewest[account_id]) for account_id in account_ids):
        return Returns(reasons=dict.fromkeys(RETURNS, NO_MARK))
    courses = [
        with_payments(_points(account_id, period, fewest[account_id]), payments[account_id])
        for account_id in account_ids
    ]
    points = courses[0] if len(courses) == 1 else summed(courses)
    every = [payment for of_one in payments.values() for payment in of_one]
    return returns_of(points, every, settings.TRADING_DAY_TIMEZONE)


def _ends_partial(account_id: int, period: Period, fewest: int | None) -> bool:
    """Whether a period's points end with such as lack more than others, for some time."""
    points = within(account_id, period).order_by("-at")
    last, comparable = points.first(), _comparable(points, fewest).first()
    return bool(last and comparable and last.at - comparable.at > STALE_AFTER)


def _fewest_unpriced(account_id: int, period: Period) -> int | None:
    counts = within(account_id, period).aggregate(fewest=Min("unpriced_count"))
    fewest: int | None = counts["fewest"]
    return fewest


def _comparable(points: QuerySet[EquityPoint], fewest: int | None) -> QuerySet[EquityPoint]:
    if fewest is None:
        return points
    return points.filter(Q(unpriced_count=None) | Q(unpriced_count=fewest))


def step_of(span: timedelta) -> timedelta | None:
    """How far apart the points are that count; None: all of them."""
    if span <= _WEEK:
        return None
    return _QUARTER if span <= _SEASON else _HOUR


def _points(account_id: int, period: Period, fewest: int | None = None) -> Iterator[Point]:
    """
    The points of a period, oldest first.

    It begins with the last one before it, if that stands for its beginning as for a day's. Points
    that lack more positions' worth than others are left out: they would be losses that are made
    good at once.

    Args:
        fewest: how many had no mark at least, at any point of the period.
    """
    rows = _comparable(EquityPoint.objects.filter(account_id=account_id), fewest)
    since = period.since
    if since is not None:
        before = rows.filter(at__lt=since, at__gte=since - STALE_AFTER).order_by("-at").first()
        rows = rows.filter(at__gte=before.at if before else since)
    if period.until is not None:
        rows = rows.filter(at__lt=period.until)
    first, last = rows.order_by("at").first(), rows.order_by("-at").first()
    if first is None or last is None:
        return
    yield Point(first.at, first.total_value)
    step, zone = step_of(last.at - first.at), settings.TRADING_DAY_TIMEZONE
    if step is not None:
        with connection.cursor() as cursor:
            cursor.execute(
                _POINTS,
                {
                    "account": account_id,
                    "step": f"{step.total_seconds():.0f} seconds",
                    # A stretch ends with the day, where hours begin at half of UTC's too.
                    "origin": start_of(day_at(last.at, zone), zone),
                    "fewest": fewest,
                    "after": first.at,
                    "last": last.at,
                },
            )
            for at, value in cursor.fetchall():
                yield Point(at, value)
        return
    rows = rows.filter(at__gt=first.at, at__lte=last.at).order_by("at")
    page = list(rows.values_list("at", "total_value")[:_PAGE])
    while page:
        for at, value in page:
            yield Point(at, value)
        after = rows.filter(at__gt=page[-1][0]).values_list("at", "total_value")
        page = list(after[:_PAGE]) if len(page) == _PAGE else []


def _payments(account_id: int, period: Period) -> list[Payment]:
    rows = Transfer.objects.filter(account_id=account_id).exclude(cash_flow=0)
    if period.since is not None:
        rows = rows.filter(at__gte=period.since - STALE_AFTER)
    if period.until is not None:
        rows = rows.filter(at__lt=period.until)
    return [Payment(at, paid) for at, paid in rows.order_by("at").values_list("at", "cash_flow")]
