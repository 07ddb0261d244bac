"""Days as the product's clients get them: one, or a list of them, newest first."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.conf import settings
from django.utils import timezone

from accounts.models import Account
from ledger import day_reading
from ledger.asked import Asked
from ledger.days import Day, added
from ledger.lists import List
from ledger.paging import Page, Place, cursor_of, place_of
from ledger.periods import day_at, start_of
from positions.decimal_text import plain
from positions.documents import Document, instant

# The columns of CSV; `parts` has as many rows as there were markets.
COLUMNS = (
    "account_id",
    "date",
    "since",
    "until",
    "opening",
    "closing",
    "net_transfers",
    "day_pnl",
)


def day_of_all(accounts: Sequence[Account], on: date, now: datetime) -> Day | None:
    """
    One day of several accounts added up; None where it is not known of one.

    An account that had not been opened here by then is no part of it.
    """
    begun = [each for each in accounts if day_reading.has_begun(each.pk, on)]
    days = [day_reading.day(each, on, now) for each in begun]
    known = [each for each in days if each]
    return added(known) if len(known) == len(days) else None


def day_document(account_id: int | None, on: date, day: Day | None) -> Document:
    """A day; every figure unknown where nothing is known of it."""
    figures = ("opening", "closing", "net_transfers", "day_pnl")
    return {
        "account_id": account_id,
        "date": on.isoformat(),
        "since": instant(day.since) if day else None,
        "until": instant(day.until) if day else None,
        **{name: plain(getattr(day, name)) if day else None for name in figures},
        "parts": [
            {
                "ticker": part.ticker,
                "kind": "unexplained" if part.ticker is None else "market",
                "amount": plain(part.amount),
            }
            for part in (day.parts if day else ())
        ],
    }


def _page(asked: Asked) -> Page:
    now = timezone.now()
    since = None if asked.period.since is None else _day_from(asked.period.since)
    until = day_reading.today(now) + timedelta(days=1)
    if asked.period.until is not None:
        until = min(until, _day_from(asked.period.until))
    after = None if asked.cursor is None else place_of(asked.cursor, DAYS.name)
    accounts = Account.objects.in_bulk(asked.account_ids)
    found = []
    for account_id in accounts:
        before = until if after is None else min(until, _before(after, account_id))
        days = day_reading.days_with_points(account_id, since, before, asked.limit + 1)
        found += [(on, account_id) for on in days]
    found.sort(reverse=True)
    told = found[: asked.limit]
    by_row: dict[tuple[date, int], Day | None] = {}
    for account_id, account in accounts.items():
        dates = [on for on, of in told if of == account_id]
        of_account = day_reading.days(account, dates, now) if dates else []
        by_row |= {(on, account_id): day for on, day in zip(dates, of_account, strict=True)}
    rows = [day_document(account_id, on, by_row[on, account_id]) for on, account_id in told]
    if len(found) <= asked.limit:
        return Page(rows)
    last, account_id = found[asked.limit - 1]
    start = start_of(last, settings.TRADING_DAY_TIMEZONE)
    return Page(rows, cursor_of(Place(start, (account_id,), 0), DAYS.name))


def _before(after: Place, account_id: int) -> date:
    """The first day that an account's rows after a place are before."""
    on = day_reading.today(after.at)
    return on if (account_id,) >= after.rank else on + timedelta(days=1)


def _day_from(at: datetime) -> date:
    """The first day that begins at an instant or later."""
    zone = settings.TRADING_DAY_TIMEZONE
    on = day_at(at, zone)
    return on if start_of(on, zone) == at else on + timedelta(days=1)


DAYS = List("days", COLUMNS, _page)
