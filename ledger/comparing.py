"""
Recorded positions beside the rows that the exchange shows: where they differ, it is told how.

It also answers what no document says, whether the exchange's realized P&L is before fees.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction

from kalshi.resources import PositionRow
from ledger import holes
from ledger.models import RecordedPosition
from positions.decimal_text import plain, to_six_decimals
from positions.pnl import Holding
from positions.reconciliation import holding_of

logger = logging.getLogger(__name__)

_FIGURES = ("quantity", "exposure", "realized_pnl", "fees_paid")
# A row tells the time of its last change, which is that of the last record or a moment later.
_A_MOMENT = timedelta(seconds=1)


def compare(
    account_id: int,
    shown: Mapping[str, PositionRow],
    before: Mapping[str, str],
    at: datetime,
) -> dict[str, str]:
    """
    Compare recorded positions of markets that the exchange shows; differences by ticker, in words.

    Rows and records are not read in the same instant, so that only a difference that is the same in
    two readings is one.

    Args:
        shown: the exchange's rows, those of flat markets too, read before the newest records. One
            that is older than its last record here says nothing of it.
        before: what the last comparison returned.
    """
    if holes.being_filled(account_id).exists():
        return {}
    positions = RecordedPosition.objects.filter(
        account_id=account_id, market__ticker__in=list(shown)
    ).select_related("market")
    differing = {}
    changed = []
    for position in positions:
        row = shown[position.market.ticker]
        if row.last_updated_at is None or row.last_updated_at + _A_MOMENT < position.last_at:
            continue
        told = _difference(position, holding_of(row))
        if told:
            differing[position.market.ticker] = told
        if told != position.disagreement and told == before.get(position.market.ticker, ""):
            if told:
                logger.warning(
                    "ledger and exchange differ",
                    extra={"account_id": account_id, "ticker": position.market.ticker, "how": told},
                )
            position.disagreement, position.compared_at = told, at
            changed.append(position)
    if changed:
        with transaction.atomic():
            holes.keep(account_id)
            RecordedPosition.objects.bulk_update(
                changed, ["disagreement", "compared_at"], batch_size=500
            )
    return differing


def _difference(position: RecordedPosition, theirs: Holding) -> str:
    ours = Holding(position.quantity, position.exposure, position.realized_pnl, position.fees_paid)
    parts = [
        f"{name} {plain(mine)} here, {plain(told)} there"
        for name in _FIGURES
        if (mine := to_six_decimals(getattr(ours, name))) != (told := getattr(theirs, name))
    ]
    after_fees = to_six_decimals(ours.realized_pnl - ours.fees_paid)
    if after_fees == theirs.realized_pnl and ours.fees_paid:
        parts.append("their realized P&L is after fees")
    return "; ".join(parts)
