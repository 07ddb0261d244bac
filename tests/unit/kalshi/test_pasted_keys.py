import base64
import json
import textwrap
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from kalshi.pasted_keys import InvalidKey, api_key_id, fits_header, private_key_der

KEY_ID = "5d1e2a3c-9a55-4c1e-8f0e-2b7a61f0c001"
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "alice")])


def in_base64(text):
    return base64.b64encode(text.encode()).decode()


def in_lines(text, width=76):
    return "\n".join(textwrap.wrap(text, width))


FORMS = [
    pytest.param(lambda pem: pem, id="as it is"),
    pytest.param(lambda pem: f"\n\t  {pem}  \n\n", id="white space around"),
    pytest.param(lambda pem: pem.replace("\n", "\n    "), id="indented"),
    pytest.param(lambda pem: pem.replace("\n", "\r\n"), id="Windows line ends"),
    pytest.param(lambda pem: pem.replace("\n", "\r"), id="old Mac line ends"),
    pytest.param(lambda pem: pem.replace("\n", " "), id="spaces for line ends"),
    pytest.param(lambda pem: pem.replace("\n", "\xa0"), id="no-break spaces for line ends"),
    pytest.param(lambda pem: pem.replace("\n", ""), id="line ends lost"),
    pytest.param(lambda pem: pem.replace("\n", r"\n"), id=r"escaped \n"),
    pytest.param(lambda pem: pem.replace("\n", r"\r\n"), id=r"escaped \r\n"),
    pytest.param(lambda pem: pem.replace("\n", r"\\n"), id=r"doubly escaped \n"),
    pytest.param(lambda pem: pem.replace("\n", r"\\r\\n"), id=r"doubly escaped \r\n"),
    pytest.param(lambda pem: pem.replace("\n", "\\n\n"), id="escaped and real line ends"),
    pytest.param(lambda pem: f'"{pem}"', id="double quotes"),
    pytest.param(lambda pem: f"'{pem.strip()}'", id="single quotes"),
    pytest.param(lambda pem: f"“{pem}”", id="typographic quotes"),
    pytest.param(lambda pem: json.dumps({"private_key": pem}), id="JSON"),
    pytest.param(lambda pem: json.dumps(json.dumps(pem)), id="JSON in JSON"),
    pytest.param(lambda pem: "\ufeff" + pem, id="byte order mark"),
    pytest.param(lambda pem: f"my key:\n{pem}\nthat was it", id="words around"),
    pytest.param(lambda pem: f"API key ID: {KEY_ID}\n\n{pem}", id="the ID before it"),
    pytest.param(in_base64, id="base64"),
    pytest.param(lambda pem: in_lines(in_base64(pem)), id="base64 in lines"),
    pytest.param(lambda pem: in_lines(in_base64(pem)).replace("\n", r"\n"), id="base64, escaped"),
    pytest.param(lambda pem: in_lines(in_base64(pem)).replace("\n", " "), id="base64, spaces"),
    pytest.param(lambda pem: in_base64(pem).rstrip("="), id="base64 unpadded"),
    pytest.param(lambda pem: f'"{in_base64(pem)}"', id="base64 in quotes"),
    pytest.param(lambda pem: f"KALSHI_KEY={in_base64(pem)}\n", id="base64 after a name"),
    pytest.param(lambda pem: "\ufeff" + in_base64(pem), id="base64 after a byte order mark"),
    pytest.param(lambda pem: in_base64("\ufeff" + pem), id="base64 of a byte order mark too"),
    pytest.param(lambda pem: in_base64(f"¿my key?\n{pem}"), id="base64 of words too"),
    pytest.param(lambda pem: in_base64(pem.replace("\n", "\r\n")), id="base64 of Windows lines"),
    pytest.param(lambda pem: in_base64(pem.replace("\n", r"\n")), id="base64 of escaped lines"),
    pytest.param(
        lambda pem: base64.urlsafe_b64encode(f">>>???{pem}".encode()).decode(), id="url-safe base64"
    ),
]


@pytest.mark.parametrize("name", ["ed25519", "rsa_pkcs1", "rsa_pkcs8"])
@pytest.mark.parametrize("form", FORMS)
def test_key_is_found_in_every_form(pem, form, name):
    _, _, body, _, _ = pem(name).split("-----")

    assert private_key_der(form(pem(name))) == base64.b64decode(body)


def test_url_safe_form_holds_what_only_url_safe_base64_has():
    assert {"-", "_"} <= set(base64.urlsafe_b64encode(b">>>???").decode())


@pytest.mark.parametrize("form", FORMS)
def test_length_is_limited_in_every_form(pem, form):
    with pytest.raises(InvalidKey, match="too long for a private key"):
        private_key_der(form(pem("rsa_pkcs8") + "x" * 10_000))


