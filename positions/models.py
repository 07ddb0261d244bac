"""
The cache: what the product last knew of each account's positions, written by one worker at a time.

Rows are the truth for everything outside the worker. Every row that a reader may have missed has
the `seq` of the flush that wrote it, so "what changed since s" is `seq > s`; a position that was
closed stays as a tombstone until readers have long had it.
"""

from datetime import datetime
from typing import get_args

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import DecimalField, F, Q
from django.db.models.functions import Coalesce

from accounts.models import Account
from positions.columns import COUNT, MARK, MONEY, PERCENT, PRICE, VALUE, one_of
from positions.connection import Reason, Status
from positions.pnl import ClosedReason, MarkSource
from positions.portfolio import Unreadable


class Market(models.Model):
    """What a market is: the facts that hardly ever change, shared by all accounts that hold it."""

    environment = models.CharField(max_length=16)
    # Text where the exchange sets no length: a longer one must not end the worker.
    ticker = models.TextField()
    event_ticker = models.TextField()
    series_ticker = models.TextField()
    title = models.TextField()
    yes_outcome = models.TextField()
    no_outcome = models.TextField()
    close_time = models.DateTimeField(null=True)
    # When the exchange expects the outcome, if it says.
    expected_at = models.DateTimeField(null=True)
    # The event's; null until that has been read.
    collateral_return_type = models.TextField(null=True)  # noqa: DJ001  # none is not ""
    # False while the title only stands in for the event's.
    is_described = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "ticker"], name="market_once_per_environment"
            )
        ]
        indexes = [
            # What is held and recorded of one event, as with each fill.
            models.Index(fields=["event_ticker"], name="market_by_event"),
        ]

    def __str__(self) -> str:
        return self.ticker


class PositionQuerySet(models.QuerySet["Position"]):
    """Reads of the cache."""

    def of(self, account_id: int) -> "PositionQuerySet":
        """Those of one account, with their markets."""
        return self.filter(account_id=account_id).select_related("market")

    def open(self) -> "PositionQuerySet":
        """Those that hold something."""
        return self.exclude(quantity=0)

    def closed_since(self, instant: datetime) -> "PositionQuerySet":
        """Those closed since, of which the exchange's time is known."""
        return self.filter(quantity=0, held_at__isnull=False, updated_at__gte=instant)

    def tombstones(self, before: datetime) -> "PositionQuerySet":
        """Those closed before an instant."""
        return self.filter(quantity=0, updated_at__lt=before)


