"""The accounts at the exchange, and the stored keys of each."""

from django.db import transaction
from ninja import Router, Status

from accounts import credentials, forgetting, sight
from accounts.models import Account, User
from accounts.schemas import AccountOut, AccountPatch, ErrorOut, account_out
from accounts.sessions import SessionCookie, SignedInRequest

router = Router(auth=SessionCookie())


@router.patch(
    "accounts/{int:account_id}",
    response={200: AccountOut, frozenset({401, 403, 404, 422}): ErrorOut},
)
def change_account(request: SignedInRequest, account_id: int, payload: AccountPatch) -> AccountOut:
    """Name an account, or make it the one that is meant where none is named."""
    session = request.auth
    account = sight.of(session).one(account_id)
    if payload.is_default is not None:
        # Which one it is concerns all of them.
        sight.require_everything(session)
        _choose(account, payload.is_default)
    if payload.name is not None:
        Account.objects.filter(pk=account.pk).update(name=payload.name)
    seen = sight.of(session)
    return account_out(seen.one(account_id), seen)


@router.delete("accounts/{int:account_id}", response={204: None, frozenset({401, 404}): ErrorOut})
def forget_account(request: SignedInRequest, account_id: int) -> Status[None]:
    """Delete an account here, with its keys and all that was kept for it."""
    account = sight.of(request.auth).one(account_id)
    forgetting.forget_accounts(request.auth.user, [account.pk])
    return Status(204, None)


@router.delete(
    "credentials/{int:credential_id}",
    response={204: None, frozenset({401, 404}): ErrorOut},
)
def delete_credential(request: SignedInRequest, credential_id: int) -> Status[None]:
    """Delete a stored key. The last known figures stay."""
    credentials.delete_credential(sight.of(request.auth).accounts, credential_id)
    return Status(204, None)


@transaction.atomic
def _choose(account: Account, is_default: bool) -> None:
    # Locked, so that of two that are chosen at once one is left.
    User.objects.select_for_update().filter(pk=account.owner_id).first()
    if is_default:
        Account.objects.filter(owner=account.owner_id, is_chosen=True).update(is_chosen=False)
    Account.objects.filter(pk=account.pk).update(is_chosen=is_default)
