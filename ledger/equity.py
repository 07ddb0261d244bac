"""
What an account was worth over time, or several added up, in as many points as can be drawn.

Of one account the points between the ends and the extremes are looked up by index, one for each
stretch of time. Of several a sum is there where all have a point in the same minute, or in the same
quarter hour of a longer time, as old points are thinned to that.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from django.db import connection
from django.db.models import QuerySet

from ledger import models
from ledger.periods import Period
from ledger.thinning import GAP, shown, stretches
from positions.pnl import ZERO

MINUTE, QUARTER = timedelta(minutes=1), timedelta(minutes=15)
# Of more time than this sums are made by the quarter hour.
_BY_THE_MINUTE = timedelta(days=2)
FIGURES = ("total_value", "cash", "positions_value", "collateral_returned")
_TABLE = models.EquityPoint._meta.db_table
_OPEN = {"since": "-infinity", "until": "infinity"}


@dataclass(frozen=True, slots=True)
class Worth:
    """What an account was worth at an instant, or several; `net_transfers` since the one before."""

    at: datetime
    total_value: Decimal
    cash: Decimal
    positions_value: Decimal
    collateral_returned: Decimal | None
    net_transfers: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Gap:
    """More than three minutes without a point."""

    since: datetime
    until: datetime


_GAPS = f"""
    SELECT before, at FROM (
        SELECT at, is_after_thinned, lag(at) OVER (ORDER BY at) AS before
        FROM {_TABLE}
        WHERE account_id = %(account)s AND at >= %(first)s AND at < %(until)s
    ) AS point
    WHERE at - before > %(gap)s * interval '1 s' AND NOT is_after_thinned
    ORDER BY at
"""  # noqa: S608  # names of tables and columns, all from our own models

_STRETCHES = f"""
    SELECT point.* FROM unnest(%(ends)s::timestamptz[]) AS ending(at)
    JOIN LATERAL (
        SELECT at, {", ".join(FIGURES)} FROM {_TABLE}
        WHERE account_id = %(account)s AND at >= %(first)s AND at < ending.at
        ORDER BY at DESC LIMIT 1
    ) AS point ON true
"""  # noqa: S608  # as above

# Of each stretch of time the last point of each account, then those of all added up.
_SUMS = f"""
    SELECT max(at), count(*), {", ".join(f"sum({name})" for name in FIGURES[:3])},
           CASE WHEN count({FIGURES[3]}) = count(*) THEN sum({FIGURES[3]}) END,
           array_agg(account_id)
    FROM (
        SELECT DISTINCT ON (stretch, account_id)
            floor(extract(epoch FROM at) / %(grain)s) AS stretch, account_id, at,
            {", ".join(FIGURES)}
        FROM {_TABLE}
        WHERE account_id = ANY(%(accounts)s) AND at >= %(first)s AND at < %(until)s
        ORDER BY stretch, account_id, at DESC
    ) AS point
    GROUP BY stretch ORDER BY stretch
