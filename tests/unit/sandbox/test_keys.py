import json
import stat
from pathlib import Path

import pytest

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


def test_private_key_is_not_shown() -> None:
    credentials = keys.new_ed25519()

    assert "PRIVATE" not in repr(credentials)
