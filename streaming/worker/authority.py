"""
REST, the authority: read when the agenda says, and the tracker brought to what it says.

It is late and may fail, in part or whole. Only a list of positions is needed, and only at first;
once the account is known, the stream holds while REST is in trouble.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Set
from dataclasses import replace
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
    RequestRejected,
    ScopeRefused,
    Unavailable,
)
from kalshi.resources import PositionRow
from kalshi.rest import Client
from kalshi.rows import LeftOut
from positions.cash import Balance
from positions.reconciliation import TRUST_AFTER_SECONDS, Difference, compare
from positions.tracker import Read, Tracker
from streaming.together import Errand, all_of
from streaming.worker.agenda import (
    FILL_PATIENCE_SECONDS,
    FIRST_BEHIND_SECONDS,
    Agenda,
    ReadBalance,
    ReadMarkets,
    Reconcile,
)
from streaming.worker.cash_reads import CLOCK_ERROR, CashReads
from streaming.worker.counts import COUNTS
from streaming.worker.course import Maintenance
from streaming.worker.market_answers import Answer, MarketAnswers
from streaming.worker.reads import (
    HELP_SECONDS,
    MarketsRead,
    PositionsRead,
    if_possible,
    read_age,
    read_payouts,
    read_positions,
    read_traded,
    value_paid,
)

logger = logging.getLogger(__name__)

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
    if await if_possible(rest.limits(), "limits", seconds=HELP_SECONDS) is None:
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
    try:
        async with asyncio.timeout(HELP_SECONDS):
            outage = await rest.outage()
    except TimeoutError:
        return
    if outage:
        raise Maintenance(outage.estimated_resume_time)


class Authority:
    """
    Keeps a tracker equal to what REST says, as far as REST is not behind the stream.

    Args:
        agenda: what is due; whoever changes it calls `look`.
        on_change: called when the tracker has something to write.
        on_read: called when the markets held, or what is known of them, may be others.
        on_shown: called with the exchange's rows as they were just read, those of flat markets too.
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
        on_shown: Callable[[Mapping[str, PositionRow]], None],
        on_balance: Callable[[Balance, Decimal | None], None],
    ) -> None:
        self._rest = rest
        self._tracker = tracker
        self._agenda = agenda
        self._subaccount = subaccount
        self._on_change = on_change
        self._on_read = on_read
        self._on_shown = on_shown
        self.is_reconciled = False
        # Whether the key was refused once since it was last accepted.
        self._is_doubted = False
        self._sooner = asyncio.Event()
        self._cash = CashReads(
            rest,
            tracker.valuation.cash,
            agenda,
            subaccount=subaccount,
            on_balance=on_balance,
            on_change=on_change,
            on_late=self._balance_came,
        )
        self._markets = MarketAnswers(rest, self.look)
        # Those that were read and are not taken yet; and whether positions are being read.
        self._balances: list[Balance] = []
        self._is_reading = False
        # What the last list lacked, and nothing told the end of.
        self._missed: Set[str] = frozenset()
        self._limits = Errand[None](lambda _: None)
        # Since when the stream tells of the account, by the exchange's clock and by ours; None
        # while it doesn't. What happened before that, only a read of that age or newer can show.
        self._followed_at: tuple[datetime, float] | None = None

    def look(self) -> None:
        """The agenda is another."""
        self._sooner.set()

    def followed(self) -> None:
        """From now on the stream tells of all that happens in the account."""
        now = monotonic()
        self._followed_at = self._rest.exchange_now + CLOCK_ERROR, now
        self._agenda.followed(now)

    def not_followed(self) -> None:
        """The stream does not tell of it for the moment."""
        self._followed_at = None

    async def run(self) -> Never:
        """
        Read REST whenever the agenda says.

        Raises:
            KalshiError: the account can't be read, or the key is refused for good.
        """
        try:
            await self._follow_the_agenda()
        finally:
            self._cash.stop()
            self._limits.stop()
            self._markets.stop()

    async def _follow_the_agenda(self) -> Never:
        while True:
            await self._take_late_markets()
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
                        await self._read_balance()
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
        self._is_reading = True
        try:
            positions = await self._read_account()
            held = {ticker for ticker, row in positions.rows.items() if row.quantity}
            known = self._tracker.markets
            answer = await self._markets.read(held.union(known), known)
            markets = answer.read
            difference = await self._compare(positions, markets, requested_at)
            self._tracker.apply_difference(
                difference, _read(positions, markets, requested_at, timezone.now())
            )
            if answer.is_first:
                self._tracker.forget_markets(markets.missing)
        finally:
            self._is_reading = False
            # Not before the positions that explain it.
            self._take_balances()
        self._on_shown(positions.rows)
        self._on_change()
        now = monotonic()
        behind = self._behind(difference.unconfirmed, positions.as_of, requested_at)
        self._agenda.reconciled(now, behind=behind)
        self._note(markets, now)
        self._count(difference, now - requested_at)
        self.is_reconciled = True
        await self._on_read()
        if not self._rest.knows_limits and not self._limits.is_under_way:
            # They took too long at first; until they are known those of the lowest tier are kept
            # to. Nothing waits for them.
            await self._limits.wait(self._read_limits(), 0.0)

    async def _read_balance(self) -> None:
        self._balance_came(await self._cash.read(await read_age(self._rest)))

    def _balance_came(self, balance: Balance | None) -> None:
        if balance:
            self._balances.append(balance)
        # A position that explains it may have been announced meanwhile; only a reading shows it.
        if not (self._is_reading or self._agenda.is_time_to_reconcile(monotonic())):
            self._take_balances()
        self.look()

    def _take_balances(self) -> None:
        if self._tracker.lacks_positions:
            # REST can't tell the new position yet, so what it cost would look like a loss. The
            # newest balance is kept for then.
            del self._balances[:-1]
            return
        balances, self._balances = self._balances, []
        for balance in balances:
            self._cash.came(balance)

    async def _read_limits(self) -> None:
        await if_possible(self._rest.limits(), "limits")

    async def _compare(
        self, positions: PositionsRead, markets: MarketsRead, requested_at: float
    ) -> Difference:
        """How ours differs, at this moment; what that needs to be known besides is read."""
        asked: set[str] = set()
        traded: set[str] = set()
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
            # Nothing has told of their end, and in what is settled all is listed no more.
            ended = difference.gone.keys() - difference.sold - asked
            if not unread and not ended:
                sold = difference.sold | traded & difference.gone.keys()
                return self._unless_missed_once(replace(difference, sold=sold), markets)
            if unread:
                markets.add((await self._markets.read(unread, known)).read)
            if ended:
                asked |= ended
                traded |= await self._read_ends(ended)

    def _unless_missed_once(self, difference: Difference, markets: MarketsRead) -> Difference:
        """
        Keep what one list lacks, and nothing tells the end of, until the next lacks it as well.

        Rows move between the pages of a list, and an exchange in trouble may leave some out.
        """
        heard = self._tracker.heard
        told = {ticker for ticker, word in heard.items() if not word.holding.quantity}
        listed = {ticker for ticker, left in difference.gone.items() if left is not None}
        read = {
            ticker
            for ticker, (_, state, _) in markets.known.items()
            if state.determined_value is not None
        }
        ended = listed | told | difference.sold | self._tracker.decided | read
        missed = difference.gone.keys() - ended
        news, self._missed = missed - self._missed, missed
        return replace(
            difference,
            gone={ticker: left for ticker, left in difference.gone.items() if ticker not in news},
            unconfirmed=difference.unconfirmed | news,
        )

    async def _read_ends(self, ended: Collection[str]) -> set[str]:
        """
        Ask how positions ended; those that were paid for as they were held are closed so.

        Returns:
            Those that were traded in before: what they made is not known. Of what the exchange
            does not tell, it is taken that nothing was.
        """
        known_at = self._tracker.reconciled_at
        if known_at is None:
            return set()
        payouts = await read_payouts(self._rest, self._subaccount, ended, known_at - LATE_PAYOUT)
        if payouts is None:
            return set()
        traded, unlisted = set(), set()
        for ticker in ended & self._tracker.holdings.keys():
            paid = payouts.get(ticker)
            if paid is None:
                unlisted.add(ticker)
            elif paid.quantity != self._tracker.holdings[ticker].quantity:
                traded.add(ticker)
            else:
                now = self._rest.exchange_now
                at = reached(paid.settled_at, now)
                self._tracker.apply_settled(ticker, at, monotonic(), value_paid(paid), now)
        if unlisted:
            # Sold, perhaps, or paid a moment ago.
            held_at = self._tracker.held_at
            since = {ticker: held_at.get(ticker) or known_at for ticker in unlisted}
            traded |= await read_traded(self._rest, self._subaccount, since)
        return traded

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

    async def _read_account(self) -> PositionsRead:
        """Its positions; its balance, if it can be had, is yet to be taken."""
        read: list[PositionsRead] = []

        async def positions(as_of: datetime | None) -> None:
            read.append(await read_positions(self._rest, self._subaccount, as_of))

        async def balance(as_of: datetime | None) -> None:
            if answer := await self._cash.read(as_of):
                self._balances.append(answer)

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
        known = self._tracker.markets
        # Those sold meanwhile are of no more interest.
        self._agenda.markets_known(tickers - known.keys())
        await self._take_markets(await self._markets.read(tickers & known.keys(), known))

    async def _take_late_markets(self) -> None:
        for answer in self._markets.take_late():
            await self._take_markets(answer)

    async def _take_markets(self, answer: Answer) -> None:
        markets = answer.read
        self._tracker.apply_markets(markets.known, answer.requested_at, _names(markets.left_out))
        if answer.is_first:
            self._tracker.forget_markets(markets.missing)
        self._on_change()
        self._note(markets, monotonic())
        await self._on_read()

    def _note(self, markets: MarketsRead, now: float) -> None:
        self._agenda.markets_known(markets.known.keys() - markets.missing)
        self._agenda.markets_missing(markets.missing, now)
        self._agenda.markets_doubted(self._tracker.contradicted, now)


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
