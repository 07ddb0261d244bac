"""
The cache: what the product last knew of each account's positions, written by one worker at a time.

Rows are the truth for everything outside the worker. Every row that a reader may have missed has
the `seq` of the flush that wrote it, so "what changed since s" is `seq > s`; a position that was
closed stays as a tombstone until readers have long had it.
"""

from datetime import datetime
from typing import TypedDict, get_args

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from accounts.models import Account
from positions.connection import Reason, Status
from positions.pnl import ClosedReason, MarkSource
from positions.portfolio import Unreadable


class _Digits(TypedDict):
    max_digits: int
    decimal_places: int


# The wire's own precision: six decimals at most for money and prices, two for counts. Before the
# point amounts have up to twelve digits there; sums, and quotients by 0.01 contracts, have more.
_MONEY: _Digits = {"max_digits": 24, "decimal_places": 6}
_PRICE: _Digits = {"max_digits": 8, "decimal_places": 6}
_COUNT: _Digits = {"max_digits": 20, "decimal_places": 2}
# The middle of two prices needs one more; a count times it nine.
_MARK: _Digits = {"max_digits": 9, "decimal_places": 7}
_VALUE: _Digits = {"max_digits": 27, "decimal_places": 9}
# Percent of the smallest exposure there can be, a millionth of a dollar.
_PERCENT: _Digits = {"max_digits": 32, "decimal_places": 6}


def _one_of(literal: object) -> list[tuple[str, str]]:
    return [(value, value) for value in get_args(literal)]


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
    # False while the title only stands in for the event's.
    is_described = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "ticker"], name="market_once_per_environment"
            )
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

    quantity = models.DecimalField(**_COUNT)
    exposure = models.DecimalField(**_MONEY)
    realized_pnl = models.DecimalField(**_VALUE, null=True)
    fees_paid = models.DecimalField(**_MONEY)

    yes_bid = models.DecimalField(**_PRICE, null=True)
    yes_ask = models.DecimalField(**_PRICE, null=True)
    last_price = models.DecimalField(**_PRICE, null=True)
    priced_at = models.DateTimeField(null=True)

    # The exchange's time of the holding, or of what ended it.
    held_at = models.DateTimeField(null=True)

    # The exchange's row about it that can't be understood, if one can't.
    unreadable = models.CharField(max_length=8, choices=_one_of(Unreadable), null=True)  # noqa: DJ001  # as the contract
    market_status = models.TextField()
    settlement_value = models.DecimalField(**_PRICE, null=True)

    average_price = models.DecimalField(**_MONEY, null=True)
    mark = models.DecimalField(**_MARK, null=True)
    mark_source = models.CharField(max_length=16, choices=_one_of(MarkSource), null=True)  # noqa: DJ001  # as the contract
    market_value = models.DecimalField(**_VALUE, null=True)
    unrealized_pnl = models.DecimalField(**_VALUE, null=True)
    unrealized_pnl_percent = models.DecimalField(**_PERCENT, null=True)
    net_pnl = models.DecimalField(**_VALUE, null=True)
    break_even_price = models.DecimalField(**_MONEY, null=True)
    payout = models.DecimalField(**_COUNT)

    closed_reason = models.CharField(max_length=16, choices=_one_of(ClosedReason), null=True)  # noqa: DJ001  # open: none
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
        indexes = [
            # What changed in this account since a seq, asked after each announcement.
            models.Index(fields=["account", "seq"], name="position_changes"),
        ]

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
    has raised it, and every write of the one before finds no row.
    """

    account = models.OneToOneField(
        Account, on_delete=models.CASCADE, primary_key=True, related_name="stream"
    )
    epoch = models.BigIntegerField(default=0)
    seq = models.BigIntegerField(default=0)
    worker = models.ForeignKey(Worker, on_delete=models.SET_NULL, null=True, related_name="streams")

    status = models.CharField(max_length=16, choices=_one_of(Status), default="connecting")
    attempt = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=64, choices=_one_of(Reason), null=True)  # noqa: DJ001  # none is not ""
    since = models.DateTimeField(auto_now_add=True)
    live_until = models.DateTimeField(null=True)

    cash = models.DecimalField(**_MONEY, null=True)
    cash_as_of = models.DateTimeField(null=True)
    exchange_portfolio_value = models.DecimalField(**_MONEY, null=True)
    # The rows of the last read that can't be understood, each in a sentence.
    left_out = ArrayField(models.TextField(), default=list)
    positions_value = models.DecimalField(**_VALUE, null=True)
    total_value = models.DecimalField(**_VALUE, null=True)
    exposure = models.DecimalField(**_MONEY, null=True)
    unrealized_pnl = models.DecimalField(**_VALUE, null=True)
    unrealized_pnl_percent = models.DecimalField(**_PERCENT, null=True)
    realized_pnl = models.DecimalField(**_MONEY, null=True)
    fees_paid = models.DecimalField(**_MONEY, null=True)
    position_count = models.PositiveIntegerField(null=True)
    unpriced_count = models.PositiveIntegerField(null=True)
    estimated_count = models.PositiveIntegerField(null=True)
    estimated_value = models.DecimalField(**_VALUE, null=True)
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
                    total_value=F("cash") + F("positions_value"),
                ),
                name="stream_total_is_cash_and_positions",
            ),
        ]

    def __str__(self) -> str:
        return f"stream of account {self.account_id} at {self.seq}"
