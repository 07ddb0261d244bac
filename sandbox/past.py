"""
What the exchange was some time ago, for calls that lag behind.

Whatever changes is copied with its time, so an answer is made of the newest copies that are old
enough. Nothing is kept from before the past was begun, nor for longer than its reach.
"""

from collections import deque
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Generic, TypeVar

from sandbox.account import Account, Portfolio
from sandbox.exchange import Exchange
from sandbox.ledger import Ledger
from sandbox.listing import Event, Market
from sandbox.membership import Changed

Value = TypeVar("Value")


class Past:
    """
    The past of an exchange from now on.

    Args:
        clock: dates what changes.
        reach: how far back somebody may ask; it can be set anew.
    """

    def __init__(self, exchange: Exchange, clock: Callable[[], datetime], reach: timedelta) -> None:
        self.reach = reach
        self._exchange = exchange
        self._clock = clock
        # From here on everything is known.
        self._since = clock()
        self._events: dict[str, _Versions[Event]] = {}
        self._markets: dict[str, _Versions[Market]] = {}
        self._accounts: dict[str, _Versions[Account]] = {}
        for there in (exchange.events, exchange.markets, exchange.accounts):
            for each in there.values():
                self._add(each, self._since)
        exchange.watcher = self._keep

    def end(self) -> None:
        """Keep nothing more."""
        self._exchange.watcher = None

    def as_of(self, moment: datetime) -> Exchange:
        """
        The exchange at a moment, to be read only; as far back as it is known for an earlier one.

        Series, keys and what parts the live data from the archived are those of the present, and a
        member who came later has what they came with.
        """
        moment = max(moment, self._since)
        then = Exchange(
            series=self._exchange.series.values(),
            events=_as_of(self._events, moment),
            markets=_as_of(self._markets, moment),
            # Nothing happens there.
            random=Random(0),
        )
        then.history_before = self._exchange.history_before
        then.accounts = {
            user_id: versions.as_of(moment) or versions.oldest
            for user_id, versions in self._accounts.items()
        }
        return then

    def _keep(self, changed: Changed) -> None:
        at = self._clock()
        self._since = max(self._since, at - self.reach)
        self._add(changed, at)

    def _add(self, changed: Changed, at: datetime) -> None:
        match changed:
            case Market():
                # The candles are shared: they tell their times themselves.
                self._remember(self._markets, changed.ticker, replace(changed), at)
            case Event():
                self._remember(self._events, changed.ticker, changed, at)
            case Account():
                self._remember(self._accounts, changed.user_id, _copied(changed), at)

    def _remember(
        self, known: dict[str, "_Versions[Value]"], name: str, value: Value, at: datetime
    ) -> None:
        versions = known.setdefault(name, _Versions())
        versions.add(at, value)
        versions.forget(self._since)


class _Versions(Generic[Value]):
    """Copies of one thing, oldest first, each with the time since when it was so."""

    def __init__(self) -> None:
        self._kept: deque[tuple[datetime, Value]] = deque()

    @property
    def oldest(self) -> Value:
        return self._kept[0][1]

    def add(self, at: datetime, value: Value) -> None:
        self._kept.append((at, value))

    def forget(self, before: datetime) -> None:
        """Drop what nobody can ask for who asks for no earlier moment."""
        while len(self._kept) > 1 and self._kept[1][0] <= before:
            self._kept.popleft()

    def as_of(self, moment: datetime) -> Value | None:
        """What was so at a moment; None before there was anything."""
        found = None
        for at, value in self._kept:
            if at > moment:
                break
            found = value
        return found


def _as_of(known: dict[str, _Versions[Value]], moment: datetime) -> list[Value]:
    found = (versions.as_of(moment) for versions in known.values())
    return [each for each in found if each is not None]


def _copied(account: Account) -> Account:
    portfolios = {number: _portfolio(each) for number, each in account.portfolios.items()}
    return Account(
        account.user_id,
        portfolios,
        account.keys,
        list(account.subaccount_transfers),
        list(account.instance_transfers),
    )


def _portfolio(portfolio: Portfolio) -> Portfolio:
    # Not made anew, which would post the opening once more.
    copied = copy(portfolio)
    copied.ledger = Ledger(list(portfolio.ledger.entries), portfolio.ledger.balance)
    copied.positions = dict(portfolio.positions)
    copied.fills = list(portfolio.fills)
    copied.settlements = list(portfolio.settlements)
    copied.transfers = dict(portfolio.transfers)
    copied.collateral_returned = dict(portfolio.collateral_returned)
    return copied
