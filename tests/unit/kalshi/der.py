"""Keys as DER, made up from numbers."""

import base64
from math import gcd, lcm


def element(tag, *contents):
    body = b"".join(contents)
    size = len(body)
    if size < 0x80:
        length = bytes([size])
    elif size < 0x100:
        length = bytes([0x81, size])
    else:
        length = b"\x82" + size.to_bytes(2)
    return bytes([tag]) + length + body


def integer(number):
    return element(0x02, number.to_bytes(number.bit_length() // 8 + 1))


def sequence(*contents):
    return element(0x30, *contents)


def octets(*contents):
    return element(0x04, *contents)


def oid(encoded):
    return element(0x06, bytes.fromhex(encoded))


def integers(*numbers):
    return sequence(*map(integer, numbers))


def rsa_numbers(p, q, e=65537):
    """n, e, d, p, q, d mod p-1, d mod q-1, 1/q mod p of two odd numbers, primes or not."""
    assert gcd(e, (p - 1) * (q - 1)) == gcd(p, q) == 1
    d = pow(e, -1, lcm(p - 1, q - 1))
    return p * q, e, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p)


def as_pem(der, label="PRIVATE KEY"):
    body = base64.encodebytes(der).decode()
    return f"-----BEGIN {label}-----\n{body}-----END {label}-----\n"
