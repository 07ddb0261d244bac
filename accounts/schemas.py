"""The shapes of the account endpoints: a public contract, apart from the models."""

from datetime import datetime
from typing import Annotated, Literal

from ninja import Field, Schema
from pydantic import SecretStr

# As typed or pasted by a person; either field may hold the private key, so both hide it.
Pasted = Annotated[SecretStr, Field(max_length=20_000)]


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


class LogoutIn(Schema):
    forget: bool = Field(False, description="Also delete the keys and all data cached for them.")


class CredentialOut(Schema):
    id: int
    environment: str
    api_key_id_hint: str = Field(description="The end of the key id, such as `…1a2b`.")
    status: Literal["usable", "refused"]
    scopes: list[str] = Field(description="Empty when the exchange does not tell.")
    created_at: datetime


class SignedInOut(Schema):
    user_id: int
    expires_at: datetime
    credential: CredentialOut


class SessionOut(Schema):
    user_id: int
    expires_at: datetime
    credentials: list[CredentialOut]


class ErrorBody(Schema):
    code: str = Field(description="For programs, in snake_case.")
    message: str = Field(description="For a person.")


class ErrorOut(Schema):
    error: ErrorBody
