"""
Sign in with a key of the exchange, or add its account to those of who is signed in.

Nothing is stored before the exchange has accepted a signature.
"""

import logging
from dataclasses import dataclass, field

from asgiref.sync import sync_to_async
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import key_check, own_sandbox, registration, sessions, sight
from accounts.devices import Device
from accounts.encryption import Secret
from accounts.errors import AccountHasOwner, Deactivated, TradingKeyUnconfirmed
from accounts.key_check import CheckedKey
from accounts.models import Account, AccountKey, Credential, Session, User
from postgres.channels import CREDENTIALS_CHANGED
from postgres.notifications import publish

logger = logging.getLogger(__name__)

SCOPES_UNTOLD = (
    "The exchange does not tell what this key may do, so it may also trade. A key that can only "
    "read is safer; confirm to use this one all the same."
)


@dataclass(frozen=True, slots=True)
class ShownKey:
    """
    A key as somebody shows it, and what they say with it.

    Attributes:
        environment: "production", "demo" or "sandbox".
        private_key: the key as PEM text.
        accept_trading_key: whether a key that can do more than read is meant to be used.
        invitation: the token of one, or its whole address.
        is_own_sandbox: it is this machine's sandbox, opened from this machine.
    """

    environment: str
    api_key_id: str
    private_key: Secret
    accept_trading_key: bool = False
    invitation: str | None = field(default=None, repr=False)
    is_own_sandbox: bool = False


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that has been shown a key, with a fresh token for it."""

    session: Session
    account: Account
    credential: Credential
    token: str = field(repr=False)


async def authenticate(key: ShownKey, *, session: Session | None, device: Device) -> SignedIn:
    """
    Sign in, or add the account.

    Signed out, the session is that of the account's owner, who is made where nobody owns it.
    Signed in, the account becomes the user's own, and the session sees it from now on.

    Args:
        session: of who is signed in already.
    Raises:
        TradingKeyUnconfirmed, AccountHasOwner, RegistrationClosed, and what `key_check.check` and
        `own_sandbox.check` raise; NotSignedIn: the session ended meanwhile.
    """
    checked = await _check(key)
    if checked.may_trade and not key.accept_trading_key:
        raise TradingKeyUnconfirmed if checked.scopes else TradingKeyUnconfirmed(SCOPES_UNTOLD)
    return await sync_to_async(_store)(key, checked, session, device)


async def _check(key: ShownKey) -> CheckedKey:
    if key.is_own_sandbox:
        return await own_sandbox.check(key.api_key_id, key.private_key)
    return await key_check.check(key.environment, key.api_key_id, key.private_key)


def _store(key: ShownKey, checked: CheckedKey, session: Session | None, device: Device) -> SignedIn:
    try:
        return _store_once(key, checked, session, device)
    except IntegrityError:
        # Between our look and our insert another sign-in stored the same account. Now that one
        # can be found.
        return _store_once(key, checked, session, device)


@transaction.atomic
def _store_once(
    key: ShownKey, checked: CheckedKey, session: Session | None, device: Device
) -> SignedIn:
    # The person first, as who forgets them does: two who begin at both ends would wait for each
    # other.
    if session is None:
        _lock_owner(key, checked)
    else:
        # The exchange took its time to answer: the session may have ended, and its user be another
        # than they were.
        session = sessions.locked(session)
    account = _account_of(key, checked, session)
    stored = Credential.objects.filter(environment=key.environment, api_key_id=key.api_key_id)
    # A key whose subaccount or scopes were changed at the exchange moves to another account.
    left = set(stored.exclude(account=account).values_list("account_id", flat=True))
    credential, _ = Credential.objects.update_or_create(
        environment=key.environment,
        api_key_id=key.api_key_id,
        defaults={
            "account": account,
            "private_key": key.private_key,
            "scopes": list(checked.scopes),
            "status": Credential.Status.USABLE,
            "refused_at": None,
            "refused_reason": "",
            "checked_at": timezone.now(),
        },
    )
    session, token = sessions.show_key(
        account, credential=credential, session=session, device=device
    )
    for account_id in {account.pk, *left}:
        publish(CREDENTIALS_CHANGED, str(account_id))
    logger.info("signed in", extra={"account_id": account.pk, "credential_id": credential.pk})
    return SignedIn(session=session, account=account, credential=credential, token=token)


def _lock_owner(key: ShownKey, checked: CheckedKey) -> None:
    # Whose the account is gets looked up again after it: they may be gone by then.
    owner = _owner(key, _known_account(key, checked))
    if owner is not None:
        User.objects.select_for_update().filter(pk=owner.pk).first()


def _account_of(key: ShownKey, checked: CheckedKey, session: Session | None) -> Account:
    """The account that the key opens, which is the user's then, or made for them."""
    user = session.user if session else None
    account = _known_account(key, checked)
    if account is None:
        # One who makes it at this moment may be the only one who can: look again after them.
        registration.wait_for_others()
        account = _known_account(key, checked)
    owner = _owner(key, account)
    if user is not None and owner is not None and owner != user:
        raise AccountHasOwner
    if owner is not None and not owner.is_active:
        raise Deactivated
    if account is None:
        if session is not None:
            # Else the holder of one key could plant an account that the owner does not see.
            sight.require_everything(session)
        owner = owner or registration.owner_of_new_account(
            user,
            key.environment,
            invitation=key.invitation,
            is_own_sandbox=key.is_own_sandbox,
        )
        account = Account.objects.create(
            owner=owner,
            name=key.environment,
            environment=key.environment,
            subaccount=checked.subaccount,
            sole_key_id=key.api_key_id if checked.listed_key_ids is None else "",
        )
    _list_keys(account, checked)
    return account


def _known_account(key: ShownKey, checked: CheckedKey) -> Account | None:
    if checked.listed_key_ids is None:
        # Of its own even if another key has listed it: it may see less than that key, and the
        # holder of one account's session sees all of that account.
        sole = Account.objects.select_related("owner").filter(
            environment=key.environment, sole_key_id=key.api_key_id
        )
        return sole.first()
    known = AccountKey.objects.select_related("account__owner").filter(
        environment=key.environment,
        subaccount=checked.subaccount,
        api_key_id__in=checked.listed_key_ids,
    )
    # They are of one account, unless the exchange once listed only a part of its keys: then the
    # key's own, else the oldest.
    nearest = min(
        known, key=lambda row: (row.api_key_id != key.api_key_id, row.account_id), default=None
    )
    return nearest.account if nearest else None


def _owner(key: ShownKey, account: Account | None) -> User | None:
    if account is not None:
        return account.owner
    # Of a key that moves to an account of its own: it was somebody's here before.
    stored = Credential.objects.select_related("account__owner").filter(
        environment=key.environment, api_key_id=key.api_key_id
    )
    credential = stored.first()
    return credential.account.owner if credential else None


def _list_keys(account: Account, checked: CheckedKey) -> None:
    if checked.listed_key_ids is None:
        return
    known = AccountKey.objects.filter(
        environment=account.environment,
        subaccount=account.subaccount,
        api_key_id__in=checked.listed_key_ids,
    )
    unknown = checked.listed_key_ids - set(known.values_list("api_key_id", flat=True))
    AccountKey.objects.bulk_create(AccountKey.rows(account, unknown))
