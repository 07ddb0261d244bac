"""People whom the staff let in no more, until they take that back; all that is theirs stays."""

from collections.abc import Collection

from django.db import transaction

from accounts import one_time_links, sessions
from accounts.models import User


def deactivate(user_ids: Collection[int]) -> None:
    """Let these sign in no more: their sessions end, and the links that nobody has used yet."""
    for user_id in sorted(user_ids):
        _deactivate(user_id)


def activate(user_ids: Collection[int]) -> None:
    """Let these sign in again."""
    User.objects.filter(pk__in=user_ids).update(is_active=True)


@transaction.atomic
def _deactivate(user_id: int) -> None:
    # Locked first, as by whoever begins a session or makes a link in their name.
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None:
        return
    user.is_active = False
    user.save(update_fields=["is_active"])
    sessions.end_all(user)
    one_time_links.end_unused(user)
