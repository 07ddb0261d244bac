"""
The demonstration key: made once, kept in a file that only its owner can read.
"""

import json
import os
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    generate_private_key,
)

_FILE = "credentials.json"


class BrokenCredentials(Exception):
    """The file is there, but no key can be read from it; the message says which file."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client needs to sign: the key's id and the private key in PEM."""

    api_key_id: str
    private_key: str = field(repr=False)

    def loaded(self) -> RSAPrivateKey | Ed25519PrivateKey:
        """
        The private key, looked at, which takes 60 ms of an RSA key.

        Raises:
            ValueError: it is neither RSA nor Ed25519, or damaged.
        """
        return self._loaded(is_trusted=False)

    def public_key(self) -> RSAPublicKey | Ed25519PublicKey:
        """What signatures are checked by; of a key that was made or looked at before."""
        return self._loaded(is_trusted=True).public_key()

    def _loaded(self, *, is_trusted: bool) -> RSAPrivateKey | Ed25519PrivateKey:
        key = serialization.load_pem_private_key(
            self.private_key.encode(),
            password=None,
            unsafe_skip_rsa_key_validation=is_trusted,
        )
        if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
            raise ValueError("the private key is neither RSA nor Ed25519")
        return key


def new_rsa() -> Credentials:
    """A new key as the exchange hands out RSA keys: 2048 bits, PKCS#1."""
    key = generate_private_key(public_exponent=65537, key_size=2048)
    return _credentials(key, serialization.PrivateFormat.TraditionalOpenSSL)


def new_ed25519() -> Credentials:
    """A new key as the exchange hands out Ed25519 keys: PKCS#8."""
    return _credentials(Ed25519PrivateKey.generate(), serialization.PrivateFormat.PKCS8)


def _credentials(
    key: RSAPrivateKey | Ed25519PrivateKey, form: serialization.PrivateFormat
) -> Credentials:
    pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
    return Credentials(str(uuid.uuid4()), pem)


def load(directory: Path) -> Credentials | None:
    """
    The key kept in a directory, None when there is none yet.

    Raises:
        BrokenCredentials: what is there is no key.
    """
    path = directory / _FILE
    try:
        kept = json.loads(path.read_text())
        credentials = Credentials(kept["api_key_id"], kept["private_key"])
        credentials.loaded()
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError):
        # Without the cause: it may quote the key.
        raise BrokenCredentials(f"{path} holds no key; delete it to get a new one") from None
    return credentials


def save(directory: Path, credentials: Credentials, *, api_base: str, ws_url: str) -> Path:
    """Keep a key and the exchange's addresses, readable by the owner alone; the file's path."""
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    path = directory / _FILE
    kept = {
        "api_key_id": credentials.api_key_id,
        "private_key": credentials.private_key,
        "api_base": api_base,
        "ws_url": ws_url,
    }
    # Written beside and moved into place: whoever reads it finds the old one or the new one, whole.
    beside = path.with_suffix(f".{os.getpid()}")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(kept, file, indent=2)
    beside.replace(path)
    return path


def is_lost(directory: Path, credentials: Credentials, *, api_base: str) -> bool:
    """
    Whether the file of an exchange, by its address, no longer holds its key.

    It is gone, or none of an exchange, or of this one with another key. One of another exchange,
    which was started later, is right as it is.
    """
    try:
        kept = json.loads((directory / _FILE).read_text())
        if kept["api_base"] != api_base:
            return False
        return Credentials(kept["api_key_id"], kept["private_key"]) != credentials
    except (OSError, ValueError, TypeError, KeyError):
        return True
