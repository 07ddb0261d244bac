"""
What kind of key some DER holds, read without loading it.

A library that loads a key also checks it, and a key can be made up so that this takes half a
minute. Here only lengths are read, and of RSA the numbers: what is too large, or of a kind that is
of no use, can be refused by its name before anything is computed with it.

Known are PKCS#8 (RFC 5958), encrypted too, PKCS#1 (RFC 8017), SEC1 (RFC 5915), the traditional form
of DSA, and public keys (RFC 5280, RFC 8017). Anything else is None. Whatever the bytes, nothing is
raised, and some ten microseconds are all it takes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

# The longest sequence among the forms is that of an RSA key, with ten elements.
_MAXIMUM_ELEMENTS = 10
_ED25519_BYTES = 32

# Tags.
_INTEGER, _BITS, _OCTETS, _OID, _SEQUENCE, _PARAMETERS = 0x02, 0x03, 0x04, 0x06, 0x30, 0xA0

# Object identifiers as they are encoded.
_RSA = bytes.fromhex("2a864886f70d010101")
_RSA_PSS = bytes.fromhex("2a864886f70d01010a")
_ED25519 = bytes.fromhex("2b6570")
_EC = bytes.fromhex("2a8648ce3d0201")
_NAMES = {
    bytes.fromhex("2a8648ce380401"): "a DSA key",
    bytes.fromhex("2a864886f70d010301"): "a DH key",
    bytes.fromhex("2a8648ce3e0201"): "a DH key",
    bytes.fromhex("2b656e"): "an X25519 key",
    bytes.fromhex("2b656f"): "an X448 key",
    bytes.fromhex("2b6571"): "an Ed448 key",
}
_CURVES = {
    bytes.fromhex("2a8648ce3d030107"): "P-256",
    bytes.fromhex("2b81040022"): "P-384",
    bytes.fromhex("2b81040023"): "P-521",
    bytes.fromhex("2b8104000a"): "secp256k1",
}


@dataclass(frozen=True, slots=True)
class RsaKey:
    """
    A private RSA key of two primes.

    Args:
        bits: of the modulus.
    """

    bits: int
    _numbers: tuple[int, ...] = field(repr=False)

    @property
    def is_consistent(self) -> bool:
        """
        Whether its numbers belong together, as far as that shows without asking for primes.

        To be asked of a key whose `bits` are within bounds only: it computes with the numbers.
        """
        n, e, d, p, q, d_of_p, d_of_q, q_inverse = self._numbers
        if not (1 < p < n and 1 < q < n and p * q == n and n % 2 and e % 2):
            return False
        if not (1 < e < 2**64 and 0 < d < n):
            return False
        return (
            (e * d % (p - 1), e * d % (q - 1)) == (1, 1)
            and (d_of_p, d_of_q) == (d % (p - 1), d % (q - 1))
            and q_inverse < p
            and q_inverse * q % p == 1
        )


@dataclass(frozen=True, slots=True)
class Ed25519Key:
    """A private Ed25519 key; `seed` is the secret itself."""

    seed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OtherKey:
    """A private key of another kind; `name` is with its article, such as "a DSA key"."""

    name: str


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key of whatever kind."""


@dataclass(frozen=True, slots=True)
class ProtectedKey:
    """A private key that a passphrase protects."""


Kind = RsaKey | Ed25519Key | OtherKey | PublicKey | ProtectedKey


def kind_of(der: bytes) -> Kind | None:
    """The kind of key that this is, and how large; None if it is none that is known here."""
    try:
        return _kind(_only(der, _SEQUENCE))
    except _NotDer:
        return None


class _NotDer(Exception):
    """Not the DER that was expected."""


@dataclass(frozen=True, slots=True)
class _Element:
    tag: int
    body: bytes


def _kind(body: bytes) -> Kind | None:
    elements = _elements(body)
    tags = [element.tag for element in elements]
    if tags in ([_SEQUENCE, _BITS], [_INTEGER] * 2):
        return PublicKey()
    if tags == [_SEQUENCE, _OCTETS]:
        return ProtectedKey()
    if tags[:3] == [_INTEGER, _SEQUENCE, _OCTETS]:
        return _kind_in_pkcs8(_elements(elements[1].body), elements[2].body)
    if tags[:2] == [_INTEGER, _OCTETS]:
        return OtherKey(_ec_name(_named_curve(elements[2:])))
    if tags == [_INTEGER] * 6:
        return OtherKey("a DSA key")
    return _rsa_key(elements)


def _kind_in_pkcs8(algorithm: list[_Element], key: bytes) -> Kind | None:
    if not algorithm or algorithm[0].tag != _OID:
        return None
    oid = algorithm[0].body
    if oid in (_RSA, _RSA_PSS):
        return _rsa_key(_elements(_only(key, _SEQUENCE)))
    if oid == _ED25519:
        seed = _only(key, _OCTETS)
        return Ed25519Key(seed) if len(seed) == _ED25519_BYTES else None
    if oid == _EC:
        return OtherKey(_ec_name(algorithm[1] if len(algorithm) > 1 else None))
    return OtherKey(_NAMES.get(oid, "another kind"))


def _rsa_key(elements: list[_Element]) -> RsaKey | None:
    # A tenth would hold more primes, which nobody uses.
    if [element.tag for element in elements] != [_INTEGER] * 9:
        return None
    version, *numbers = (_natural(element) for element in elements)
    return None if version else RsaKey(numbers[0].bit_length(), tuple(numbers))


def _named_curve(elements: list[_Element]) -> _Element | None:
    for element in elements:
        if element.tag == _PARAMETERS:
            return next(iter(_elements(element.body)), None)
    return None


def _ec_name(curve: _Element | None) -> str:
    known = None if curve is None or curve.tag != _OID else _CURVES.get(curve.body)
    return f"an EC key ({known})" if known else "an EC key"


def _natural(element: _Element) -> int:
    body = element.body
    if element.tag != _INTEGER or not body or body[0] & 0x80:
        raise _NotDer
    if len(body) > 1 and body[0] == 0 and not body[1] & 0x80:
        raise _NotDer
    return int.from_bytes(body)


def _only(data: bytes, tag: int) -> bytes:
    """What the only element in `data` holds, which must be of this kind."""
    match _elements(data):
        case [_Element(tag=found, body=body)] if found == tag:
            return body
        case _:
            raise _NotDer


def _elements(data: bytes) -> list[_Element]:
    """The elements that `data` is made of, one after the other."""
    elements: list[_Element] = []
    for element in _walk(data):
        if len(elements) == _MAXIMUM_ELEMENTS:
            raise _NotDer
        elements.append(element)
    return elements


def _walk(data: bytes) -> Iterator[_Element]:
    at = 0
    while at < len(data):
        start, length = _length(data, at + 1)
        if start + length > len(data):
            raise _NotDer
        yield _Element(data[at], data[start : start + length])
        at = start + length


def _length(data: bytes, at: int) -> tuple[int, int]:
    """Where an element's content starts and how long it is; its length stands at `at`."""
    first = data[at] if at < len(data) else 0xFF
    if first < 0x80:
        return at + 1, first
    count = first - 0x80
    length = int.from_bytes(data[at + 1 : at + 1 + count]) if count in (1, 2) else 0
    # Of all lengths DER allows the shortest form alone.
    if length < (0x80 if count == 1 else 0x100):
        raise _NotDer
    return at + 1 + count, length
