"""A model field for text that must not be readable in the database."""

import base64
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Expression
from django.db.models.lookups import Lookup

from accounts.encryption import Secret

if TYPE_CHECKING:
    _Base = models.BinaryField[Secret, Secret]
else:
    _Base = models.BinaryField


class EncryptedTextField(_Base):
    """
    A `Secret`, stored as the bytes it is sealed in.

    The same text is sealed to other bytes each time, so comparing stored values would find
    nothing: every lookup but `isnull` raises `FieldError`.
    """

    def from_db_value(
        self, value: bytes | None, expression: Expression, connection: BaseDatabaseWrapper
    ) -> Secret | None:
        return None if value is None else Secret(bytes(value))

    def to_python(self, value: Any) -> Secret | None:  # Any: Django's own signature
        if value is None or isinstance(value, Secret):
            return value
        if isinstance(value, str):  # as value_to_string() wrote it
            return Secret(base64.b64decode(value))
        raise TypeError("An encrypted field takes a Secret; see Secret.seal().")

    def get_prep_value(self, value: Any) -> bytes | None:  # Any: Django's own signature
        if value is None:
            return None
        if not isinstance(value, Secret):
            # Naming the value here would leak what it must hide.
            raise TypeError("An encrypted field takes a Secret; see Secret.seal().")
        return value.sealed

    def value_to_string(self, obj: models.Model) -> str:
        """The sealed bytes in base64, for Django's serializers: a backup stays encrypted."""
        secret: Secret = self.value_from_object(obj)
        return base64.b64encode(secret.sealed).decode()

    def get_lookup(self, lookup_name: str) -> "type[Lookup[Any]] | None":
        if lookup_name != "isnull":
            raise FieldError(f"{self.name} is encrypted and cannot be looked up by {lookup_name}.")
        return super().get_lookup(lookup_name)
