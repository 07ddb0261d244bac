"""Invitations: with one, one more person can become a user."""

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from ninja import Router, Status

from accounts import one_time_links, registration, sessions, sight, staff_log
from accounts.errors import StaffOnly
from accounts.schemas import ErrorOut, InvitationIn, InvitationOut
from accounts.sessions import SessionCookie, SignedInRequest

router = Router(auth=SessionCookie())


@router.post("invitations", response={201: InvitationOut, frozenset({401, 403, 422}): ErrorOut})
def invite(request: SignedInRequest, payload: InvitationIn) -> Status[InvitationOut]:
    """A link that lets one more person in, once, within seven days; staff only."""
    with transaction.atomic():
        # Who is deactivated at this moment, or signs out everywhere, ends this one too.
        session = sessions.locked(request.auth)
        if not session.user.is_staff:
            raise StaffOnly
        sight.require_person(session)
        registration.require_that_invitations_count()
        issued = one_time_links.invite(
            is_staff=payload.staff, made_by=session.user, origin=_origin_of(request)
        )
    staff_log.note(session.user_id, "invitation made", for_staff=payload.staff)
    return Status(201, InvitationOut(url=issued.url, expires_at=issued.expires_at))


def _origin_of(request: HttpRequest) -> str:
    return settings.PUBLIC_ORIGIN or f"http://{request.get_host()}"
