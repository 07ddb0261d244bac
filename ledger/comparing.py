"""
Our books beside the rows that the exchange shows: where they differ, the difference is named.

It also answers what no document says, whether the exchange's realized P&L is before fees.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from ledger import holes
from ledger.models import Book
from positions.decimal_text import plain, to_six_decimals
from positions.pnl import Holding

logger = logging.getLogger(__name__)

_FIGURES = ("quantity", "exposure", "realized_pnl", "fees_paid")
# A row and the records that made it do not become known in the same instant.
SETTLED_AFTER = timedelta(seconds=10)


def compare(account_id: int, shown: Mapping[str, Holding], at: datetime) -> dict[str, str]:
    """
    Compare all books of markets that the exchange shows; the differences by ticker, in words.

    Args:
        shown: the exchange's rows, those of flat markets too.
    """
    if holes.being_filled(account_id).exists():
        return {}
    books = Book.objects.filter(
        account_id=account_id,
        market__ticker__in=list(shown),
        last_at__lt=at - SETTLED_AFTER,
    ).select_related("market")
    differing = {}
    changed = []
    for book in books:
        told = _difference(book, shown[book.market.ticker])
        if told:
            differing[book.market.ticker] = told
        if told != book.disagreement:
            if told:
                logger.warning(
                    "ledger and exchange differ",
                    extra={"account_id": account_id, "ticker": book.market.ticker, "how": told},
                )
            book.disagreement, book.compared_at = told, at
            changed.append(book)
    Book.objects.bulk_update(changed, ["disagreement", "compared_at"], batch_size=500)
    return differing


def _difference(book: Book, theirs: Holding) -> str:
    ours = Holding(book.quantity, book.exposure, book.realized_pnl, book.fees_paid)
    parts = [
        f"{name} {plain(mine)} here, {plain(told)} there"
        for name in _FIGURES
        if (mine := to_six_decimals(getattr(ours, name))) != (told := getattr(theirs, name))
    ]
    after_fees = to_six_decimals(ours.realized_pnl - ours.fees_paid)
    if after_fees == theirs.realized_pnl and ours.fees_paid:
        parts.append("their realized P&L is after fees")
    return "; ".join(parts)
