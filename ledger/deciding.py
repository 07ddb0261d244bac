"""
Which events are decided by a market that the account does not hold.

As soon as one has paid its YES no NO beside it can be lost any more, and all that they are certain
to pay comes back. No list of the account's tells of it, only its cash: so the markets are asked.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from kalshi.resources import Market
from kalshi.rest import Client
from ledger import collateral_flows, holes
from ledger.models import Book, EventDecision, Followed
from ledger.transferring import Try
from positions.collateral import EXCLUSIVE
from positions.models import Position
from positions.pnl import PAYOUT
from postgres.threads import DatabaseThreads


async def read(
    rest: Client, account_id: int, threads: DatabaseThreads, if_possible: Try
) -> list[datetime]:
    """
    Ask which events of NO holdings are decided, and keep it.

    Returns:
        Of each event that came out otherwise than was known the time of the oldest flow of
        collateral that is another for it.
    """
    changed = []
    for event_ticker in await threads.run(_undecided, account_id):
        read = rest.markets_of_event(event_ticker, only_settled=True)
        told = await if_possible(read, "markets of an event")
        if told:
            changed.append(await threads.run(_keep, account_id, event_ticker, tuple(told)))
    return [at for at in changed if at is not None]


def _undecided(account_id: int) -> list[str]:
    """The events of which it matters: where collateral comes back for NO that are held."""
    if not Followed.objects.filter(account_id=account_id, is_netting=True).exists():
        return []
    held = Position.objects.of(account_id).filter(
        quantity__lt=0, market__collateral_return_type=EXCLUSIVE
    )
    return list(
        held.order_by("market__event_ticker")
        .values_list("market__event_ticker", flat=True)
        .distinct()
    )


def _keep(account_id: int, event_ticker: str, settled: Iterable[Market]) -> datetime | None:
    outcomes = {
        market.ticker: (market.settled_at or timezone.now(), market.settlement_value == PAYOUT)
        for market in settled
        if market.settlement_value is not None
    }
    known = EventDecision.objects.filter(account_id=account_id, event_ticker=event_ticker)
    with transaction.atomic():
        # As whoever records does.
        holes.lock(account_id)
        # Of markets that it traded the account has records.
        traded = Book.objects.filter(account_id=account_id, market__ticker__in=outcomes)
        for ticker in traded.values_list("market__ticker", flat=True):
            del outcomes[ticker]
        was_yes = dict(known.order_by("at", "id").values_list("ticker", "is_yes"))
        new = [
            EventDecision(
                account_id=account_id,
                event_ticker=event_ticker,
                ticker=ticker,
                at=at,
                is_yes=is_yes,
            )
            for ticker, (at, is_yes) in outcomes.items()
            if is_yes != was_yes.get(ticker, False)
        ]
        EventDecision.objects.bulk_create(new, ignore_conflicts=True)
    return collateral_flows.rewrite(account_id, event_ticker) if new else None
