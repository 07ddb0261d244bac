"""What follows from the records of each market: written anew with them."""

from django.db import models
from django.db.models import Q

from accounts.models import Account
from ledger.trades import Result
from positions.columns import COUNT, MONEY, PRICE, VALUE, one_of
from positions.models import Market
from positions.pnl import Side


class RecordedPosition(models.Model):
    """
    What one market's records lead to, beside the last row that the exchange showed of it.

    `disagreement` names the figures in which the exchange's row differs: empty when none does, null
    before the first look.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="+")
    quantity = models.DecimalField(**COUNT)
    exposure = models.DecimalField(**VALUE)
    realized_pnl = models.DecimalField(**VALUE)
    fees_paid = models.DecimalField(**VALUE)
    # Of the last record; one that is older makes the market be replayed.
    last_at = models.DateTimeField()
    last_id = models.TextField(blank=True)
    disagreement = models.TextField(null=True)  # noqa: DJ001  # not compared is not equal
    compared_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "market"], name="recorded_position_once"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} {self.market}"


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
