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

from accounts.models import Account
from ledger import holes, models
from ledger.days import Day, Point, Records, baseline, day_between, net_of, parts_of
from ledger.periods import STALE_AFTER, Period, day_at, day_of
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

# The last point of each day that has one, newest first: of a long absence nothing is looked at.
_DAYS = f"""
    WITH RECURSIVE day AS (
        (SELECT at FROM {_POINTS}
         WHERE account_id = %(account)s AND at >= %(since)s AND at < %(until)s
         ORDER BY at DESC LIMIT 1)
        UNION ALL
        SELECT before.at FROM day
        JOIN LATERAL (
            SELECT at FROM {_POINTS}
            WHERE account_id = %(account)s AND at >= %(since)s
                AND at < date_trunc('day', day.at, %(zone)s)
            ORDER BY at DESC LIMIT 1
        ) AS before ON true
    )
    SELECT at FROM day LIMIT %(limit)s
"""  # noqa: S608  # as above

# The last record of markets up to instants, in the order they are asked for.
_LAST = f"""
    SELECT asked.number, market.ticker, record.quantity_after,
           record.realized_after - record.fees_after, record.at IS NULL
    FROM unnest(%(numbers)s::int[], %(at)s::timestamptz[], %(tickers)s::text[])
        AS asked(number, at, ticker)
    JOIN {Market._meta.db_table} AS market
        ON market.environment = %(environment)s AND market.ticker = asked.ticker
    LEFT JOIN LATERAL (
        SELECT * FROM (
            (SELECT at, 0 AS place, quantity_after, realized_after, fees_after
             FROM {_FILLS}
             WHERE account_id = %(account)s AND market_id = market.id AND at <= asked.at {{flat}}
             ORDER BY at DESC, trade_id DESC LIMIT 1)
            UNION ALL
            (SELECT at, 1, quantity_after, realized_after, fees_after
             FROM {_SETTLEMENTS}
             WHERE account_id = %(account)s AND market_id = market.id AND at <= asked.at {{flat}}
             ORDER BY at DESC, id DESC LIMIT 1)
        ) AS found ORDER BY at DESC, place DESC LIMIT 1
    ) AS record ON true
"""  # noqa: S608  # as above

# What was traded, and what came in, between two instants.
_BETWEEN = f"""
    SELECT
        (SELECT array_agg(market.ticker) FROM (
            SELECT market_id FROM {_FILLS}
            WHERE account_id = %(account)s AND at > span.since AND at <= span.until
            UNION
            SELECT market_id FROM {_SETTLEMENTS}
            WHERE account_id = %(account)s AND at > span.since AND at <= span.until
        ) AS traded JOIN {Market._meta.db_table} AS market ON market.id = traded.market_id),
        (SELECT coalesce(sum(cash_flow), 0) FROM {models.Transfer._meta.db_table}
         WHERE account_id = %(account)s AND at > span.since AND at <= span.until)
    FROM unnest(%(since)s::timestamptz[], %(until)s::timestamptz[])
        WITH ORDINALITY AS span(since, until, number)
    ORDER BY span.number
"""  # noqa: S608  # as above


def today(now: datetime) -> date:
    """The day of an instant, where trading days are reckoned."""
    return day_at(now, settings.TRADING_DAY_TIMEZONE)


def day(account: Account, on: date, now: datetime) -> Day | None:
    """One day of an account; None where nothing is known of it."""
    return days(account, [on], now)[0]


def days(account: Account, dates: Sequence[date], now: datetime) -> list[Day | None]:
    """Days of an account, in as many queries as one; None for those of which nothing is known."""
    ends = _ends(account.pk, [_period(on) for on in dates])
    numbers = [number for number in ends if dates[number] != today(now)]
    past = dict(zip(numbers, _between(account, [ends[each] for each in numbers]), strict=True))
    return [
        _today(account, now) if on == today(now) else past.get(number)
        for number, on in enumerate(dates)
    ]


def has_begun(account_id: int, on: date) -> bool:
    """Whether an account has any point up to a day's end."""
    until = _period(on).until
    return models.EquityPoint.objects.filter(account_id=account_id, at__lt=until).exists()


def days_with_points(account_id: int, since: date | None, until: date, limit: int) -> list[date]:
    """The newest days of which something is stored, from `since` to before `until`."""
    first = None if since is None else _period(since).since
    with connection.cursor() as cursor:
        cursor.execute(
            _DAYS,
            {
                "account": account_id,
                "since": first or "-infinity",
                "until": _period(until).since,
                "zone": str(settings.TRADING_DAY_TIMEZONE),
                "limit": limit,
            },
        )
        return [today(at) for (at,) in cursor.fetchall()]


