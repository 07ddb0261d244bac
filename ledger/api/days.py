"""What a day brought and what made it, and the days as a list."""

from datetime import date, datetime
from typing import Annotated, Literal

from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from accounts import sight
from accounts.errors import InvalidRequest
from accounts.models import Account
from accounts.schemas import ErrorOut
from accounts.sessions import SignedInRequest
from ledger import day_reading
from ledger.asked import ListQuery
from ledger.day_list import DAYS, day_document, day_of_all
from ledger.single import OfEnvironment, scope_of
from positions.api import NOT_SEEN, OneOrAll
from positions.schemas import Figure

router = Router()

On = Annotated[
    str | None,
    Query(alias="date", description="A day such as 2026-11-23; without, today.", max_length=40),
]


class PartOut(Schema):
    """What one market has made of a day, or nothing that is known."""

    ticker: str | None
    kind: Literal["market", "unexplained"]
    amount: Figure | None = Field(description="Null where the market had no price at one end.")


class DayOut(Schema):
    """`day_pnl` = `closing` - `opening` - `net_transfers` = the sum of `parts`."""

    account_id: int | None = Field(description="Null for a sum of accounts.")
    date: date
    since: datetime | None = Field(description="When it was worth `opening`.")
    until: datetime | None = Field(description="When it was worth `closing`.")
    opening: Figure | None
    closing: Figure | None
    net_transfers: Figure | None
    day_pnl: Figure | None
    parts: list[PartOut]


class DaysOut(Schema):
    days: list[DayOut]
    next: str | None


@router.get("day", response={200: DayOut, NOT_SEEN: ErrorOut})
def day(
    request: SignedInRequest,
    on: On = None,
    account: OneOrAll = None,
    environment: OfEnvironment = None,
) -> JsonResponse:
    """One day, today's as the page shows it; its figures are null if nothing is known of it."""
    of = scope_of(sight.of(request.auth), account, environment)
    now = timezone.now()
    which = day_reading.today(now) if on is None else _date(on)
    accounts = list(Account.objects.filter(pk__in=of.account_ids))
    if of.account_id is None:
        found = day_of_all(accounts, which, now)
    else:
        found = day_reading.day(accounts[0], which, now)
    return JsonResponse(day_document(of.account_id, which, found))


@router.get("days", response={200: DaysOut, NOT_SEEN: ErrorOut})
def days(request: SignedInRequest, query: Query[ListQuery]) -> HttpResponse | StreamingHttpResponse:
    """The days of which something is known, newest first; as CSV without their parts."""
    return DAYS.answer(request, query)


def _date(text: str) -> date:
    try:
        on = date.fromisoformat(text)
    except ValueError:
        on = None
    # Of other years not even the exchange knows anything, and some are too far for a clock.
    if on is None or not 2000 <= on.year < 2200:
        raise InvalidRequest("“date” must be a day such as 2026-11-23.")
    return on