class Position(models.Model):
    """One position of one account with its prices and all figures that follow from them."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="positions")
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="+")

    quantity = models.DecimalField(**COUNT)
    exposure = models.DecimalField(**MONEY)
    realized_pnl = models.DecimalField(**VALUE, null=True)
    fees_paid = models.DecimalField(**MONEY)

    yes_bid = models.DecimalField(**PRICE, null=True)
    yes_ask = models.DecimalField(**PRICE, null=True)
    last_price = models.DecimalField(**PRICE, null=True)
    priced_at = models.DateTimeField(null=True)
    yes_bid_size = models.DecimalField(**COUNT, null=True)
    yes_ask_size = models.DecimalField(**COUNT, null=True)

    # The exchange's time of the holding, or of what ended it.
    held_at = models.DateTimeField(null=True)

    # The exchange's row about it that can't be understood, if one can't.
    unreadable = models.CharField(max_length=8, choices=one_of(Unreadable), null=True)  # noqa: DJ001  # as the contract
    market_status = models.TextField()
    settlement_value = models.DecimalField(**PRICE, null=True)

    average_price = models.DecimalField(**MONEY, null=True)
    mark = models.DecimalField(**MARK, null=True)
    mark_source = models.CharField(max_length=16, choices=one_of(MarkSource), null=True)  # noqa: DJ001  # as the contract
    market_value = models.DecimalField(**VALUE, null=True)
    unrealized_pnl = models.DecimalField(**VALUE, null=True)
    unrealized_pnl_percent = models.DecimalField(**PERCENT, null=True)
    net_pnl = models.DecimalField(**VALUE, null=True)
    day_pnl = models.DecimalField(**VALUE, null=True)
    break_even_price = models.DecimalField(**MONEY, null=True)
    payout = models.DecimalField(**COUNT)

    closed_reason = models.CharField(max_length=16, choices=one_of(ClosedReason), null=True)  # noqa: DJ001  # open: none
    seq = models.BigIntegerField()
    updated_at = models.DateTimeField()

    objects = PositionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "market"], name="position_once_per_account_and_market"
            ),
            models.CheckConstraint(
                condition=Q(exposure__gte=0), name="position_exposure_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(quantity=0) ^ Q(closed_reason__isnull=True),
                name="position_closed_exactly_when_flat",
            ),
            models.CheckConstraint(
                condition=Q(mark__isnull=True, mark_source__isnull=True, market_value__isnull=True)
                | Q(mark__isnull=False, mark_source__isnull=False, market_value__isnull=False),
                name="position_value_exactly_with_a_mark",
            ),
            # Of a closed one the exchange may not have said it.
            models.CheckConstraint(
                condition=Q(quantity=0) | Q(realized_pnl__isnull=False),
                name="position_realized_pnl_known_while_open",
            ),
        ]
        # No index of what a tick changes: then PostgreSQL writes the row alone, and leaves all of
        # the indexes as they are. What changed since a `seq` is found among the account's rows.

    def __str__(self) -> str:
        return f"{self.quantity} {self.market}"


class Worker(models.Model):
    """
    A process that writes accounts' rows, by its heartbeat.

    Only a worker that is alive can vouch for prices: a row that says `live` was true when it was
    written, and stays true as long as its worker's heart beats.
    """

    id = models.UUIDField(primary_key=True)
    started_at = models.DateTimeField()
    # By the database's clock.
    heartbeat_at = models.DateTimeField(db_index=True)
    # The accounts it holds and can't vouch for, by id, with the seconds since when.
    silent = models.JSONField(default=dict)

    def __str__(self) -> str:
        return str(self.id)


class AccountStream(models.Model):
    """
    One account's feed: who may write it, how far it got, its state, and the sums of its positions.

    `seq` counts flushes and only grows. `epoch` counts writers: a worker that took the account over
    has raised it, and every write of the one before finds no row. `flush` is the number of its
    writer's flush that was written last: an earlier one finds no row, however late it is carried
    out.
    """

    account = models.OneToOneField(
        Account, on_delete=models.CASCADE, primary_key=True, related_name="stream"
    )
    epoch = models.BigIntegerField(default=0)
    seq = models.BigIntegerField(default=0)
    flush = models.BigIntegerField(db_default=0)
    worker = models.ForeignKey(Worker, on_delete=models.SET_NULL, null=True, related_name="streams")

    status = models.CharField(max_length=16, choices=one_of(Status), default="connecting")
    attempt = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=64, choices=one_of(Reason), null=True)  # noqa: DJ001  # none is not ""
    since = models.DateTimeField(auto_now_add=True)
    live_until = models.DateTimeField(null=True)

    cash = models.DecimalField(**VALUE, null=True)
    cash_as_of = models.DateTimeField(null=True)
    # Whether it is the exchange's balance moved on by what happened since.
    cash_provisional = models.BooleanField(default=False)
    collateral_returned = models.DecimalField(**MONEY, null=True)
    exchange_portfolio_value = models.DecimalField(**MONEY, null=True)
    # The rows of the last read that can't be understood, each in a sentence.
    left_out = ArrayField(models.TextField(), default=list)
    positions_value = models.DecimalField(**VALUE, null=True)
    total_value = models.DecimalField(**VALUE, null=True)
    day_pnl = models.DecimalField(**VALUE, null=True)
    day_pnl_since = models.DateTimeField(null=True)
    exposure = models.DecimalField(**MONEY, null=True)
    unrealized_pnl = models.DecimalField(**VALUE, null=True)
    unrealized_pnl_percent = models.DecimalField(**PERCENT, null=True)
    realized_pnl = models.DecimalField(**MONEY, null=True)
    fees_paid = models.DecimalField(**MONEY, null=True)
    position_count = models.PositiveIntegerField(null=True)
    unpriced_count = models.PositiveIntegerField(null=True)
    estimated_count = models.PositiveIntegerField(null=True)
    estimated_value = models.DecimalField(**VALUE, null=True)
    reconciled_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(reconciled_at__isnull=True) ^ Q(positions_value__isnull=False),
                name="stream_summed_exactly_when_reconciled",
            ),
            models.CheckConstraint(
                condition=Q(status__in=get_args(Status)), name="stream_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(reason__isnull=True) | Q(reason__in=get_args(Reason)),
                name="stream_reason_is_known",
            ),
            models.CheckConstraint(
                condition=Q(total_value__isnull=True)
                | Q(
                    # Said apart, as a comparison with null would pass.
                    cash__isnull=False,
                    positions_value__isnull=False,
                    total_value=F("cash")
                    + F("positions_value")
                    - Coalesce(F("collateral_returned"), 0, output_field=DecimalField(**VALUE)),
                ),
                name="stream_total_is_cash_and_positions",
            ),
        ]

    def __str__(self) -> str:
        return f"stream of account {self.account_id} at {self.seq}"