def net_at(account: Account, ticker: str, at: datetime) -> Decimal | None:
    """
    What a market had brought when a day began with a stored point of this instant.

    Returns:
        Realized and unrealized P&L less fees; 0 if it was never traded before, None if that is not
        known.
    """
    point = _stored(account, at)
    if point is None:
        return None
    [records] = _records(account, [point], [[ticker]])
    return net_of(ticker, point, records)


def _stored(account: Account, at: datetime) -> Point | None:
    row = models.EquityPoint.objects.filter(account=account, at=at).first()
    if row is None:
        return None
    return Point(row.at, row.total_value + row.entered, _nets(row.nets))


def _today(account: Account, now: datetime) -> Day | None:
    stream = AccountStream.objects.filter(pk=account.pk).first()
    if stream is None or stream.day_pnl_since is None:
        return None
    period = _period(today(now))
    if period.since is None or stream.day_pnl_since < period.since - STALE_AFTER:
        # No worker has begun this day yet.
        return None
    opening = _stored(account, stream.day_pnl_since)
    if opening is None:
        return None
    held = Position.objects.of(account.pk).open()
    rows = {position.market.ticker: position for position in held}
    closing = Point(
        max(stream.updated_at or opening.at, opening.at),
        stream.total_value if stream.total_value is not None else ZERO,
        {ticker: position.net_pnl for ticker, position in rows.items()},
    )
    [found] = _between(account, [(opening, closing)])
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


def _between(account: Account, spans: Sequence[tuple[Point, Point]]) -> list[Day]:
    if not spans:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _BETWEEN,
            {
                "account": account.pk,
                "since": [opening.at for opening, _ in spans],
                "until": [closing.at for _, closing in spans],
            },
        )
        happened = cursor.fetchall()
    asked = [
        {*(opening.nets or ()), *(closing.nets or ()), *(traded or ())}
        for (opening, closing), (traded, _) in zip(spans, happened, strict=True)
    ]
    openings = [opening for opening, _ in spans]
    closings = [closing for _, closing in spans]
    return [
        day_between(opening, closing, net_transfers, then, now)
        for opening, closing, (_, net_transfers), then, now in zip(
            openings,
            closings,
            happened,
            _records(account, openings, asked),
            _records(account, closings, asked),
            strict=True,
        )
    ]


def _records(
    account: Account, points: Sequence[Point], tickers: Sequence[Collection[str]]
) -> list[dict[str, Records]]:
    """What the records say of each point's markets that it does not have itself."""
    never = None if holes.being_filled(account.pk).exists() else ZERO
    found: list[dict[str, Records]] = [{} for _ in points]
    asked = [
        (number, point.at, ticker)
        for number, point in enumerate(points)
        for ticker in set(tickers[number]) - set(point.nets or ())
    ]
    held = []
    for number, ticker, quantity, locked_in, is_untraded in _last(account, asked):
        if is_untraded:
            found[number][ticker] = Records(never)
        elif quantity is None or quantity:
            held.append((number, points[number].at, ticker))
        else:
            found[number][ticker] = Records(locked_in)
    # Filled so short before the point that it did not know of it: flat in it, as before.
    for number, ticker, _, locked_in, is_untraded in _last(account, held, flat=True):
        found[number][ticker] = Records(never if is_untraded else locked_in, is_flat=False)
    return found


def _last(
    account: Account, asked: Sequence[tuple[int, datetime, str]], *, flat: bool = False
) -> list[tuple[int, str, Decimal | None, Decimal | None, bool]]:
    if not asked:
        return []
    numbers, times, tickers = zip(*asked, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            _LAST.format(flat="AND quantity_after = 0" if flat else ""),
            {
                "account": account.pk,
                "environment": account.environment,
                "numbers": list(numbers),
                "at": list(times),
                "tickers": list(tickers),
            },
        )
        return list(cursor.fetchall())


def _ends(account_id: int, periods: Sequence[Period]) -> dict[int, tuple[Point, Point]]:
    """Of each period with a point, by its number: the points that it begins and ends with."""
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
    found = {}
    for number, *values in rows:
        before, first, last = (_point(*values[at : at + 3]) for at in (0, 3, 6))
        since = periods[number - 1].since
        opening = since and baseline(before, first, since)
        if opening and last:
            found[number - 1] = (opening, last)
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
