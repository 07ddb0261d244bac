"""
The networks from which each name has signed in.

Where somebody tries many passwords for a name, its owner still gets in from a known one.
"""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import KnownNetwork
from accounts.purging import purge

REMEMBERED = timedelta(days=180)
NETWORKS_PER_NAME = 20


def is_known(name_digest: str, network: str) -> bool:
    """Whether the name signed in from there lately."""
    known = KnownNetwork.objects.filter(name_digest=name_digest, network=network)
    return known.filter(seen_at__gt=timezone.now() - REMEMBERED).exists()


@transaction.atomic
def remember(name_digest: str, network: str) -> None:
    """The name has signed in from there; of each name the latest few are remembered."""
    old = KnownNetwork.objects.filter(seen_at__lte=timezone.now() - REMEMBERED)
    purge(old, oldest_first="seen_at")
    KnownNetwork.objects.update_or_create(
        name_digest=name_digest, network=network, defaults={"seen_at": timezone.now()}
    )
    latest = KnownNetwork.objects.filter(name_digest=name_digest).order_by("-seen_at", "-pk")
    surplus = latest.values_list("pk", flat=True)[NETWORKS_PER_NAME:]
    KnownNetwork.objects.filter(pk__in=list(surplus)).delete()


def forget(name_digest: str) -> None:
    """The name is nobody's any more."""
    KnownNetwork.objects.filter(name_digest=name_digest).delete()
