"""What the records of one market add up to, reckoned by the database."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, DecimalField, ExpressionWrapper, F, Q, Sum

from ledger import models
from ledger.explaining import Recorded
from positions.columns import VALUE
from positions.pnl import PAYOUT, ZERO


def recorded_of(
    position: models.RecordedPosition | None, newest: Sequence[models.Fill]
) -> Recorded | None:
    """
    The sums of the market's fills and settlements.

    Args:
        newest: fills that the sums are shown with.
    Returns:
        None while it is open what follows from some of them.
    """
    if position is None:
        return None
    mine = Q(account_id=position.account_id, market_id=position.market_id)
    opened = F("count") - F("closed_count")
    closed_cost = F("closed_count") * (PAYOUT - F("price")) - F("realized_pnl")
    of_fills = models.Fill.objects.filter(mine).aggregate(
        all=Count("pk"),
        unknown=Count("pk", filter=Q(closed_count=None)),
        yes=Sum("count", filter=Q(side="yes")),
        no=Sum("count", filter=Q(side="no")),
        cost=Sum(_value(opened * F("price"))),
        closed_cost=Sum(_value(closed_cost)),
        realized=Sum("realized_pnl"),
        fees=Sum("fee"),
    )
    # A correction pays for no contracts anew.
    first = Q(paid_before=None)
    of_settlements = models.Settlement.objects.filter(mine).aggregate(
        unknown=Count("pk", filter=Q(realized_pnl=None)),
        quantity=Sum("quantity", filter=first),
        # By the books, which may know it better than the row.
        cost=Sum(_value(F("cash_flow") - F("realized_pnl")), filter=first),
        realized=Sum("realized_pnl"),
    )
    if of_fills["unknown"] or of_settlements["unknown"]:
        return None
    return Recorded(
        bought_yes=of_fills["yes"] or ZERO,
        bought_no=of_fills["no"] or ZERO,
        paid_out=of_settlements["quantity"] or ZERO,
        opening_cost=of_fills["cost"] or ZERO,
        cost_of_closed=(of_fills["closed_cost"] or ZERO) + (of_settlements["cost"] or ZERO),
        realized_by_fills=of_fills["realized"] or ZERO,
        realized_by_settlements=of_settlements["realized"] or ZERO,
        fees=of_fills["fees"] or ZERO,
        fill_count=of_fills["all"],
        fills=tuple((fill.trade_id, fill.at) for fill in newest),
    )


# Any: an F, or what is made of some.
def _value(expression: Any) -> "ExpressionWrapper[Any]":
    return ExpressionWrapper(expression, output_field=DecimalField(**VALUE))
