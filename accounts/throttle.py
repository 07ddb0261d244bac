"""
How many tries to sign in are allowed: ten in ten minutes, by what they count for.

A try takes its place before any work is done for it, so that tries at the same moment can't all
pass before the first of them has failed. One that succeeds, or fails for no fault of the visitor's,
gives its place back. What dies in between leaves a try that counts until it is old.
"""

import hashlib
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Literal

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.errors import TooManyTries
from accounts.models import SignInTry
from accounts.purging import purge
from postgres.errors import DATABASE_TROUBLE

logger = logging.getLogger(__name__)

ALLOWED_TRIES = 10
WINDOW = timedelta(minutes=10)
CLOCK_SLACK = timedelta(seconds=30)
# The first of the locks' two keys, so that they meet no others; see also `postgres.claims`.
LOCK_NAMESPACE = 0x5349  # "SI"


@dataclass(frozen=True, slots=True)
class Key:
    """
    What a try counts for.

    `value` is a network as of `addresses.network`, or a name's digest: never what was typed.
    """

    kind: Literal["address", "name"]
    value: str

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


def reserve(*keys: Key) -> tuple[int, ...]:
    """
    Take a place for one try, of each of its keys or of none.

    Returns:
        What `give_back` takes.
    Raises:
        TooManyTries: with the seconds until the next try is allowed.
    """
    # Without the lock first: a storm that is refused anyway needs no line.
    _check(keys)
    now = timezone.now()
    # What has yet to come was counted while the clock was wrong.
    purge(
        SignInTry.objects.filter(Q(at__lte=now - WINDOW) | Q(at__gt=now + WINDOW)),
        oldest_first="at",
    )
    return _reserve(keys)


def give_back(places: Collection[int]) -> None:
    """
    The try doesn't count.

    This one alone: were a success to forgive the failures before it, one good key would buy any
    number of bad ones. A database that is away leaves it counted; the sign-in itself is done.
    """
    try:
        SignInTry.objects.filter(pk__in=places).delete()
    except DATABASE_TROUBLE as error:
        logger.warning("sign-in still counts", extra={"error": type(error).__name__})


# Durable: it must be seen by the others before the work begins.
@transaction.atomic(durable=True)
def _reserve(keys: Sequence[Key]) -> tuple[int, ...]:
    _lock_until_commit(keys)
    _check(keys)
    now = timezone.now()
    rows = SignInTry.objects.bulk_create(SignInTry(key=str(key), at=now) for key in keys)
    return tuple(row.pk for row in rows)


def _check(keys: Sequence[Key]) -> None:
    for key in keys:
        now = timezone.now()
        lately = SignInTry.objects.filter(at__gt=now - WINDOW, at__lte=now + CLOCK_SLACK)
        latest = lately.filter(key=str(key)).order_by("-at")
        # The one that has to leave the window first.
        times = list(latest.values_list("at", flat=True)[ALLOWED_TRIES - 1 : ALLOWED_TRIES])
        if times:
            raise TooManyTries(
                ceil((times[0] + WINDOW - now).total_seconds()),
                "from this address" if key.kind == "address" else "with this name",
            )


def _lock_until_commit(keys: Sequence[Key]) -> None:
    # Two keys may share a number: then they wait for each other, a few milliseconds. Sorted, so
    # that two tries of the same keys don't each wait for the other.
    numbers = sorted({lock_number(key) for key in keys})
    with connection.cursor() as cursor:
        for number in numbers:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(%s::int, %s::int)", [LOCK_NAMESPACE, number]
            )


def lock_number(key: Key) -> int:
    """The second of the key's advisory lock, a signed integer of 4 bytes."""
    digest = hashlib.sha256(str(key).encode()).digest()
    return int.from_bytes(digest[:4], signed=True)
