"""
One connection to the exchange, from its subscriptions to its end.

Subscribe, have REST read, go live; from then on the stream is speed and REST, read again now and
then, the authority. The read loop awaits nothing but the next frame: an exchange cuts off who reads
too slowly.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from time import monotonic, time
from typing import Never

from kalshi.errors import Unavailable
from kalshi.lifecycle import (
    Activated,
    CloseTimeChanged,
    Deactivated,
    Determined,
    MetadataChanged,
    Settled,
)
from kalshi.messages import CommandFailed, Fill, MarketPosition, Subscribed, Ticker, in_time
from kalshi.protocol import (
    NAMES_REFUSED,
    SESSION_IN_DOUBT,
    TOO_MANY_COMMANDS,
    Event,
    SequenceGap,
    SubscriptionEnded,
    SubscriptionRefused,
    Undecodable,
)
from kalshi.rest import Client
from kalshi.socket import Socket
from positions.cash import Balance
from positions.pnl import MarketState
from positions.tracker import Tracker
from streaming.together import until_one_fails
from streaming.worker.access import Access
from streaming.worker.agenda import Agenda
from streaming.worker.authority import Authority
from streaming.worker.counts import COUNTS
from streaming.worker.historian import Historian
from streaming.worker.titles import Titles

logger = logging.getLogger(__name__)

# A subscription that ends again within this time would go on ending.
STEADY_SECONDS = 30.0
# The exchange answers a command within milliseconds; who waits longer waits in vain.
COMMAND_TIMEOUT_SECONDS = 10.0
# Longer than the pings leave a silent peer unnoticed.
SILENT_SECONDS = 35.0
# From the first subscription until the account is live, a hundred calls fit in; and as long as a
# later one may be put off.
GO_LIVE_SECONDS = 60.0
# Between two samples of the lag behind the exchange: it is not worth a tick's time.
LAG_SAMPLE_SECONDS = 0.1

PRIVATE_CHANNELS = ("market_positions", "fill")
# Both of the markets held; the second tells of their pauses, determinations and settlements.
TICKER, LIFECYCLE = "ticker", "market_lifecycle_v2"


class Upstream:
    """
    Keeps a tracker equal to the exchange for as long as the connection holds.

    Args:
        access: knows how the account's prices are to be subscribed to.
        subaccount: frames of others are ignored.
        on_change: called when the tracker has something to write.
        on_live: called once, when the tracker is the exchange's state and will follow it.
        historian: told of what moves.
    """

    def __init__(
        self,
        rest: Client,
        socket: Socket,
        tracker: Tracker,
        access: Access,
        *,
        subaccount: int,
        on_change: Callable[[], None],
        on_live: Callable[[], None],
        historian: Historian,
    ) -> None:
        self._rest = rest
        self._socket = socket
        self._tracker = tracker
        self._access = access
        self._follows_all = access.follows_all
        self._subaccount = subaccount
        self._on_change = on_change
        self._on_live = on_live
        self._agenda = Agenda(monotonic(), random.random())  # noqa: S311  # spread, not secret
        self._authority = Authority(
            rest,
            tracker,
            self._agenda,
            subaccount=subaccount,
            on_change=on_change,
            on_read=self._follow_what_is_held,
            on_shown=historian.shown,
            on_balance=self._balance_told,
        )
        self._historian = historian
        self._titles = Titles(rest, tracker, on_change)
        self._is_live = False
        self._garbled = 0
        self._lag_due = 0.0
        # The private channels that the exchange has confirmed.
        self._followed: set[str] = set()
        # Markets that came or went of which only a read can tell.
        self._appeared: set[str] = set()
        # When the exchange last ended a channel's subscription by itself.
        self._ended_at: dict[str, float] = {}

    def reconcile_soon(self) -> None:
        """Read REST again: now, or as soon as the last read is some seconds old."""
        self._agenda.reconcile_soon()
        self._authority.look()
        self._historian.asked()

    async def run(self) -> Never:
        """
        Follow the exchange until something fails; never returns.

        Raises:
            KalshiError: why the connection is of no more use.
        """
        self._socket.session.subscribe(PRIVATE_CHANNELS)
        if self._follows_all:
            # Before anything is read: there will be no snapshots.
            self._socket.session.subscribe([TICKER], self._tracker.tickers, is_named=False)
        await self._socket.send_pending()
        self._tracker.follow(monotonic())
        await until_one_fails(
            self._listen(), self._authority.run(), self._watch_the_time(), self._titles.run()
        )

    async def _listen(self) -> Never:
        async for event in self._socket:
            self._receive(event)
            await self._socket.send_pending()
        raise Unavailable("The exchange says no more.")

    def _receive(self, event: Event) -> None:
        now = monotonic()
        exchange_now = self._rest.exchange_now
        event = in_time(event, exchange_now)
        match event:
            case Ticker():
                COUNTS.ticks += 1
                if now >= self._lag_due and event.sent_at:
                    self._lag_due = now + LAG_SAMPLE_SECONDS
                    COUNTS.exchange_lag.observe(time() - event.sent_at.timestamp())
                if self._tracker.apply_ticker(event, now):
                    self._on_change()
                return
            case MarketPosition() if self._is_ours(event.subaccount):
                COUNTS.frames["market_position"] += 1
                self._agenda.cash_moved(now)
                if not self._tracker.apply_position(event, now, exchange_now):
                    self._appeared.add(event.market_ticker)
                    self._agenda.unshown(now, is_flat=not event.quantity)
                self._on_change()
            case Fill() if self._is_ours(event.subaccount):
                COUNTS.frames["fill"] += 1
                self._agenda.cash_moved(now)
                self._tracker.apply_fill(event, now)
                self._agenda.filled(now)
                self._on_change()
            case Determined(market_ticker=ticker, settlement_value=value, at=at):
                self._tracker.determined(ticker, at)
                # What a scalar one pays, if that is not told, REST says.
                self._market_changed(ticker, MarketState("determined", value, at), now)
            case Activated(market_ticker=ticker):
                self._market_changed(ticker, MarketState("active"), now)
            case Deactivated(market_ticker=ticker):
                self._market_changed(ticker, MarketState("inactive"), now)
            case CloseTimeChanged(market_ticker=ticker) | MetadataChanged(market_ticker=ticker):
                self._market_changed(ticker, None, now)
            case Settled(market_ticker=ticker, at=at):
                COUNTS.frames["lifecycle"] += 1
                if self._tracker.apply_settled(ticker, at, now, now=exchange_now):
                    self._on_change()
                self._agenda.settled(now)
                self._historian.moved()
            case SequenceGap(channel=channel):
                COUNTS.gaps += 1
                logger.warning("frames were lost", extra={"channel": channel})
                self._words_were_lost(channel)
                self._agenda.garbled(now)
            case Subscribed(channel=channel) if channel in PRIVATE_CHANNELS:
                self._followed.add(channel)
                if self._followed == {*PRIVATE_CHANNELS}:
                    self._authority.followed()
            case Subscribed(channel=channel) if channel == TICKER and self._follows_all:
                # No snapshot comes.
                self._agenda.reconcile_soon()
            case SubscriptionEnded():
                self._renew(event, now)
            case SubscriptionRefused(channel=channel, code=code) if channel == LIFECYCLE:
                # It only says what REST would say within a minute. With the next read it is asked
                # for again.
                logger.warning("subscription refused", extra={"channel": channel, "code": code})
                self._socket.session.abandon(channel)
            case SubscriptionRefused(channel=channel, code=code) if (
                channel == TICKER
                and code == TOO_MANY_COMMANDS
                and self._socket.session.stands(TICKER)
            ):
                # Those that it does not hold REST says, until the next read, after which it is
                # asked for again: ever less often.
                logger.warning("subscription put off", extra={"channel": channel, "code": code})
                self._agenda.garbled(now)
            case SubscriptionRefused(channel=channel, code=code) if (
                channel == TICKER and code in NAMES_REFUSED and not self._follows_all
            ):
                # Which of them it was, if it was one, is not told.
                logger.warning("markets not named", extra={"channel": channel, "code": code})
                self._access.names_refused_at = now
                raise Unavailable(f"The exchange takes no such list of markets (error {code}).")
            case CommandFailed(code=code) if code not in SESSION_IN_DOUBT:
                # Of nothing we wait for; if it was of a command, that command's time runs out.
                logger.warning("error of no command", extra={"code": code})
                self._agenda.garbled(now)
            case SubscriptionRefused(code=code) | CommandFailed(code=code):
                raise Unavailable(f"The exchange refused a subscription (error {code}).")
            case Undecodable(reason=reason, market_ticker=ticker):
                self._garbled += 1
                COUNTS.garbled += 1
                # It may have been the end of a pause.
                self._tracker.forget_told_pauses()
                if ticker and self._tracker.apply_unreadable_ticker(ticker, now):
                    self._on_change()
                # The first, the tenth, the hundredth …: a storm of them must not fill the log.
                if str(self._garbled).strip("0") == "1":
                    # Of a market that is not held its name may be garbage too.
                    of = {"ticker": ticker} if ticker in self._tracker.markets else {}
                    told = {"reason": reason, "so_far": self._garbled, **of}
                    logger.warning("frame not understood", extra=told)
                self._agenda.garbled(now)
        self._authority.look()
        self._look_if_live()

    def _market_changed(self, ticker: str, state: MarketState | None, now: float) -> None:
        COUNTS.frames["lifecycle"] += 1
        if state and self._tracker.apply_state(ticker, state, now):
            self._on_change()
        # The event says that something is new; all of it REST says.
        self._agenda.market_changed(ticker, now)

    def _renew(self, ended: SubscriptionEnded, now: float) -> None:
        channel = ended.channel
        COUNTS.subscriptions_ended += 1
        logger.warning("subscription ended", extra={"channel": channel, "code": ended.code})
        self._words_were_lost(channel)
        if channel in PRIVATE_CHANNELS:
            self._followed.discard(channel)
            self._authority.not_followed()
        if now < self._ended_at.get(channel, float("-inf")) + STEADY_SECONDS:
            # Asked again at once it would end again at once, and so on.
            if channel == LIFECYCLE:
                self._socket.session.abandon(channel)
                return
            raise Unavailable("The exchange keeps ending a subscription.")
        self._ended_at[channel] = now
        self._socket.session.subscribe(
            [channel], ended.market_tickers, send_initial_snapshot=channel == TICKER
        )
        self._agenda.reconcile_soon()

    def _words_were_lost(self, channel: str) -> None:
        if channel == LIFECYCLE:
            self._tracker.forget_told_pauses()

    def _is_ours(self, subaccount: int | None) -> bool:
        return (subaccount or 0) == self._subaccount

    def _look_if_live(self) -> None:
        if not self._is_live and self._authority.is_reconciled and self._socket.session.is_ready:
            self._is_live = True
            self._on_live()

    async def _watch_the_time(self) -> Never:
        ready_at = monotonic()
        looked_at = self._rest.exchange_now
        while True:
            await asyncio.sleep(COMMAND_TIMEOUT_SECONDS / 10)
            if self._is_live and self._socket.session.is_ready:
                ready_at = monotonic()
            looked_at = self._look_what_closed(looked_at)
            if self._socket.silent_seconds > SILENT_SECONDS:
                raise Unavailable("The exchange has said nothing, or this machine has slept.")
            if self._socket.session.given_up(LIFECYCLE, monotonic() - COMMAND_TIMEOUT_SECONDS):
                # As where it is refused.
                logger.warning("subscription not answered", extra={"channel": LIFECYCLE})
                self._look_if_live()
            if self._socket.unanswered_seconds > COMMAND_TIMEOUT_SECONDS:
                raise Unavailable("The exchange does not answer a subscription.")
            if monotonic() > ready_at + GO_LIVE_SECONDS:
                raise Unavailable("The exchange did not confirm the subscriptions in time.")

    def _look_what_closed(self, since: datetime) -> datetime:
        """Have the markets read whose close time has passed since, of which no event tells."""
        now = self._rest.exchange_now
        for ticker, facts in self._tracker.markets.items():
            if facts.close_time and since < facts.close_time <= now:
                self._agenda.market_changed(ticker, monotonic())
                self._authority.look()
        return now

    def _balance_told(self, balance: Balance, surprise: Decimal | None) -> None:
        self._historian.told(balance, surprise)
        if surprise:
            COUNTS.surprises += 1
            logger.info(
                "balance not as expected", extra={"market_positions": len(self._tracker.tickers)}
            )

    async def _follow_what_is_held(self) -> None:
        held_now = self._tracker.tickers
        for ticker in held_now:
            is_new_here = not self._socket.session.wants(TICKER, ticker)
            if (is_new_here and (self._is_live or self._follows_all)) or ticker in self._appeared:
                # What the stream told of it before it was held was passed over; and a snapshot, if
                # one comes, tells prices alone.
                self._agenda.market_changed(ticker, monotonic())
        self._appeared.clear()
        self._socket.session.subscribe([TICKER], held_now, send_initial_snapshot=True)
        self._socket.session.subscribe([LIFECYCLE], held_now)
        await self._socket.send_pending()
        self._titles.look()
        self._look_if_live()
