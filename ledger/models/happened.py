"""
What happened to each account: append-only rows, each once, however often the exchange repeats it.

What a row tells of the exchange never changes. What follows from it and from those before it (the
columns of `_Followed`) is computed when it comes, and anew when an older one is found; until the
records of its market reach back to where nothing was held, it is null.
"""

from typing import get_args

from django.db import models
from django.db.models import Q

from accounts.models import Account
from ledger.records import SettlementSource, TransferKind
from positions.columns import COUNT, MONEY, PRICE, VALUE, one_of
from positions.models import Market
from positions.pnl import Side


class _Followed(models.Model):
    """What a record did, and what its market held after it."""

    closed_count = models.DecimalField(**COUNT, null=True)
    cash_flow = models.DecimalField(**VALUE, null=True)
    realized_pnl = models.DecimalField(**VALUE, null=True)
    quantity_after = models.DecimalField(**COUNT, null=True)
    exposure_after = models.DecimalField(**VALUE, null=True)
    realized_after = models.DecimalField(**VALUE, null=True)
    fees_after = models.DecimalField(**VALUE, null=True)

    class Meta:
        abstract = True


class Fill(_Followed):
    """One execution of an order of the account's."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="fills")
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="+")
    trade_id = models.TextField()
    order_id = models.TextField()
    at = models.DateTimeField()
    side = models.CharField(max_length=3, choices=one_of(Side))
    count = models.DecimalField(**COUNT)
    price = models.DecimalField(**PRICE)
    fee = models.DecimalField(**MONEY)
    is_taker = models.BooleanField(null=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "trade_id"], name="fill_once"),
            models.CheckConstraint(condition=Q(count__gte=0), name="fill_count_not_negative"),
            models.CheckConstraint(condition=Q(side__in=get_args(Side)), name="fill_side_is_known"),
        ]
        indexes = [
            # The list, newest first, and what happened in a period.
            models.Index(fields=["account", "at", "trade_id"], name="fill_by_time"),
            # One market's, in the order in which they are replayed.
            models.Index(fields=["account", "market", "at", "trade_id"], name="fill_by_market"),
            # Those of which it is open what follows.
            models.Index(
                fields=["account", "market"], condition=Q(cash_flow__isnull=True), name="fill_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.count} {self.side} {self.market}"


class Settlement(_Followed):
    """
    The payout of what was held in a market, or a correction of one, which is a row of its own.

    `revenue` is what the exchange says that was paid in all; `cash_flow` what this row moved.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="settlements")
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    result = models.TextField()
    value = models.DecimalField(**PRICE, null=True)
    quantity = models.DecimalField(**COUNT)
    exposure = models.DecimalField(**VALUE)
    revenue = models.DecimalField(**MONEY)
    # What was paid before, of which this is the correction; null for the first.
    paid_before = models.DecimalField(**MONEY, null=True)
    fees_paid = models.DecimalField(**MONEY)
    source = models.CharField(max_length=8, choices=one_of(SettlementSource))
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            # Which the exchange repeats for as long as it lists it.
            models.UniqueConstraint(
                fields=["account", "market", "at", "revenue", "result"], name="settlement_once"
            ),
        ]
        indexes = [
            models.Index(fields=["account", "at", "market"], name="settlement_by_time"),
            models.Index(fields=["account", "market", "at"], name="settlement_by_market"),
            models.Index(
                fields=["account", "market"],
                condition=Q(cash_flow__isnull=True),
                name="settlement_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.result} {self.market}"


class EventDecision(models.Model):
    """
    A market that the account never held has paid its YES: no NO beside it can be lost any more.

    One row for each time that it is found to be so, or, after a correction, not to be.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    event_ticker = models.TextField()
    ticker = models.TextField()
    at = models.DateTimeField()
    is_yes = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "event_ticker", "ticker", "at"], name="event_decision_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_ticker} by {self.ticker}"


class Transfer(models.Model):
    """
    Money that came or went beside the markets; one row for each status that it got to.

    `transfer_id` is the exchange's, or for a flow that its owner named one of ours.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="transfers")
    transfer_id = models.TextField()
    kind = models.CharField(max_length=10, choices=one_of(TransferKind))
    at = models.DateTimeField()
    # How it was paid, or what its owner calls it.
    method = models.TextField(blank=True)
    amount = models.DecimalField(**MONEY)
    fee = models.DecimalField(**MONEY)
    status = models.TextField()
    cash_flow = models.DecimalField(**MONEY)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "kind", "transfer_id", "status"], name="transfer_stage_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=get_args(TransferKind)), name="transfer_kind_is_known"
            ),
        ]
        indexes = [models.Index(fields=["account", "at", "id"], name="transfer_by_time")]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} {self.status}"


class ImportedTrade(models.Model):
    """A trade from the exchange's own statement, older than the ledger; imported once."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="imported_trades")
    ticker = models.TextField()
    side = models.CharField(max_length=3, choices=one_of(Side))
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField()
    count = models.DecimalField(**COUNT)
    average_entry_price = models.DecimalField(**PRICE)
    average_exit_price = models.DecimalField(**PRICE)
    fees_paid = models.DecimalField(**MONEY)
    net_pnl = models.DecimalField(**VALUE)
    result = models.TextField(null=True)  # noqa: DJ001  # none: it was sold
    # Of the row's values, and its number among equal ones: what is imported twice is one.
    fingerprint = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "fingerprint"], name="imported_trade_once")
        ]
        indexes = [
            models.Index(fields=["account", "closed_at"], name="imported_trade_by_time"),
            models.Index(
                fields=["account", "ticker", "closed_at", "id"], name="imported_trade_of_market"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.count} {self.side} {self.ticker}"
