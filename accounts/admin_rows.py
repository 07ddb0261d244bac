"""How the admin shows rows: behind the filters that are offered, to be looked at."""

from typing import Any, ClassVar

from django.db.models import Model
from django.http import HttpRequest


class OfferedFilters:
    """
    Those that the list offers, and no others.

    Django takes any lookup of a model's own columns: by asking what a password's hash begins with,
    it can be read letter by letter.
    """

    list_filter: ClassVar[Any]  # as Django has it

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Django's name for it; what is not allowed is answered 400."""
        # With a filter of another kind beside it, the name is the first of the two.
        offered = [each if isinstance(each, str) else each[0] for each in self.list_filter]
        return any(lookup == name or lookup.startswith(f"{name}__") for name in offered)


class OnlyLookedAt(OfferedFilters):
    """Rows that a program writes: one changed or deleted by hand would be wrong, or come again."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
