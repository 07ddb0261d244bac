"""The secrets, and whether somebody could guess them."""

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.fernet import Fernet

from config.errors import WrongSetting

NAMES = ("SECRET_KEY", "JWT_SECRET_KEY", "ENCRYPTION_SECRET_KEY")

# What Django's own check of a deployment asks for.
LEAST_CHARACTERS = 50
# RFC 7518, section 3.2: HS256 wants a key of at least the hash's size.
LEAST_TOKEN_BYTES = 32
# Out of reach of any guessing, and well below what a random key of 32 bytes is estimated at.
LEAST_BITS = 80

_FRESH_TEXT = "python3 -c 'import secrets; print(secrets.token_urlsafe(50))'"
_FRESH_KEY = (
    "python3 -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'"
)


@dataclass(frozen=True, slots=True)
class SecretKeys:
    """
    Secrets that can be worked with.

    Args:
        django: signs Django's own tokens and sessions.
        token: signs the session tokens.
        encryption: Fernet keys: the first encrypts, all decrypt.
    """

    django: str = field(repr=False)
    token: str = field(repr=False)
    encryption: list[str] = field(repr=False)


def secret_keys(texts: Mapping[str, str]) -> SecretKeys:
    """
    The secrets of the variables `NAMES`.

    Raises:
        WrongSetting: some are missing, can be guessed, or are one and the same.
    """
    missing = [name for name in NAMES if not texts[name].strip(" ,")]
    if missing:
        raise WrongSetting(
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing: `make setup` "
            "writes a .env with fresh secrets where there is none."
        )
    django, token, encryption = (texts[name] for name in NAMES)
    if len(django) < LEAST_CHARACTERS or django.startswith("django-insecure-"):
        raise _weak("SECRET_KEY", f"must have {LEAST_CHARACTERS} random characters", _FRESH_TEXT)
    if len(token.encode()) < LEAST_TOKEN_BYTES:
        raise _weak("JWT_SECRET_KEY", f"must have {LEAST_TOKEN_BYTES} random bytes", _FRESH_TEXT)
    for name, text in (("SECRET_KEY", django), ("JWT_SECRET_KEY", token)):
        if estimated_bits(text.encode()) < LEAST_BITS:
            raise _weak(name, "can be guessed", _FRESH_TEXT)
    if django == token:
        raise _weak("JWT_SECRET_KEY", "must differ from SECRET_KEY", _FRESH_TEXT)
    return SecretKeys(django, token, _fernet_keys("ENCRYPTION_SECRET_KEY", encryption))


def _fernet_keys(name: str, text: str) -> list[str]:
    keys = [key.strip() for key in text.split(",") if key.strip()]
    for key in keys:
        try:
            Fernet(key)
        except ValueError:
            # Without its cause, which may quote the key.
            raise _weak(name, "must be Fernet keys, with commas between them", _FRESH_KEY) from None
        if estimated_bits(base64.urlsafe_b64decode(key)) < LEAST_BITS:
            raise _weak(name, "holds a key that can be guessed", _FRESH_KEY)
    return keys


def _weak(name: str, what: str, command: str) -> WrongSetting:
    return WrongSetting(f"{name} {what}; a fresh one is printed by: {command}")


def estimated_bits(secret: bytes) -> float:
    """
    How many bits there are to guess in a secret, estimated from above.

    Each byte counts as one choice among the different bytes there are, but not at all where it
    follows from those before it: where it goes on with a run (aaa, 123, zyx) or with something
    that stood there before. Words and dates are not seen, so a low estimate is certain to mean a
    bad secret, while a high one means little of a secret that a person made up.
    """
    choices = 0
    seen: set[bytes] = set()
    for end in range(1, len(secret) + 1):
        last = secret[max(0, end - 3) : end]
        is_run = len(last) == 3 and last[2] - last[1] == last[1] - last[0]
        if last not in seen and not is_run:
            choices += 1
        seen.add(last)
    return choices * math.log2(len(set(secret)) or 1)
