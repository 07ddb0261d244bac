"""Endpoints of sign-in, session and credentials, under `/api/v1/account/`."""

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token, rotate_token
from ninja import Router, Status
from ninja.errors import HttpError
from ninja.utils import check_csrf

from accounts import credentials, sessions
from accounts.addresses import is_direct_loopback, network_of
from accounts.attempts import Attempt
from accounts.encryption import Secret
from accounts.errors import (
    InvalidApiKeyId,
    InvalidPrivateKey,
    LoopbackOnly,
    MissingField,
    NotSignedIn,
)
from accounts.models import Credential
from accounts.schemas import (
    AuthenticateIn,
    CredentialOut,
    ErrorOut,
    LogoutIn,
    SessionOut,
    SignedInOut,
)
from accounts.sessions import SessionCookie, SignedInRequest
from kalshi import pasted_keys

router = Router(tags=["account"])


def csrf_checked(request: HttpRequest) -> bool:
    """Nobody is signed in yet; the CSRF token is needed all the same."""
    # django-ninja checks it only where a cookie authenticates, and keeps Django's middleware off.
    if check_csrf(request):
        raise HttpError(403, "CSRF check Failed")
    return True


@router.post(
    "authenticate",
    auth=csrf_checked,
    response={
        200: SignedInOut,
        frozenset({401, 403, 409, 422, 429, 503}): ErrorOut,
    },
)
async def authenticate(
    request: HttpRequest, response: HttpResponse, payload: AuthenticateIn
) -> SignedInOut:
    """Sign in with an API key of the exchange; sets the session cookie."""
    async with Attempt("key", network_of(request)):
        api_key_id, private_key = _key(request, payload)
        signed_in = await credentials.authenticate(
            environment=payload.environment,
            api_key_id=api_key_id,
            private_key=private_key,
            accept_trading_key=payload.accept_trading_key,
        )
    # What another site could have planted before, or read, is worth nothing after.
    rotate_token(request)
    sessions.set_cookie(response, signed_in.token)
    return SignedInOut(
        user_id=signed_in.session.account_id,
        expires_at=signed_in.session.expires_at,
        credential=CredentialOut.from_orm(signed_in.credential),
    )


@router.get("session", response={200: SessionOut, 401: ErrorOut})
def session(request: HttpRequest) -> SessionOut:
    """Who is signed in. Sets the CSRF cookie, with a session or without."""
    get_token(request)
    current = sessions.of_request(request)
    if current is None:
        raise NotSignedIn
    held = Credential.objects.filter(account=current.account).newest_first()
    return SessionOut(
        user_id=current.account_id,
        expires_at=current.expires_at,
        credentials=[CredentialOut.from_orm(credential) for credential in held],
    )


@router.post("logout", auth=SessionCookie(), response={204: None, 401: ErrorOut})
def logout(
    request: SignedInRequest, response: HttpResponse, payload: LogoutIn | None = None
) -> Status[None]:
    """End the session with all its tokens; with `forget`, delete the account's keys and data."""
    if payload and payload.forget:
        credentials.forget(request.auth.account)
    else:
        sessions.end(request.auth)
    sessions.clear_cookie(response)
    return Status(204, None)


@router.delete(
    "credentials/{int:credential_id}",
    auth=SessionCookie(),
    response={204: None, frozenset({401, 404}): ErrorOut},
)
def delete_credential(request: SignedInRequest, credential_id: int) -> Status[None]:
    """Delete a stored key. The last known figures stay."""
    credentials.delete_credential(request.auth.account, credential_id)
    return Status(204, None)


def _key(request: HttpRequest, payload: AuthenticateIn) -> tuple[str, Secret]:
    api_key_id = _api_key_id(payload)
    if api_key_id and payload.private_key:
        try:
            return api_key_id, Secret.seal(payload.private_key.get_secret_value())
        except UnicodeEncodeError:
            raise InvalidPrivateKey("The private key is no text. Copy it again.") from None
    if payload.environment != "sandbox" or payload.api_key_id or payload.private_key:
        raise MissingField
    # Before the file is read: others need not learn whether there is one.
    credentials.exchange_of(payload.environment)
    if not is_direct_loopback(request):
        raise LoopbackOnly
    return credentials.sandbox_key()


def _api_key_id(payload: AuthenticateIn) -> str | None:
    pasted = payload.api_key_id.get_secret_value() if payload.api_key_id else ""
    if not pasted.strip():
        return None
    try:
        return pasted_keys.api_key_id(pasted)
    except pasted_keys.InvalidKey as error:
        raise InvalidApiKeyId(str(error)) from None
