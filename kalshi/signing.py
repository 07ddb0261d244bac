"""
The headers that prove to the exchange who is asking.

The signed text is timestamp, method and path run together: milliseconds, upper case, and the path
from the host's root as it is sent, without the query.
"""

import base64
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.dsa import DSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

from kalshi.pasted_keys import DAMAGED, ENCRYPTED, PUBLIC, fits_header, private_key_der
from kalshi.pasted_keys import InvalidKey as InvalidKey  # raised here too

_MINIMUM_RSA_BITS = 2048
_PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)


class SigningKey:
    """A private key of one of the exchange's two kinds, which shows itself nowhere."""

    __slots__ = ("_key",)

    def __init__(self, key: RSAPrivateKey | Ed25519PrivateKey) -> None:
        self._key = key

    @classmethod
    def from_pem(cls, text: str) -> Self:
        """
        The key in a PEM text as people paste it, with all that `pasted_keys` takes off.

        What kind of key it is shows in its content; the words after BEGIN are often wrong once
        a key was converted.

        Raises:
            InvalidKey: no unencrypted RSA (2048 bits or more) or Ed25519 private key.
        """
        key = _load(private_key_der(text))
        if isinstance(key, RSAPrivateKey) and key.key_size < _MINIMUM_RSA_BITS:
            raise InvalidKey(
                f"This RSA key has {key.key_size} bits, too few to be safe. "
                "Create a new API key at Kalshi."
            )
        if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
            raise InvalidKey(
                f"Kalshi takes RSA and Ed25519 keys; this is {_kind(key)}. "
                "Paste the private key that Kalshi gave you with the API key ID."
            )
        return cls(key)

    def sign(self, message: bytes) -> bytes:
        """The signature: RSA-PSS with SHA-256 and a salt as long as the digest, or Ed25519."""
        if isinstance(self._key, Ed25519PrivateKey):
            return self._key.sign(message)
        return self._key.sign(message, _PSS, hashes.SHA256())

    def __repr__(self) -> str:
        return "<SigningKey>"


def headers(
    key_id: str, key: SigningKey, method: str, path: str, timestamp_ms: int
) -> dict[str, str]:
    """
    The headers of one request, good for a few seconds around `timestamp_ms`.

    Args:
        key_id: the API key ID, as the exchange shows it.
        method: of HTTP, in upper case; GET for a WebSocket.
        path: from the host's root, percent-encoded as sent; a query is left out of the signature.
        timestamp_ms: Unix time in milliseconds.
    Raises:
        InvalidKey: a key ID that does not fit into a header.
    """
    if not fits_header(key_id):
        raise InvalidKey("An API key ID is made of letters, digits and dashes. Copy it again.")
    message = f"{timestamp_ms}{method}{path.partition('?')[0]}"
    return {
        "KALSHI-ACCESS-KEY": key_id,
        "KALSHI-ACCESS-TIMESTAMP": str(timestamp_ms),
        "KALSHI-ACCESS-SIGNATURE": base64.b64encode(key.sign(message.encode())).decode(),
    }


def _load(der: bytes) -> object:
    try:
        return load_der_private_key(der, password=None)
    except TypeError:
        raise InvalidKey(ENCRYPTED) from None
    except (ValueError, UnsupportedAlgorithm):
        # Not chained: an error from parsing a key is not worth the risk of quoting it.
        raise InvalidKey(PUBLIC if _is_public(der) else DAMAGED) from None


def _kind(key: object) -> str:
    match key:
        case EllipticCurvePrivateKey():
            return f"an EC key ({key.curve.name})"
        case DSAPrivateKey():
            return "a DSA key"
        case _:
            return "another kind"


def _is_public(der: bytes) -> bool:
    try:
        load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True
