"""
Accounts that the staff set aside: their keys rest until they are taken back.

Keys, figures and history stay. The worker hears of it as of a change of their keys.
"""

from collections.abc import Collection

from django.db import transaction

from accounts.models import Account
from postgres.channels import CREDENTIALS_CHANGED
from postgres.notifications import publish


def set_aside(account_ids: Collection[int]) -> int:
    """Let nothing of these be read from the exchange; how many that changes."""
    return _mark(account_ids, is_set_aside=True)


def take_back(account_ids: Collection[int]) -> int:
    """Follow the exchange for these again; how many that changes."""
    return _mark(account_ids, is_set_aside=False)


@transaction.atomic
def _mark(account_ids: Collection[int], *, is_set_aside: bool) -> int:
    others = Account.objects.filter(pk__in=account_ids).exclude(is_set_aside=is_set_aside)
    changed = list(others.select_for_update().order_by("pk").values_list("pk", flat=True))
    Account.objects.filter(pk__in=changed).update(is_set_aside=is_set_aside)
    for account_id in changed:
        publish(CREDENTIALS_CHANGED, str(account_id))
    return len(changed)
