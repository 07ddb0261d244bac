"""
Check a key against the exchange, store it, reveal it to the worker, revoke it.

Whoever can sign with a key owns that key's account; nothing is stored before the exchange has
accepted a signature.
"""

import asyncio
import json
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from accounts import sessions, sign_in_load
from accounts.encryption import Secret, SecretLost
from accounts.errors import (
    ClockSkewed,
    CredentialUnusable,
    ExchangeMaintenance,
    ExchangeUnavailable,
    InvalidPrivateKey,
    KeyRefused,
    KeyScope,
    NotFound,
    TradingKeyUnconfirmed,
    UnknownEnvironment,
)
from accounts.models import Account, AccountKey, Credential, Session
from kalshi import errors as kalshi_errors
from kalshi.environments import Environment
from kalshi.pasted_keys import fits_header
from kalshi.rest import Client
from kalshi.rows import Rows
from kalshi.signing import InvalidKey, SigningKey
from postgres.channels import CREDENTIALS_CHANGED, SESSION_ENDED
from postgres.notifications import publish

logger = logging.getLogger(__name__)

CHECK_TIMEOUT_SECONDS = 20
PRIMARY_SUBACCOUNT = 0
SCOPES_UNTOLD = (
    "The exchange does not tell what this key may do, so it may also trade. A key that can only "
    "read is safer; confirm to use this one all the same."
)
FORGET_ATTEMPTS = 3
LOGGED_ROWS = 20


@dataclass(frozen=True, slots=True)
class CheckedKey:
    """
    What the exchange says of a key that may read its portfolio.

    `listed_key_ids` are those of the key's whole account, its own included; None if the key may
    not list them. `scopes` is empty when the exchange does not tell.
    """

    subaccount: int
    listed_key_ids: frozenset[str] | None
    scopes: tuple[str, ...]

    @property
    def may_trade(self) -> bool:
        """Whether it may do more than read; true when the exchange does not tell."""
        return not self.scopes or any(
            scope == "write" or scope.startswith("write::") for scope in self.scopes
        )


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A key's session, with the first token for it."""

    session: Session
    credential: Credential
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class HeldCredentials:
    """The ids of an account's credentials, newest first, by what the exchange thinks of them."""

    usable: tuple[int, ...]
    refused: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RevealedCredential:
    """All that signing and reading with a stored key takes."""

    environment: Environment
    api_key_id: str
    key: SigningKey
    subaccount: int


async def authenticate(
    *, environment: str, api_key_id: str, private_key: Secret, accept_trading_key: bool
) -> SignedIn:
    """
    Sign in with a key: the session is that of the key's own account, made if it is new.

    The key is stored, or updated where it was, only after the exchange has accepted it.

    Args:
        environment: "production", "demo" or "sandbox".
        private_key: the key as PEM text.
        accept_trading_key: whether a key that can do more than read is meant to be used.
    Raises:
        UnknownEnvironment, InvalidPrivateKey, KeyRefused, KeyScope, TradingKeyUnconfirmed,
        ExchangeUnavailable, ExchangeMaintenance, ClockSkewed: as their messages say.
        Busy: too many sign in at the moment.
    """
    exchange = exchange_of(environment)
    key = await sign_in_load.KEYS.in_thread(lambda: _signing_key(private_key))
    async with sign_in_load.CHECKS.turn_async():
        checked = await _check(exchange, api_key_id, key)
    if checked.may_trade and not accept_trading_key:
        raise TradingKeyUnconfirmed if checked.scopes else TradingKeyUnconfirmed(SCOPES_UNTOLD)
    return await sync_to_async(_store)(environment, api_key_id, private_key, checked)


def exchange_of(environment: str) -> Environment:
    """
    Where the exchange of that name is.

    Raises:
        UnknownEnvironment: this server is not configured for it.
    """
    environments: dict[str, Environment] = settings.KALSHI_ENVIRONMENTS
    try:
        return environments[environment]
    except KeyError:
        raise UnknownEnvironment from None


def sandbox_key() -> tuple[str, Secret]:
    """
    The key id and private key that the local sandbox has written down for us.

    Raises:
        ExchangeUnavailable: it has not, so it was never started.
    """
    try:
        written = json.loads((Path(settings.SANDBOX_DIR) / "credentials.json").read_text())
        return written["api_key_id"], Secret.seal(written["private_key"])
    except (OSError, ValueError, KeyError, TypeError):
        # Without its cause, which may quote the file.
        raise ExchangeUnavailable("The sandbox is not running on this machine.") from None


