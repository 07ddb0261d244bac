"""
Which markets have paid, of the events in which something is still held: one that has paid its YES
makes every NO beside it certain.
"""

from decimal import Decimal

from ledger.models import Settlement
from positions.models import Position
from positions.pnl import PAYOUT
from positions.worth import PaidMarket


def of_held_events(account_id: int) -> list[PaidMarket]:
    """Each market once, as the account's records say last: a payout may have been corrected."""
    held = Position.objects.of(account_id).open().values("market__event_ticker")
    rows = (
        Settlement.objects.filter(account_id=account_id, market__event_ticker__in=held)
        .order_by("at", "id")
        .values_list("market__ticker", "market__event_ticker", "value")
    )
    last: dict[str, tuple[str, Decimal | None]] = {
        ticker: (event_ticker, value) for ticker, event_ticker, value in rows
    }
    return [
        PaidMarket(ticker, event_ticker, value == PAYOUT)
        for ticker, (event_ticker, value) in last.items()
    ]
