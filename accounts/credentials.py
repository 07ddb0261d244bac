"""Stored keys: what the worker signs with, what the exchange thinks of them, and their end."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.encryption import SecretLost
from accounts.errors import CredentialUnusable, NotFound, UnknownEnvironment
from accounts.key_check import exchange_of
from accounts.models import Account, AccountKey, Credential
from kalshi.environments import Environment
from kalshi.pasted_keys import fits_header
from kalshi.signing import InvalidKey, SigningKey
from postgres.channels import CREDENTIALS_CHANGED
from postgres.notifications import publish


@dataclass(frozen=True, slots=True)
class HeldCredentials:
    """
    The ids of an account's credentials, newest first, by what the exchange thinks of them.

    None while the account `is_set_aside`, by itself or with its owner, who is deactivated: they are
    not to be used.
    """

    usable: tuple[int, ...]
    refused: tuple[int, ...]
    is_set_aside: bool = False


@dataclass(frozen=True, slots=True)
class RevealedCredential:
    """All that signing and reading with a stored key takes."""

    environment: Environment
    api_key_id: str
    key: SigningKey
    subaccount: int


def held_by(account_id: int) -> HeldCredentials:
    """The credentials of one account; none for an account that is no more."""
    resting = Q(is_set_aside=True) | Q(owner__is_active=False)
    if Account.objects.filter(resting, pk=account_id).exists():
        return HeldCredentials((), (), is_set_aside=True)
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


def keep_listed(account_id: int, api_key_ids: Collection[str]) -> None:
    """
    Keep the ids of keys that the exchange lists for an account, so that any of them opens it.

    Not those of an account whose key could list none: it is known by that key alone.
    """
    account = Account.objects.filter(pk=account_id, sole_key_id="").first()
    if account is None:
        return
    # One that is another account's stays that.
    AccountKey.objects.bulk_create(AccountKey.rows(account, api_key_ids), ignore_conflicts=True)


def delete_credential(accounts: Iterable[Account], credential_id: int) -> None:
    """
    Forget one key of these accounts. The cached figures stay: they are the account's.

    Raises:
        NotFound: none of them has such a credential, whoever else may have it.
    """
    with transaction.atomic():
        held = Credential.objects.filter(account__in=list(accounts), pk=credential_id)
        credential = held.select_for_update().first()
        if credential is None:
            raise NotFound
        credential.delete()
        publish(CREDENTIALS_CHANGED, str(credential.account_id))


def _announce(credential_id: int) -> None:
    account_id = Credential.objects.values_list("account_id", flat=True).get(pk=credential_id)
    publish(CREDENTIALS_CHANGED, str(account_id))
