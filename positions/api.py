"""REST for positions and portfolios; documents as the stream sends them."""

from http import HTTPStatus
from typing import Annotated

from django.http import JsonResponse
from django.utils import timezone
from ninja import Query, Router, Status

from accounts import sight
from accounts.models import Account
from accounts.schemas import ErrorOut, account_out
from accounts.sessions import SessionCookie, SignedInRequest
from accounts.sight import Sight
from positions import documents, reading, sums
from positions.models import AccountStream
from positions.schemas import AccountsOut, PortfolioOut, PositionsOfAllOut, PositionsOut
from postgres.channels import REFRESH_REQUESTED
from postgres.notifications import publish

router = Router(tags=["positions"], auth=SessionCookie())

ALL = "all"
# What is asked about an account may be answered with, beside the figures.
NOT_SEEN = frozenset({401, 404, 422})
One = Annotated[
    str | None,
    Query(description="An account's id; without, the default one.", pattern=r"^[0-9]{1,19}$"),
]
OneOrAll = Annotated[
    str | None,
    Query(
        description="An account's id, or `all`; without, the default one.",
        pattern=r"^([0-9]{1,19}|all)$",
    ),
]


@router.get("accounts", response={200: AccountsOut, 401: ErrorOut})
def accounts(request: SignedInRequest) -> JsonResponse:
    """
    The accounts that this session sees, with their figures, and the sums of each environment in
    which it sees more than one.
    """
    seen = sight.of(request.auth)
    rows = {account.pk: reading.read_head(account.pk) for account in seen.accounts}
    portfolios = {
        account_id: documents.portfolio_document(account_id, of_it.stream)
        for account_id, of_it in rows.items()
    }
    now = timezone.now()
    return JsonResponse(
        {
            "accounts": [
                account_out(account, seen).model_dump(mode="json")
                | {
                    "portfolio": portfolios[account.pk],
                    "connection": documents.connection_document(rows[account.pk].seen(now)),
                }
                for account in seen.accounts
            ],
            "sums": [
                sums.sum_document(
                    group.environment, [portfolios[account_id] for account_id in group.counted]
                )
                for group in sums.groups(seen.accounts)
            ],
        }
    )


@router.get("positions", response={200: PositionsOut | PositionsOfAllOut, NOT_SEEN: ErrorOut})
def positions(request: SignedInRequest, account: OneOrAll = None) -> JsonResponse:
    """The open positions with their figures; `as_of` is now while the exchange's stream is live."""
    seen = sight.of(request.auth)
    now = timezone.now()
    if account == ALL:
        found = [reading.read(each.pk) for each in seen.accounts]
        known = [rows.as_of(now) for rows in found]
        oldest = min((at for at in known if at is not None), default=None)
        return JsonResponse(
            {
                "positions": [
                    documents.position_document(row) for rows in found for row in rows.positions
                ],
                # Of the account that is furthest behind; unknown if any is.
                "as_of": documents.instant(None if None in known else oldest),
            }
        )
    rows = reading.read(one_of(seen, account).pk)
    # Straight from the rows: five hundred positions through a schema would cost more than reading.
    return JsonResponse(
        {
            "positions": [documents.position_document(row) for row in rows.positions],
            "version": rows.seq,
            "as_of": documents.instant(rows.as_of(now)),
        }
    )


@router.get("portfolio", response={200: PortfolioOut, NOT_SEEN: ErrorOut})
def portfolio(request: SignedInRequest, account: One = None) -> JsonResponse:
    """Cash, the positions' value and their sums."""
    account_id = one_of(sight.of(request.auth), account).pk
    stream = AccountStream.objects.filter(pk=account_id).first()
    return JsonResponse(documents.portfolio_document(account_id, stream))


@router.post("refresh", response={202: None, NOT_SEEN: ErrorOut})
def refresh(request: SignedInRequest, account: OneOrAll = None) -> Status[None]:
    """
    Ask the worker to reconcile with the exchange now.

    Ends a wait to reconnect. Requests within two seconds of the last one are one with it.
    """
    seen = sight.of(request.auth)
    meant = seen.accounts if account == ALL else [one_of(seen, account)]
    for each in meant:
        publish(REFRESH_REQUESTED, str(each.pk))
    return Status(HTTPStatus.ACCEPTED, None)


def one_of(seen: Sight, account: str | None) -> Account:
    """The account that is asked for, or the default one; 404 for one that is not seen."""
    return seen.one(None if account is None else int(account))
