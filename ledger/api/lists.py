"""REST of the lists: fills, settlements and transfers."""

from django.http import HttpResponse, StreamingHttpResponse
from ninja import Query, Router

from accounts.schemas import ErrorOut
from accounts.sessions import SignedInRequest
from ledger.asked import ListQuery, MarketListQuery
from ledger.schemas import FillsOut, SettlementsOut, TransfersOut
from ledger.what_happened import FILLS, SETTLEMENTS, TRANSFERS
from positions.api import NOT_SEEN

router = Router()

Answer = HttpResponse | StreamingHttpResponse


@router.get("fills", response={200: FillsOut, NOT_SEEN: ErrorOut})
def fills(request: SignedInRequest, query: Query[MarketListQuery]) -> Answer:
    """Executions, newest first; those of one instant by id."""
    return FILLS.answer(request, query)


@router.get("settlements", response={200: SettlementsOut, NOT_SEEN: ErrorOut})
def settlements(request: SignedInRequest, query: Query[MarketListQuery]) -> Answer:
    """Payouts, newest first; the correction of one is a row of its own."""
    return SETTLEMENTS.answer(request, query)


@router.get("transfers", response={200: TransfersOut, NOT_SEEN: ErrorOut})
def transfers(request: SignedInRequest, query: Query[ListQuery]) -> Answer:
    """Money that came or went beside the markets, newest first, each at its newest status."""
    return TRANSFERS.answer(request, query)
