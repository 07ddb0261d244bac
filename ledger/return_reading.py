"""The returns of accounts, from their equity points and transfers."""

from collections.abc import Iterator, Sequence

from django.conf import settings

from ledger.models import EquityPoint, Transfer
from ledger.periods import Period
from ledger.returns import (
    BASELINE_AGE,
    Payment,
    Point,
    Returns,
    returns_of,
    summed,
    with_payments,
)

_PAGE = 10_000


def read(account_ids: Sequence[int], period: Period) -> Returns:
    """The returns of these accounts together, from the period's beginning to its end."""
    payments = {account_id: _payments(account_id, period) for account_id in account_ids}
    courses = [
        with_payments(_points(account_id, period), payments[account_id])
        for account_id in account_ids
    ]
    points = courses[0] if len(courses) == 1 else summed(courses)
    every = [payment for of_one in payments.values() for payment in of_one]
    return returns_of(points, every, settings.TRADING_DAY_TIMEZONE)


def _points(account_id: int, period: Period) -> Iterator[Point]:
    """
    The points of a period, oldest first, read by pages.

    It begins with the last one before it, if that stands for its beginning as for a day's.
    """
    rows = EquityPoint.objects.filter(account_id=account_id)
    since = period.since
    if since is not None:
        before = rows.filter(at__lt=since, at__gte=since - BASELINE_AGE).order_by("-at").first()
        rows = rows.filter(at__gte=before.at if before else since)
    if period.until is not None:
        rows = rows.filter(at__lt=period.until)
    ordered = rows.order_by("at").values_list("at", "total_value")
    page = list(ordered[:_PAGE])
    while page:
        for at, value in page:
            yield Point(at, value)
        page = list(ordered.filter(at__gt=page[-1][0])[:_PAGE]) if len(page) == _PAGE else []


def _payments(account_id: int, period: Period) -> list[Payment]:
    rows = Transfer.objects.filter(account_id=account_id).exclude(cash_flow=0)
    if period.since is not None:
        rows = rows.filter(at__gte=period.since - BASELINE_AGE)
    if period.until is not None:
        rows = rows.filter(at__lt=period.until)
    return [Payment(at, paid) for at, paid in rows.order_by("at").values_list("at", "cash_flow")]
