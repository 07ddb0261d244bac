import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x448 import X448PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from kalshi.key_kinds import Ed25519Key, OtherKey, ProtectedKey, PublicKey, RsaKey, kind_of
from tests.unit.kalshi.der import element, integer, integers, octets, oid, rsa_numbers, sequence

RSA = rsa.generate_private_key(65537, 2048)
ED25519 = Ed25519PrivateKey.generate()
DSA = dsa.generate_private_key(1024)  # noqa: S505  # quickly made, and never used
P_256 = ec.generate_private_key(ec.SECP256R1())

PKCS8, TRADITIONAL = PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL
NUMBERS = (251 * 241, 7, 5143, 251, 241, 143, 103, 25)


def private(key, form=PKCS8):
    return key.private_bytes(Encoding.DER, form, NoEncryption())


def public(key, form=PublicFormat.SubjectPublicKeyInfo):
    return key.public_key().public_bytes(Encoding.DER, form)


@pytest.mark.parametrize("form", [PKCS8, TRADITIONAL], ids=["PKCS#8", "PKCS#1"])
def test_rsa_key_is_known_with_its_size(form):
    kind = kind_of(private(RSA, form))

    assert isinstance(kind, RsaKey)
    assert kind.bits == 2048
    assert kind.is_consistent


def test_rsa_key_for_pss_alone_is_an_rsa_key():
    any_rsa, pss_alone = bytes.fromhex("2a864886f70d010101"), bytes.fromhex("2a864886f70d01010a")

    kind = kind_of(private(RSA).replace(any_rsa, pss_alone))

    assert isinstance(kind, RsaKey)


def test_ed25519_key_is_known():
    assert kind_of(private(ED25519)) == Ed25519Key(ED25519.private_bytes_raw())


def test_ed25519_key_of_another_length_is_none():
    der = sequence(integer(0), sequence(oid("2b6570")), octets(octets(bytes(33))))

    assert kind_of(der) is None


@pytest.mark.parametrize("form", [PKCS8, TRADITIONAL], ids=["PKCS#8", "SEC1"])
@pytest.mark.parametrize(
    ("curve", "name"),
    [
        (ec.SECP256R1(), "an EC key (P-256)"),
        (ec.SECP384R1(), "an EC key (P-384)"),
        (ec.SECP521R1(), "an EC key (P-521)"),
        (ec.SECP256K1(), "an EC key (secp256k1)"),
        (ec.BrainpoolP256R1(), "an EC key"),
    ],
)
def test_ec_key_is_known_with_its_curve(curve, name, form):
    assert kind_of(private(ec.generate_private_key(curve), form)) == OtherKey(name)


@pytest.mark.parametrize("form", [PKCS8, TRADITIONAL], ids=["PKCS#8", "traditional"])
def test_dsa_key_is_known(form):
    assert kind_of(private(DSA, form)) == OtherKey("a DSA key")


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (Ed448PrivateKey.generate(), "an Ed448 key"),
        (X448PrivateKey.generate(), "an X448 key"),
        (X25519PrivateKey.generate(), "an X25519 key"),
    ],
    ids=["Ed448", "X448", "X25519"],
)
def test_other_curves_have_names(key, name):
    assert kind_of(private(key)) == OtherKey(name)


@pytest.mark.parametrize("encoded", ["2a864886f70d010301", "2a8648ce3e0201"])
def test_dh_key_is_known(encoded):
    der = sequence(integer(0), sequence(oid(encoded)), octets(integer(5)))

    assert kind_of(der) == OtherKey("a DH key")


def test_key_without_a_name_here_is_another_kind():
    der = sequence(integer(0), sequence(oid("2a0304")), octets(integer(5)))

    assert kind_of(der) == OtherKey("another kind")


@pytest.mark.parametrize(
    "der",
    [public(RSA), public(RSA, PublicFormat.PKCS1), public(ED25519), public(P_256), public(DSA)],
    ids=["RSA", "PKCS#1", "Ed25519", "EC", "DSA"],
)
def test_public_key_is_known(der):
    assert kind_of(der) == PublicKey()


def test_key_with_a_passphrase_is_known():
    der = ED25519.private_bytes(Encoding.DER, PKCS8, BestAvailableEncryption(b"secret"))

    assert kind_of(der) == ProtectedKey()


def test_size_is_told_of_numbers_that_nobody_computes_with():
    kind = kind_of(integers(0, 2**12287 + 1, *NUMBERS[1:]))

    assert isinstance(kind, RsaKey)
    assert kind.bits == 12_288


def test_numbers_of_a_key_do_not_show_in_its_repr():
    assert repr(kind_of(integers(0, *NUMBERS))) == "RsaKey(bits=16)"


def test_numbers_that_belong_together_are_consistent():
    assert rsa_numbers(251, 241, 7) == NUMBERS
    assert kind_of(integers(0, *NUMBERS)).is_consistent


@pytest.mark.parametrize("index", range(8), ids=["n", "e", "d", "p", "q", "dp", "dq", "qinv"])
@pytest.mark.parametrize("change", [-1, 1, 2, 2**64], ids=["less", "more", "even", "long"])
def test_number_that_does_not_belong_to_the_others_is_noticed(index, change):
    numbers = list(NUMBERS)
    numbers[index] += change

    assert not kind_of(integers(0, *numbers)).is_consistent


def test_key_of_zeros_is_not_consistent():
    assert not kind_of(integers(*[0] * 9)).is_consistent


def test_public_exponent_of_more_than_64_bits_is_not_consistent():
    e = 2**64 + 13

    assert not kind_of(integers(0, *rsa_numbers(2**89 - 1, 2**107 - 1, e))).is_consistent


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"\x30",
        b"\x30\x80\x00\x00",
        b"\x30\x81\x05" + integer(1) + b"\x05\x00",
        b"\x30\x82\x00\x05" + integer(1) + b"\x05\x00",
        b"\x30\x84\xff\xff\xff\xff",
        integer(7),
        sequence(),
        sequence(integer(0), sequence(), octets(integer(5))),
        sequence(integer(0), sequence(oid("2a864886f70d010101")), octets()),
        sequence(integer(0), sequence(oid("2a864886f70d010101")), octets(integer(5))),
        integers(0, *NUMBERS) + b"\x00",
        integers(0, *NUMBERS)[:-1],
        integers(1, *NUMBERS, 5),
        integers(2, *NUMBERS),
        integers(0, *NUMBERS, *NUMBERS),
        sequence(element(0x02), *map(integer, NUMBERS)),
        sequence(element(0x02, b"\x80"), *map(integer, NUMBERS)),
        sequence(element(0x02, b"\x00\x00"), *map(integer, NUMBERS)),
    ],
    ids=[
        "nothing",
        "no length",
        "no end",
        "length in two bytes instead of one",
        "length in three bytes instead of one",
        "four gigabytes",
        "a number",
        "an empty sequence",
        "no algorithm",
        "no RSA key",
        "a number for an RSA key",
        "something behind it",
        "cut off",
        "three primes",
        "version 2",
        "too many numbers",
        "a number without digits",
        "a negative number",
        "a number with a zero in front",
    ],
)
def test_anything_else_is_none(der):
    assert kind_of(der) is None


@given(st.binary(max_size=200))
def test_random_bytes_raise_nothing(der):
    kind_of(der)


@given(
    st.recursive(
        st.binary(max_size=40),
        lambda parts: st.lists(
            st.builds(element, st.sampled_from([2, 3, 4, 6, 0x30, 0xA0]), parts), max_size=12
        ).map(b"".join),
    )
)
def test_any_der_raises_nothing(body):
    kind_of(sequence(body))
