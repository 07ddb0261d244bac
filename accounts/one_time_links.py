"""Links that serve once. Of a token only its digest is kept, so that no row lets anybody in."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import OneTimeLink, User
from accounts.purging import purge

INVITED_FOR = timedelta(days=7)
RECOVERABLE_FOR = timedelta(hours=1)
TOKEN_BYTES = 32
# Of any address that holds one.
LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Issued:
    """A link as it is handed out, once."""

    url: str = field(repr=False)
    expires_at: datetime


def invite(*, is_staff: bool, made_by: User | None = None, origin: str | None = None) -> Issued:
    """
    A link with which one more person can become a user.

    Args:
        made_by: who answers for it; None for whoever runs this server.
        origin: where this server is reached; its own idea of it when None.
    """
    token, link = _issue(
        OneTimeLink.Kind.INVITATION, INVITED_FOR, is_staff=is_staff, made_by=made_by
    )
    return Issued(f"{origin or own_origin()}/?invitation={token}", link.expires_at)


def recovery(user: User) -> Issued:
    """A link that signs this user in once, whatever they lost."""
    token, link = _issue(OneTimeLink.Kind.RECOVERY, RECOVERABLE_FOR, user=user)
    # Behind the #, which no browser sends: it is in no log, and no preview of a chat uses it up.
    return Issued(f"{own_origin()}/#recover={token}", link.expires_at)


def end_unused(user: User) -> None:
    """What was printed for this user, or made by them, and not used opens nothing any more."""
    # Somebody else may have made it in their name, of which they would not know.
    OneTimeLink.objects.filter(Q(user=user) | Q(made_by=user), used_at__isnull=True).delete()


@transaction.atomic
def use(kind: OneTimeLink.Kind, token: str) -> OneTimeLink | None:
    """
    Use the link up; None if it is none, was used or has expired.

    Args:
        token: alone, or the whole address with it.
    """
    link = (
        OneTimeLink.objects.good(timezone.now())
        .select_for_update(of=("self",))
        .select_related("user")
        .filter(kind=kind, digest=_digest(_bare(token)))
        .first()
    )
    if link is not None:
        link.used_at = timezone.now()
        link.save(update_fields=["used_at"])
    return link


def own_origin() -> str:
    """Where this server is reached, as far as its settings tell; passkeys want a name there."""
    return settings.PUBLIC_ORIGIN or f"http://localhost:{settings.PORT}"


def _issue(
    kind: OneTimeLink.Kind,
    lasts: timedelta,
    *,
    is_staff: bool = False,
    user: User | None = None,
    made_by: User | None = None,
) -> tuple[str, OneTimeLink]:
    now = timezone.now()
    purge(OneTimeLink.objects.filter(expires_at__lt=now), oldest_first="expires_at")
    token = secrets.token_urlsafe(TOKEN_BYTES)
    link = OneTimeLink.objects.create(
        kind=kind,
        digest=_digest(token),
        is_staff=is_staff,
        user=user,
        made_by=made_by,
        expires_at=now + lasts,
    )
    return token, link


def _bare(token: str) -> str:
    # People paste the whole address.
    return token.strip()[-LONGEST:].rpartition("=")[2]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