def test_longest_key_of_use_is_not_too_long_as_base64_in_lines():
    pem = f"-----BEGIN PRIVATE KEY-----\n{in_lines('A' * 6324, 64)}\n-----END PRIVATE KEY-----\n"

    # 6,324 symbols are the 4,743 bytes of an RSA key of 8,192 bits.
    assert private_key_der(in_lines(in_base64(pem))) == bytes(4743)


def test_base64_is_taken_off_once_only(pem):
    with pytest.raises(InvalidKey, match="not a private key in PEM format"):
        private_key_der(in_base64(in_base64(pem("ed25519"))))


def test_private_key_is_found_beside_the_public_one(pem):
    assert private_key_der(pem("rsa_public") + pem("ed25519")) == private_key_der(pem("ed25519"))


@pytest.fixture(scope="module")
def ed25519(pem):
    return load_pem_private_key(pem("ed25519").encode(), None)


def openssh(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()


def certificate(key):
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(NAME)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
    )
    return builder.sign(key, None).public_bytes(Encoding.PEM).decode()


def certificate_request(key):
    builder = x509.CertificateSigningRequestBuilder().subject_name(NAME)
    return builder.sign(key, None).public_bytes(Encoding.PEM).decode()


def public_pem(key):
    form = PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(Encoding.PEM, form).decode()


def public_ssh(key):
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


@pytest.mark.parametrize(
    ("make", "advice"),
    [
        pytest.param(lambda key: openssh(key), "ssh-keygen -p -m PKCS8", id="OpenSSH"),
        pytest.param(lambda key: openssh(key)[:150], "ssh-keygen", id="OpenSSH, cut off"),
        pytest.param(lambda key: in_base64(openssh(key)), "ssh-keygen", id="OpenSSH, base64"),
        pytest.param(certificate, "a certificate, .* Paste the private key", id="certificate"),
        pytest.param(
            certificate_request,
            "a certificate request, .* Paste the private key",
            id="certificate request",
        ),
        pytest.param(
            lambda key: certificate_request(key).replace("CERTIFICATE", "NEW CERTIFICATE"),
            "a certificate request, .* Paste the private key",
            id="certificate request of old",
        ),
        pytest.param(public_pem, "public key. Paste the private key", id="public key"),
        pytest.param(
            lambda key: f"{public_ssh(key)} alice@home",
            "public key. Paste the private key",
            id="ssh-ed25519 line",
        ),
        pytest.param(
            lambda key: public_ssh(key).replace("ssh-ed25519", "ssh-rsa"),
            "public key. Paste the private key",
            id="ssh-rsa line",
        ),
    ],
)
def test_other_things_are_named_with_what_to_do(ed25519, make, advice):
    text = make(ed25519)

    with pytest.raises(InvalidKey, match=advice) as refusal:
        private_key_der(text)

    assert not any(line in str(refusal.value) for line in text.splitlines())


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["rsa_encrypted_pkcs1", "rsa_encrypted_pkcs8"])
def test_passphrase_is_noticed_in_every_form(pem, name, form):
    with pytest.raises(InvalidKey, match=r"protected by a passphrase\. Remove it"):
        private_key_der(form(pem(name)))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(KEY_ID, id="alone"),
        pytest.param(f" '{KEY_ID.upper()}'\n", id="quoted"),
        pytest.param(f"API Key ID: {KEY_ID}", id="with its label"),
    ],
)
def test_id_in_place_of_the_key_is_noticed(text):
    with pytest.raises(InvalidKey, match="API key ID in the place of the private key") as refusal:
        private_key_der(text)

    assert KEY_ID not in str(refusal.value).lower()


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        pytest.param("", "not a private key in PEM format. Paste the whole file", id="empty"),
        pytest.param("no key", "not a private key in PEM format", id="words"),
        pytest.param("schlüssel", "not a private key in PEM format", id="words beyond ASCII"),
        pytest.param("AAAA", "not a private key in PEM format", id="base64 of something else"),
        pytest.param(
            "-----BEGIN PGP PRIVATE KEY BLOCK-----\nAAAA\n-----END PGP PRIVATE KEY BLOCK-----",
            "not a private key in PEM format",
            id="PGP",
        ),
        pytest.param(
            "-----BEGIN PRIVATE KEY-----\nMIIE", "cut off: .* Paste the whole file", id="no END"
        ),
        pytest.param(
            "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
            "cut off: .* Paste the whole file",
            id="another END",
        ),
        pytest.param(
            "-----BEGIN PRIVATE KEY-----\n*?!\n-----END PRIVATE KEY-----",
            "damaged .* Copy it again",
            id="no base64",
        ),
        pytest.param(
            "-----BEGIN PRIVATE KEY-----\nMIIЕ\n-----END PRIVATE KEY-----",
            "damaged .* Copy it again",
            id="a letter of another alphabet",
        ),
        pytest.param("x" * 10_001, "too long .* Paste the key alone", id="too long"),
    ],
)
def test_what_is_no_key_is_refused_with_advice(text, advice):
    with pytest.raises(InvalidKey, match=advice) as refusal:
        private_key_der(text)

    assert refusal.value.__cause__ is None


