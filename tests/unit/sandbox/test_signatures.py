import base64
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from sandbox.account import ApiKey
from sandbox.signatures import NotAuthenticated, signer

PATH = "/trade-api/v2/portfolio/balance"
PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
PSS_WITH_LONG_SALT = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=64)


@pytest.fixture(scope="session")
def rsa() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def known(private_key: RSAPrivateKey | Ed25519PrivateKey) -> ApiKey:
    return ApiKey("alices", "alice", "test", ("read",), private_key.public_key())


def headers(signature: bytes, timestamp: str, api_key_id: str = "alices") -> dict[str, str]:
    return {
        "KALSHI-ACCESS-KEY": api_key_id,
        "KALSHI-ACCESS-TIMESTAMP": timestamp,
        "KALSHI-ACCESS-SIGNATURE": base64.b64encode(signature).decode(),
    }


def timestamp(moment: datetime) -> str:
    return str(int(moment.timestamp() * 1000))


def refusal(sent: dict[str, str], key: ApiKey, now: datetime) -> tuple[str, str | None]:
    with pytest.raises(NotAuthenticated) as refused:
        signer(sent, "GET", PATH, key={key.api_key_id: key}.get, now=now)
    return refused.value.code, refused.value.details


def test_rsa_pss_signature_names_its_key(rsa: RSAPrivateKey, now: datetime) -> None:
    key = known(rsa)
    signature = rsa.sign(f"{timestamp(now)}GET{PATH}".encode(), PSS, hashes.SHA256())

    found = signer(
        headers(signature, timestamp(now)), "get", PATH, key={"alices": key}.get, now=now
    )

    assert found == key


def test_ed25519_signature_names_its_key(now: datetime) -> None:
    private_key = Ed25519PrivateKey.generate()
    key = known(private_key)
    signature = private_key.sign(f"{timestamp(now)}GET{PATH}".encode())

    found = signer(
        headers(signature, timestamp(now)), "GET", PATH, key={"alices": key}.get, now=now
    )

    assert found == key


@pytest.mark.parametrize(
    ("text", "pss"),
    [
        ("{timestamp}GET{path}?limit=1", PSS),
        ("{timestamp}GET/portfolio/balance", PSS),
        ("{timestamp}POST{path}", PSS),
        ("GET{path}", PSS),
        ("{timestamp}GET{path}", PSS_WITH_LONG_SALT),
    ],
    ids=["with query", "without prefix", "other method", "without time", "salt of another length"],
)
def test_signature_over_anything_else_is_refused(
    rsa: RSAPrivateKey, now: datetime, text: str, pss: padding.PSS
) -> None:
    signed = text.format(timestamp=timestamp(now), path=PATH).encode()
    signature = rsa.sign(signed, pss, hashes.SHA256())

    refused = refusal(headers(signature, timestamp(now)), known(rsa), now)

    assert refused == ("authentication_error", "INCORRECT_API_KEY_SIGNATURE")


def test_signature_that_is_not_base64_is_refused(rsa: RSAPrivateKey, now: datetime) -> None:
    sent = headers(b"", timestamp(now)) | {"KALSHI-ACCESS-SIGNATURE": "no base64!"}

    refused = refusal(sent, known(rsa), now)

    assert refused == ("authentication_error", "INCORRECT_API_KEY_SIGNATURE")


def test_unknown_key_is_not_found(rsa: RSAPrivateKey, now: datetime) -> None:
    sent = headers(b"any", timestamp(now), api_key_id="charlies")

    assert refusal(sent, known(rsa), now) == ("authentication_error", "NOT_FOUND")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("KALSHI-ACCESS-SIGNATURE", "signature_is_missing_from_headers"),
        ("KALSHI-ACCESS-KEY", "api_key_is_missing_from_headers"),
        ("KALSHI-ACCESS-TIMESTAMP", "timestamp_is_missing_from_headers"),
    ],
)
def test_missing_header_is_named(rsa: RSAPrivateKey, now: datetime, header: str, code: str) -> None:
    sent = headers(b"any", timestamp(now))
    del sent[header]

    assert refusal(sent, known(rsa), now) == (code, None)


@pytest.mark.parametrize(
    "sent_at",
    ["1", "soon", "-5", "9" * 5000, "{late}", "{early}"],
    ids=["1970", "no number", "negative", "too long", "16 s late", "16 s early"],
)
def test_time_outside_the_window_has_expired(
    rsa: RSAPrivateKey, now: datetime, sent_at: str
) -> None:
    late = timestamp(now - timedelta(seconds=16))
    early = timestamp(now + timedelta(seconds=16))

    refused = refusal(headers(b"any", sent_at.format(late=late, early=early)), known(rsa), now)

    assert refused == ("header_timestamp_expired", None)


@pytest.mark.parametrize("skew", [-15, 15])
def test_fifteen_seconds_are_within_the_window(
    rsa: RSAPrivateKey, now: datetime, skew: int
) -> None:
    sent_at = timestamp(now + timedelta(seconds=skew))
    signature = rsa.sign(f"{sent_at}GET{PATH}".encode(), PSS, hashes.SHA256())

    found = signer(
        headers(signature, sent_at), "GET", PATH, key={"alices": known(rsa)}.get, now=now
    )

    assert found.api_key_id == "alices"
