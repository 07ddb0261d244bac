"""In and out: by a key, a password, a passkey or a recovery link, and logout."""

from http import HTTPStatus

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.views.decorators.debug import sensitive_variables
from ninja import Router, Status
from ninja.errors import HttpError
from ninja.utils import check_csrf

from accounts import (
    forgetting,
    key_check,
    key_sign_in,
    one_time_links,
    own_sandbox,
    passwords,
    sessions,
    sight,
)
from accounts.addresses import is_direct_loopback, network_of
from accounts.attempts import Attempt
from accounts.devices import device_of
from accounts.encryption import Secret
from accounts.errors import (
    InvalidApiKeyId,
    InvalidPrivateKey,
    LoopbackOnly,
    MissingField,
    WrongLink,
)
from accounts.key_sign_in import ShownKey
from accounts.models import OneTimeLink, Passkey, User
from accounts.schemas import (
    AuthenticateIn,
    CredentialOut,
    ErrorOut,
    LoginIn,
    LogoutIn,
    PasskeyIn,
    RecoverIn,
    SignedInOut,
    SignedInWithKeyOut,
    account_out,
)
from accounts.sessions import SessionCookie, SignedInRequest
from kalshi import pasted_keys

router = Router()


def csrf_checked(request: HttpRequest) -> bool:
    """Nobody is signed in yet; the CSRF token is needed all the same."""
    # django-ninja checks it only where a cookie authenticates, and keeps Django's middleware off.
    if check_csrf(request):
        raise HttpError(HTTPStatus.FORBIDDEN, "CSRF check Failed")
    return True


@router.post(
    "authenticate",
    auth=csrf_checked,
    response={
        200: SignedInWithKeyOut,
        frozenset({401, 403, 409, 422, 429, 503}): ErrorOut,
    },
)
async def authenticate(
    request: HttpRequest, response: HttpResponse, payload: AuthenticateIn
) -> SignedInWithKeyOut:
    """
    Sign in with an API key of the exchange; signed in, add its account to yours.

    Sets the session cookie.
    """
    session = await sync_to_async(sessions.of_request)(request)
    # A click on the sandbox guesses at nothing, and is the way back in after ten wrong keys.
    is_guess = not (_names_no_key(payload) and is_direct_loopback(request))
    async with Attempt("key", network_of(request), counts=is_guess):
        signed_in = await key_sign_in.authenticate(
            _shown_key(request, payload), session=session, device=device_of(request)
        )
    # As in `sessions.take_over`.
    rotate_token(request)
    sessions.set_cookie(response, signed_in.token)
    seen = await sync_to_async(sight.of)(signed_in.session)
    return SignedInWithKeyOut(
        user_id=signed_in.session.user_id,
        expires_at=signed_in.session.expires_at,
        account=account_out(signed_in.account, seen),
        credential=CredentialOut.from_orm(signed_in.credential),
    )


@router.post(
    "login",
    auth=csrf_checked,
    response={200: SignedInOut, frozenset({401, 422, 429}): ErrorOut},
)
@sensitive_variables()
def login(request: HttpRequest, response: HttpResponse, payload: LoginIn) -> SignedInOut:
    """Sign in with a name and a password; signed in, prove that it is you."""
    user = passwords.check(
        request,
        username=payload.username.get_secret_value(),
        password=payload.password.get_secret_value(),
    )
    return _proved(request, response, user)


@router.post("login/passkey/options", auth=csrf_checked, response={200: dict[str, object]})
def passkey_sign_in_options(request: HttpRequest) -> dict[str, object]:
    """What `PublicKeyCredential.parseRequestOptionsFromJSON` takes; good for five minutes, once."""
    from accounts import passkeys  # here: its library takes 8 MB, which few processes need

    return passkeys.sign_in_options(request)


