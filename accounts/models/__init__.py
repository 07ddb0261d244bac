"""People, the accounts they own, the keys that open those, and their sessions."""

from accounts.models.exchange_accounts import (
    Account,
    AccountKey,
    Credential,
    EnvironmentName,
    key_id_hint,
)
from accounts.models.people import OneTimeLink, Passkey, SpentChallenge, User
from accounts.models.sessions import Session, ShownKey
from accounts.models.tries import KnownNetwork, SignInTry

__all__ = [
    "Account",
    "AccountKey",
    "Credential",
    "EnvironmentName",
    "KnownNetwork",
    "OneTimeLink",
    "Passkey",
    "Session",
    "ShownKey",
    "SignInTry",
    "SpentChallenge",
    "User",
    "key_id_hint",
]
