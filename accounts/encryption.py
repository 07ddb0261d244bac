"""
Seal and open secrets; the only place that sees the master key.

A secret stays sealed in memory and in the database, and is opened for the moment it is used. A row
whose key is lost can therefore be listed, and fails only where its secret is needed.
"""

from typing import Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class SecretLost(Exception):
    """A secret was sealed with a key that is no longer among those we have, or is no text."""

    def __init__(
        self,
        message: str = (
            "A stored secret cannot be opened with any key in ENCRYPTION_SECRET_KEY; "
            "put the key it was sealed with back there, or store the secret anew."
        ),
    ) -> None:
        super().__init__(message)


class Secret:
    """A text that shows itself to `reveal()` only, never to `repr`, `str` or a log."""

    __slots__ = ("sealed",)

    def __init__(self, sealed: bytes) -> None:
        self.sealed = sealed

    @classmethod
    def seal(cls, text: str) -> Self:
        """
        The secret that reveals `text`, sealed with the newest key.

        Raises:
            UnicodeEncodeError: the text holds half a surrogate pair, which is no character.
        """
        return cls(_keys().encrypt(text.encode()))

    def reveal(self) -> str:
        """
        The text itself: use it at once and keep it nowhere.

        Raises:
            SecretLost: no key of ENCRYPTION_SECRET_KEY opens it, or what was sealed is no text.
        """
        try:
            return _keys().decrypt(self.sealed).decode()
        # Without their causes: nothing of the token, or of what it holds, belongs in a traceback.
        except InvalidToken:
            raise SecretLost from None
        except UnicodeDecodeError:
            raise SecretLost("What is stored as a secret is no text; store it anew.") from None

    @property
    def is_sealed_newly(self) -> bool:
        """Whether the newest key opens it."""
        try:
            Fernet(settings.ENCRYPTION_SECRET_KEY[0]).decrypt(self.sealed)
        except InvalidToken:
            return False
        return True

    def resealed(self) -> "Secret":
        """
        The same secret, sealed with the newest key.

        Raises:
            SecretLost: no key of ENCRYPTION_SECRET_KEY opens it.
        """
        try:
            return Secret(_keys().rotate(self.sealed))
        except InvalidToken:
            raise SecretLost from None

    def __repr__(self) -> str:
        return "Secret(…)"


def _keys() -> MultiFernet:
    # The first key seals, every key opens. Built at each use, a few microseconds, so that no
    # module holds key material of its own.
    return MultiFernet([Fernet(key) for key in settings.ENCRYPTION_SECRET_KEY])
