"""REST of one market's position, and of how figures come about."""

from django.http import JsonResponse
from django.utils import timezone
from ninja import Router

from accounts import sight
from accounts.errors import InvalidRequest
from accounts.schemas import ErrorOut
from accounts.sessions import SignedInRequest
from ledger import notes, one_position, portfolio_explanation
from ledger.position_schemas import ExplanationsOut, NoteIn, NoteOut, OnePositionOut
from positions.api import NOT_SEEN, One, one_of
from positions.documents import instant

router = Router()


@router.get("positions/{ticker}", response={200: OnePositionOut, NOT_SEEN: ErrorOut})
def position(request: SignedInRequest, ticker: str, account: One = None) -> JsonResponse:
    """A position, a closed one too as long as it is known, and how its figures come about."""
    found = one_position.known(one_of(sight.of(request.auth), account), ticker)
    return JsonResponse(one_position.document(found))


@router.put("positions/{ticker}/note", response={200: NoteOut, NOT_SEEN: ErrorOut})
def write_note(
    request: SignedInRequest, ticker: str, body: NoteIn, account: One = None
) -> JsonResponse:
    """Write about a market; nothing deletes what was written."""
    owned = one_of(sight.of(request.auth), account)
    one_position.known(owned, ticker)
    if not _is_storable(body.text):
        raise InvalidRequest("“text” has a character that no text has.")
    note = notes.write_note(owned.pk, ticker, body.text, timezone.now())
    return JsonResponse(
        {
            "ticker": ticker,
            "text": note.text if note else "",
            "updated_at": instant(note.updated_at) if note else None,
        }
    )


@router.get("portfolio/explanation", response={200: ExplanationsOut, NOT_SEEN: ErrorOut})
def explanation(request: SignedInRequest, account: One = None) -> JsonResponse:
    """How the portfolio's sums and its day come about."""
    account_id = one_of(sight.of(request.auth), account).pk
    return JsonResponse(
        {
            "account_id": account_id,
            "explanation": [
                one_position.explanation_document(each)
                for each in portfolio_explanation.explained(account_id)
            ],
        }
    )


def _is_storable(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= each <= "\udfff" for each in text)
