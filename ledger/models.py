"""
What happened to each account: append-only rows, each once, however often the exchange repeats it.

What a row tells of the exchange never changes. What follows from it and from those before it (the
columns of `_Followed`) is computed when it comes, and anew when an older one is found; until the
records of its market reach back to where nothing was held, it is null.

No row of another account's: all go with their account.
"""

from typing import get_args

from django.db import models
from django.db.models import F, Q

from accounts.models import Account
from ledger.records import SettlementSource, TransferKind
from ledger.trades import Result
from positions.columns import COUNT, MONEY, PRICE, VALUE, one_of
from positions.connection import Reason, Status
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
        ]

    def __str__(self) -> str:
        return f"{self.result} {self.market}"


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


class Trade(models.Model):
    """
    One trade of a market, from flat to flat or to settlement; `number` is its place among these.

    Follows from the records by the rule in `ledger.trades`, where the columns are explained. The
    last one of a market changes with each record, until it is closed.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="trades")
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    side = models.CharField(max_length=3, choices=one_of(Side))
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    count = models.DecimalField(**COUNT)
    closed_count = models.DecimalField(**COUNT)
    entry_cost = models.DecimalField(**VALUE)
    exit_value = models.DecimalField(**VALUE)
    exposure = models.DecimalField(**VALUE)
    fees_paid = models.DecimalField(**MONEY)
    net_pnl = models.DecimalField(**VALUE, null=True)
    average_entry_price = models.DecimalField(**PRICE)
    contract_seconds = models.DecimalField(max_digits=36, decimal_places=8)
    result = models.CharField(max_length=6, choices=one_of(Result), null=True)  # noqa: DJ001  # none: it was sold
    # Of one contract of its side, just before its event began; not every event has such a moment.
    closing_price = models.DecimalField(**PRICE, null=True)
    is_line_asked = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "market", "number"], name="trade_once"),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) ^ Q(net_pnl__isnull=False),
                name="trade_closed_exactly_with_net_pnl",
            ),
        ]
        indexes = [
            # The list and its sums; the open ones are few.
            models.Index(fields=["account", "closed_at", "id"], name="trade_by_close"),
            models.Index(
                fields=["account", "opened_at", "id"],
                condition=Q(closed_at__isnull=True),
                name="trade_open",
            ),
            models.Index(
                fields=["account", "market", "closed_at", "id"], name="trade_of_market_by_close"
            ),
            # Those whose closing line is still to be read.
            models.Index(
                fields=["account", "id"],
                condition=Q(closed_at__isnull=False, is_line_asked=False),
                name="trade_without_line",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.count} {self.side} {self.market}"


class CollateralFlow(models.Model):
    """
    Cash that came back early on an event, or was taken back, with a record that changed it.

    Follows from the records by the rule in `positions.collateral`; written anew with its event's.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    event_ticker = models.TextField()
    at = models.DateTimeField()
    amount = models.DecimalField(**MONEY)

    class Meta:
        indexes = [
            models.Index(fields=["account", "at"], name="collateral_by_time"),
            models.Index(fields=["account", "event_ticker"], name="collateral_by_event"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.event_ticker}"


class Book(models.Model):
    """
    Where one market's records lead, beside the last row that the exchange showed of it.

    `is_known` says that the records reach back to where nothing was held. `disagreement` names the
    figures in which the exchange's row differs: empty when none does, null before the first look.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="books")
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="+")
    quantity = models.DecimalField(**COUNT)
    exposure = models.DecimalField(**VALUE)
    realized_pnl = models.DecimalField(**VALUE)
    fees_paid = models.DecimalField(**VALUE)
    is_known = models.BooleanField(default=True)
    # Of the last record; one that is older makes the market be replayed.
    last_at = models.DateTimeField()
    last_id = models.TextField(blank=True)
    disagreement = models.TextField(null=True)  # noqa: DJ001  # not compared is not equal
    compared_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "market"], name="book_once"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} {self.market}"


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
    # Whether a day begins or ends with it: never thinned.
    is_baseline = models.BooleanField(default=False)
    # Whether points before it were thinned away: its distance to the one before is no gap.
    is_after_thinned = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "at"], name="equity_point_once")]

    def __str__(self) -> str:
        return f"{self.total_value} at {self.at}"


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


class Hole(models.Model):
    """
    A stretch of time of which not all records have been read, as far as we know.

    Filled from its end to its beginning: `until` moves back as pages are stored. `since` null is
    the account's beginning. `filled_at` closes it; it stays, to tell what was read and when.
    `reason` says why it can't be filled, if it can't.
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

    class Meta:
        indexes = [
            models.Index(
                fields=["account", "until"], condition=Q(filled_at__isnull=True), name="hole_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.since or 'the beginning'} to {self.until}"


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
        indexes = [models.Index(fields=["account", "closed_at"], name="imported_trade_by_time")]

    def __str__(self) -> str:
        return f"{self.count} {self.side} {self.ticker}"


class Note(models.Model):
    """What the owner wrote about a market."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="notes")
    ticker = models.TextField()
    text = models.TextField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "ticker"], name="note_once")]

    def __str__(self) -> str:
        return self.ticker


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
