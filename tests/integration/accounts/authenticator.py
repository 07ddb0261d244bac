"""
A software authenticator: it makes passkeys and answers challenges, as a browser hands them on.

What it is told to do otherwise it does: the product must refuse it.
"""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from enum import IntFlag

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

AAGUID = bytes(16)


class Flags(IntFlag):
    """Of the authenticator's data, section 6.1 of WebAuthn."""

    USER_PRESENT = 0x01
    USER_VERIFIED = 0x04
    BACKUP_ELIGIBLE = 0x08
    BACKED_UP = 0x10
    HAS_CREDENTIAL = 0x40


VERIFIED = Flags.USER_PRESENT | Flags.USER_VERIFIED


@dataclass
class Held:
    """One passkey as its authenticator keeps it."""

    credential_id: bytes
    private_key: ec.EllipticCurvePrivateKey = field(repr=False)
    rp_id: str
    user_handle: bytes
    count: int = 0


class Authenticator:
    """
    Args:
        counts: whether it counts signatures; a passkey that is synced has 0 always.
    """

    def __init__(self, *, counts: bool = True) -> None:
        self.held: list[Held] = []
        self._counts = counts

    def create(
        self,
        options: dict,
        origin: str,
        *,
        credential_id: bytes | None = None,
        kind: str = "webauthn.create",
        rp_id: str | None = None,
        flags: Flags = VERIFIED,
        challenge: str | None = None,
    ) -> dict:
        """`navigator.credentials.create()`, as its `toJSON()`."""
        held = Held(
            credential_id or hashlib.sha256(options["challenge"].encode()).digest(),
            ec.generate_private_key(ec.SECP256R1()),
            rp_id or options["rp"]["id"],
            unquoted(options["user"]["id"]),
        )
        self.held.append(held)
        data = (
            _head(held.rp_id, flags | Flags.HAS_CREDENTIAL, held.count)
            + AAGUID
            + len(held.credential_id).to_bytes(2)
            + held.credential_id
            + _cose(held.private_key)
        )
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return {
            "id": quoted(held.credential_id),
            "rawId": quoted(held.credential_id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": _client_data(
                    kind, options["challenge"] if challenge is None else challenge, origin
                ),
                "attestationObject": quoted(attestation),
                "transports": ["internal", "hybrid"],
            },
        }

    def get(
        self,
        options: dict,
        origin: str,
        *,
        held: Held | None = None,
        kind: str = "webauthn.get",
        rp_id: str | None = None,
        flags: Flags = VERIFIED,
        challenge: str | None = None,
        count: int | None = None,
        user_handle: bytes | None = None,
    ) -> dict:
        """`navigator.credentials.get()`, as its `toJSON()`."""
        held = held or self.held[0]
        if self._counts:
            held.count += 1
        data = _head(rp_id or held.rp_id, flags, held.count if count is None else count)
        client_data = _client_data(
            kind, options["challenge"] if challenge is None else challenge, origin
        )
        signed = data + hashlib.sha256(unquoted(client_data)).digest()
        signature = held.private_key.sign(signed, ec.ECDSA(SHA256()))
        return {
            "id": quoted(held.credential_id),
            "rawId": quoted(held.credential_id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": client_data,
                "authenticatorData": quoted(data),
                "signature": quoted(signature),
                "userHandle": quoted(held.user_handle if user_handle is None else user_handle),
            },
        }


def quoted(data: bytes) -> str:
    """In base64url, as browsers write it: without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def unquoted(text: str) -> bytes:
    """The bytes of a base64url text without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _head(rp_id: str, flags: Flags, count: int) -> bytes:
    return hashlib.sha256(rp_id.encode()).digest() + flags.to_bytes(1) + count.to_bytes(4)


def _client_data(kind: str, challenge: str, origin: str) -> str:
    data = {"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": False}
    return quoted(json.dumps(data).encode())


def _cose(private_key: ec.EllipticCurvePrivateKey) -> bytes:
    # An EC2 key for ES256 on P-256: RFC 9053, sections 2.1 and 7.1.
    numbers = private_key.public_key().public_numbers()
    return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)})
