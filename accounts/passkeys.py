"""
Passkeys: WebAuthn credentials by which a person signs in without a name.

A challenge is signed rather than stored, so that strangers who ask for many leave nothing behind;
one that was answered is kept until it would have expired, so that it serves once.
"""

import hashlib
import hmac
import logging
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import cast

from django.db import Error as AnyDatabaseError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, options_to_json_dict, parse_client_data_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from accounts import sight
from accounts.errors import PasskeyRefused, TooManyPasskeys, WrongPasskey
from accounts.models import Passkey, Session, SpentChallenge, User
from accounts.purging import purge
from accounts.relying_party import relying_party

logger = logging.getLogger(__name__)

CHALLENGE_LASTS = timedelta(minutes=5)
RELYING_PARTY_NAME = "Kalshi Live"
MOST_PASSKEYS = 20
_RANDOM_BYTES = 16
_TIME_BYTES = 8
_LONGEST_ID = 1023

# Whatever the browser sent.
Credential = Mapping[str, object]


def sign_in_options(request: HttpRequest) -> dict[str, object]:
    """What `parseRequestOptionsFromJSON` takes: any passkey that was made here will do."""
    return options_to_json_dict(
        generate_authentication_options(
            rp_id=relying_party(request).host,
            challenge=_challenge("sign in"),
            timeout=_milliseconds(),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
    )


def sign_in(request: HttpRequest, credential: Credential) -> Passkey:
    """
    The passkey that this is, with its user; signing them in is left to the caller.

    Raises:
        WrongPasskey: it is none of ours, or its challenge is.
    """
    party = relying_party(request)
    try:
        challenge = _spent(credential, "sign in")
        credential_id = base64url_to_bytes(str(credential["id"]))
        with transaction.atomic():
            # Locked, so that of two answers with one count only one is taken.
            passkey = (
                Passkey.objects.select_related("user")
                .select_for_update(of=("self",))
                .get(credential_id=credential_id, user__is_active=True)
            )
            verified = verify_authentication_response(
                credential=dict(credential),
                expected_challenge=challenge,
                expected_rp_id=party.host,
                expected_origin=list(party.origins),
                credential_public_key=bytes(passkey.public_key),
                # 0 after 0 is fine: synced passkeys don't count.
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
            _check_handle(credential, passkey.user)
            passkey.sign_count = verified.new_sign_count
            passkey.last_used_at = timezone.now()
            passkey.save(update_fields=["sign_count", "last_used_at"])
    except AnyDatabaseError:
        raise
    # The library lets whatever it meets in an odd answer through: none of it opens anything.
    except Exception as error:
        _note(error)
        raise WrongPasskey from None
    logger.info("signed in", extra={"user_id": passkey.user_id, "by": "passkey"})
    return passkey


def creation_options(request: HttpRequest, session: Session) -> dict[str, object]:
    """What `parseCreationOptionsFromJSON` takes."""
    user = session.user
    _check_number(user)
    return options_to_json_dict(
        generate_registration_options(
            rp_id=relying_party(request).host,
            rp_name=RELYING_PARTY_NAME,
            user_id=user.handle.bytes,
            user_name=user.username or RELYING_PARTY_NAME,
            user_display_name=user.username or RELYING_PARTY_NAME,
            challenge=_challenge(_purpose(session)),
            timeout=_milliseconds(),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                require_resident_key=True,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[
                PublicKeyCredentialDescriptor(id=bytes(passkey.credential_id))
                for passkey in user.passkeys.all()
            ],
        )
    )


def create(request: HttpRequest, session: Session, name: str, credential: Credential) -> Passkey:
    """
    Add a passkey to those of the session's user.

    Raises:
        PasskeyRefused: the answer is not to a challenge of this session, or makes no passkey.
        SignInAgain, TooManyPasskeys: the person may not have it, or not any more.
    """
    party = relying_party(request)
    user = session.user
    try:
        verified = verify_registration_response(
            credential=dict(credential),
            expected_challenge=_spent(credential, _purpose(session)),
            expected_rp_id=party.host,
            expected_origin=list(party.origins),
            require_user_verification=True,
        )
    except AnyDatabaseError:
        raise
    except Exception as error:  # as above
        _note(error)
        raise PasskeyRefused from None
    if len(verified.credential_id) > _LONGEST_ID:
        raise PasskeyRefused
    try:
        with transaction.atomic():
            sight.lock_person(session)
            _check_number(user)
            return Passkey.objects.create(
                user=user,
                name=name,
                credential_id=verified.credential_id,
                public_key=verified.credential_public_key,
                sign_count=verified.sign_count,
                relying_party=party.host,
            )
    except IntegrityError:
        raise PasskeyRefused("This passkey is known here already.") from None


def _note(error: Exception) -> None:
    # A mistake of ours would look to the person like a wrong passkey: here its kind tells.
    logger.info("passkey refused", extra={"error": type(error).__name__})


def _check_number(user: User) -> None:
    if user.passkeys.count() >= MOST_PASSKEYS:
        raise TooManyPasskeys


def _check_handle(credential: Credential, user: User) -> None:
    response = cast(Mapping[str, object], credential["response"])  # as was just verified
    handle = response.get("userHandle")
    if handle is not None and base64url_to_bytes(str(handle)) != user.handle.bytes:
        raise ValueError("a passkey of somebody else")


def _purpose(session: Session) -> str:
    return f"create {session.pk}"


def _challenge(purpose: str) -> bytes:
    until = int((timezone.now() + CHALLENGE_LASTS).timestamp())
    text = secrets.token_bytes(_RANDOM_BYTES) + until.to_bytes(_TIME_BYTES)
    return text + _signature(text, purpose)


def _signature(text: bytes, purpose: str) -> bytes:
    return salted_hmac(f"accounts.passkeys {purpose}", text, algorithm="sha256").digest()


def _spent(credential: Credential, purpose: str) -> bytes:
    """
    The challenge that the browser has answered, used up from now on.

    Raises:
        ValueError, or whatever the library makes of an odd answer.
    """
    response = credential["response"]
    if not isinstance(response, Mapping):
        raise ValueError("no response")
    data = parse_client_data_json(base64url_to_bytes(str(response["clientDataJSON"])))
    length = _RANDOM_BYTES + _TIME_BYTES
    text, signature = data.challenge[:length], data.challenge[length:]
    if len(text) != length or not hmac.compare_digest(signature, _signature(text, purpose)):
        raise ValueError("not a challenge of ours")
    until = datetime.fromtimestamp(int.from_bytes(text[_RANDOM_BYTES:]), UTC)
    now = timezone.now()
    if until <= now:
        raise ValueError("too late")
    purge(SpentChallenge.objects.filter(expires_at__lt=now), oldest_first="expires_at")
    try:
        with transaction.atomic():
            digest = hashlib.sha256(data.challenge).hexdigest()
            SpentChallenge.objects.create(digest=digest, expires_at=until)
    except IntegrityError:
        raise ValueError("it has served") from None
    return data.challenge


def _milliseconds() -> int:
    return int(CHALLENGE_LASTS.total_seconds() * 1000)
