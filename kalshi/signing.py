"""
The headers that prove to the exchange who is asking.

The signed text is timestamp, method and path run together: milliseconds, upper case, and the path
from the host's root as it is sent, without the query.
"""

import base64
from typing import Self

from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from kalshi.key_kinds import Ed25519Key, OtherKey, ProtectedKey, PublicKey, RsaKey, kind_of
from kalshi.pasted_keys import DAMAGED, ENCRYPTED, PUBLIC, fits_header, private_key_der
from kalshi.pasted_keys import InvalidKey as InvalidKey  # raised here too

# Fewer are not safe. More are of no use, and each signature takes eight times as long at twice as
# many.
_MINIMUM_RSA_BITS, _MAXIMUM_RSA_BITS = 2048, 4096
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
            InvalidKey: no unencrypted RSA (2,048 to 4,096 bits) or Ed25519 private key.
        """
        der = private_key_der(text)
        # Before it is loaded: what the library does to other kinds may take it half a minute.
        kind = _kind_that_can_sign(der)
        if isinstance(kind, Ed25519Key):
            # As it stands there: the library does not take the second version of PKCS#8, in which
            # the public key comes along.
            return cls(Ed25519PrivateKey.from_private_bytes(kind.seed))
        key = cls(_load(der))
        key._try()
        return key

    def sign(self, message: bytes) -> bytes:
        """The signature: RSA-PSS with SHA-256 and a salt as long as the digest, or Ed25519."""
        if isinstance(self._key, Ed25519PrivateKey):
            return self._key.sign(message)
        return self._key.sign(message, _PSS, hashes.SHA256())

    def _try(self) -> None:
        """
        See that the public half accepts a signature.

        Raises:
            InvalidKey: it doesn't.
        """
        if isinstance(self._key, Ed25519PrivateKey):
            return
        try:
            signature = self.sign(b"")
            self._key.public_key().verify(signature, b"", _PSS, hashes.SHA256())
        except (ValueError, InternalError, InvalidSignature):
            raise InvalidKey(DAMAGED) from None

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


def _kind_that_can_sign(der: bytes) -> RsaKey | Ed25519Key:
    match kind_of(der):
        case Ed25519Key() as key:
            return key
        case RsaKey(bits=bits) if bits < _MINIMUM_RSA_BITS:
            raise InvalidKey(
                f"This RSA key has {bits} bits, too few to be safe. Create a new API key at Kalshi."
            )
        case RsaKey(bits=bits) if bits > _MAXIMUM_RSA_BITS:
            raise InvalidKey(
                f"This is an RSA key of {bits:,} bits, more than the {_MAXIMUM_RSA_BITS:,} that "
                "are taken here. Create a new API key at Kalshi."
            )
        case RsaKey() as key if key.is_consistent:
            return key
        case OtherKey(name=name):
            raise InvalidKey(
                f"Kalshi takes RSA and Ed25519 keys; this is {name}. "
                "Paste the private key that Kalshi gave you with the API key ID."
            )
        case PublicKey():
            raise InvalidKey(PUBLIC)
        case ProtectedKey():
            raise InvalidKey(ENCRYPTED)
        case _:
            raise InvalidKey(DAMAGED)


def _load(der: bytes) -> RSAPrivateKey:
    try:
        # Without the library's own check, which asks whether the primes of an RSA key are primes:
        # 220 ms for 4,096 bits, in which no other thread runs. That its numbers belong together is
        # known by now, and a signature will show the rest, in 3 ms.
        key = load_der_private_key(der, password=None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, UnsupportedAlgorithm):
        # Not chained: an error from parsing a key is not worth the risk of quoting it.
        raise InvalidKey(DAMAGED) from None
    if not isinstance(key, RSAPrivateKey):
        raise InvalidKey(DAMAGED)
    return key
