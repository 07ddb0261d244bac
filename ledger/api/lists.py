"""REST of the lists: fills, settlements, transfers, and all that happened."""

from decimal import Decimal
from http import HTTPStatus

from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.utils import timezone
from ninja import Query, Router

from accounts import sight
from accounts.schemas import ErrorOut
from accounts.sessions import SignedInRequest
from ledger import naming
from ledger.activity import ACTIVITY
from ledger.asked import ListQuery, MarketListQuery
from ledger.schemas import (
    ActivitiesOut,
    FillsOut,
    NamedTransferIn,
    SettlementsOut,
    TransferOut,
    TransfersOut,
)
from ledger.what_happened import FILLS, SETTLEMENTS, TRANSFERS, transfer_document
from positions.api import NOT_SEEN, One, one_of
from postgres.channels import REFRESH_REQUESTED
from postgres.notifications import publish

router = Router()

Answer = HttpResponse | StreamingHttpResponse
AS_CSV = {
    "responses": {
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}},
    }
}


@router.get("fills", response={200: FillsOut, NOT_SEEN: ErrorOut}, openapi_extra=AS_CSV)
def fills(request: SignedInRequest, query: Query[MarketListQuery]) -> Answer:
    """Executions, newest first; those of one instant by id."""
    return FILLS.answer(request, query)


@router.get("settlements", response={200: SettlementsOut, NOT_SEEN: ErrorOut}, openapi_extra=AS_CSV)
def settlements(request: SignedInRequest, query: Query[MarketListQuery]) -> Answer:
    """Payouts, newest first; the correction of one is a row of its own."""
    return SETTLEMENTS.answer(request, query)


@router.get("transfers", response={200: TransfersOut, NOT_SEEN: ErrorOut}, openapi_extra=AS_CSV)
def transfers(request: SignedInRequest, query: Query[ListQuery]) -> Answer:
    """Money that came or went beside the markets, newest first, each at its newest status."""
    return TRANSFERS.answer(request, query)


@router.post("transfers", response={201: TransferOut, NOT_SEEN: ErrorOut})
def name_transfer(
    request: SignedInRequest, body: NamedTransferIn, account: One = None
) -> JsonResponse:
    """Name money that the exchange does not tell of; it stays for good, as all that happened."""
    account_id = one_of(sight.of(request.auth), account).pk
    row = naming.name_transfer(
        account_id, at=body.at, amount=Decimal(body.amount), name=body.name, now=timezone.now()
    )
    # The worker looks anew at what was unexplained, and at the day.
    publish(REFRESH_REQUESTED, str(account_id))
    return JsonResponse(transfer_document(row), status=HTTPStatus.CREATED)


@router.get("activity", response={200: ActivitiesOut, NOT_SEEN: ErrorOut}, openapi_extra=AS_CSV)
def activity(request: SignedInRequest, query: Query[MarketListQuery]) -> Answer:
    """All that happened, newest first, in plain English; with a market, to it alone."""
    return ACTIVITY.answer(request, query)
