"""
Stretches of time whose records have not all been read: opened, filled, and told.

The newest end of an account's records is followed as they happen. What lies before a first
sign-in, or in a longer absence, is a hole, and read in the background from its end backwards, page
by page, so that a break costs no more than a page.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet

from ledger.models import Followed, Hole

# What a shorter absence missed is read at once, with what is new.
SHORT_ABSENCE = timedelta(hours=1)
# REST lags, and tells times to the second: what was read is read again from so much earlier.
OVERLAP = timedelta(minutes=2)


def begin(account_id: int, now: datetime) -> None:
    """
    A worker follows the account from now on, by the exchange's clock: what it missed is a hole.
    """
    with transaction.atomic():
        followed = Followed.objects.select_for_update().filter(account_id=account_id).first()
        if followed is None:
            Followed.objects.create(account_id=account_id, until=now)
            _open(account_id, None, now)
        elif followed.until < now - SHORT_ABSENCE:
            _open(account_id, followed.until - OVERLAP, now)
            followed.until = now
            followed.save(update_fields=["until"])


def followed_until(account_id: int) -> datetime:
    """Up to when nothing is missing but the holes."""
    return Followed.objects.get(account_id=account_id).until


def follow(account_id: int, until: datetime) -> None:
    """All up to this instant has been read."""
    Followed.objects.filter(account_id=account_id, until__lt=until).update(until=until)


def being_filled(account_id: int) -> QuerySet[Hole]:
    """The holes that can be filled and are not yet."""
    return Hole.objects.filter(account_id=account_id, filled_at__isnull=True, reason="")


def next_to_fill(account_id: int) -> Hole | None:
    """The newest of them."""
    return being_filled(account_id).order_by("-until").first()


def filled_to(hole: Hole, until: datetime, rows: int) -> None:
    """A page of it is stored, down to `until`."""
    Hole.objects.filter(pk=hole.pk).update(until=until, rows_read=F("rows_read") + rows)


def close(hole: Hole, at: datetime) -> None:
    """All of it has been read."""
    with transaction.atomic():
        lock(hole.account_id)
        Hole.objects.filter(pk=hole.pk).update(filled_at=at)


def lock(account_id: int) -> None:
    """
    Until the transaction ends nobody else records anything of the account, or closes a hole.

    Whether what follows from a record may be said depends on there being no hole.
    """
    Followed.objects.select_for_update().filter(account_id=account_id).first()


def give_up(account_id: int, since: datetime | None, until: datetime, reason: str) -> None:
    """There is something in this stretch that can't be read; said once."""
    told = Hole.objects.filter(account_id=account_id, reason=reason)
    if not told.exists():
        _open(account_id, since, until, reason)


def _open(account_id: int, since: datetime | None, until: datetime, reason: str = "") -> None:
    Hole.objects.create(
        account_id=account_id,
        since=since,
        until=until,
        opened_until=until,
        opened_at=until,
        reason=reason,
    )
