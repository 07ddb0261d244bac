"""
Which markets have paid, of the events in which something is still held: one that has paid its YES
makes every NO beside it certain.
"""

from decimal import Decimal

from ledger.models import EventDecision, Settlement
from positions.collateral_book import PaidMarket
from positions.models import Position
from positions.pnl import PAYOUT


def of_held_events(account_id: int) -> list[PaidMarket]:
    """Each market once, as was said of it last: a payout may have been corrected."""
    held = Position.objects.of(account_id).open().values("market__event_ticker")
    rows = (
        Settlement.objects.filter(account_id=account_id, market__event_ticker__in=held)
        .order_by("at", "id")
        .values_list("market__ticker", "market__event_ticker", "value", "result")
    )
    last = {
        ticker: PaidMarket(ticker, event_ticker, was_yes(value, result))
        for ticker, event_ticker, value, result in rows
    }
    beside = EventDecision.objects.filter(account_id=account_id, event_ticker__in=held)
    for row in beside.order_by("at", "id"):
        last[row.ticker] = PaidMarket(row.ticker, row.event_ticker, row.is_yes)
    return list(last.values())


def was_yes(value: Decimal | None, result: str) -> bool:
    """Whether a market paid its YES; where no value is told its result implies it."""
    return result == "yes" if value is None else value == PAYOUT
