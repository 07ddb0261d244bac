"""
REST, the authority: read when the agenda says, and the tracker brought to what it says.

It is late and may fail, in part or whole. Only a list of positions is needed, and only at first;
once the account is known, the stream holds while REST is in trouble.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta
from decimal import Decimal
from time import monotonic
from typing import Never

from django.utils import timezone

from kalshi.clocks import reached
from kalshi.errors import (
    ClockSkew,
    DecodeError,
    KeyRefused,
    RateLimited,
    RequestRejected,
    ScopeRefused,
    Unavailable,
)
from kalshi.resources import PositionRow
from kalshi.rest import Client
from kalshi.rows import LeftOut
from positions.cash import Balance
from positions.decimal_text import to_six_decimals
from positions.reconciliation import TRUST_AFTER_SECONDS, Difference, compare
from positions.tracker import Read, Tracker
from streaming.together import all_of
from streaming.worker.agenda import (
    FILL_PATIENCE_SECONDS,
    FIRST_BEHIND_SECONDS,
    Agenda,
    ReadBalance,
    ReadMarkets,
    Reconcile,
)
from streaming.worker.counts import COUNTS
from streaming.worker.course import Maintenance
from streaming.worker.reads import (
    MarketsRead,
    PositionsRead,
    if_possible,
    read_age,
    read_markets,
    read_payouts,
    read_positions,
)

logger = logging.getLogger(__name__)

# Of our clock against the exchange's, where it does not say itself how old its answer is.
CLOCK_ERROR = timedelta(seconds=1)
# What was paid before the account was last read may have been listed since: REST lags, and clocks
# differ.
LATE_PAYOUT = timedelta(minutes=10)
# A refusal in mid-session is asked once more after this long.
CONFIRM_SECONDS = 1.0


async def prepare(rest: Client, subaccount: int) -> None:
    """
    Ask whether the exchange is open, and what the account may ask for.

    Raises:
        Maintenance: it says that it is not.
        KeyRefused, ScopeRefused, ClockSkew: of the key, by the call that everything rests on.
    """
    await all_of(raise_if_inactive(rest), _adopt_limits(rest, subaccount))


async def _adopt_limits(rest: Client, subaccount: int) -> None:
    # Without the limits those of the lowest tier are kept to.
    if await if_possible(rest.limits(), "limits") is None:
        # A dead key would show here, and at the handshake perhaps in words that aren't the
        # exchange's own: so it is asked in its own. Only a verdict counts.
        try:
            await rest.positions(subaccount)
        except (Unavailable, DecodeError, RequestRejected):
            return


async def raise_if_inactive(rest: Client) -> None:
    """
    Ask whether the exchange is open; its answer counts even when everything else refuses.

    Raises:
        Maintenance: it says that it is not.
    """
    if outage := await rest.outage():
        raise Maintenance(outage.estimated_resume_time)


class Authority:
    """
    Keeps a tracker equal to what REST says, as far as REST is not behind the stream.

    Args:
        agenda: what is due; whoever changes it calls `look`.
        on_change: called when the tracker has something to write.
        on_read: called when the markets held, or what is known of them, may be others.
        on_balance: called with each balance, and what of it nothing explains so far.

    Attributes:
        is_reconciled: whether the account was read whole once.
    """

    def __init__(
        self,
        rest: Client,
        tracker: Tracker,
        agenda: Agenda,
        *,
        subaccount: int,
        on_change: Callable[[], None],
        on_read: Callable[[], Awaitable[None]],
        on_balance: Callable[[Balance, Decimal | None], None],
    ) -> None:
        self._rest = rest
        self._tracker = tracker
        self._agenda = agenda
        self._subaccount = subaccount
        self._on_change = on_change
        self._on_read = on_read
        self._on_balance = on_balance
        self.is_reconciled = False
        # The exchange's rows as they were last read, those of flat markets too.
        self.shown: dict[str, PositionRow] = {}
        # Whether the key was refused once since it was last accepted.
        self._is_doubted = False
        self._sooner = asyncio.Event()
        # Since when the stream tells of the account, by the exchange's clock and by ours; None
        # while it doesn't. What happened before, a read must tell of that is no older.
        self._followed_at: tuple[datetime, float] | None = None

    def look(self) -> None:
        """The agenda is another."""
        self._sooner.set()

    def followed(self) -> None:
        """From now on the stream tells of all that happens in the account."""
        self._followed_at = self._rest.exchange_now + CLOCK_ERROR, monotonic()

    def not_followed(self) -> None:
        """The stream does not tell of it for the moment."""
        self._followed_at = None

    async def run(self) -> Never:
        """
        Read REST whenever the agenda says.

        Raises:
            KalshiError: the account can't be read, or the key is refused for good.
        """
        while True:
            now = monotonic()
            if self._agenda.is_time_for_fills(now):
                missing = self._tracker.missing_positions
                self._agenda.fills_checked(
                    now,
                    lost=bool(missing(now - FILL_PATIENCE_SECONDS)),
                    waiting=bool(missing(now)),
                )
            for task in self._agenda.due(now):
                match task:
                    case Reconcile():
                        await self._reconcile_or_later()
                    case ReadMarkets(tickers=tickers):
                        await self._read_markets(tickers)
                    case ReadBalance():
                        if balance := await self._read_balance(await read_age(self._rest)):
                            self._note_balance(balance)
            await self._until_due()

    async def _until_due(self) -> None:
        try:
            async with asyncio.timeout(max(0.0, self._agenda.next_due - monotonic())):
                await self._sooner.wait()
        except TimeoutError:
            pass
        self._sooner.clear()

    async def _reconcile_or_later(self) -> None:
        try:
            await self._reconcile()
            self._is_doubted = False
        except (KeyRefused, ScopeRefused, ClockSkew) as error:
            if self._is_doubted or not self.is_reconciled:
                raise
            # One answer may be a mistake on the way; two are a verdict. The stream still holds.
            COUNTS.reconciliations_failed += 1
            logger.warning("refused in mid-session", extra={"error": str(error)})
            self._is_doubted = True
            self._agenda.reconciliation_failed(monotonic(), CONFIRM_SECONDS)
        except (Unavailable, DecodeError, RequestRejected) as error:
            if not self.is_reconciled:
                # Nothing is known of what the account holds: there is nothing to show as live.
                raise
            # The stream still holds, and with it every price; only the authority is late.
            COUNTS.reconciliations_failed += 1
            logger.warning("reconciliation failed", extra={"error": str(error)})
            self._agenda.reconciliation_failed(monotonic())

    async def _reconcile(self) -> None:
        requested_at = monotonic()
        told: list[Balance] = []
        try:
            positions = await self._read_account(told)
            held = {ticker for ticker, row in positions.rows.items() if row.quantity}
            known = self._tracker.markets
            markets = await read_markets(self._rest, held.union(known), known)
            difference = await self._compare(positions, markets, requested_at)
            self._tracker.apply_difference(
                difference, _read(positions, markets, requested_at, timezone.now())
            )
        finally:
            # Not before the positions that explain it; also where those can't be had.
            for balance in told:
                self._note_balance(balance)
        self.shown = positions.rows
        self._on_change()
        now = monotonic()
        behind = self._behind(difference.unconfirmed, positions.as_of, requested_at)
        self._agenda.reconciled(now, behind=behind)
        self._note(markets, now)
        self._count(difference, now - requested_at)
        self.is_reconciled = True
        await self._on_read()

    async def _compare(
        self, positions: PositionsRead, markets: MarketsRead, requested_at: float
    ) -> Difference:
        """How ours differs, at this moment; what that needs of markets is read."""
        asked: set[str] = set()
        while True:
            difference = compare(
                self._tracker.holdings,
                positions.rows,
                self._tracker.heard,
                requested_at,
                read_as_of=positions.as_of,
                unreadable=_names(positions.left_out),
                is_complete=all(row.name for row in positions.left_out),
                heard_since=self._tracker.followed_since,
                now=self._rest.exchange_now,
            )
            # Opened while we were reading.
            known = self._tracker.markets
            unread = difference.changed.keys() - markets.known.keys() - known.keys()
            unpaid = self._unpaid(difference, markets) - asked
            if not unread and not unpaid:
                return difference
            if unread:
                markets.add(await read_markets(self._rest, unread, known))
            if unpaid:
                asked |= unpaid
                await self._read_payouts(unpaid)

    def _unpaid(self, difference: Difference, markets: MarketsRead) -> set[str]:
        """Positions that ended otherwise than by a trade, in markets of which nothing says how."""
        told = {
            ticker
            for ticker, (_, state, _) in markets.known.items()
            if state.determined_value is not None
        }
        ended = difference.gone.keys() - difference.sold - told
        return {ticker for ticker in ended if not self._tracker.is_valued(ticker)}

    async def _read_payouts(self, tickers: set[str]) -> None:
        """
        Ask what the account was paid for them.

        The stream's word was missed, and REST's markets are late, or list them no more.
        """
        known_at = self._tracker.reconciled_at
        if known_at is None:
            return
        paid = await read_payouts(self._rest, self._subaccount, tickers, known_at - LATE_PAYOUT)
        for row in paid:
            held = self._tracker.holdings.get(row.ticker)
            # Of another quantity it would not be this position's.
            if held and held.quantity == row.yes_count - row.no_count:
                at = reached(row.settled_at, self._rest.exchange_now)
                self._tracker.apply_settled(row.ticker, at, monotonic(), row.yes_value)

    def _count(self, difference: Difference, seconds: float) -> None:
        COUNTS.reconciliation.observe(seconds)
        skew = self._rest.clock_skew
        if skew is not None:
            COUNTS.clock_skew = skew.total_seconds()
        if self.is_reconciled:
            # Nothing was followed before the first.
            COUNTS.found["changed"] += len(difference.changed)
            COUNTS.found["gone"] += len(difference.gone)
            COUNTS.found["unreadable"] += len(difference.unreadable)

    async def _read_account(self, told: list[Balance]) -> PositionsRead:
        """Its positions; its balance goes into `told`, if it can be had."""
        read: list[PositionsRead] = []

        async def positions(as_of: datetime | None) -> None:
            read.append(await read_positions(self._rest, self._subaccount, as_of))

        async def balance(as_of: datetime | None) -> None:
            if answer := await self._read_balance(as_of):
                told.append(answer)

        async def account() -> None:
            # One answer for both, as it comes before them.
            as_of = await read_age(self._rest)
            await all_of(positions(as_of), balance(as_of))

        # The first time `prepare` asked a moment ago; without an answer it is asked with the next.
        is_open = [raise_if_inactive(self._rest)] if self.is_reconciled else []
        await all_of(*is_open, account())
        return read[0]

    def _behind(
        self, unconfirmed: Collection[str], as_of: datetime | None, requested_at: float
    ) -> float | None:
        """How many seconds REST has yet to catch up with the stream; None if it has."""
        if self._followed_at is None:
            return FIRST_BEHIND_SECONDS
        # Until then it may lack what was traded before the stream told of it, and bring back what
        # was sold. Where it says nothing of its age it has had its time.
        followed_at, received_at = self._followed_at
        if as_of is None and requested_at < received_at + TRUST_AFTER_SECONDS:
            return TRUST_AFTER_SECONDS
        needed = [followed_at] if as_of else []
        heard = self._tracker.heard
        needed += [
            sent_at
            for ticker in unconfirmed
            if ticker in heard and (sent_at := heard[ticker].sent_at)
        ]
        behind = max((instant - (as_of or instant) for instant in needed), default=timedelta())
        if unconfirmed:
            # What was just said counts for so long, whatever REST says of its age.
            behind = max(behind, timedelta(seconds=TRUST_AFTER_SECONDS))
        # A moment more, as it is to be later than that.
        return (behind.total_seconds() + 0.5) if behind > timedelta() else None

    async def _read_markets(self, tickers: frozenset[str]) -> None:
        requested_at = monotonic()
        known = self._tracker.markets
        # Those sold meanwhile are of no more interest.
        self._agenda.markets_known(tickers - known.keys())
        markets = await read_markets(self._rest, tickers & known.keys(), known)
        self._tracker.apply_markets(markets.known, requested_at, _names(markets.left_out))
        self._on_change()
        self._note(markets, monotonic())
        await self._on_read()

    def _note(self, markets: MarketsRead, now: float) -> None:
        self._agenda.markets_known(markets.known.keys() - markets.missing)
        self._agenda.markets_missing(markets.missing, now)
        self._agenda.markets_doubted(self._tracker.contradicted, now)

    async def _read_balance(self, since: datetime | None) -> Balance | None:
        """Read it, if it may be asked for now; `since` is what `read_age` said before."""
        if not self._agenda.may_read_balance(monotonic()):
            return None
        as_of = timezone.now()
        try:
            balance = await self._rest.balance(self._subaccount)
        except RateLimited:
            self._agenda.cash_moved(monotonic())
            return None
        except ScopeRefused:
            # A key may be allowed the positions alone: then the cash is unknown, and shown so.
            return None
        except (Unavailable, DecodeError, RequestRejected, KeyRefused, ClockSkew) as error:
            logger.warning("balance not told", extra={"error": str(error)})
            self._agenda.balance_failed(monotonic())
            return None
        # Between the two instants of its own the exchange answered.
        until = await read_age(self._rest)
        return Balance(
            to_six_decimals(balance.balance),
            balance.portfolio_value,
            as_of,
            since,
            until or timezone.now() + CLOCK_ERROR,
        )

    def _note_balance(self, balance: Balance) -> None:
        book = self._tracker.valuation.cash
        surprise = book.told(balance)
        if surprise or (book.cash and book.cash.is_provisional):
            # What moved it is not known yet, or it can't be told whether it contains what did: the
            # next one will show.
            self._agenda.cash_moved(monotonic())
        self._on_balance(balance, surprise)
        self._on_change()


def _read(
    positions: PositionsRead, markets: MarketsRead, requested_at: float, at: datetime
) -> Read:
    left_out = (*positions.left_out, *markets.left_out)
    return Read(
        markets=markets.known,
        requested_at=requested_at,
        at=at,
        as_of=positions.as_of,
        unreadable_markets=_names(markets.left_out),
        left_out=tuple(f"{row.kind} {row.name or '(no name)'}: {row.reason}" for row in left_out),
    )


def _names(rows: tuple[LeftOut, ...]) -> frozenset[str]:
    return frozenset(row.name for row in rows if row.name)
