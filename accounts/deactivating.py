"""
People whom the staff let in no more, until they take that back: their accounts' keys rest as well.

Accounts, figures and history stay. The worker hears of it as of a change of the keys.
"""

from collections.abc import Collection

from django.db import transaction

from accounts import one_time_links, sessions
from accounts.models import User
from postgres.channels import CREDENTIALS_CHANGED
from postgres.notifications import publish


def deactivate(user_ids: Collection[int]) -> None:
    """Let these sign in no more: their sessions end, and the links that nobody has used yet."""
    for user_id in sorted(user_ids):
        with transaction.atomic():
            user = _mark(user_id, is_active=False)
            if user is not None:
                sessions.end_all(user)
                one_time_links.end_unused(user)


def activate(user_ids: Collection[int]) -> None:
    """Let these sign in again."""
    for user_id in sorted(user_ids):
        with transaction.atomic():
            _mark(user_id, is_active=True)


def _mark(user_id: int, *, is_active: bool) -> User | None:
    # Locked first, as by whoever begins a session or makes a link in their name.
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None or user.is_active == is_active:
        return user
    user.is_active = is_active
    user.save(update_fields=["is_active"])
    for account_id in user.accounts.order_by("pk").values_list("pk", flat=True):
        publish(CREDENTIALS_CHANGED, str(account_id))
    return user
