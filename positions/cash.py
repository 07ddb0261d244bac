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

A balance is of an instant after `since` and not after `until`; a flow happened after `after` and
not after `by`.
"""

from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
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
        # All flows that `_base` does not contain.
        self._flows: list[Flow] = []
        self._balances: deque[Balance] = deque(maxlen=_MOST_BALANCES)
        self._cash = self._base
        # The newest that nothing explains, and since when there is one.
        self._held_back: Balance | None = None
        self._held_back_since: datetime | None = None

    @property
    def cash(self) -> Cash | None:
        """The cash now; None before the first balance."""
        # Reckoned with what changes it, as every tick asks for it.
        return self._cash

    @property
    def is_sure(self) -> bool:
        """Whether it is of a balance that was told here, and none waits to be explained."""
        return bool(self._balances) and self._held_back is None

    def flowed(self, flow: Flow) -> None:
        """The cash changed."""
        is_old = self._settled is not None and flow.is_in(self._settled)
        if flow.amount and not is_old:
            self._flows.append(flow)
            self._cash = self._reckoned()
            if self._held_back and self._surprise_of(self._held_back) == ZERO:
                self.confirm()

    def told(self, balance: Balance) -> Decimal | None:
        """
        Take a balance, or hold it back.

        Returns:
            What no flow explains of its difference to the cash before; None where that can't be
            said, for the first, and where it is not known whether a flow is in it.
        """
        surprise = self._surprise_of(balance)
        since = self._held_back_since or balance.as_of
        if surprise and balance.as_of - since <= _HELD_BACK:
            self._held_back, self._held_back_since = balance, since
        else:
            self._accept(balance)
        return surprise

    def confirm(self) -> None:
        """What may explain a balance has been looked for: it counts, explained or not."""
        if self._held_back:
            self._accept(self._held_back)

    def _accept(self, balance: Balance) -> None:
        self._held_back = self._held_back_since = None
        self._balances.append(balance)
        if self._chosen() is balance:
            self._forget(balance)
        self._cash = self._reckoned()

    def _surprise_of(self, balance: Balance) -> Decimal | None:
        contained = [flow.is_in(balance) for flow in self._flows]
        if self._cash is None or None in contained:
            return None
        flows = zip(self._flows, contained, strict=True)
        later = sum((flow.amount for flow, is_in in flows if not is_in), ZERO)
        return balance.amount + later - self._cash.balance

    def _reckoned(self) -> Cash | None:
        chosen = self._chosen()
        if chosen is None and self._base is not None:
            return _moved(self._base, self._flows)
        if chosen is None:
            if not self._balances:
                return None
            # Nothing older to fall back to: what was told by its end is taken to be in it.
            first = self._balances[0]
            later = [flow for flow in self._flows if flow.by > first.until]
            return _moved(_cash_of(first), later)
        return _moved(
            _cash_of(chosen), [flow for flow in self._flows if flow.is_in(chosen) is False]
        )

    def _chosen(self) -> Balance | None:
        for balance in reversed(self._balances):
            if all(flow.is_in(balance) is not None for flow in self._flows):
                return balance
        return None

    def _forget(self, balance: Balance) -> None:
        # Older balances are kept for flows that are told late and make this one doubtful.
        oldest = balance.earliest - _KEPT
        while len(self._balances) > 1 and self._balances[1].earliest < oldest:
            self._balances.popleft()
        first = self._balances[0]
        is_old = first.until < oldest or len(self._balances) == _MOST_BALANCES
        if is_old and all(flow.is_in(first) is not None for flow in self._flows):
            self._base, self._settled = _cash_of(first), first
            self._flows = [flow for flow in self._flows if not flow.is_in(first)]


def _cash_of(balance: Balance) -> Cash:
    return Cash(balance.amount, balance.exchange_portfolio_value, balance.as_of)


def _moved(cash: Cash, flows: list[Flow]) -> Cash:
    moved = sum((flow.amount for flow in flows), ZERO)
    is_provisional = cash.is_provisional or bool(flows)
    return Cash(cash.balance + moved, cash.exchange_portfolio_value, cash.as_of, is_provisional)
