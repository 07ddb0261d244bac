"""
Issue, recognise, renew and end the sessions that the cookie `session` stands for.

A token is a JWT that names its session. The row decides whether it still counts, so that one
logout kills every token of a session; the signature spares a look at rows for forged ones.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.middleware.csrf import rotate_token
from django.utils import timezone
from ninja.security import APIKeyCookie

from accounts.devices import Device, device_of
from accounts.errors import NotSignedIn
from accounts.models import Account, Credential, Passkey, Session, ShownKey, User
from accounts.purging import purge
from postgres.channels import SESSION_ENDED, SIGHT_CHANGED
from postgres.notifications import publish

COOKIE = "session"
LIFETIME = timedelta(hours=24)
# A token younger than this is not replaced: a page makes several requests at once, and each new
# token costs a write.
RENEW_AFTER = timedelta(minutes=5)
# When and where it was last used is kept to the minute, for the same reason.
NOTED_AFTER = timedelta(minutes=1)
# How far the clock of the host that issued a token may be ahead of ours. A token is dead at its
# expiry all the same.
LEEWAY_SECONDS = 30
# The largest of PostgreSQL's bigint, and the end of the year 9999.
LARGEST_ID = 2**63 - 1
LATEST_SECOND = 253_402_300_799

ALGORITHM = "HS256"
# Where of_request() leaves a new token for the middleware. Django's error reports hide values
# whose names contain TOKEN.
RENEWED = "RENEWED_SESSION_TOKEN"


@dataclass(frozen=True, slots=True)
class _Claims:
    session_id: UUID
    user_id: int
    issued_at: datetime


@transaction.atomic
def prove(user: User, device: Device, *, passkey: Passkey | None = None) -> tuple[Session, str]:
    """
    A new session of the person, who has just proved to be this user, and its first token.

    Args:
        user: as they were when it was proved.
        passkey: by which it was proved, if by one.
    Raises:
        NotSignedIn: the password has changed since, the passkey was deleted, or the user is gone or
            deactivated.
    """
    # Locked, as by whoever changes the password or deletes the passkey, and then ends the sessions
    # that it opened.
    current = User.objects.select_for_update().filter(pk=user.pk, is_active=True).first()
    if current is None or current.password != user.password or _is_deleted(passkey):
        raise NotSignedIn("What you signed in with has just changed. Sign in again.")
    now = timezone.now()
    return _issue(Session(user=current, of=Session.Of.PERSON, proved_at=now), device)


def _is_deleted(passkey: Passkey | None) -> bool:
    return passkey is not None and not Passkey.objects.filter(pk=passkey.pk).exists()


def take_over(
    request: HttpRequest, user: User, *, passkey: Passkey | None = None
) -> tuple[Session, str]:
    """As `prove`, for this browser: the session that it had before ends, with its CSRF token."""
    before = of_request(request)
    session, token = prove(user, device_of(request), passkey=passkey)
    if before is not None:
        # Nobody has its cookie any more.
        end(before)
    # What another site could have planted before, or read, is worth nothing after.
    rotate_token(request)
    return session, token


@transaction.atomic
def show_key(
    account: Account,
    *,
    credential: Credential | None = None,
    session: Session | None = None,
    device: Device,
) -> tuple[Session, str]:
    """
    A session in which a key of the account was shown, and a fresh token for it.

    Args:
        credential: the key, as it is stored; without it the session sees, and proves nothing.
        session: one of the account's owner, in which it was; a new one of the key when None.
    """
    if session is None:
        session, token = _issue(Session(user=account.owner, of=Session.Of.KEY), device)
    else:
        token = _renew(session)
    if session.of == Session.Of.KEY:
        # Renewed, where another key of the account was shown before, or the same one was deleted.
        ShownKey.objects.update_or_create(
            session=session, account=account, defaults={"credential": credential}
        )
    publish(SIGHT_CHANGED, str(account.owner_id))
    return session, token


def _issue(session: Session, device: Device) -> tuple[Session, str]:
    purge(Session.objects.filter(expires_at__lt=timezone.now()), oldest_first="expires_at")
    now = _whole_second()
    session.expires_at = now + LIFETIME
    session.last_used_at = now
    session.address, session.browser = device.address, device.browser
    session.save(force_insert=True)
    return session, _token(session, issued_at=now)


def _renew(session: Session) -> str:
    now = _whole_second()
    session.expires_at = now + LIFETIME
    Session.objects.alive(now).filter(pk=session.pk).update(expires_at=session.expires_at)
    return _token(session, issued_at=now)


def locked(session: Session) -> Session:
    """
    The session as it is now, and its user: neither changes until this transaction ends.

    Raises:
        NotSignedIn: it has ended meanwhile, or its user is deactivated or gone.
    """
    alive = Session.objects.alive(timezone.now()).select_related("user").filter(pk=session.pk)
    # In the order that is named here.
    found = alive.select_for_update(of=("user", "self")).first()
    if found is None:
        raise NotSignedIn
    return found


def of_request(request: HttpRequest) -> Session | None:
    """
    The session whose cookie the request carries, or None.

    Using a session renews it: when the token has some age, `SessionCookieMiddleware` sends a new
    one with the response. Asks the database, so in async code call it by `sync_to_async`.
    """
    return of_requests([request])[0]


def of_requests(requests: Sequence[HttpRequest]) -> list[Session | None]:
    """As `of_request`, of many by the same few questions: all who come back at once, for one."""
    shown = [_claims(request.COOKIES.get(COOKIE, "")) for request in requests]
    living = _living({claims.session_id for claims in shown if claims})
    found = [
        session
        if claims and (session := living.get(claims.session_id)) and _are_of(claims, session)
        else None
        for claims in shown
    ]
    now = _whole_second()
    renewed: list[tuple[HttpRequest, Session]] = []
    uses: dict[_Use, set[UUID]] = defaultdict(set)
    for request, claims, session in zip(requests, shown, found, strict=True):
        if claims is None or session is None:
            continue
        is_renewed = now - claims.issued_at >= RENEW_AFTER
        is_noted = now - session.last_used_at >= NOTED_AFTER
        if is_renewed:
            renewed.append((request, session))
        if is_renewed or is_noted:
            use = _Use(device_of(request) if is_noted else None, is_renewed)
            uses[use].add(session.pk)
    # Some may have been ended since they were read.
    ended = set().union(*(_note(use, ids, now) for use, ids in uses.items()))
    for request, session in renewed:
        if session.pk in ended:
            # Its cookie would take the place of the one that the browser has got meanwhile.
            continue
        session.expires_at = now + LIFETIME
        request.META[RENEWED] = _token(session, issued_at=now)
    return [None if session is None or session.pk in ended else session for session in found]


@dataclass(frozen=True, slots=True)
class _Use:
    """What a request changes of its session; `device` None where that is known to the minute."""

    device: Device | None
    is_renewed: bool


def _note(use: _Use, ids: set[UUID], now: datetime) -> set[UUID]:
    """Write how these sessions were used; those among them that are no longer alive."""
    changes: dict[str, object] = {}
    if use.device is not None:
        device = use.device
        changes |= {"last_used_at": now, "address": device.address, "browser": device.browser}
    if use.is_renewed:
        changes["expires_at"] = now + LIFETIME
    with transaction.atomic():
        # Locked in one order, which an UPDATE has not: two processes that see some of the same
        # sessions would else wait for each other.
        alive = Session.objects.alive(now).filter(pk__in=ids).order_by("pk")
        locked = alive.only("pk").select_for_update(of=("self",), no_key=True)
        kept = {session.pk for session in locked}
        Session.objects.filter(pk__in=kept).update(**changes)
    return ids - kept


def end(session: Session) -> None:
    """Kill every token of the session and announce it, so that its open streams end."""
    with transaction.atomic():
        Session.objects.filter(pk=session.pk, ended_at=None).update(ended_at=timezone.now())
        publish(SESSION_ENDED, str(session.pk))


def end_all(user: User, *, but: Session | None = None, of: Session.Of | None = None) -> None:
    """End the user's sessions: all, or but one, or those of a kind."""
    ended = Session.objects.filter(user=user, ended_at=None)
    if but is not None:
        ended = ended.exclude(pk=but.pk)
    if of is not None:
        ended = ended.filter(of=of)
    # In one order, as `_note` locks them: who ends them within a transaction holds them to its end.
    for session in ended.order_by("pk"):
        end(session)


