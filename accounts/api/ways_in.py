"""A person's own ways in: passkeys, and a name with a password."""

from django.db import transaction
from django.views.decorators.debug import sensitive_variables
from ninja import Router, Status

from accounts import one_time_links, relying_party, sessions, sight, ways_in
from accounts.addresses import network_of
from accounts.attempts import Attempt
from accounts.errors import NotFound
from accounts.models import Passkey, Session
from accounts.schemas import (
    ErrorOut,
    NewPasskeyIn,
    PasskeyOut,
    PasskeysOut,
    PasswordIn,
)
from accounts.sessions import SessionCookie, SignedInRequest

router = Router(auth=SessionCookie())


@router.get("passkeys", response={200: PasskeysOut, 401: ErrorOut})
def list_passkeys(request: SignedInRequest) -> PasskeysOut:
    """The person's passkeys; none are told to a session of a key that may not change them."""
    session = request.auth
    if session.of == Session.Of.KEY and not sight.may_set_first_way_in(session):
        return PasskeysOut(passkeys=[])
    host = relying_party.relying_party(request).host
    return PasskeysOut(
        passkeys=[_passkey_out(passkey, host) for passkey in session.user.passkeys.all()]
    )


@router.post(
    "passkeys/options",
    response={200: dict[str, object], frozenset({401, 403, 409}): ErrorOut},
)
def passkey_creation_options(request: SignedInRequest) -> dict[str, object]:
    """
    What `PublicKeyCredential.parseCreationOptionsFromJSON` takes; good for five minutes, once.
    """
    from accounts import passkeys  # here: its library takes 8 MB, which few processes need

    sight.require_person(request.auth)
    return passkeys.creation_options(request, request.auth)


@router.post(
    "passkeys",
    response={201: PasskeyOut, frozenset({401, 403, 409, 422}): ErrorOut},
)
def create_passkey(request: SignedInRequest, payload: NewPasskeyIn) -> Status[PasskeyOut]:
    """Add the passkey that the browser made: as `PublicKeyCredential.toJSON()` gives it."""
    from accounts import passkeys  # as above

    sight.require_person(request.auth)
    made = passkeys.create(request, request.auth, payload.name, payload.credential)
    return Status(201, _passkey_out(made, made.relying_party))


@router.delete(
    "passkeys/{int:passkey_id}", response={204: None, frozenset({401, 403, 404}): ErrorOut}
)
def delete_passkey(request: SignedInRequest, passkey_id: int) -> Status[None]:
    """Delete one: it opens nothing any more; ends the user's other sessions of the person."""
    session = request.auth
    with transaction.atomic():
        # Whoever signs in by it waits for that, or is looked for among the sessions that end.
        sight.lock_person(session)
        deleted, _ = session.user.passkeys.filter(pk=passkey_id).delete()
        if not deleted:
            raise NotFound
        sessions.end_all(session.user, but=session, of=Session.Of.PERSON)
        one_time_links.end_unused(session.user)
    return Status(204, None)


@router.post("password", response={204: None, frozenset({401, 403, 409, 422, 429}): ErrorOut})
@sensitive_variables()
def set_password(request: SignedInRequest, payload: PasswordIn) -> Status[None]:
    """Set or change name and password; ends the user's other sessions of the person."""
    session = request.auth
    sight.require_person(session)
    with Attempt("password", network_of(request)):
        fitted = ways_in.fit(
            session.user,
            username=payload.username.get_secret_value(),
            new_password=payload.new_password.get_secret_value(),
        )
        with transaction.atomic():
            sight.lock_person(session)
            ways_in.save(fitted)
            sessions.end_all(session.user, but=session, of=Session.Of.PERSON)
            one_time_links.end_unused(session.user)
    return Status(204, None)


def _passkey_out(passkey: Passkey, host: str) -> PasskeyOut:
    return PasskeyOut(
        id=passkey.pk,
        name=passkey.name,
        created_at=passkey.created_at,
        last_used_at=passkey.last_used_at,
        works_here=passkey.relying_party == host,
    )
