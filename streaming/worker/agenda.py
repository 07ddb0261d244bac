"""
When REST is asked what, while a connection lasts. No I/O in here.

Instants are seconds of one monotonic clock. Whoever carries out what is due tells how it went, and
looks again: nothing is due twice for one reason.
"""

from collections.abc import Collection
from dataclasses import dataclass

from positions.held_market import QUOTE_DOUBT_SECONDS
from positions.reconciliation import TRUST_AFTER_SECONDS

NEVER = float("inf")

# A determination whose frame was missed is shown within a minute.
RECONCILE_SECONDS = 55.0
# The balance has a bucket of its own: one call a second.
BALANCE_SECONDS = 1.1
# A fill's position frame comes with it; after this long it is taken for lost.
FILL_PATIENCE_SECONDS = 2.0
# Between reconciliations that somebody asked for, or that a garbled frame did.
DEBOUNCE_SECONDS = 2.0
RETRY_SECONDS = 5.0
# REST may not know yet of what the stream has just told: after a change of a market it is asked
# once more.
LAG_SECONDS = 3.0
# While REST is behind the stream, between reads.
FIRST_BEHIND_SECONDS = 2.0
# A market that REST does not know is asked for again: soon, then ever later.
FIRST_MISSING_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Reconcile:
    """Read the account whole."""


@dataclass(frozen=True, slots=True)
class ReadBalance:
    """Read the cash."""


@dataclass(frozen=True, slots=True)
class ReadMarkets:
    """Read these markets, then tell which of them are known and which missing."""

    tickers: frozenset[str]


Task = Reconcile | ReadBalance | ReadMarkets


