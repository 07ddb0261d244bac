"""
One connection to the exchange, from its subscriptions to its end.

Subscribe, read REST, reconcile, go live; from then on the stream is speed and REST, read again now
and then, the authority. The read loop awaits nothing but the next frame: an exchange cuts off who
reads too slowly.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from time import monotonic
from typing import Never

from django.utils import timezone

from kalshi.errors import (
    DecodeError,
    KalshiError,
    RateLimited,
    RequestRejected,
    ScopeRefused,
    Unavailable,
)
from kalshi.lifecycle import (
    Activated,
    CloseTimeChanged,
    Deactivated,
    Determined,
    MetadataChanged,
    Settled,
)
from kalshi.messages import CommandFailed, Fill, MarketPosition, Ticker
from kalshi.protocol import Event, SequenceGap, SubscriptionEnded, Undecodable
from kalshi.rest import Client
from kalshi.socket import Socket
from positions.reconciliation import TRUST_AFTER_SECONDS, difference
from positions.tracker import Cash, Tracker
from streaming.together import until_one_fails
from streaming.worker.markets import read_markets

logger = logging.getLogger(__name__)

# A determination whose frame was missed is shown within a minute.
RECONCILE_SECONDS = 55.0
# The balance has a bucket of its own: one call a second.
BALANCE_SECONDS = 1.1
# A fill's position frame comes with it; after this long it is taken for lost.
FILL_PATIENCE_SECONDS = 2.0
# Between reconciliations that somebody asked for, or that a garbled frame did.
DEBOUNCE_SECONDS = 2.0
RETRY_SECONDS = 5.0
# What held for so long was good: its end is not the end of a series.
STEADY_SECONDS = 30.0

PRIVATE_CHANNELS = ("market_positions", "fill")
# Both of the markets held; the second tells of their pauses, determinations and settlements.
TICKER, LIFECYCLE = "ticker", "market_lifecycle_v2"


class Maintenance(KalshiError):
    """The exchange says that it is not active; `resumes_at` is its estimate, if it gives one."""

    def __init__(self, resumes_at: datetime | None) -> None:
        super().__init__("The exchange is in maintenance.")
        self.resumes_at = resumes_at


async def raise_if_inactive(rest: Client) -> None:
    """
    Ask whether the exchange is open; its answer counts even when everything else refuses.

    Raises:
        Maintenance: it says that it is not.
    """
    status = await rest.exchange_status()
    if not status.exchange_active:
        raise Maintenance(status.estimated_resume_time)


class Upstream:
    """
    Keeps a tracker equal to the exchange for as long as the connection holds.

    Args:
        subaccount: frames of others are ignored.
        on_change: called when the tracker has something to write.
        on_live: called once, when the tracker is the exchange's state and will follow it.
    """

    def __init__(
        self,
        rest: Client,
        socket: Socket,
        tracker: Tracker,
        *,
        subaccount: int,
        on_change: Callable[[], None],
        on_live: Callable[[], None],
    ) -> None:
        self._rest = rest
        self._socket = socket
        self._tracker = tracker
        self._subaccount = subaccount
        self._on_change = on_change
        self._on_live = on_live
        self._is_reconciled = False
        self._is_live = False
        self._reconciled_at = self._balance_at = float("-inf")
        # Instants of `monotonic()` at which something is due.
        self._reconcile_due = self._balance_due = self._fill_check_due = float("inf")
        self._sooner = asyncio.Event()
        # When the exchange last ended a channel's subscription by itself.
        self._ended_at: dict[str, float] = {}

    def reconcile_soon(self) -> None:
        """Read REST again: now, or as soon as the last read is some seconds old."""
        self._reconcile_by(self._reconciled_at + DEBOUNCE_SECONDS)

    async def run(self) -> Never:
        """
        Follow the exchange until something fails; never returns.

        Raises:
            KalshiError: why the connection is of no more use.
        """
        self._socket.session.subscribe(PRIVATE_CHANNELS)
        await self._socket.send_pending()
        try:
            await self._rest.limits()
        except (RequestRejected, ScopeRefused) as error:
            # Then those of the lowest tier are kept to.
            logger.info("limits not told", extra={"error": str(error)})
        await until_one_fails(self._listen(), self._keep())

    async def _listen(self) -> Never:
        async for event in self._socket:
            self._receive(event)
            await self._socket.send_pending()
        raise Unavailable("The exchange says no more.")

    def _receive(self, event: Event) -> None:
        now = monotonic()
        match event:
            case Ticker():
                if self._tracker.apply_ticker(event, now):
                    self._on_change()
            case MarketPosition() if self._is_ours(event.subaccount):
                self._cash_moved(now)
                if not self._tracker.apply_position(event, now):
                    self._reconcile_by(now)
                self._on_change()
            case Fill() if self._is_ours(event.subaccount):
                self._cash_moved(now)
                self._tracker.apply_fill(event, now)
                self._fill_check_due = min(self._fill_check_due, now + FILL_PATIENCE_SECONDS)
                self._sooner.set()
                self._on_change()
            case (
                Activated()
                | Deactivated()
                | CloseTimeChanged()
                | Determined()
                | Settled()
                | MetadataChanged()
            ):
                # The event says that something is new; what it is, and all of it, REST says.
                self.reconcile_soon()
            case SequenceGap(channel=channel):
                logger.warning("frames were lost", extra={"channel": channel})
                self.reconcile_soon()
            case SubscriptionEnded(channel=channel, code=code):
                logger.warning("subscription ended", extra={"channel": channel, "code": code})
                if now < self._ended_at.get(channel, float("-inf")) + STEADY_SECONDS:
                    # Asked again at once it would end again at once, and so on.
                    raise Unavailable("The exchange keeps ending a subscription.")
                self._ended_at[channel] = now
                self._socket.session.subscribe(
                    [channel], event.market_tickers, send_initial_snapshot=channel == TICKER
                )
                self.reconcile_soon()
            case CommandFailed(code=code):
                raise Unavailable(f"The exchange refused a subscription (error {code}).")
            case Undecodable(reason=reason):
                logger.warning("frame not understood", extra={"reason": reason})
                self.reconcile_soon()
        self._look_if_live()

    def _is_ours(self, subaccount: int | None) -> bool:
        return (subaccount or 0) == self._subaccount

    def _cash_moved(self, now: float) -> None:
        # Not at once: REST lags behind the stream by some hundred milliseconds.
        self._balance_due = min(self._balance_due, now + BALANCE_SECONDS)
        self._sooner.set()

    def _reconcile_by(self, instant: float) -> None:
        self._reconcile_due = min(self._reconcile_due, instant)
        self._sooner.set()

    def _look_if_live(self) -> None:
        if not self._is_live and self._is_reconciled and self._socket.session.is_ready:
            self._is_live = True
            self._on_live()

    async def _keep(self) -> Never:
        await self._reconcile()
        while True:
            await self._until_due()
            now = monotonic()
            if now >= self._fill_check_due:
                missing = self._tracker.missing_positions
                if missing(now - FILL_PATIENCE_SECONDS):
                    self._reconcile_due = now
                # Fills that came since have their own patience.
                self._fill_check_due = now + FILL_PATIENCE_SECONDS if missing(now) else float("inf")
            try:
                if now >= self._reconcile_due:
                    await self._reconcile()
                elif now >= self._balance_due:
                    await self._read_balance()
            except (Unavailable, DecodeError) as error:
                # The stream still holds, and with it every price; only the authority is late.
                logger.warning("reconciliation failed", extra={"error": str(error)})
                self._reconcile_due = monotonic() + RETRY_SECONDS

    async def _until_due(self) -> None:
        due = min(self._reconcile_due, self._balance_due, self._fill_check_due)
        try:
            async with asyncio.timeout(max(0.0, due - monotonic())):
                await self._sooner.wait()
        except TimeoutError:
            pass
        self._sooner.clear()

    async def _reconcile(self) -> None:
        requested_at = self._reconciled_at = monotonic()
        self._reconcile_due = requested_at + RECONCILE_SECONDS
        await raise_if_inactive(self._rest)
        rows = {row.ticker: row for row in await self._rest.positions(self._subaccount)}
        held = {ticker for ticker, row in rows.items() if row.quantity}
        known = self._tracker.markets
        markets = await read_markets(self._rest, held.union(known), known)
        await self._read_balance()
        while True:
            its_difference = difference(
                self._tracker.holdings, rows, self._tracker.heard, requested_at
            )
            # Opened while we were reading.
            unread = its_difference.changed.keys() - markets.keys() - known.keys()
            if not unread:
                break
            markets |= await read_markets(self._rest, unread, known)
        self._tracker.apply_difference(
            its_difference, markets=markets, requested_at=requested_at, at=timezone.now()
        )
        self._on_change()
        if its_difference.unconfirmed:
            self._reconcile_by(requested_at + TRUST_AFTER_SECONDS)
        held_now = self._tracker.tickers
        self._socket.session.subscribe([TICKER], held_now, send_initial_snapshot=True)
        self._socket.session.subscribe([LIFECYCLE], held_now)
        await self._socket.send_pending()
        self._is_reconciled = True
        self._look_if_live()

    async def _read_balance(self) -> None:
        if monotonic() < self._balance_at + BALANCE_SECONDS:
            self._balance_due = self._balance_at + BALANCE_SECONDS
            return
        self._balance_at, self._balance_due = monotonic(), float("inf")
        as_of = timezone.now()
        try:
            balance = await self._rest.balance(self._subaccount)
        except RateLimited:
            self._balance_due = monotonic() + BALANCE_SECONDS
            return
        except ScopeRefused:
            # A key may be allowed the positions alone: then the cash is unknown, and shown so.
            return
        self._tracker.cash = Cash(balance.balance, balance.portfolio_value, as_of)
        self._on_change()
