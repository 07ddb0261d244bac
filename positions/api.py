"""REST for positions and portfolio; documents as the stream sends them."""

from http import HTTPStatus

from django.http import JsonResponse
from django.utils import timezone
from ninja import Router, Status

from accounts.sessions import SessionCookie, SignedInRequest
from positions import book, documents
from positions.connection import as_seen
from positions.schemas import PortfolioOut, PositionsOut
from postgres.channels import REFRESH_REQUESTED
from postgres.notifications import publish

router = Router(tags=["positions"], auth=SessionCookie())


@router.get("positions", response=PositionsOut)
def positions(request: SignedInRequest) -> JsonResponse:
    """
    The open positions with their figures.

    `as_of` is now while the exchange's stream is live, else the last moment it was; where it never
    was, when they were read.
    """
    its_book = book.read(request.auth.account_id)
    as_of = None
    if its_book.stream and its_book.stream.reconciled_at and its_book.written:
        now = timezone.now()
        seen = as_seen(its_book.written, its_book.heartbeat_at, now)
        as_of = now if seen.status == "live" else seen.live_until or its_book.stream.reconciled_at
    # Straight from the rows: five hundred positions through a schema would cost more than reading.
    return JsonResponse(
        {
            "positions": [documents.position_document(row) for row in its_book.positions],
            "version": its_book.seq,
            "as_of": documents.instant(as_of),
        }
    )


@router.get("portfolio", response=PortfolioOut)
def portfolio(request: SignedInRequest) -> JsonResponse:
    """Cash, the positions' value and their sums."""
    return JsonResponse(documents.portfolio_document(book.read(request.auth.account_id).stream))


@router.post("refresh", response={202: None})
def refresh(request: SignedInRequest) -> Status[None]:
    """
    Ask the worker to reconcile with the exchange now.

    Ends a wait to reconnect. Requests within two seconds of the last one are one with it.
    """
    publish(REFRESH_REQUESTED, str(request.auth.account_id))
    return Status(HTTPStatus.ACCEPTED, None)
