"""REST for positions and portfolio; documents as the stream sends them."""

from http import HTTPStatus

from django.http import JsonResponse
from django.utils import timezone
from ninja import Router, Status

from accounts.sessions import SessionCookie, SignedInRequest
from positions import documents, reading
from positions.models import AccountStream
from positions.schemas import PortfolioOut, PositionsOut
from postgres.channels import REFRESH_REQUESTED
from postgres.notifications import publish

router = Router(tags=["positions"], auth=SessionCookie())


@router.get("positions", response=PositionsOut)
def positions(request: SignedInRequest) -> JsonResponse:
    """The open positions with their figures; `as_of` is now while the exchange's stream is live."""
    found = reading.read(request.auth.account_id)
    # Straight from the rows: five hundred positions through a schema would cost more than reading.
    return JsonResponse(
        {
            "positions": [documents.position_document(row) for row in found.positions],
            "version": found.seq,
            "as_of": documents.instant(found.as_of(timezone.now())),
        }
    )


@router.get("portfolio", response=PortfolioOut)
def portfolio(request: SignedInRequest) -> JsonResponse:
    """Cash, the positions' value and their sums."""
    stream = AccountStream.objects.filter(pk=request.auth.account_id).first()
    return JsonResponse(documents.portfolio_document(stream))


@router.post("refresh", response={202: None})
def refresh(request: SignedInRequest) -> Status[None]:
    """
    Ask the worker to reconcile with the exchange now.

    Ends a wait to reconnect. Requests within two seconds of the last one are one with it.
    """
    publish(REFRESH_REQUESTED, str(request.auth.account_id))
    return Status(HTTPStatus.ACCEPTED, None)