@pytest.mark.parametrize(
    "pasted",
    [
        pytest.param("{}", id="as it is"),
        pytest.param(" \t{}\r\n", id="white space around"),
        pytest.param("\ufeff{}", id="byte order mark"),
        pytest.param('"{}"', id="double quotes"),
        pytest.param(" '{}' ", id="single quotes"),
        pytest.param("“{}”", id="typographic quotes"),
        pytest.param("API Key ID: {}", id="label of the page"),
        pytest.param("API Key ID:\n{}", id="label on a line of its own"),
        pytest.param("API KEY ID {}", id="label in capitals"),
        pytest.param("key id {}", id="label without a colon"),
        pytest.param("ID={}", id="short label"),
        pytest.param("KALSHI_API_KEY_ID={}", id="variable"),
        pytest.param("KALSHI_API_KEY_ID = '{}'", id="variable of Python"),
        pytest.param('export KALSHI_DEMO_KEY_ID="{}"', id="variable of a shell"),
        pytest.param("kalshi-access-key: {}", id="header"),
        pytest.param('"apiKeyId": "{}",', id="line of JSON"),
    ],
)
def test_id_is_found_in_every_form(pasted):
    assert api_key_id(pasted.format(KEY_ID)) == KEY_ID
    assert api_key_id(pasted.format("Demo.Key/7")) == "Demo.Key/7"


@pytest.mark.parametrize(
    "key_id", ["a", "key", "id", "key-1a2b", "api_key_7", "my:key=7", "a=", "x" * 128, KEY_ID]
)
def test_id_that_only_looks_like_a_label_stays_whole(key_id):
    assert api_key_id(key_id) == key_id


# Quotes and separators at the ends are no part of an ID; labels need a colon, "=" or space.
@given(
    st.text(sorted(set(map(chr, range(0x21, 0x7F))) - set("\"'`,;:=")), min_size=1, max_size=128)
)
def test_any_printable_word_is_an_id(text):
    assert api_key_id(text) == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(' "" ', id="empty quotes"),
        pytest.param("two words", id="two words"),
        pytest.param("line\nbreak", id="two lines"),
        pytest.param("schlüssel", id="beyond ASCII"),
        pytest.param("nul\0", id="control character"),
        pytest.param("not a label: 1a2b", id="words before it"),
        pytest.param("API key", id="a label alone"),
        pytest.param("API key ID", id="a longer label alone"),
    ],
)
def test_text_that_is_no_id_is_refused_with_an_example(text):
    with pytest.raises(InvalidKey, match=r"one word .* such as 5d1e2a3c-.* Copy it again"):
        api_key_id(text)


@pytest.mark.parametrize("text", ["x" * 129, "id: " + "x" * 129, "x" * 20_000, " " * 300])
def test_text_that_is_too_long_for_an_id_is_refused(text):
    with pytest.raises(InvalidKey, match="too long for an API key ID"):
        api_key_id(text)


@pytest.mark.parametrize("name", ["ed25519", "rsa_pkcs1", "rsa_encrypted_pkcs8", "rsa_public"])
@pytest.mark.parametrize(
    "form",
    [
        pytest.param(lambda pem: pem, id="whole"),
        # An input of one line drops line ends, and the page's takes 200 characters.
        pytest.param(lambda pem: pem.replace("\n", "")[:200], id="as the page cuts it"),
        pytest.param(in_base64, id="base64"),
        pytest.param(lambda pem: in_base64(pem)[:200], id="base64 as the page cuts it"),
        pytest.param(lambda pem: pem.replace("\n", r"\n"), id="escaped"),
    ],
)
def test_key_in_place_of_the_id_is_noticed_and_never_quoted(pem, form, name):
    text = form(pem(name))

    with pytest.raises(InvalidKey, match="a key in the place of the API key ID") as refusal:
        api_key_id(text)

    assert text[30:60] not in str(refusal.value)


def test_body_of_a_short_key_is_no_id():
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    with pytest.raises(InvalidKey, match="a key in the place of the API key ID"):
        api_key_id(pem.splitlines()[1])


@pytest.mark.parametrize("key_id", ["", "two words", "line\r\nbreak", "naïve", "nul\0"])
def test_some_texts_fit_no_header(key_id):
    assert not fits_header(key_id)
