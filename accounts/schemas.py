"""The shapes of the account endpoints: a public contract, apart from the models."""

import unicodedata
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from ninja import Field, Schema
from pydantic import AfterValidator, RootModel, SecretStr, StringConstraints
from pydantic_core import PydanticCustomError

from accounts.models import Account
from accounts.models.exchange_accounts import LONGEST_NAME as LONGEST_ACCOUNT_NAME
from accounts.sight import Sight

# As typed or pasted by a person; either field may hold the private key, so both hide it.
Pasted = Annotated[SecretStr, Field(max_length=20_000)]
# A name may be a password in the wrong field.
Typed = Annotated[SecretStr, Field(max_length=1000)]


# They turn the order of what is around them.
_TURNING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def _one_line(text: str) -> str:
    # As it can be stored, and shown on one line in the order in which it was written.
    if any(
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or character in _TURNING
        for character in text
    ):
        raise PydanticCustomError("one_line", "must be one line of text")
    return text


OneLine = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(_one_line)
]
AccountName = Annotated[OneLine, Field(max_length=LONGEST_ACCOUNT_NAME)]
PasskeyName = Annotated[OneLine, Field(max_length=100)]


class AuthenticateIn(Schema):
    environment: Literal["production", "demo", "sandbox"]
    api_key_id: Pasted | None = Field(
        None,
        description="Needed, save for the sandbox's own key, from loopback only. "
        "A label, quotes and white space around it are taken off.",
    )
    private_key: Pasted | None = Field(
        None,
        description="As PEM; its line ends may be spelled out or lost, and the whole file may be "
        "in base64. Needed together with `api_key_id`.",
    )
    accept_trading_key: bool = Field(
        False, description="Use the key although it can do more than read."
    )
    invitation: Typed | None = Field(
        None, description="Where one is needed to become a user: its token, or the whole link."
    )


class LoginIn(Schema):
    username: Typed
    password: Typed


class PasskeyIn(RootModel[dict[str, object]]):
    """As `PublicKeyCredential.toJSON()` gives it."""


class RecoverIn(Schema):
    token: Typed


class NewPasskeyIn(Schema):
    name: PasskeyName = Field(
        description="The person's word for it, such as the device that keeps it."
    )
    credential: dict[str, object] = Field(description="As `PublicKeyCredential.toJSON()` gives it.")


class PasswordIn(Schema):
    username: Typed
    new_password: Typed


class LogoutIn(Schema):
    forget: bool = Field(
        False, description="Also delete the user, or the accounts whose keys were shown."
    )
    everywhere: bool = Field(False, description="End all sessions of the user.")


class AccountPatch(Schema):
    name: AccountName | None = None
    is_default: bool | None = None


class InvitationIn(Schema):
    staff: bool = Field(False, description="Whether who uses it becomes one of the staff.")


class AccountOut(Schema):
    id: int
    name: str = Field(description="The owner's word for it; at first the environment's.")
    label: str = Field(description="The name, told apart from others that have the same.")
    environment: str
    subaccount: int
    is_default: bool
    same_as: int | None = Field(
        description="The account that is the same one at the exchange, so that sums count it once."
    )
    created_at: datetime


class CredentialOut(Schema):
    id: int
    account_id: int
    environment: str
    api_key_id_hint: str = Field(description="The end of the key id, such as `…1a2b`.")
    status: Literal["usable", "refused"]
    scopes: list[str] = Field(description="Empty when the exchange does not tell.")
    created_at: datetime
    checked_at: datetime = Field(description="When the exchange last accepted it.")


class SignedInOut(Schema):
    user_id: int
    expires_at: datetime


class SignedInWithKeyOut(SignedInOut):
    account: AccountOut
    credential: CredentialOut


class SessionOut(Schema):
    user_id: int
    username: str | None
    of: Literal["key", "person"]
    expires_at: datetime
    is_staff: bool
    has_password: bool
    passkey_count: int
    accounts: list[AccountOut]
    credentials: list[CredentialOut]


class SessionSummary(Schema):
    id: UUID
    of: Literal["key", "person"]
    created_at: datetime
    last_used_at: datetime
    address: str
    browser: str = Field(description="Such as `Firefox 144 on Windows`.")
    is_current: bool


class SessionsOut(Schema):
    sessions: list[SessionSummary]


class PasskeyOut(Schema):
    id: int
    name: str
    created_at: datetime
    last_used_at: datetime | None
    works_here: bool = Field(description="False if it was made when this server had another name.")


class PasskeysOut(Schema):
    passkeys: list[PasskeyOut]


class InvitationOut(Schema):
    url: str
    expires_at: datetime


class ErrorBody(Schema):
    code: str = Field(description="For programs, in snake_case.")
    message: str = Field(description="For a person.")


class ErrorOut(Schema):
    error: ErrorBody


def account_out(account: Account, seen: Sight) -> AccountOut:
    """An account as a session sees it."""
    return AccountOut(
        id=account.pk,
        name=account.name,
        label=seen.label(account),
        environment=account.environment,
        subaccount=account.subaccount,
        is_default=account == seen.default,
        # Of one that the session does not see, nothing is told.
        same_as=account.same_as_id if seen.has(account.same_as_id) else None,
        created_at=account.created_at,
    )
