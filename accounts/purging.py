"""Deleting rows that are too old to matter, a bounded number at once."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

PURGED_AT_ONCE = 1000


@transaction.atomic
def purge(old: QuerySet[Any], *, oldest_first: str) -> None:  # Any: rows of whatever kind
    """
    Delete some of these rows: bounded, as a visitor waits for it.

    Args:
        oldest_first: the column that says how old a row is.
    """
    # Locked rows are being purged by somebody else.
    ids = list(
        old.order_by(oldest_first)
        .select_for_update(skip_locked=True)
        .values_list("pk", flat=True)[:PURGED_AT_ONCE]
    )
    old.model._default_manager.filter(pk__in=ids).delete()
