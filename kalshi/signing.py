"""
The headers that prove to the exchange who is asking.

The signed text is timestamp, method and path run together: milliseconds, upper case, and the path
from the host's root as it is sent, without the query.
"""

import base64
import re
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

_MINIMUM_RSA_BITS = 2048
# An RSA key of 8192 bits takes 6,400 characters; checking a longer one would take seconds.
_MAXIMUM_LENGTH = 10_000
_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)


class InvalidKey(ValueError):
    """A key that cannot sign. The message tells a person what to do and never holds the key."""


class SigningKey:
    """A private key of one of the exchange's two kinds, which shows itself nowhere."""

    __slots__ = ("_key",)

    def __init__(self, key: RSAPrivateKey | Ed25519PrivateKey) -> None:
        self._key = key

    @classmethod
    def from_pem(cls, text: str) -> Self:
        """
        The key in a PEM text as people paste it: any white space, line ends or lost line ends.

        What kind of key it is shows in its content; the words after BEGIN are often wrong once
        a key was converted.

        Raises:
            InvalidKey: no unencrypted RSA (2048 bits or more) or Ed25519 private key.
        """
        key = _load(_der(text))
        if isinstance(key, RSAPrivateKey) and key.key_size < _MINIMUM_RSA_BITS:
            raise InvalidKey(
                f"This RSA key has {key.key_size} bits, too few to be safe. "
                "Create a new API key at Kalshi."
            )
        if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
            raise InvalidKey(
                "Kalshi takes RSA and Ed25519 keys; this is another kind. "
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
    if not key_id or not key_id.isascii() or not key_id.isprintable() or " " in key_id:
        raise InvalidKey("An API key ID is made of letters, digits and dashes. Copy it again.")
    message = f"{timestamp_ms}{method}{path.partition('?')[0]}"
    return {
        "KALSHI-ACCESS-KEY": key_id,
        "KALSHI-ACCESS-TIMESTAMP": str(timestamp_ms),
        "KALSHI-ACCESS-SIGNATURE": base64.b64encode(key.sign(message.encode())).decode(),
    }


def _der(text: str) -> bytes:
    if len(text) > _MAXIMUM_LENGTH:
        raise InvalidKey("This is too long for a private key. Paste the key alone.")
    # Keys that went through a configuration file have their line ends spelled out.
    blocks = _BLOCK.findall(text.replace("\\n", "\n"))
    if not blocks:
        raise InvalidKey(
            "This is not a private key in PEM format. Paste the whole file that Kalshi gave you, "
            "with its BEGIN and END lines."
        )
    # OpenSSL writes an EC key's parameters, and some tools the public half, as blocks of their own.
    label, body = next((block for block in blocks if "PRIVATE KEY" in block[0]), blocks[0])
    if "ENCRYPTED" in label or "ENCRYPTED" in body:
        raise _encrypted()
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except ValueError:
        raise _damaged() from None


def _load(der: bytes) -> object:
    try:
        return load_der_private_key(der, password=None)
    except TypeError:
        raise _encrypted() from None
    except (ValueError, UnsupportedAlgorithm):
        # Not chained: an error from parsing a key is not worth the risk of quoting it.
        raise (_public() if _is_public(der) else _damaged()) from None


def _is_public(der: bytes) -> bool:
    try:
        load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True


def _encrypted() -> InvalidKey:
    return InvalidKey(
        "This private key is protected by a passphrase. Remove it, for example with "
        "`openssl pkey -in protected.pem -out plain.pem`, and paste the result."
    )


def _public() -> InvalidKey:
    return InvalidKey("This is a public key. Paste the private key that belongs to it.")


def _damaged() -> InvalidKey:
    return InvalidKey(
        "This private key is incomplete, damaged or of an unknown kind. "
        "Copy it again from the file that Kalshi gave you."
    )
