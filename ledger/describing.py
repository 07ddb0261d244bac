"""
What the markets of the records are: read of the exchange for those known by their ticker alone.

Whether an event gives collateral back decides what its records moved: that is reckoned anew.
"""

from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from accounts.models import Account
from kalshi.errors import KalshiError
from kalshi.resources import Event, Market
from kalshi.rest import Client
from ledger import collateral_flows
from ledger.models import RecordedPosition
from positions import models
from postgres.threads import DatabaseThreads

T = TypeVar("T")

# The exchange lists the events of combos apart from all others.
_COMBOS = "KXMVE"
# At once; the next look reads more.
_MOST = 500


@dataclass(frozen=True, slots=True)
class Described:
    """How many markets were, and the oldest flows of collateral that are others for it."""

    count: int = 0
    changed: tuple[datetime, ...] = ()


async def describe(rest: Client, account_id: int, threads: DatabaseThreads) -> Described:
    """
    Describe what is not described yet, as far as the exchange tells.

    What one of its lists does not tell keeps nothing of the others from being kept.

    Raises:
        KalshiError: it can't be read, or all that can says nothing new.
    """
    unknown = await threads.run(_undescribed, account_id)
    if not unknown:
        return Described()
    failures: list[KalshiError] = []
    markets = await rest.markets(unknown)
    missing = set(unknown) - {market.ticker for market in markets} - markets.unanswered
    if missing:
        markets += await _told(rest.historical_markets(missing), failures)
    wanted = {market.event_ticker for market in markets if market.event_ticker}
    combos = {each for each in wanted if each.startswith(_COMBOS)}
    events: list[Event] = []
    if wanted - combos:
        events += await _told(rest.events(wanted - combos), failures)
    if combos:
        events += await _told(rest.multivariate_events(combos), failures)
    described = await threads.run(_keep, account_id, markets, events)
    if failures and described == Described():
        raise failures[0]
    return described


async def _told(read: Awaitable[list[T]], failures: list[KalshiError]) -> list[T]:
    try:
        return await read
    except KalshiError as error:
        failures.append(error)
        return []


def _undescribed(account_id: int) -> list[str]:
    positions = RecordedPosition.objects.filter(account_id=account_id, market__is_described=False)
    return list(positions.order_by("-last_at").values_list("market__ticker", flat=True)[:_MOST])


def _keep(account_id: int, markets: Iterable[Market], events: Iterable[Event]) -> Described:
    environment = Account.objects.get(pk=account_id).environment
    known = {event.event_ticker: event for event in events}
    described = 0
    for market in markets:
        event = known.get(market.event_ticker or "")
        if event is None:
            continue
        described += models.Market.objects.filter(
            environment=environment, ticker=market.ticker, is_described=False
        ).update(
            event_ticker=event.event_ticker,
            series_ticker=event.series_ticker or event.event_ticker.split("-", 1)[0],
            title=event.title or market.title or market.ticker,
            yes_outcome=market.yes_outcome,
            no_outcome=market.no_outcome,
            close_time=market.close_time,
            expected_at=market.expected_at,
            collateral_return_type=event.collateral_return_type,
            is_described=True,
        )
    changed = [collateral_flows.rewrite(account_id, event_ticker) for event_ticker in known]
    return Described(described, tuple(at for at in changed if at is not None))