def set_cookie(response: HttpResponseBase, token: str) -> None:
    """Hand the token to the browser, out of reach of its scripts."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=LIFETIME,
        path="/",
        secure=settings.COOKIES_SECURE,
        httponly=True,
        samesite="Lax",
    )


def clear_cookie(response: HttpResponseBase) -> None:
    """Take the token back from the browser."""
    response.delete_cookie(COOKIE, path="/", samesite="Lax")


class SessionCookie(APIKeyCookie):
    """
    django-ninja's authentication by our cookie: `request.auth` is the `Session`.

    An unsafe method without Django's CSRF token is refused (403) before the cookie is looked at.
    """

    param_name = COOKIE

    def authenticate(self, request: HttpRequest, key: str | None) -> Session | None:
        return of_request(request)


class SignedInRequest(HttpRequest):
    """A request that `SessionCookie` let through."""

    auth: Session


def _token(session: Session, *, issued_at: datetime) -> str:
    claims = {
        "user_id": session.user_id,
        "sid": str(session.pk),
        "iat": issued_at,
        "exp": session.expires_at,
    }
    return jwt.encode(claims, settings.JWT_SECRET_KEY, algorithm=ALGORITHM)


def _claims(token: str) -> _Claims | None:
    try:
        claims = jwt.decode(
            token,
            settings.JWT_SECRET_KEY,
            # Never from the token's own header, which may ask for none at all.
            algorithms=[ALGORITHM],
            # Its times are ours to judge: PyJWT has one leeway for all of them, and fails on some
            # numbers.
            options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        return None
    return _sane(claims, timezone.now().timestamp())


def _sane(claims: Mapping[str, object], now: float) -> _Claims | None:
    """The claims of a token that counts at this time, if each of them is what it must be."""
    user_id, session_id = claims.get("user_id"), claims.get("sid")
    issued_at, expires_at = _seconds(claims.get("iat")), _seconds(claims.get("exp"))
    not_before = _seconds(claims.get("nbf", 0))
    if issued_at is None or expires_at is None or not_before is None:
        return None
    if expires_at <= now or max(issued_at, not_before) > now + LEEWAY_SECONDS:
        return None
    if type(user_id) is not int or not isinstance(session_id, str):
        return None
    if not 0 < user_id <= LARGEST_ID:
        return None
    try:
        return _Claims(UUID(session_id), user_id, datetime.fromtimestamp(issued_at, UTC))
    except ValueError:
        return None


def _seconds(value: object) -> float | None:
    # To Python a bool is a number; NaN lies between no two.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= LATEST_SECOND else None


def _living(ids: set[UUID]) -> dict[UUID, Session]:
    if not ids:
        return {}
    living = Session.objects.alive(timezone.now()).select_related("user")
    return {session.pk: session for session in living.filter(pk__in=ids)}


def _are_of(claims: _Claims, session: Session) -> bool:
    return claims.user_id == session.user_id


def _whole_second() -> datetime:
    # A JWT counts in seconds: so the row's expiry is its newest token's to the instant.
    return timezone.now().replace(microsecond=0)