def held_by(account_id: int) -> HeldCredentials:
    """The credentials of one account; none for an account that is no more."""
    held = Credential.objects.filter(account=account_id).newest_first()
    return HeldCredentials(
        usable=tuple(held.usable().values_list("pk", flat=True)),
        refused=tuple(held.refused().values_list("pk", flat=True)),
    )


def reveal(credential_id: int) -> RevealedCredential:
    """
    What the worker needs to sign as the credential's account.

    Raises:
        CredentialUnusable: it was deleted, its private key cannot be opened with
            ENCRYPTION_SECRET_KEY or is none, its key id is none, or its environment is no longer
            configured.
    """
    try:
        credential = Credential.objects.select_related("account").get(pk=credential_id)
        if not fits_header(credential.api_key_id):
            raise CredentialUnusable("What is stored as the API key ID is none.")
        return RevealedCredential(
            environment=exchange_of(credential.environment),
            api_key_id=credential.api_key_id,
            key=SigningKey.from_pem(credential.private_key.reveal()),
            subaccount=credential.account.subaccount,
        )
    except Credential.DoesNotExist:
        raise CredentialUnusable("The credential was deleted.") from None
    except SecretLost as error:
        raise CredentialUnusable(str(error)) from error
    except InvalidKey:
        # Without its cause: nothing of the stored text belongs in a traceback.
        raise CredentialUnusable("What is stored as the private key is none.") from None
    except UnknownEnvironment as error:
        raise CredentialUnusable(str(error), "environment_missing") from error


def mark_refused(credential_id: int, reason: str) -> None:
    """Note that the exchange refuses the key. `reason` is shown to staff: no secret in it."""
    with transaction.atomic():
        changed = Credential.objects.usable().filter(pk=credential_id)
        if changed.update(
            status=Credential.Status.REFUSED,
            refused_at=timezone.now(),
            refused_reason=reason[:200],
        ):
            _announce(credential_id)


def mark_checked(credential_id: int) -> None:
    """Note that the exchange accepts the key, also one that it refused before."""
    with transaction.atomic():
        was_refused = Credential.objects.refused().filter(pk=credential_id)
        if was_refused.update(status=Credential.Status.USABLE, refused_at=None, refused_reason=""):
            _announce(credential_id)
        Credential.objects.filter(pk=credential_id).update(checked_at=timezone.now())


def delete_credential(account: Account, credential_id: int) -> None:
    """
    Forget one key of the account. The cached figures stay: they are the account's.

    Raises:
        NotFound: the account has no such credential, whoever else may have it.
    """
    with transaction.atomic():
        deleted, _ = Credential.objects.filter(account=account, pk=credential_id).delete()
        if not deleted:
            raise NotFound
        publish(CREDENTIALS_CHANGED, str(account.pk))


def forget(account: Account) -> None:
    """Delete the account: its keys, its sessions and all that was cached for it."""
    for attempt in range(1, FORGET_ATTEMPTS + 1):
        try:
            return _delete_account(account.pk)
        except DatabaseError:
            # The worker wrote a row of the account while its rows were being deleted: a foreign
            # key without its account, or a deadlock. All is as before, and the worker is done.
            if attempt == FORGET_ATTEMPTS:
                raise


def _signing_key(private_key: Secret) -> SigningKey:
    try:
        return SigningKey.from_pem(private_key.reveal())
    except InvalidKey as error:
        raise InvalidPrivateKey(str(error)) from None


async def _check(exchange: Environment, api_key_id: str, key: SigningKey) -> CheckedKey:
    try:
        async with (
            asyncio.timeout(CHECK_TIMEOUT_SECONDS),
            Client(exchange, api_key_id, key) as client,
        ):
            return await _ask(client, api_key_id)
    except kalshi_errors.KeyRefused as error:
        raise KeyRefused(str(error)) from error
    except kalshi_errors.ScopeRefused as error:
        raise KeyScope from error
    except kalshi_errors.ClockSkew as error:
        raise ClockSkewed(str(error)) from error
    except (kalshi_errors.TurnedAway, kalshi_errors.AnswerTooLarge) as error:
        raise ExchangeUnavailable(f"{error} Try again in a while.") from error
    except (kalshi_errors.KalshiError, TimeoutError) as error:
        raise ExchangeUnavailable from error


