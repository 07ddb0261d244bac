"""What the account had and was worth at instants, and what of it no record explains."""

from django.db import models
from django.db.models import F, Q

from accounts.models import Account
from positions.columns import MONEY, VALUE


class Balance(models.Model):
    """
    The cash as the exchange told it, where it was another than before or an hour had passed.

    The balance is of an instant after `known_since` and not after `known_until`, by the exchange's
    own clock; null where it did not say. `unexplained` is the part of its change since the balance
    before it that no record explains; null where that can't be said: for the first, and where a
    flow may or may not be in it.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="balances")
    at = models.DateTimeField()
    known_since = models.DateTimeField(null=True)
    known_until = models.DateTimeField()
    amount = models.DecimalField(**MONEY)
    exchange_portfolio_value = models.DecimalField(**MONEY, null=True)

    class Meta:
        indexes = [models.Index(fields=["account", "known_until"], name="balance_by_time")]

    def __str__(self) -> str:
        return f"{self.amount} at {self.at}"


class Unexplained(models.Model):
    """
    A difference between two balances that no record explains, with its interval; kept for good.

    One that a record found later explains stays, with the amount 0.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="unexplained")
    since = models.DateTimeField()
    until = models.DateTimeField()
    amount = models.DecimalField(**VALUE)
    noticed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "unexplained"
        constraints = [
            models.UniqueConstraint(fields=["account", "until"], name="unexplained_once"),
            models.CheckConstraint(
                condition=Q(since__lt=F("until")), name="unexplained_has_an_interval"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} until {self.until}"


class EquityPoint(models.Model):
    """
    What the account was worth at an instant, every minute while it was known.

    `nets` has the net P&L of each market held then, by ticker, null where it had no mark: of the
    points that a day begins with, and of the newest.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="equity_points")
    at = models.DateTimeField()
    total_value = models.DecimalField(**VALUE)
    # Of positions that had no mark then, what they were worth at their first mark since.
    entered = models.DecimalField(**VALUE, default=0)
    cash = models.DecimalField(**VALUE)
    positions_value = models.DecimalField(**VALUE)
    collateral_returned = models.DecimalField(**MONEY, null=True)
    nets = models.JSONField(null=True)
    # Of the positions that had no mark, which the value lacks; null where that was not noted yet.
    unpriced_count = models.PositiveIntegerField(null=True)
    # Whether a day begins or ends with it: never thinned.
    is_baseline = models.BooleanField(default=False)
    # Whether points before it were thinned away: its distance to the one before is no gap.
    is_after_thinned = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "at"], name="equity_point_once")]

    def __str__(self) -> str:
        return f"{self.total_value} at {self.at}"
