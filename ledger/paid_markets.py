"""
Which markets have paid, of the events in which something is still held: one that has paid its YES
makes every NO beside it certain.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from ledger.models import EventDecision, Settlement
from positions.collateral_book import PaidMarket
from positions.models import Position
from positions.pnl import PAYOUT


def known(account_id: int) -> list[PaidMarket]:
    """All of them, those that the account held and those beside."""
    beside = (market for market, _ in beside_held(account_id))
    return [*of_held_events(account_id), *beside]


def of_held_events(account_id: int) -> list[PaidMarket]:
    """
    Those that it held, each once, as its own records say last: a payout may have been corrected.
    """
    held = _held_events(account_id)
    rows = (
        Settlement.objects.filter(account_id=account_id, market__event_ticker__in=held)
        .order_by("at", "id")
        .values_list("market__ticker", "market__event_ticker", "value", "result")
    )
    last = {
        ticker: PaidMarket(ticker, event_ticker, was_yes(value, result))
        for ticker, event_ticker, value, result in rows
    }
    return list(last.values())


def beside_held(account_id: int) -> list[tuple[PaidMarket, datetime]]:
    """Markets that the account does not hold, of the same events, as was said last; and when."""
    rows = EventDecision.objects.filter(
        account_id=account_id, event_ticker__in=_held_events(account_id)
    )
    own = Settlement.objects.filter(account_id=account_id).values("market__ticker")
    last = {row.ticker: row for row in rows.exclude(ticker__in=own).order_by("at", "id")}
    return [(PaidMarket(row.ticker, row.event_ticker, row.is_yes), row.at) for row in last.values()]


def _held_events(account_id: int) -> QuerySet[Position, Any]:
    return Position.objects.of(account_id).open().values("market__event_ticker")


def was_yes(value: Decimal | None, result: str) -> bool:
    """Whether a market paid its YES; where no value is told its result implies it."""
    return result == "yes" if value is None else value == PAYOUT
