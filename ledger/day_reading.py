"""
The days of an account from its rows.

Today's is what its stream says, so that it is what the page shows; a past one is made of points.
Each costs some look-ups by index, however many points and records there are.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from django.conf import settings
from django.db import connection
from django.db.models import Sum

from accounts.models import Account
from ledger import holes, models
from ledger.days import STALE_AFTER, Day, Point, Records, baseline, day_between, parts_of
from ledger.periods import Period, day_at, day_of
from positions.models import AccountStream, Market, Position
from positions.pnl import ZERO

_POINTS = models.EquityPoint._meta.db_table
_FILLS = models.Fill._meta.db_table
_SETTLEMENTS = models.Settlement._meta.db_table

_POINT = "at, total_value + entered AS value, nets"
# A row for each day that has a point: its number, then its points, last before, first, last.
_ENDS = f"""
    SELECT day.number, before.*, first.*, last.*
    FROM unnest(%(since)s::timestamptz[], %(until)s::timestamptz[])
        WITH ORDINALITY AS day(since, until, number)
    JOIN LATERAL (
        SELECT {_POINT} FROM {_POINTS}
        WHERE account_id = %(account)s AND at >= day.since AND at < day.until
        ORDER BY at DESC LIMIT 1
    ) AS last ON true
    JOIN LATERAL (
        SELECT {_POINT} FROM {_POINTS}
        WHERE account_id = %(account)s AND at >= day.since AND at < day.until
        ORDER BY at LIMIT 1
    ) AS first ON true
    LEFT JOIN LATERAL (
        SELECT {_POINT} FROM {_POINTS}
        WHERE account_id = %(account)s AND at < day.since
            AND at >= day.since - %(stale)s * interval '1 s'
        ORDER BY at DESC LIMIT 1
    ) AS before ON true
    ORDER BY day.number
"""  # noqa: S608  # names of tables, all from our own models

# The last record of each market up to an instant.
_LAST = f"""
    SELECT market.ticker, record.quantity_after, record.realized_after - record.fees_after,
           record.at IS NULL
    FROM {Market._meta.db_table} AS market
    LEFT JOIN LATERAL (
        SELECT * FROM (
            (SELECT at, 0 AS place, quantity_after, realized_after, fees_after
             FROM {_FILLS}
             WHERE account_id = %(account)s AND market_id = market.id AND at <= %(at)s {{flat}}
             ORDER BY at DESC, trade_id DESC LIMIT 1)
            UNION ALL
            (SELECT at, 1, quantity_after, realized_after, fees_after
             FROM {_SETTLEMENTS}
             WHERE account_id = %(account)s AND market_id = market.id AND at <= %(at)s {{flat}}
             ORDER BY at DESC, id DESC LIMIT 1)
        ) AS found ORDER BY at DESC, place DESC LIMIT 1
    ) AS record ON true
    WHERE market.environment = %(environment)s AND market.ticker = ANY(%(tickers)s)
"""  # noqa: S608  # as above


def today(now: datetime) -> date:
    """The day of an instant, where trading days are reckoned."""
    return day_at(now, settings.TRADING_DAY_TIMEZONE)


def day(account: Account, on: date, now: datetime) -> Day | None:
    """One day of an account; None where nothing is known of it."""
    if on == today(now):
        return _today(account, now)
    found = _ends(account.pk, [_period(on)])
    if not found:
        return None
    _, opening, closing = found[0]
    return _between(account, opening, closing)


def has_begun(account_id: int, on: date) -> bool:
    """Whether an account has any point up to a day's end."""
    until = _period(on).until
    return models.EquityPoint.objects.filter(account_id=account_id, at__lt=until).exists()


def days_with_points(account_id: int, since: date | None, until: date, limit: int) -> list[date]:
    """The newest days of which something is stored, from `since` to before `until`."""
    points = models.EquityPoint.objects.filter(account_id=account_id)
    oldest = points.order_by("at").values_list("at", flat=True).first()
    if oldest is None:
        return []
    first = max(since or date.min, today(oldest))
    found: list[date] = []
    while until > first and len(found) < limit:
        # Of a long absence nothing is asked but where it began.
        start = _period(until).since
        last = points.filter(at__lt=start).order_by("-at").values_list("at", flat=True).first()
        if last is None or (until := today(last)) < first:
            break
        found.append(until)
    return found