"""  # noqa: S608  # as above


def of_account(account_id: int, period: Period, most: int) -> list[Worth]:
    """At most so many points of one account, two at least, oldest first."""
    points = within(account_id, period)
    found = _worths(points.order_by("at")[: most + 1])
    if len(found) > most:
        found = _thinned(account_id, points, most)
    return _with_transfers(found, _transfers([account_id], found))


def of_all(account_ids: Sequence[int], period: Period, most: int) -> list[Worth]:
    """
    At most so many points of several accounts' sum, oldest first.

    Where an account begins, what it was worth then came in.
    """
    ends = _ends(account_ids, period)
    if ends is None:
        return []
    first, last = ends
    begun = _beginnings(account_ids)
    grain = MINUTE if last - first <= _BY_THE_MINUTE else QUARTER
    summed = list(_sums(account_ids, period, first, grain, begun))
    found = shown(summed, most)
    came = [(at, value) for at, value in begun.values() if found and at > found[0].at] + _transfers(
        account_ids, found
    )
    return _with_transfers(found, sorted(came))


def gaps(account_ids: Iterable[int], period: Period, now: datetime) -> list[Gap]:
    """
    When there was no point of one of these accounts, oldest first, those that overlap as one.

    The last one may still go on.
    """
    found = sorted((gap for each in account_ids for gap in _gaps_of(each, period, now)), key=_since)
    met: list[Gap] = []
    for gap in found:
        if met and gap.since < met[-1].until:
            met[-1] = Gap(met[-1].since, max(met[-1].until, gap.until))
        else:
            met.append(gap)
    return met


def _gaps_of(account_id: int, period: Period, now: datetime) -> Iterator[Gap]:
    points = models.EquityPoint.objects.filter(account_id=account_id)
    times = points.values_list("at", flat=True)
    first, last = period.since, min(period.until or now, now)
    if first is not None:
        # A gap may have begun before.
        first = times.filter(at__lt=first).order_by("-at").first() or first
    until = times.filter(at__gte=last).order_by("at").first()
    with connection.cursor() as cursor:
        cursor.execute(
            _GAPS,
            {
                "account": account_id,
                "first": first or _OPEN["since"],
                "until": last if until is None else until + timedelta(microseconds=1),
                "gap": GAP.total_seconds(),
            },
        )
        yield from (Gap(*row) for row in cursor.fetchall())
    newest = times.filter(at__lt=last).order_by("-at").first()
    if until is None and newest is not None and last - newest > GAP:
        yield Gap(newest, last)


def _thinned(account_id: int, points: QuerySet[models.EquityPoint], most: int) -> list[Worth]:
    must = [
        *_worths(points.order_by("at")[:1]),
        *_worths(points.order_by("-at")[:1]),
        *_worths(points.order_by("total_value", "at")[:1]),
        *_worths(points.order_by("-total_value", "at")[:1]),
    ][:most]
    chosen = {each.at: each for each in must}
    first, last = must[0].at, must[1].at
    with connection.cursor() as cursor:
        cursor.execute(
            _STRETCHES,
            {
                "account": account_id,
                "first": first,
                "ends": stretches(first, last, most - len(chosen)),
            },
        )
        for row in cursor.fetchall():
            chosen[row[0]] = Worth(*row)
    return [chosen[at] for at in sorted(chosen)]


def _sums(
    account_ids: Sequence[int],
    period: Period,
    first: datetime,
    grain: timedelta,
    begun: dict[int, tuple[datetime, Decimal]],
) -> Iterator[Worth]:
    with connection.cursor() as cursor:
        cursor.execute(
            _SUMS,
            {
                "accounts": list(account_ids),
                "first": first,
                "until": period.until or _OPEN["until"],
                "grain": grain.total_seconds(),
            },
        )
        for at, count, *figures, there in cursor.fetchall():
            # Of the accounts that had begun by then all must be known.
            if count == len({each for each, (since, _) in begun.items() if since <= at} | {*there}):
                yield Worth(at, *figures)


def within(account_id: int, period: Period) -> QuerySet[models.EquityPoint]:
    """The stored points of one account."""
    rows = models.EquityPoint.objects.filter(account_id=account_id)
    if period.since is not None:
        rows = rows.filter(at__gte=period.since)
    if period.until is not None:
        rows = rows.filter(at__lt=period.until)
    return rows


def _worths(rows: QuerySet[models.EquityPoint]) -> list[Worth]:
    return [
        Worth(row.at, row.total_value, row.cash, row.positions_value, row.collateral_returned)
        for row in rows.defer("nets")
    ]


def _ends(account_ids: Sequence[int], period: Period) -> tuple[datetime, datetime] | None:
    times: list[datetime] = []
    for each in account_ids:
        of = within(each, period).values_list("at", flat=True)
        times += [*of.order_by("at")[:1], *of.order_by("-at")[:1]]
    return (min(times), max(times)) if times else None


def _beginnings(account_ids: Sequence[int]) -> dict[int, tuple[datetime, Decimal]]:
    """When each account had its first point, and what it was worth then."""
    found = {}
    for each in account_ids:
        row = models.EquityPoint.objects.filter(account_id=each).order_by("at").first()
        if row:
            found[each] = (row.at, row.total_value)
    return found


def _transfers(
    account_ids: Sequence[int], points: Sequence[Worth]
) -> list[tuple[datetime, Decimal]]:
    if not points:
        return []
    rows = models.Transfer.objects.filter(
        account_id__in=account_ids, at__gt=points[0].at, at__lte=points[-1].at
    ).exclude(cash_flow=0)
    # What an account moved before its first point here is in what it began with.
    begun = _beginnings(account_ids) if len(account_ids) > 1 else {}
    return [
        (at, flow)
        for account_id, at, flow in rows.order_by("at").values_list("account_id", "at", "cash_flow")
        if account_id not in begun or at > begun[account_id][0]
    ]


def _with_transfers(
    points: Sequence[Worth], flows: Sequence[tuple[datetime, Decimal]]
) -> list[Worth]:
    times = [at for at, _ in flows]
    found = list(points[:1])
    for before, after in pairwise(points):
        between = flows[bisect_right(times, before.at) : bisect_right(times, after.at)]
        found.append(replace(after, net_transfers=sum((flow for _, flow in between), ZERO)))
    return found


def _since(gap: Gap) -> datetime:
    return gap.since