@router.post(
    "login/passkey",
    auth=csrf_checked,
    response={200: SignedInOut, frozenset({401, 422, 429}): ErrorOut},
)
def passkey_sign_in(
    request: HttpRequest, response: HttpResponse, payload: PasskeyIn
) -> SignedInOut:
    """Sign in with a passkey: the credential as `PublicKeyCredential.toJSON()` gives it."""
    from accounts import passkeys  # as above

    with Attempt("passkey", network_of(request)):
        passkey = passkeys.sign_in(request, payload.root)
    return _proved(request, response, passkey.user, passkey)


@router.post(
    "recover",
    auth=csrf_checked,
    response={200: SignedInOut, frozenset({401, 422, 429}): ErrorOut},
)
@sensitive_variables()
def recover(request: HttpRequest, response: HttpResponse, payload: RecoverIn) -> SignedInOut:
    """Sign in once with the link of `manage.py recover`: its token, or all of it."""
    with Attempt("link", network_of(request)):
        link = one_time_links.use(OneTimeLink.Kind.RECOVERY, payload.token.get_secret_value())
        if link is None or link.user is None or not link.user.is_active:
            raise WrongLink
    return _proved(request, response, link.user)


@router.post(
    "logout", auth=SessionCookie(), response={204: None, frozenset({401, 403, 422}): ErrorOut}
)
def logout(
    request: SignedInRequest, response: HttpResponse, payload: LogoutIn | None = None
) -> Status[None]:
    """
    End the session with all its tokens; `everywhere`, all sessions of the user.

    With `forget`, delete what the session stands for: the user with all accounts, or of a key the
    accounts whose keys were shown.
    """
    session = request.auth
    payload = payload or LogoutIn(forget=False, everywhere=False)
    if payload.everywhere:
        sight.require_person(session)
        sessions.end_all(session.user)
        one_time_links.end_unused(session.user)
    if payload.forget:
        forgetting.forget_all_seen(session)
    sessions.end(session)
    sessions.clear_cookie(response)
    return Status(204, None)


def _proved(
    request: HttpRequest, response: HttpResponse, user: User, passkey: Passkey | None = None
) -> SignedInOut:
    session, token = sessions.take_over(request, user, passkey=passkey)
    sessions.set_cookie(response, token)
    return SignedInOut(user_id=user.pk, expires_at=session.expires_at)


def _shown_key(request: HttpRequest, payload: AuthenticateIn) -> ShownKey:
    api_key_id, private_key, is_own_sandbox = _key(request, payload)
    return ShownKey(
        environment=payload.environment,
        api_key_id=api_key_id,
        private_key=private_key,
        accept_trading_key=payload.accept_trading_key,
        invitation=payload.invitation.get_secret_value() if payload.invitation else None,
        is_own_sandbox=is_own_sandbox,
    )


def _key(request: HttpRequest, payload: AuthenticateIn) -> tuple[str, Secret, bool]:
    api_key_id = _api_key_id(payload)
    if api_key_id and payload.private_key:
        try:
            return api_key_id, Secret.seal(payload.private_key.get_secret_value()), False
        except UnicodeEncodeError:
            raise InvalidPrivateKey("The private key is no text. Copy it again.") from None
    if not _names_no_key(payload):
        raise MissingField
    # Before the file is read: others need not learn whether there is one.
    key_check.exchange_of(payload.environment)
    if not is_direct_loopback(request):
        raise LoopbackOnly
    return *own_sandbox.key(), True


def _names_no_key(payload: AuthenticateIn) -> bool:
    """Whether the sandbox's own key is meant."""
    return payload.environment == "sandbox" and not (payload.api_key_id or payload.private_key)


def _api_key_id(payload: AuthenticateIn) -> str | None:
    pasted = payload.api_key_id.get_secret_value() if payload.api_key_id else ""
    if not pasted.strip():
        return None
    try:
        return pasted_keys.api_key_id(pasted)
    except pasted_keys.InvalidKey as error:
        raise InvalidApiKeyId(str(error)) from None
