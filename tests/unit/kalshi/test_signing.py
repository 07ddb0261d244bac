import base64
from datetime import timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi.signing import InvalidKey, SigningKey, headers
from tests.unit.kalshi.conftest import PAYLOADS
from tests.unit.kalshi.der import (
    as_pem,
    element,
    integer,
    integers,
    octets,
    oid,
    rsa_numbers,
    sequence,
)

KEYS = PAYLOADS / "keys"

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


def test_ed25519_key_with_its_public_key_beside_it_is_the_same():
    key = Ed25519PrivateKey.generate()
    # The second version of PKCS#8, as some programs write it.
    der = bytes.fromhex("3051020101300506032b657004220420") + key.private_bytes_raw()
    der += bytes.fromhex("812100") + key.public_key().public_bytes_raw()

    text = base64.b64encode(der).decode()
    loaded = SigningKey.from_pem(f"-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----")

    assert loaded.sign(b"x") == key.sign(b"x")


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
        ("ec", r"an EC key \(P-256\)\. Paste the private key that Kalshi gave you"),
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


def test_key_of_another_kind_is_refused_by_its_name_too():
    with pytest.raises(InvalidKey, match=r"an X25519 key\. Paste the private key"):
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


@pytest.fixture
def nothing_loaded(monkeypatch):
    """The library's function to load a key fails the test."""

    def load(*args, **options):
        raise AssertionError("the key was loaded")

    monkeypatch.setattr("kalshi.signing.load_der_private_key", load)


SLOW_DSA = sequence(
    integer(0),
    sequence(oid("2a8648ce380401"), integers(2**16_000 + 1, 2**255 + 1, 2)),
    octets(integer(3)),
)


@pytest.mark.usefixtures("nothing_loaded")
@pytest.mark.parametrize(
    ("der", "advice"),
    [
        (
            integers(0, 2**12_287 + 1, *[3] * 7),
            "an RSA key of 12,288 bits, more than the 4,096 that are taken here. Create a new",
        ),
        (
            integers(0, 2**4096 + 1, *[3] * 7),
            "an RSA key of 4,097 bits, more than the 4,096",
        ),
        (integers(0, 2**1127 + 1, *[3] * 7), "RSA key has 1128 bits, too few"),
        (integers(0, 2**4095 + 1, *[2**6_000 + 1] * 7), "incomplete, damaged"),
        (integers(0, *rsa_numbers(2**1279 - 1, 2**2203 - 1, 2**64 + 1)), "incomplete, damaged"),
        (SLOW_DSA, "this is a DSA key"),
        (integers(0, 2**16_000 + 1, 2**255 + 1, 2, 3, 5), "this is a DSA key"),
        (sequence(integer(1), octets(bytes(5_000))), "this is an EC key"),
        (sequence(sequence(oid("2a0304")), octets(bytes(5_000))), "Remove it"),
        (integers(2**20_000 + 1, 3), "This is a public key"),
    ],
    ids=[
        "RSA of 12,288 bits",
        "RSA a little too large",
        "RSA too small",
        "RSA with numbers longer than its modulus",
        "RSA with a long public exponent",
        "DSA in PKCS#8",
        "DSA, traditional",
        "EC",
        "with a passphrase",
        "public",
    ],
)
def test_unusable_key_is_refused_by_name_and_size_before_it_is_loaded(der, advice):
    with pytest.raises(InvalidKey, match=advice):
        SigningKey.from_pem(as_pem(der))


def test_rsa_key_of_4096_bits_signs():
    key = rsa.generate_private_key(65537, 4096)

    encoded = base64.b64encode(SigningKey.from_pem(pem_of(key)).sign(b"message"))

    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    verify_pss(public.decode(), encoded, b"message")


def test_rsa_key_for_pss_alone_signs(pem):
    _, _, body, _, _ = pem("rsa_pkcs8").split("-----")
    any_rsa, pss_alone = bytes.fromhex("2a864886f70d010101"), bytes.fromhex("2a864886f70d01010a")
    # Whose parameters, unlike those of others, are absent rather than null.
    parts = base64.b64decode(body).partition(any_rsa + b"\x05\x00")
    key = sequence(integer(0), sequence(element(0x06, pss_alone)), parts[2])

    encoded = base64.b64encode(SigningKey.from_pem(as_pem(key)).sign(b"message"))

    verify_pss(pem("rsa_public"), encoded, b"message")


@pytest.mark.parametrize(
    ("p", "q"),
    [(3**1291, 5**882), (2**2047 + 9, 2**2048 - 5), (3, 2**4093 - 3**7)],
    ids=["powers", "odd numbers", "one of them large"],
)
def test_rsa_key_whose_primes_are_none_is_refused(p, q):
    numbers = rsa_numbers(p, q, 2**61 - 1)

    with pytest.raises(InvalidKey, match="incomplete, damaged"):
        SigningKey.from_pem(as_pem(integers(0, *numbers)))


KINDS = ["ed25519", "rsa_pkcs1", "rsa_pkcs8", "rsa_public"]


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
@settings(max_examples=150, deadline=timedelta(seconds=2))
def test_mutated_key_signs_or_is_refused(name, data):
    _, _, body, _, _ = (KEYS / f"{name}.pem").read_text().split("-----")
    der = bytearray(base64.b64decode(body))
    places = st.integers(0, len(der) - 1)
    changes = st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=5)
    for place, byte in data.draw(changes):
        der[place] = byte

    outcome = signed_or_refused(as_pem(bytes(der)))

    assert outcome in ("signed", "refused")


@given(st.binary(max_size=300))
def test_random_bytes_are_refused(der):
    assert signed_or_refused(as_pem(der)) == "refused"


def signed_or_refused(text):
    try:
        SigningKey.from_pem(text).sign(b"message")
    except InvalidKey:
        return "refused"
    return "signed"
