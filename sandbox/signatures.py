"""
Who signed a request.

The signed text is the timestamp in milliseconds, the method in upper case and the path without its
query, with nothing between them. RSA keys sign with PSS (SHA-256, salt as long as the digest),
Ed25519 keys plainly.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from sandbox.account import ApiKey

KEY_HEADER = "KALSHI-ACCESS-KEY"
TIMESTAMP_HEADER = "KALSHI-ACCESS-TIMESTAMP"
SIGNATURE_HEADER = "KALSHI-ACCESS-SIGNATURE"

# The exchange's own window is undocumented: 10 seconds were accepted, 30 refused.
_WINDOW = timedelta(seconds=15)


class NotAuthenticated(Exception):
    """A request that nobody known has signed, with the exchange's own code and details."""

    def __init__(self, code: str, message: str, details: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.details = details


def signer(
    headers: Mapping[str, str],
    method: str,
    path: str,
    *,
    key: Callable[[str], ApiKey | None],
    now: datetime,
) -> ApiKey:
    """
    The key that signed a request.

    Args:
        headers: the request's, found whatever their case.
        path: from the host's root, as it was sent, without the query.
        key: finds a key by its id.
    Raises:
        NotAuthenticated: a header is missing, the time is off, the key unknown or the signature
            wrong.
    """
    signature = _header(headers, SIGNATURE_HEADER, "signature")
    api_key_id = _header(headers, KEY_HEADER, "api key")
    timestamp = _header(headers, TIMESTAMP_HEADER, "timestamp")
    if not _is_current(timestamp, now):
        raise NotAuthenticated("header_timestamp_expired", "header timestamp expired")
    known = key(api_key_id)
    if known is None:
        raise NotAuthenticated("authentication_error", "authentication_error", "NOT_FOUND")
    signed = f"{timestamp}{method.upper()}{path}".encode()
    if not _verifies(known.public_key, signature, signed):
        raise NotAuthenticated(
            "authentication_error", "authentication_error", "INCORRECT_API_KEY_SIGNATURE"
        )
    return known


def _header(headers: Mapping[str, str], name: str, what: str) -> str:
    value = headers.get(name)
    if not value:
        message = f"{what} is missing from headers"
        raise NotAuthenticated(message.replace(" ", "_"), message)
    return value


def _is_current(timestamp: str, now: datetime) -> bool:
    # Longer than any time in milliseconds is not one, and int() refuses very long ones with an
    # error.
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 16):
        return False
    skew_ms = abs(int(timestamp) - now.timestamp() * 1000)
    return skew_ms <= _WINDOW.total_seconds() * 1000


def _verifies(key: RSAPublicKey | Ed25519PublicKey, signature: str, signed: bytes) -> bool:
    try:
        raw = base64.b64decode(signature, validate=True)
        if isinstance(key, RSAPublicKey):
            pss = padding.PSS(
                mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH
            )
            key.verify(raw, signed, pss, hashes.SHA256())
        else:
            key.verify(raw, signed)
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return True