class Agenda:
    """
    What is due when; a reconciliation at first.

    Args:
        chance: from 0 to 1. It parts accounts that were connected together: each is read whole a
            little sooner than RECONCILE_SECONDS after the last time, by up to a fifth.
    """

    def __init__(self, now: float, chance: float = 0.0) -> None:
        self._period = RECONCILE_SECONDS * (1 - chance / 5)
        self._reconcile_due = now
        self._reconciled_at = self._balance_at = -NEVER
        self._balance_due = NEVER
        self._cash_moved_at = -NEVER
        self._fills_due = NEVER
        self._filled_at = -NEVER
        # When to read once more after a settlement, which the list may have missed.
        self._settled_due = NEVER
        # When to ask for markets that changed, some of them once more after that, as REST lags;
        # when for those that REST does not know, ever later by these delays.
        self._changed_due: dict[str, float] = {}
        self._once_more: set[str] = set()
        self._missing_due: dict[str, float] = {}
        self._missing_seconds: dict[str, float] = {}
        self._behind_seconds = FIRST_BEHIND_SECONDS
        self._lost_seconds = FILL_PATIENCE_SECONDS
        self._garbled_seconds = DEBOUNCE_SECONDS
        self._garbled_at = -NEVER

    @property
    def next_due(self) -> float:
        """When to look again."""
        return min(
            self._reconcile_due,
            self._settled_due,
            self._balance_due,
            self._fills_due,
            *self._changed_due.values(),
            *self._missing_due.values(),
        )

    def due(self, now: float) -> list[Task]:
        """What to do now, the most urgent first; the caller does all of it."""
        tasks: list[Task] = []
        if self.is_time_to_reconcile(now):
            if now >= self._settled_due:
                self._settled_due = NEVER
            tasks.append(Reconcile())
            self._reconciled_at = now
            self._reconcile_due = now + self._period
        markets = self._changed(now) | self._missing(now)
        if markets:
            tasks.append(ReadMarkets(markets))
        if now >= self._balance_due:
            self._balance_due = NEVER
            # A reconciliation reads the cash as well.
            if Reconcile() not in tasks:
                tasks.append(ReadBalance())
        return tasks

    def _changed(self, now: float) -> frozenset[str]:
        changed = frozenset(ticker for ticker, due in self._changed_due.items() if now >= due)
        for ticker in changed:
            if ticker in self._once_more:
                self._once_more.discard(ticker)
                self._changed_due[ticker] = now + LAG_SECONDS
            else:
                del self._changed_due[ticker]
        return changed

    def _missing(self, now: float) -> frozenset[str]:
        missing = frozenset(ticker for ticker, due in self._missing_due.items() if now >= due)
        for ticker in missing:
            seconds = min(2 * self._missing_seconds[ticker], RECONCILE_SECONDS)
            self._missing_seconds[ticker] = seconds
            self._missing_due[ticker] = now + seconds
        return missing

    def is_time_to_reconcile(self, now: float) -> bool:
        """Whether a reconciliation is due."""
        return now >= min(self._reconcile_due, self._settled_due)

    def is_time_for_fills(self, now: float) -> bool:
        """Whether to look which fills no position frame has followed."""
        return now >= self._fills_due

    # What happened

    def reconcile_soon(self) -> None:
        """Read REST again: now, or as soon as the last read is some seconds old."""
        self._reconcile_by(self._reconciled_at + DEBOUNCE_SECONDS)

    def unshown(self, now: float, *, is_flat: bool) -> None:
        """
        A position frame came that only REST can show.

        Args:
            is_flat: nothing is held any more, and no fill has told of it. It may follow at once;
                else the market has been settled, or the fill is lost.
        """
        if is_flat:
            self.filled(now)
        else:
            self._reconcile_by(now)

    def garbled(self, now: float) -> None:
        """
        Frames were lost or not understood: what they said REST says; ever less often while that
        goes on.
        """
        if now > self._garbled_at + 2 * RECONCILE_SECONDS:
            self._garbled_seconds = DEBOUNCE_SECONDS
        self._garbled_at = now
        due = self._reconciled_at + self._garbled_seconds
        if due < self._reconcile_due:
            self._garbled_seconds = min(2 * self._garbled_seconds, RECONCILE_SECONDS)
        self._reconcile_by(due)

    def followed(self, now: float) -> None:
        """
        The stream tells of all that happens in the account, or does so again.

        What happened before, REST tells in a moment, however far behind it was found until now.
        """
        self._behind_seconds = FIRST_BEHIND_SECONDS
        if self._reconciled_at > -NEVER:
            self._reconcile_by(now + FIRST_BEHIND_SECONDS)

    def cash_moved(self, now: float) -> None:
        """The balance is another; not at once, as REST lags behind the stream."""
        self._cash_moved_at = now
        self._balance_due = min(self._balance_due, now + BALANCE_SECONDS)

    def filled(self, now: float) -> None:
        """A fill came, or a position without one; the other should follow."""
        self._filled_at = now
        self._fills_due = min(self._fills_due, now + FILL_PATIENCE_SECONDS)

    def fills_checked(self, now: float, *, lost: bool, waiting: bool) -> None:
        """
        Those fills that no position followed, or the reverse, were looked for.

        Args:
            lost: some are older than their patience.
            waiting: some are younger.
        """
        if lost:
            self._reconcile_by(now)
            # While REST lags by minutes they stay lost: it is asked ever less often.
            self._fills_due = now + self._lost_seconds
            self._lost_seconds = min(2 * self._lost_seconds, RECONCILE_SECONDS)
        else:
            self._fills_due = now + FILL_PATIENCE_SECONDS if waiting else NEVER
            self._lost_seconds = FILL_PATIENCE_SECONDS
        patient_until = self._filled_at + FILL_PATIENCE_SECONDS
        if (lost or waiting) and patient_until > now:
            # A fill that came since has its own patience.
            self._fills_due = min(self._fills_due, patient_until)

    def market_changed(self, ticker: str, now: float) -> None:
        """The stream told that something about a market is new: what, REST says."""
        self._changed_due[ticker] = now
        self._once_more.add(ticker)

    def settled(self, now: float) -> None:
        """A market has paid: the position goes with REST's list, at once or a little later."""
        self.reconcile_soon()
        self._settled_due = now + TRUST_AFTER_SECONDS
        self.cash_moved(now)

    def markets_missing(self, tickers: Collection[str], now: float) -> None:
        """REST does not know these markets yet, or could not be read."""
        for ticker in tickers:
            if ticker not in self._missing_due:
                self._missing_seconds[ticker] = FIRST_MISSING_SECONDS
                self._missing_due[ticker] = now + FIRST_MISSING_SECONDS

    def markets_doubted(self, tickers: Collection[str], now: float) -> None:
        """REST and the stream disagree on their prices: what REST says later decides."""
        for ticker in tickers:
            self._changed_due.setdefault(ticker, now + QUOTE_DOUBT_SECONDS)

    def markets_known(self, tickers: Collection[str]) -> None:
        """REST has told of these, or they are not held any more: they are not missing."""
        for ticker in tickers:
            self._missing_seconds.pop(ticker, None)
            self._missing_due.pop(ticker, None)

    # How it went

    def reconciled(self, now: float, *, behind: float | None = None) -> None:
        """
        A reconciliation was done.

        Args:
            behind: how many seconds REST has yet to catch up with what the stream said; None if
                it has. Then it is read again; ever later, should it not get on.
        """
        if behind is None:
            self._behind_seconds = FIRST_BEHIND_SECONDS
            return
        seconds = min(max(behind, self._behind_seconds), RECONCILE_SECONDS)
        self._reconcile_by(now + seconds)
        self._behind_seconds = min(2 * self._behind_seconds, RECONCILE_SECONDS)

    def reconciliation_failed(self, now: float, seconds: float | None = None) -> None:
        """Try again after a while, or after so many seconds."""
        self._reconcile_due = now + (RETRY_SECONDS if seconds is None else seconds)

    def may_read_balance(self, now: float) -> bool:
        """Whether the balance's own bucket has it; if so it counts as read, else it comes later."""
        if now < self._balance_at + BALANCE_SECONDS:
            self._balance_due = self._balance_at + BALANCE_SECONDS
            return False
        self._balance_at = now
        # What moved just now REST may not know yet.
        moves = now < self._cash_moved_at + BALANCE_SECONDS
        self._balance_due = now + BALANCE_SECONDS if moves else NEVER
        return True

    def balance_failed(self, now: float) -> None:
        """Try again after a while."""
        self._balance_due = now + RETRY_SECONDS

    def _reconcile_by(self, instant: float) -> None:
        self._reconcile_due = min(self._reconcile_due, instant)
