"""
Whether the exchange gives collateral back to an account, over time: its owner may change that.

No list tells when it was changed. What came back before stays what it was.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction

from ledger import holes
from ledger.models import Followed, NettingChange

_MOMENT = timedelta(microseconds=1)
# Before all that any exchange may tell of.
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Course:
    """
    Attributes:
        now: None where the exchange does not say: then nothing is known of any time.
        changes: since when it was how, oldest first; the first of them since ever.
    """

    now: bool | None
    changes: tuple[tuple[datetime, bool], ...] = ()

    def at(self, instant: datetime) -> bool | None:
        """Whether there was netting at a moment."""
        if self.now is None or not self.changes:
            return self.now
        return [is_netting for at, is_netting in self.changes if at <= instant][-1]

    def has_changed_after(self, instant: datetime) -> bool:
        """Whether it was changed later."""
        return any(at > instant for at, _ in self.changes)


def course(account_id: int) -> Course:
    """All that is known of it."""
    changes = NettingChange.objects.filter(account_id=account_id).order_by("at")
    return Course(now(account_id), tuple(changes.values_list("at", "is_netting")))


def now(account_id: int) -> bool | None:
    """As the exchange said last; None where it did not say."""
    followed = Followed.objects.filter(account_id=account_id).first()
    return followed.is_netting if followed else None


@transaction.atomic
def keep(account_id: int, is_netting: bool | None, at: datetime) -> datetime | None:
    """
    Keep what the exchange says.

    Args:
        at: by then it was so.
    Returns:
        Since when it is another than before, if it is.
    """
    # As whoever records does.
    holes.lock(account_id)
    before = now(account_id)
    Followed.objects.filter(account_id=account_id).update(is_netting=is_netting)
    changes = NettingChange.objects.filter(account_id=account_id)
    last = changes.order_by("at").last()
    first = is_netting if before is None else before
    if last is None and first is not None:
        last = changes.create(account_id=account_id, at=_BEGINNING, is_netting=first)
    if last is None or is_netting is None or is_netting == last.is_netting:
        return None
    at = max(at, last.at + _MOMENT)
    changes.create(account_id=account_id, at=at, is_netting=is_netting)
    return at
