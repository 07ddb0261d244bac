import base64

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, padding
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_public_key,
)

from kalshi.signing import InvalidKey, SigningKey, headers

KEY_ID = "5d1e2a3c-9a55-4c1e-8f0e-2b7a61f0c001"


def signature(key, signatures, path=None):
    signed = headers(
        KEY_ID, key, signatures["method"], path or signatures["path"], signatures["timestamp_ms"]
    )
    return signed["KALSHI-ACCESS-SIGNATURE"]


def verify_pss(public_pem, encoded, message):
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    public = load_pem_public_key(public_pem.encode())
    public.verify(base64.b64decode(encoded, validate=True), message, pss, hashes.SHA256())


def test_ed25519_signs_as_openssl_does(pem, signatures):
    key = SigningKey.from_pem(pem("ed25519"))

    assert signature(key, signatures) == signatures["ed25519"]


@pytest.mark.parametrize("name", ["rsa_pkcs1", "rsa_pkcs8"])
def test_rsa_passes_the_check_that_openssl_passes(pem, signatures, name):
    key = SigningKey.from_pem(pem(name))
    message = b"1763900000123GET/trade-api/v2/portfolio/positions"

    ours = signature(key, signatures)

    # Salted, so the two differ; what accepts one must accept the other.
    verify_pss(pem("rsa_public"), signatures["rsa_pss"], message)
    verify_pss(pem("rsa_public"), ours, message)


VECTORS = range(7)


@pytest.mark.parametrize("index", VECTORS)
def test_ed25519_makes_the_signatures_of_openssl(pem, signatures, index):
    request = signatures["requests"][index]

    ours = signature(SigningKey.from_pem(pem("ed25519")), request)

    assert ours == request["ed25519"]


@pytest.mark.parametrize("index", VECTORS)
@pytest.mark.parametrize("name", ["rsa_pkcs1", "rsa_pkcs8"])
def test_rsa_signatures_pass_where_those_of_openssl_do(pem, signatures, name, index):
    request = signatures["requests"][index]
    message = request["signed"].encode()

    ours = signature(SigningKey.from_pem(pem(name)), request)

    verify_pss(pem("rsa_public"), request["rsa_pss"], message)
    verify_pss(pem("rsa_public"), ours, message)


def test_every_vector_is_tried(signatures):
    assert len(signatures["requests"]) == len(VECTORS)


def test_check_of_rsa_signatures_notices_another_message(pem, signatures):
    ours = signature(SigningKey.from_pem(pem("rsa_pkcs1")), signatures)

    with pytest.raises(InvalidSignature):
        verify_pss(pem("rsa_public"), ours, b"1763900000124GET/trade-api/v2/portfolio/positions")


def test_query_is_not_signed(key, signatures):
    path = signatures["path"] + "?limit=1000&cursor=a%2Fb"

    assert signature(key, signatures, path) == signatures["ed25519"]


def test_path_is_signed_as_sent(key, signatures):
    encoded = signature(key, signatures, "/trade-api/v2/events/A%20B")
    decoded = signature(key, signatures, "/trade-api/v2/events/A B")

    assert encoded != decoded


def test_headers_name_key_and_time(key):
    signed = headers(KEY_ID, key, "GET", "/trade-api/ws/v2", 1763900000123)

    assert signed["KALSHI-ACCESS-KEY"] == KEY_ID
    assert signed["KALSHI-ACCESS-TIMESTAMP"] == "1763900000123"


@pytest.mark.parametrize("key_id", ["", "two words", "line\r\nbreak", "naïve", "nul\0"])
def test_key_id_that_fits_no_header_is_refused(key, key_id):
    with pytest.raises(InvalidKey, match="Copy it again"):
        headers(key_id, key, "GET", "/", 0)


# All forms are in test_pasted_keys.
@pytest.mark.parametrize("line_end", ["\r\n", " ", r"\n", r"\\r\\n"])
def test_key_survives_being_pasted(pem, signatures, line_end):
    key = SigningKey.from_pem(f'"{pem("ed25519").replace(chr(10), line_end)}"')

    assert signature(key, signatures) == signatures["ed25519"]


def test_key_survives_being_base64(pem, signatures):
    key = SigningKey.from_pem(base64.b64encode(pem("ed25519").encode()).decode())

    assert signature(key, signatures) == signatures["ed25519"]


@pytest.mark.parametrize(
    ("name", "label"), [("rsa_pkcs8", "RSA PRIVATE KEY"), ("rsa_pkcs1", "PRIVATE KEY")]
)
def test_content_decides_and_not_the_header(pem, signatures, name, label):
    _, _, body, _, _ = pem(name).split("-----")
    key = SigningKey.from_pem(f"-----BEGIN {label}-----{body}-----END {label}-----")

    ours = signature(key, signatures)

    verify_pss(pem("rsa_public"), ours, b"1763900000123GET/trade-api/v2/portfolio/positions")


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("rsa_encrypted_pkcs1", "Remove it"),
        ("rsa_encrypted_pkcs8", "Remove it"),
        ("rsa_public", "Paste the private key"),
        ("rsa_1024", r"RSA key has 1024 bits.* Create a new API key"),
        ("ec", r"an EC key \(secp256r1\)\. Paste the private key that Kalshi gave you"),
    ],
)
def test_unusable_key_is_refused_with_advice(pem, name, advice):
    with pytest.raises(InvalidKey, match=advice):
        SigningKey.from_pem(pem(name))


def pem_of(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def test_dsa_key_is_refused_by_its_name():
    text = pem_of(dsa.generate_private_key(1024))  # noqa: S505  # quickly made, and refused

    with pytest.raises(InvalidKey, match=r"a DSA key\. Paste the private key"):
        SigningKey.from_pem(text)


def test_key_of_a_kind_without_a_name_here_is_refused_too():
    with pytest.raises(InvalidKey, match=r"another kind\. Paste the private key"):
        SigningKey.from_pem(pem_of(X25519PrivateKey.generate()))


def test_public_key_that_says_it_is_private_is_noticed(pem):
    with pytest.raises(InvalidKey, match="This is a public key"):
        SigningKey.from_pem(pem("rsa_public").replace("PUBLIC", "PRIVATE"))


@pytest.mark.parametrize("body", ["", "MIIE"])
def test_body_that_is_no_key_is_refused_with_advice(body):
    with pytest.raises(InvalidKey, match="Copy it again"):
        SigningKey.from_pem(f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----")


def test_truncated_key_is_refused_and_never_quoted(pem):
    lines = pem("rsa_pkcs8").splitlines()
    truncated = "\n".join([*lines[:10], lines[-1]])

    with pytest.raises(InvalidKey) as refusal:
        SigningKey.from_pem(truncated)

    assert lines[1] not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_key_shows_itself_nowhere(key, pem):
    body = pem("ed25519").splitlines()[1]

    assert repr(key) == str(key) == "<SigningKey>"
    assert body not in repr(key)
