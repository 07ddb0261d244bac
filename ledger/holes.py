"""
Stretches of time whose records have not all been read: opened, filled, and told.

The newest end of an account's records is followed as they happen. What lies before a first
sign-in, or in a longer absence, is a hole, and read in the background from its end backwards, page
by page, so that a break costs no more than a page.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from ledger.models import Followed, Hole

# What a shorter absence missed is read at once, with what is new.
SHORT_ABSENCE = timedelta(hours=1)
# REST lags, and tells times to the second: what was read is read again from so much earlier.
OVERLAP = timedelta(minutes=2)
# What could not be read may be readable by now: the exchange has mended it, or this is a version of
# ours that understands it.
TRY_AGAIN = timedelta(hours=1)
_BEGINNING = datetime.min.replace(tzinfo=UTC)


def begin(account_id: int, now: datetime) -> None:
    """
    A worker follows the account from now on, by the exchange's clock: what it missed is a hole.
    """
    with transaction.atomic():
        followed = (
            Followed.objects.select_for_update(no_key=True).filter(account_id=account_id).first()
        )
        if followed is None:
            Followed.objects.create(account_id=account_id, until=now)
            _open(account_id, None, now, now)
        elif followed.until < now - SHORT_ABSENCE:
            _open(account_id, followed.until - OVERLAP, now, now)
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


def is_past_read(account_id: int) -> bool:
    """
    Whether all that can be read has been.

    Of an account that no worker has followed yet nothing has, though no hole is open.
    """
    is_followed = Followed.objects.filter(account_id=account_id).exists()
    return is_followed and not being_filled(account_id).exists()


def complete_until(account_id: int) -> datetime | None:
    """
    Up to when no record is missing, those included that can't be read; None where none is.

    The beginning of time where it may be any.
    """
    since = Hole.objects.filter(account_id=account_id, filled_at=None).values_list(
        "since", flat=True
    )
    return min((each or _BEGINNING for each in since), default=None)


def hide_trades(
    account_ids: Collection[int], since: datetime | None, until: datetime | None
) -> bool:
    """
    Whether executions or payouts of a period can't be read.

    Args:
        since, until: the period, without its end; None: from the beginning, to the end.
    """
    unread = Hole.objects.filter(account_id__in=account_ids, filled_at=None)
    # Which kind a row is of its reason begins with.
    unread = unread.filter(Q(reason__startswith="fill ") | Q(reason__startswith="settlement "))
    if since is not None:
        unread = unread.filter(until__gt=since)
    if until is not None:
        unread = unread.filter(Q(since=None) | Q(since__lt=until))
    return unread.exists()


def to_fill(account_id: int) -> list[Hole]:
    """All of them, newest first."""
    return list(being_filled(account_id).order_by("-until"))


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
    Followed.objects.select_for_update(no_key=True).filter(account_id=account_id).first()


def keep(account_id: int) -> None:
    """
    Until the transaction ends the account is not forgotten; others record what they like.

    To begin with, before any other row is written that is there: who forgets the account begins
    with the same row, and each would wait for the other.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT FROM {Followed._meta.db_table} WHERE account_id = %s FOR KEY SHARE",  # our own
            [account_id],
        )


def give_up(
    account_id: int,
    since: datetime | None,
    until: datetime,
    reason: str,
    at: datetime,
    *,
    is_named: bool,
) -> None:
    """
    There is something in this stretch that can't be read; said once.

    Args:
        at: now.
        is_named: whether the reason says what it is; else there may be more than one such.
    """
    told = Hole.objects.filter(account_id=account_id, reason=reason, filled_at=None).first()
    if told is None:
        _open(account_id, since, until, at, reason)
    elif not is_named:
        told.since = None if since is None or told.since is None else min(since, told.since)
        told.until = told.opened_until = max(until, told.until)
        told.save(update_fields=["since", "until", "opened_until"])


def to_try(account_id: int, now: datetime) -> list[Hole]:
    """Those that could not be filled when each was last tried, long enough ago; newest first."""
    given_up = Hole.objects.filter(account_id=account_id, filled_at=None).exclude(reason="")
    is_due = Q(tried_at=None) | Q(tried_at__lte=now - TRY_AGAIN)
    return list(given_up.filter(is_due).order_by("-until"))


def tried(hole: Hole, at: datetime) -> None:
    """It still can't be filled."""
    Hole.objects.filter(pk=hole.pk).update(tried_at=at)


def _open(
    account_id: int, since: datetime | None, until: datetime, at: datetime, reason: str = ""
) -> None:
    Hole.objects.create(
        account_id=account_id,
        since=since,
        until=until,
        opened_until=until,
        opened_at=at,
        reason=reason,
        tried_at=at if reason else None,
    )