async def _ask(client: Client, api_key_id: str) -> CheckedKey:
    if await client.outage():
        raise ExchangeMaintenance
    try:
        records = await client.api_keys()
    except kalshi_errors.ScopeRefused:
        checked = CheckedKey(PRIMARY_SUBACCOUNT, listed_key_ids=None, scopes=())
    else:
        _log_left_out(records)
        own = next((record for record in records if record.api_key_id == api_key_id), None)
        locked_to = own.subaccount if own else None
        checked = CheckedKey(
            subaccount=PRIMARY_SUBACCOUNT if locked_to is None else locked_to,
            listed_key_ids=frozenset({api_key_id, *(record.api_key_id for record in records)}),
            scopes=own.scopes if own else (),
        )
    # The proof that it may read the portfolio. The balance would tell as well, but may be asked
    # only once a second, and the worker wants it.
    _log_left_out(await client.positions(checked.subaccount))
    return checked


def _log_left_out(rows: Rows[Any]) -> None:  # Any: of whatever kind
    # One odd row is no reason to refuse the key. Of many the first will do.
    for row in rows.left_out[:LOGGED_ROWS]:
        logger.warning("row not understood", extra={"kind": row.kind, "reason": row.reason})


def _store(environment: str, api_key_id: str, private_key: Secret, checked: CheckedKey) -> SignedIn:
    try:
        return _store_once(environment, api_key_id, private_key, checked)
    except IntegrityError:
        # Between our look and our insert another sign-in stored the same account. Now that one
        # can be found.
        return _store_once(environment, api_key_id, private_key, checked)


@transaction.atomic
def _store_once(
    environment: str, api_key_id: str, private_key: Secret, checked: CheckedKey
) -> SignedIn:
    account = _account_of(environment, api_key_id, checked)
    stored = Credential.objects.filter(environment=environment, api_key_id=api_key_id)
    # A key whose subaccount or scopes were changed at the exchange moves to another account.
    left = set(stored.exclude(account=account).values_list("account_id", flat=True))
    credential, _ = Credential.objects.update_or_create(
        environment=environment,
        api_key_id=api_key_id,
        defaults={
            "account": account,
            "private_key": private_key,
            "scopes": list(checked.scopes),
            "status": Credential.Status.USABLE,
            "refused_at": None,
            "refused_reason": "",
            "checked_at": timezone.now(),
        },
    )
    session, token = sessions.issue(account)
    for account_id in {account.pk, *left}:
        publish(CREDENTIALS_CHANGED, str(account_id))
    logger.info("signed in", extra={"account_id": account.pk, "credential_id": credential.pk})
    return SignedIn(session=session, credential=credential, token=token)


def _account_of(environment: str, api_key_id: str, checked: CheckedKey) -> Account:
    if checked.listed_key_ids is None:
        # Of its own even if another key has listed it: it may see less than that key, and the
        # holder of one account's session sees all of that account.
        account, _ = Account.objects.get_or_create(
            environment=environment,
            sole_key_id=api_key_id,
            defaults={"subaccount": checked.subaccount},
        )
        return account
    known = list(
        AccountKey.objects.select_related("account").filter(
            environment=environment,
            subaccount=checked.subaccount,
            api_key_id__in=checked.listed_key_ids,
        )
    )
    if known:
        # They are of one account, unless the exchange once listed only a part of its keys: then
        # the key's own, else the oldest.
        account = min(known, key=lambda row: (row.api_key_id != api_key_id, row.account_id)).account
    else:
        account = Account.objects.create(environment=environment, subaccount=checked.subaccount)
    unknown = checked.listed_key_ids - {row.api_key_id for row in known}
    AccountKey.objects.bulk_create(
        # Sorted, so that two sign-ins that add the same ids wait for each other, not both.
        AccountKey(
            account=account,
            environment=environment,
            subaccount=checked.subaccount,
            api_key_id=listed,
        )
        for listed in sorted(unknown)
    )
    return account


def _announce(credential_id: int) -> None:
    account_id = Credential.objects.values_list("account_id", flat=True).get(pk=credential_id)
    publish(CREDENTIALS_CHANGED, str(account_id))


@transaction.atomic
def _delete_account(account_id: int) -> None:
    for session_id in Session.objects.filter(account=account_id).values_list("pk", flat=True):
        publish(SESSION_ENDED, str(session_id))
    Account.objects.filter(pk=account_id).delete()
    publish(CREDENTIALS_CHANGED, str(account_id))
