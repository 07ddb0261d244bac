"""
What was noticed beside what happened to the money: of connections, of markets held, and of reading
the exchange. Append-only too, and pruned when it is old.
"""

from django.db import models

from accounts.models import Account
from positions.columns import PRICE, one_of
from positions.connection import Reason, Status
from positions.models import Market


class ConnectionChange(models.Model):
    """The account's connection became another; of the worker's own end too."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    status = models.CharField(max_length=16, choices=one_of(Status))
    reason = models.CharField(max_length=64, choices=one_of(Reason), null=True)  # noqa: DJ001  # as the stream's

    class Meta:
        indexes = [models.Index(fields=["account", "at", "id"], name="connection_by_time")]

    def __str__(self) -> str:
        return f"{self.status} at {self.at}"


class MarketChange(models.Model):
    """A market came to stand otherwise while it was held, as `positions.noticed` has it."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    # The exchange's word, which may be a new one.
    status = models.TextField()
    settlement_value = models.DecimalField(**PRICE, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "market", "at", "status", "settlement_value"],
                nulls_distinct=False,
                name="market_change_once",
            ),
        ]
        indexes = [models.Index(fields=["account", "at", "id"], name="market_change_by_time")]

    def __str__(self) -> str:
        return f"{self.status} {self.market}"


class Reconciliation(models.Model):
    """
    A read of the exchange that showed something else than we had, or the first after a break.

    `differing` is a list of `positions.noticed.Differing`, amounts as text.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    is_first = models.BooleanField()
    differing = models.JSONField(default=list)

    class Meta:
        constraints = [
            # The list is read by it too.
            models.UniqueConstraint(fields=["account", "at"], name="reconciliation_once"),
        ]

    def __str__(self) -> str:
        return f"{len(self.differing)} differing at {self.at}"
