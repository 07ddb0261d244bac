"""
The account's cash between two balances of the exchange's.

There is no feed of the balance, and REST lags. So cash is the last balance that is known for sure
plus what moved since, by the exchange's own times. What always holds:

1. A flow counts until a balance is known to contain it, and not an instant longer.
2. A balance of which it can't be told whether it contains a flow is not taken: the one before it
   and its flows say the same. It is asked for again.
3. In whatever order balances and flows become known, the cash is the same.
4. A balance that differs from what is known to have happened is held back until something explains
   it, a position that has changed or a transfer that is listed, or until it was looked for: else
   the total would jump with the cash, and back with the position.
5. What was taken unexplained stays in the cash, also when a flow that is told late casts doubt on
   the balance that brought it; until flows that are told late turn out to be just that.

A balance is of an instant after `since` and not after `until`; a flow happened after `after` and
not after `by`.
"""

from bisect import insort
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from positions.decimal_text import to_six_decimals
from positions.pnl import ZERO
from positions.portfolio import Cash

# Where the exchange does not say how old its answer is; REST was recorded to lag by 0.36 s.
UNTOLD_AGE = timedelta(seconds=5)
# What comes so late was not on its way any more.
_KEPT = timedelta(minutes=10)
# Who looks for what explains a balance may fail: so long a balance is held back at most.
_HELD_BACK = timedelta(seconds=10)
_MOST_BALANCES = 64
# With more flows than this, they are made fewer as a balance comes; with so many, while none does.
_MANY_FLOWS = 100
_MANY_UNTOLD_FLOWS = 1000
# Flows that may or may not be part of one unexplained amount double what may be left of it.
_MOST_LEFT = 256


@dataclass(frozen=True, slots=True)
class Balance:
    """
    One answer of the exchange's.

    Attributes:
        as_of: when we asked.
        since, until: between these instants of the exchange's clock it was so; `since` None where
            the exchange does not say.
    """

    amount: Decimal
    exchange_portfolio_value: Decimal | None
    as_of: datetime
    since: datetime | None
    until: datetime

    @property
    def earliest(self) -> datetime:
        """The instant after which it was so."""
        return self.until - UNTOLD_AGE if self.since is None else self.since


@dataclass(frozen=True, slots=True)
class Flow:
    """A change of the cash."""

    amount: Decimal
    after: datetime
    by: datetime

    def is_in(self, balance: Balance) -> bool | None:
        """Whether a balance contains it; None where that can't be told."""
        if self.by <= balance.earliest:
            return True
        return False if self.after >= balance.until else None


class _Unexplained:
    """The part of a balance that no known flow explains: a deposit, or a flow that is told late."""

    def __init__(self, amount: Decimal, balance: Balance) -> None:
        self.amount = amount
        self.balance = balance
        # What is left of it, by which of the flows told since are part of it.
        self._left = {amount}

    @property
    def is_explained(self) -> bool:
        return ZERO in self._left

    def contains(self, flow: Flow) -> None:
        """A flow told since is part of this."""
        self.amount -= flow.amount
        self._left = {left - flow.amount for left in self._left}

    def may_contain(self, flow: Flow) -> None:
        """A flow told since may be part of this; it is taken for one if that explains all."""
        if len(self._left) <= _MOST_LEFT:
            self._left |= {left - flow.amount for left in self._left}