def _today(account: Account, now: datetime) -> Day | None:
    stream = AccountStream.objects.filter(pk=account.pk).first()
    if stream is None or stream.day_pnl_since is None:
        return None
    period = _period(today(now))
    if period.since is None or stream.day_pnl_since < period.since - STALE_AFTER:
        # No worker has begun this day yet.
        return None
    row = models.EquityPoint.objects.filter(account=account, at=stream.day_pnl_since).first()
    if row is None:
        return None
    opening = Point(row.at, row.total_value + row.entered, _nets(row.nets))
    held = Position.objects.of(account.pk).open()
    rows = {position.market.ticker: position for position in held}
    closing = Point(
        max(stream.updated_at or row.at, row.at),
        stream.total_value if stream.total_value is not None else ZERO,
        {ticker: position.net_pnl for ticker, position in rows.items()},
    )
    found = _between(account, opening, closing)
    told = {ticker: position.day_pnl for ticker, position in rows.items()}
    markets = {part.ticker: part.amount for part in found.parts if part.ticker is not None}
    for ticker, amount in told.items():
        markets[ticker] = amount
    return replace(
        found,
        closing=stream.total_value,
        day_pnl=stream.day_pnl,
        parts=parts_of(stream.day_pnl, markets),
    )


def _between(account: Account, opening: Point, closing: Point) -> Day:
    tickers = {
        *(opening.nets or ()),
        *(closing.nets or ()),
        *_traded(account.pk, opening.at, closing.at),
    }
    flows = models.Transfer.objects.filter(account=account, at__gt=opening.at, at__lte=closing.at)
    return day_between(
        opening,
        closing,
        flows.aggregate(all=Sum("cash_flow"))["all"] or ZERO,
        _records(account, opening, tickers),
        _records(account, closing, tickers),
    )


def _traded(account_id: int, after: datetime, until: datetime) -> set[str]:
    tickers: set[str] = set()
    for rows in (models.Fill.objects, models.Settlement.objects):
        found = rows.filter(account_id=account_id, at__gt=after, at__lte=until)
        tickers.update(found.order_by().values_list("market__ticker", flat=True).distinct())
    return tickers


def _records(account: Account, point: Point, tickers: Collection[str]) -> dict[str, Records]:
    asked = set(tickers) - set(point.nets or ())
    if not asked:
        return {}
    never = None if holes.being_filled(account.pk).exists() else ZERO
    found: dict[str, Records] = {}
    held = set()
    for ticker, quantity, locked_in, is_untraded in _last(account, point.at, asked):
        if is_untraded:
            found[ticker] = Records(never)
        elif quantity is None or quantity:
            held.add(ticker)
        else:
            found[ticker] = Records(locked_in)
    if held:
        # Filled so short before the point that it did not know of it: flat in it, as before.
        for ticker, _, locked_in, is_untraded in _last(account, point.at, held, flat=True):
            found[ticker] = Records(never if is_untraded else locked_in, is_flat=False)
    return found


def _last(
    account: Account, at: datetime, tickers: Collection[str], *, flat: bool = False
) -> list[tuple[str, Decimal | None, Decimal | None, bool]]:
    with connection.cursor() as cursor:
        cursor.execute(
            _LAST.format(flat="AND quantity_after = 0" if flat else ""),
            {
                "account": account.pk,
                "environment": account.environment,
                "at": at,
                "tickers": list(tickers),
            },
        )
        return list(cursor.fetchall())


def _ends(account_id: int, periods: Sequence[Period]) -> list[tuple[int, Point, Point]]:
    """Of each period with a point: its number, and the points that it begins and ends with."""
    with connection.cursor() as cursor:
        cursor.execute(
            _ENDS,
            {
                "account": account_id,
                "since": [period.since for period in periods],
                "until": [period.until for period in periods],
                "stale": STALE_AFTER.total_seconds(),
            },
        )
        rows = cursor.fetchall()
    found = []
    for number, *values in rows:
        before, first, last = (_point(*values[at : at + 3]) for at in (0, 3, 6))
        since = periods[number - 1].since
        opening = since and baseline(before, first, since)
        if opening and last:
            found.append((number - 1, opening, last))
    return found


def _point(at: datetime | None, value: Decimal, nets: str | None) -> Point | None:
    if at is None:
        return None
    return Point(at, value, _nets(json.loads(nets) if isinstance(nets, str) else nets))


def _nets(stored: Mapping[str, str | None] | None) -> dict[str, Decimal | None] | None:
    if stored is None:
        return None
    return {ticker: None if net is None else Decimal(net) for ticker, net in stored.items()}


def _period(on: date) -> Period:
    return day_of(on, settings.TRADING_DAY_TIMEZONE)
