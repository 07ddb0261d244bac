"""REST of trades."""

from django.http import HttpResponse, StreamingHttpResponse
from ninja import Query, Router

from accounts.schemas import ErrorOut
from accounts.sessions import SignedInRequest
from ledger.asked import MarketListQuery
from ledger.trade_reading import TRADES
from ledger.trade_schemas import TradesOut
from positions.api import NOT_SEEN

router = Router()


@router.get("trades", response={200: TradesOut, NOT_SEEN: ErrorOut})
def trades(
    request: SignedInRequest, query: Query[MarketListQuery]
) -> HttpResponse | StreamingHttpResponse:
    """
    Trades from flat to flat or to settlement: the open ones first, then those closed last.

    A period is that in which they were closed; the open ones are in none that has an end.
    """
    return TRADES.answer(request, query)
