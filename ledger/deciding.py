"""
Which events are decided by a market that the account does not hold.

As soon as one has paid its YES no NO beside it can be lost any more, and all that they are certain
to pay comes back. No list of the account's tells of it, only its cash: so the markets are asked.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from kalshi.resources import Market
from kalshi.rest import Client
from kalshi.rows import Rows
from ledger import collateral_flows, holes
from ledger.models import EventDecision, Followed, RecordedPosition, Settlement
from ledger.transferring import Try
from positions.collateral import EXCLUSIVE
from positions.models import Position
from positions.pnl import PAYOUT
from postgres.threads import DatabaseThreads

# Of the exchange, side by side.
_AT_ONCE = 8
# A balance may wait for the answers: the rest is asked the next time.
_SECONDS = 4.0
_MOMENT = timedelta(microseconds=1)


class Deciding:
    """Asks for one account, a few events at a time, and goes on where it stopped."""

    def __init__(
        self, rest: Client, account_id: int, threads: DatabaseThreads, if_possible: Try
    ) -> None:
        self._rest = rest
        self._account_id = account_id
        self._threads = threads
        self._if_possible = if_possible
        self._last_asked = ""
        self._answered: set[str] = set()

    async def look(
        self, by: datetime | None = None, *, only_new: bool = False
    ) -> AsyncGenerator[datetime, None]:
        """
        Ask which events of NO holdings are decided, and keep it.

        Args:
            by: when what the exchange tells no time of has happened; None: just now.
            only_new: those alone that have not answered yet.
        Yields:
            Of each event that came out otherwise than was known the time from which it does.
        """
        events = await self._threads.run(_events, self._account_id)
        if only_new:
            events = [event for event in events if event not in self._answered]
        later = [event for event in events if event > self._last_asked]
        earlier = events[: len(events) - len(later)]
        until = asyncio.get_running_loop().time() + _SECONDS
        for together in _batches([*later, *earlier]):
            if asyncio.get_running_loop().time() >= until:
                return
            answers = await self._ask(together, until)
            self._last_asked = together[-1]
            for event_ticker, told in answers:
                self._answered.add(event_ticker)
                at = await self._threads.run(
                    _keep, self._account_id, event_ticker, tuple(told), by or timezone.now()
                )
                if at is not None:
                    yield at
            if len(answers) < len(together):
                # It does not answer: nor would it for the others.
                return

    async def _ask(
        self, event_tickers: Sequence[str], until: float
    ) -> list[tuple[str, Rows[Market]]]:
        answers: list[tuple[str, Rows[Market]]] = []

        async def ask(event_ticker: str) -> None:
            read = self._rest.markets_of_event(event_ticker, only_settled=True)
            told = await self._if_possible(read, "markets of an event")
            if told is not None:
                answers.append((event_ticker, told))

        try:
            async with asyncio.timeout_at(until):
                # None goes on when another has failed.
                ended = await asyncio.gather(*map(ask, event_tickers), return_exceptions=True)
        except TimeoutError:
            return answers
        for failure in ended:
            if failure is not None:
                raise failure
        return answers


def _events(account_id: int) -> list[str]:
    """Those of which it matters, sorted: where collateral comes back for NO that are held."""
    if not Followed.objects.filter(account_id=account_id, is_netting=True).exists():
        return []
    held = Position.objects.of(account_id).filter(
        quantity__lt=0, market__collateral_return_type=EXCLUSIVE
    )
    return sorted(set(held.values_list("market__event_ticker", flat=True)))


def _batches(events: Sequence[str]) -> Iterable[Sequence[str]]:
    return (events[start : start + _AT_ONCE] for start in range(0, len(events), _AT_ONCE))


def _keep(
    account_id: int, event_ticker: str, settled: Iterable[Market], by: datetime
) -> datetime | None:
    outcomes = {
        market.ticker: (market.settled_at or by, market.settlement_value == PAYOUT)
        for market in settled
        if market.settlement_value is not None
    }
    known = EventDecision.objects.filter(account_id=account_id, event_ticker=event_ticker)
    with transaction.atomic():
        # As whoever records does.
        holes.lock(account_id)
        for ticker in _own(account_id, outcomes):
            del outcomes[ticker]
        last = {row.ticker: row for row in known.order_by("at", "id")}
        new = []
        for ticker, (at, is_yes) in outcomes.items():
            before = last.get(ticker)
            if is_yes == (before is not None and before.is_yes):
                continue
            if before is not None and at <= before.at:
                # A correction may keep the time of what it corrects.
                at = max(by, before.at + _MOMENT)
            new.append(
                EventDecision(
                    account_id=account_id,
                    event_ticker=event_ticker,
                    ticker=ticker,
                    at=at,
                    is_yes=is_yes,
                )
            )
        EventDecision.objects.bulk_create(new, ignore_conflicts=True)
    if not (new or last):
        return None
    # Of what was kept before too: something may have failed right after it.
    changed = collateral_flows.rewrite(account_id, event_ticker)
    # While the past is being read nothing follows from the records yet.
    return min([*([changed] if changed else []), *(each.at for each in new)], default=None)


def _own(account_id: int, tickers: Iterable[str]) -> set[str]:
    """Those of these markets of whose payout the account's own records tell, or will."""
    there = Q(account_id=account_id, market__ticker__in=list(tickers))
    paid = Settlement.objects.filter(there).values_list("market__ticker", flat=True)
    held = RecordedPosition.objects.filter(there).exclude(quantity=0)
    return {*paid, *held.values_list("market__ticker", flat=True)}
