"""Who is signed in, here and elsewhere."""

from typing import Literal
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.utils import timezone
from ninja import Router, Status

from accounts import sessions, sight, ways_in
from accounts.errors import NotFound, NotSignedIn
from accounts.models import Credential, Session
from accounts.schemas import (
    CredentialOut,
    ErrorOut,
    SessionOut,
    SessionsOut,
    SessionSummary,
    account_out,
)
from accounts.sessions import SessionCookie, SignedInRequest

router = Router()


@router.get("session", response={200: SessionOut, 401: ErrorOut})
def session(request: HttpRequest) -> SessionOut:
    """Who is signed in. Sets the CSRF cookie, with a session or without."""
    get_token(request)
    current = sessions.of_request(request)
    if current is None:
        raise NotSignedIn
    seen = sight.of(current)
    held = Credential.objects.filter(account__in=seen.accounts).newest_first()
    user = current.user
    return SessionOut(
        user_id=user.pk,
        username=user.username,
        of=_of(current),
        expires_at=current.expires_at,
        is_staff=user.is_staff,
        has_password=ways_in.has_password(user),
        passkey_count=user.passkeys.count(),
        accounts=[account_out(account, seen) for account in seen.accounts],
        credentials=[CredentialOut.from_orm(credential) for credential in held],
    )


@router.get("sessions", auth=SessionCookie(), response={200: SessionsOut, 401: ErrorOut})
def sessions_of_user(request: SignedInRequest) -> SessionsOut:
    """Where the user is signed in; a session of a key lists only itself."""
    current = request.auth
    listed = _listed(current).order_by("-last_used_at", "pk")
    return SessionsOut(
        sessions=[
            SessionSummary(
                id=each.pk,
                of=_of(each),
                created_at=each.created_at,
                last_used_at=each.last_used_at,
                address=each.address,
                browser=each.browser,
                is_current=each == current,
            )
            for each in listed
        ]
    )


@router.delete(
    "sessions/{uuid:session_id}",
    auth=SessionCookie(),
    response={204: None, frozenset({401, 404}): ErrorOut},
)
def end_session(request: SignedInRequest, response: HttpResponse, session_id: UUID) -> Status[None]:
    """End one of them, and its streams; a session of a key ends only itself."""
    ended = _listed(request.auth).filter(pk=session_id).first()
    if ended is None:
        raise NotFound
    sessions.end(ended)
    if ended == request.auth:
        sessions.clear_cookie(response)
    return Status(204, None)


def _listed(current: Session) -> QuerySet[Session]:
    if current.of == Session.Of.KEY:
        return Session.objects.filter(pk=current.pk)
    return Session.objects.alive(timezone.now()).filter(user=current.user_id)


def _of(session: Session) -> Literal["key", "person"]:
    return "key" if session.of == Session.Of.KEY else "person"
