"""How often an address may fail to sign in."""

from datetime import timedelta
from math import ceil

from django.utils import timezone

from accounts.errors import TooManyTries
from accounts.models import SignInFailure

ALLOWED_FAILURES = 10
WINDOW = timedelta(minutes=10)
PURGED_AT_ONCE = 1000
ADDRESS_LENGTH = 64


def check(address: str) -> None:
    """
    Let the address try, unless it failed too often lately.

    Tries that run at the same moment may all pass before the first of them has failed: what is
    limited is the rate over minutes, and a key is far beyond guessing at any rate.

    Raises:
        TooManyTries: with the seconds until the next try is allowed.
    """
    now = timezone.now()
    latest = SignInFailure.objects.filter(address=address, at__gt=now - WINDOW).order_by("-at")
    # The failure that has to leave the window first.
    times = list(latest.values_list("at", flat=True)[ALLOWED_FAILURES - 1 : ALLOWED_FAILURES])
    if times:
        raise TooManyTries(ceil((times[0] + WINDOW - now).total_seconds()))


def record_failure(address: str) -> None:
    """
    Count one failed try, and drop some that no longer count.

    A later success takes none back: else one good key would buy any number of bad ones.
    """
    now = timezone.now()
    SignInFailure.objects.create(address=address, at=now)
    old = SignInFailure.objects.filter(at__lte=now - WINDOW).order_by("at")
    SignInFailure.objects.filter(pk__in=old.values("pk")[:PURGED_AT_ONCE]).delete()