class CashBook:
    """
    The cash of one account.

    Args:
        cash: as an earlier worker left it.
    """

    def __init__(self, cash: Cash | None = None) -> None:
        # As precise as the exchange's money and our rows, so that what is added up is exact there.
        self._base = cash and replace(cash, balance=to_six_decimals(cash.balance))
        # The balance that `_base` is, unless that is an earlier worker's.
        self._settled: Balance | None = None
        # All that `_base` does not contain; flows by when they had happened.
        self._flows: list[Flow] = []
        self._join_from = _MANY_UNTOLD_FLOWS
        self._unexplained: list[_Unexplained] = []
        # Those since of which it can be told for each flow whether they contain it.
        self._balances: deque[Balance] = deque()
        self._cash = self._base
        # The newest that nothing explains, and since when there is one.
        self._held_back: Balance | None = None
        self._held_back_since: datetime | None = None
        self._accepted_until = datetime.min.replace(tzinfo=UTC)
        # The first of the latest run of balances with one amount, of those since the last that was
        # taken; and the first that nothing explained, of those held back together.
        self._same: Balance | None = None
        self._surprising: Balance | None = None

    @property
    def cash(self) -> Cash | None:
        """The cash now; None before the first balance."""
        # Reckoned with what changes it, as every tick asks for it.
        return self._cash

    @property
    def is_sure(self) -> bool:
        """Whether it rests on a balance that was told here, and none waits to be explained."""
        return bool(self._balances) and self._held_back is None

    def flowed(self, flow: Flow) -> None:
        """The cash changed."""
        is_old = self._settled is not None and flow.is_in(self._settled)
        if not flow.amount or is_old:
            return
        insort(self._flows, flow, key=_by)
        if len(self._flows) > self._join_from:
            # REST is never that far behind.
            self._join_flows(self._flows[-1].by - _KEPT)
            self._join_from = max(_MANY_UNTOLD_FLOWS, 2 * len(self._flows))
        self._explain(flow)
        # Nearly all happened after the newest.
        if self._balances and flow.is_in(self._balances[-1]) is not False:
            self._balances = deque(
                balance for balance in self._balances if flow.is_in(balance) is not None
            )
        self._cash = self._reckoned()
        if self._held_back and self._surprise_of(self._held_back) == ZERO:
            self.confirm(self._held_back)

    def transferred(self, flow: Flow) -> None:
        """
        Money came or went beside the markets.

        Lists tell of it, mostly later than a balance, and of years ago when they are first read:
        what all balances here contain is nothing new.
        """
        # A flow may have cast doubt on all that were told since.
        oldest = self._balances[0] if self._balances else self._settled
        if oldest and not flow.is_in(oldest):
            self.flowed(flow)

    def told(self, balance: Balance) -> Decimal | None:
        """
        Take a balance, or hold it back.

        Returns:
            What no flow explains of its difference to the cash before; None where that can't be
            said, for the first, and where it is not known whether a flow is in it.
        """
        surprise = self._surprise_of(balance)
        if self._same is None or self._same.amount != balance.amount:
            self._same = balance
        if surprise or self._cash is None:
            if self._held_back is None:
                # What was taken before is another matter.
                self._surprising = None
            # An earlier balance of the same amount, which nobody could place, contained it too.
            self._surprising = self._surprising or self._same
        since = self._held_back_since or balance.as_of
        if self._cash is None:
            self._begin(balance)
        elif surprise and balance.as_of - since <= _HELD_BACK:
            self._held_back, self._held_back_since = balance, since
        elif surprise is not None:
            self._accept(balance, surprise)
        if len(self._flows) > _MANY_FLOWS:
            # One of unknown age may be told next; what is older than that is in all to come.
            self._join_flows(balance.earliest - UNTOLD_AGE)
            self._join_from = _MANY_UNTOLD_FLOWS
        return surprise

    @property
    def held_back(self) -> Balance | None:
        """The newest that nothing explains; to be looked for, then confirmed."""
        return self._held_back

    @property
    def surprise_by(self) -> datetime | None:
        """By when what nothing explained last had happened; None once a balance is as expected."""
        return self._surprising.earliest if self._surprising else None

    def confirm(self, balance: Balance | None) -> None:
        """What may explain a balance has been looked for: it counts, explained or not."""
        waiting = self._held_back
        if balance is None or waiting is None or balance.as_of <= self._accepted_until:
            return
        self._held_back = self._held_back_since = None
        surprise = self._surprise_of(balance)
        if surprise is not None:
            self._accept(balance, surprise)
        if waiting is not balance:
            # Told since, and perhaps another surprise.
            self.told(waiting)

    def _begin(self, balance: Balance) -> None:
        # Nothing older to fall back to: what was told by its end is taken to be in it.
        self._same = None
        self._base, self._settled = _cash_of(balance), replace(balance, since=balance.until)
        self._flows = [flow for flow in self._flows if not flow.is_in(self._settled)]
        if self._later_than(balance) is not None:
            self._balances.append(balance)
        self._cash = self._reckoned()

    def _accept(self, balance: Balance, surprise: Decimal) -> None:
        self._held_back = self._held_back_since = None
        self._accepted_until = balance.as_of
        if self._same and self._same.as_of <= balance.as_of:
            self._same = None
        if surprise:
            self._unexplained.append(_Unexplained(surprise, balance))
        else:
            self._surprising = None
        self._balances.append(balance)
        self._forget(balance)
        self._cash = self._reckoned()

    def _explain(self, flow: Flow) -> None:
        """See which of what balances brought unexplained is this flow, that is told after them."""
        # One that contains it and was as expected without it: then something else was less.
        containing = next((each for each in self._balances if flow.is_in(each)), None)
        for each in self._unexplained:
            is_in = flow.is_in(each.balance)
            if is_in is False:
                continue
            if is_in or containing:
                each.contains(flow)
                break
            each.may_contain(flow)
            if each.is_explained:
                break
        else:
            if containing:
                self._unexplained.append(_Unexplained(-flow.amount, containing))
        self._unexplained = [each for each in self._unexplained if not each.is_explained]

    def _surprise_of(self, balance: Balance) -> Decimal | None:
        later = self._later_than(balance)
        if self._cash is None or later is None:
            return None
        return balance.amount + later.moved - self._cash.balance

    def _later_than(self, balance: Balance) -> "_Later | None":
        """What a balance does not contain; None where that can't be told."""
        moved, is_flow = ZERO, False
        for flow in reversed(self._flows):
            # All before it are in the balance as well.
            if flow.by <= balance.earliest:
                break
            if flow.is_in(balance) is None:
                return None
            moved += flow.amount
            is_flow = True
        moved += _sum(each for each in self._unexplained if each.balance.as_of > balance.as_of)
        return _Later(moved, is_flow)

    def _reckoned(self) -> Cash | None:
        if self._balances:
            newest = self._balances[-1]
            later = self._later_than(newest)
            assert later is not None  # noqa: S101  # as of each that is kept
            return _moved(_cash_of(newest), later)
        if self._base is None:
            return None
        return _moved(
            self._base, _Later(_sum(self._flows) + _sum(self._unexplained), bool(self._flows))
        )

    def _forget(self, balance: Balance) -> None:
        # Older balances are kept for flows that are told late and make this one doubtful.
        oldest = balance.earliest - _KEPT
        while len(self._balances) > 1 and (
            self._balances[1].earliest < oldest or len(self._balances) > _MOST_BALANCES
        ):
            first = self._balances.popleft()
            self._base, self._settled = _cash_of(first), first
            self._flows = [flow for flow in self._flows if not flow.is_in(first)]
            self._unexplained = [
                each for each in self._unexplained if each.balance.as_of > first.as_of
            ]

    def _join_flows(self, contained_by: datetime) -> None:
        """
        Make one of those that are in the same balances, so that a fill costs the same always.

        Args:
            contained_by: what had happened by then is in every balance to come.
        """
        joined: list[tuple[Flow, list[bool | None]]] = []
        for flow in self._flows:
            places = [flow.is_in(balance) for balance in self._balances]
            if joined and flow.by <= contained_by and joined[-1][1] == places:
                before, _ = joined.pop()
                after = min(before.after, flow.after)
                flow = Flow(before.amount + flow.amount, after, flow.by)
            joined.append((flow, places))
        self._flows = [flow for flow, _ in joined]


@dataclass(frozen=True, slots=True)
class _Later:
    """What moved the cash after a balance; `is_flow` is whether flows are part of it."""

    moved: Decimal
    is_flow: bool


def _by(flow: Flow) -> datetime:
    return flow.by


def _sum(parts: Iterable[Flow | _Unexplained]) -> Decimal:
    return sum((each.amount for each in parts), ZERO)


def _cash_of(balance: Balance) -> Cash:
    return Cash(balance.amount, balance.exchange_portfolio_value, balance.as_of)


def _moved(cash: Cash, later: _Later) -> Cash:
    is_provisional = cash.is_provisional or later.is_flow
    return Cash(
        cash.balance + later.moved, cash.exchange_portfolio_value, cash.as_of, is_provisional
    )
