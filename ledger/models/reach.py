"""How far the records reach, and what is still to be read."""

from django.db import models
from django.db.models import Q

from accounts.models import Account


class Followed(models.Model):
    """
    Up to when an account's records are followed without a hole, by the exchange's clock.

    `is_netting` is whether the exchange gives collateral back to it; null where it does not say.
    """

    account = models.OneToOneField(
        Account, on_delete=models.CASCADE, primary_key=True, related_name="followed"
    )
    until = models.DateTimeField()
    is_netting = models.BooleanField(null=True)

    def __str__(self) -> str:
        return f"until {self.until}"


class NettingChange(models.Model):
    """
    From this instant on the exchange gives collateral back to the account, or no more.

    It is known to have been so by then, not when it came to be so.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    is_netting = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "at"], name="netting_change_once"),
        ]

    def __str__(self) -> str:
        return f"{'on' if self.is_netting else 'off'} from {self.at}"


class Hole(models.Model):
    """
    A stretch of time of which not all records have been read, as far as we know.

    Filled from its end to its beginning: `until` moves back as pages are stored. `since` null is
    the account's beginning. `filled_at` closes it; it stays, to tell what was read and when.
    `reason` says why it can't be filled, if it can't; that is tried again now and then.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="holes")
    since = models.DateTimeField(null=True)
    until = models.DateTimeField()
    opened_at = models.DateTimeField()
    # The end that it had when it was opened.
    opened_until = models.DateTimeField()
    rows_read = models.PositiveIntegerField(default=0)
    filled_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)
    tried_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["account", "until"], condition=Q(filled_at__isnull=True), name="hole_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.since or 'the beginning'} to {self.until}"
