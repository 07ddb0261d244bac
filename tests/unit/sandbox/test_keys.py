import base64
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox import keys
from sandbox.keys import BrokenCredentials

ADDRESSES = {"api_base": "http://127.0.0.1:1/a", "ws_url": "ws://127.0.0.1:1/w"}


def test_kept_key_is_found_again(tmp_path: Path) -> None:
    credentials = keys.new_ed25519()

    keys.save(tmp_path / "sandbox", credentials, **ADDRESSES)

    assert keys.load(tmp_path / "sandbox") == credentials


def test_file_and_directory_are_the_owners_alone(tmp_path: Path) -> None:
    directory = tmp_path / "sandbox"
    directory.mkdir(mode=0o755)

    path = keys.save(directory, keys.new_ed25519(), **ADDRESSES)

    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in directory.iterdir()] == ["credentials.json"]


def test_file_names_the_key_and_the_addresses(tmp_path: Path) -> None:
    credentials = keys.new_rsa()

    path = keys.save(tmp_path, credentials, **ADDRESSES)

    kept = json.loads(path.read_text())
    assert kept == {
        "api_key_id": credentials.api_key_id,
        "private_key": credentials.private_key,
        **ADDRESSES,
    }
    assert kept["private_key"].startswith("-----BEGIN RSA PRIVATE KEY-----")


def test_without_a_file_there_is_no_key(tmp_path: Path) -> None:
    assert keys.load(tmp_path / "sandbox") is None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"api_key_id": "a", "private_key": "b"}',
        '{"api_key_id": 1, "private_key": 2}',
    ],
)
def test_file_without_a_key_is_named_and_not_quoted(tmp_path: Path, content: str) -> None:
    (tmp_path / "credentials.json").write_text(content)

    with pytest.raises(BrokenCredentials, match=r"credentials\.json holds no key; delete it"):
        keys.load(tmp_path)


def test_file_with_a_damaged_key_is_named(tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    whole = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    prime = key.private_numbers().p.to_bytes(128, "big")
    damaged = whole.replace(prime, prime[:-1] + bytes([prime[-1] ^ 2]))
    body = base64.encodebytes(damaged).decode()
    label = "RSA PRIVATE KEY"
    pem = f"-----BEGIN {label}-----\n{body}-----END {label}-----\n"
    kept = {"api_key_id": "a", "private_key": pem}
    (tmp_path / "credentials.json").write_text(json.dumps(kept))

    with pytest.raises(BrokenCredentials, match=r"credentials\.json holds no key"):
        keys.load(tmp_path)


@pytest.mark.parametrize(
    ("spoil", "is_lost"),
    [
        pytest.param(lambda path, kept: None, False, id="as it was written"),
        pytest.param(lambda path, kept: path.unlink(), True, id="gone"),
        pytest.param(lambda path, kept: path.write_text("{"), True, id="torn"),
        pytest.param(lambda path, kept: path.write_bytes(b"\xff"), True, id="no text"),
        pytest.param(lambda path, kept: path.write_text("[]"), True, id="something else"),
        pytest.param(
            lambda path, kept: path.write_text(json.dumps(kept | {"api_key_id": "another"})),
            True,
            id="another key",
        ),
        pytest.param(
            lambda path, kept: path.write_text(
                json.dumps(kept | {"api_key_id": "another", "api_base": "http://127.0.0.1:2/a"})
            ),
            False,
            id="of an exchange that was started later",
        ),
    ],
)
def test_file_that_no_longer_holds_the_key_is_noticed(
    tmp_path: Path, spoil: Callable[[Path, dict[str, str]], object], is_lost: bool
) -> None:
    credentials = keys.new_ed25519()
    path = keys.save(tmp_path, credentials, **ADDRESSES)

    spoil(path, json.loads(path.read_text()))

    assert keys.is_lost(tmp_path, credentials, api_base=ADDRESSES["api_base"]) == is_lost


def test_private_key_is_not_shown() -> None:
    credentials = keys.new_ed25519()

    assert "PRIVATE" not in repr(credentials)
