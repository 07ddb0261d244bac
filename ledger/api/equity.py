"""What an account was worth over time, or all in one environment added up."""

from datetime import datetime

from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from accounts import sight
from accounts.schemas import ErrorOut
from accounts.sessions import SignedInRequest
from ledger import equity as equities
from ledger.asked import EnvironmentListQuery, period_of, wants_csv
from ledger.equity_list import EQUITY, worth_document
from ledger.single import scope_of
from positions.api import NOT_SEEN
from positions.documents import instant
from positions.schemas import Figure

router = Router()

MOST_POINTS = 5_000


class EquityQuery(EnvironmentListQuery):
    """Those of a list, for its CSV; of the answer as JSON there are no pages."""

    points: int = Field(400, ge=2, le=MOST_POINTS, description="At most so many.")


class PointOut(Schema):
    """What it was worth at an instant; a sum where all accounts were known at that time."""

    at: datetime
    total_value: Figure
    cash: Figure
    positions_value: Figure
    collateral_returned: Figure | None
    net_transfers: Figure = Field(
        description="What came in since the point before it here, less what went out."
    )


class GapOut(Schema):
    """More than three minutes without a point; the last one may still go on."""

    since: datetime = Field(alias="from")
    until: datetime = Field(alias="to")


class EquityOut(Schema):
    account_id: int | None = Field(description="Null for a sum of accounts.")
    points: list[PointOut]
    gaps: list[GapOut]


@router.get("equity", response={200: EquityOut, NOT_SEEN: ErrorOut})
def equity(
    request: SignedInRequest, query: Query[EquityQuery]
) -> HttpResponse | StreamingHttpResponse:
    """
    The account's worth over time, oldest first, with its lowest and its highest point.

    As CSV every stored point of each account, newest first.
    """
    if wants_csv(request, query.format):
        return EQUITY.answer(request, query)
    of = scope_of(sight.of(request.auth), query.account, query.environment)
    period = period_of(query.from_, query.to)
    if of.account_id is None:
        points = equities.of_all(of.account_ids, period, query.points)
    else:
        points = equities.of_account(of.account_id, period, query.points)
    return JsonResponse(
        {
            "account_id": of.account_id,
            "points": [worth_document(each) for each in points],
            "gaps": [
                {"from": instant(gap.since), "to": instant(gap.until)}
                for gap in equities.gaps(of.account_ids, period, timezone.now())
            ],
        }
    )
