"""
One account's stream while `page.py` measures: ticks at an exact rate, by the product's own channel.

In the place of worker, database and hub. What a page too slow for the rate is given is as in the
product: the newest state of each position, since the same `Channel` serves it.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from time import monotonic

from benchmarks.page_book import ACCOUNT, Book
from positions import pnl
from positions.connection import ConnectionState
from positions.documents import connection_document, instant, portfolio_document
from positions.models import AccountStream
from streaming.web import sse
from streaming.web.fanout import Channel, Frame, Subscriber

# About as often as the worker flushes when there is always something to write.
FLUSH_SECONDS = 0.005
KEEP_ALIVE_SECONDS = 10.0
RETRY_MS = 2000
CASH = 25_000 * pnl.PAYOUT


class Play:
    """
    What the page's streams show.

    Args:
        rate: ticks a second, each of one position chosen by the seed.
        portfolios: a second; 0 for one with each flush.
    """

    def __init__(self, book: Book, rate: int, portfolios: float, seed: int) -> None:
        self.book = book
        self.channel = Channel(self._snapshot)
        # Positions that were handed to streams, and ticks that were made.
        self.sent = 0
        self.ticked = 0
        # The longest that a tick was late.
        self.late_seconds = 0.0
        self.version = 1
        self._rate = rate
        self._portfolio_seconds = 1 / portfolios if portfolios else 0.0
        self._dice = random.Random(seed)
        self._subscribers: set[Subscriber] = set()
        # By those that have gone.
        self._superseded = 0
        self._tickers = list(book.held)
        self._since = datetime.now(UTC)
        # Ticks due are counted from here; None while it is silent.
        self._began: float | None = monotonic()
        self._made = 0

    def hush(self) -> None:
        """No tick until further notice: what the page shows can be compared."""
        self._began = None
        self.version += 1
        self.channel.publish({"portfolio": self._portfolio_frame()})

    def go_on(self) -> None:
        """Ticks again, none of those that were left out."""
        self._began, self._made = monotonic(), 0

    @property
    def counts(self) -> dict[str, float]:
        return {
            "sent": self.sent,
            "ticked": self.ticked,
            "superseded": self._superseded + sum(each.superseded for each in self._subscribers),
            "streams": len(self._subscribers),
            "late_seconds": self.late_seconds,
        }

    async def run(self) -> None:
        """Tick for ever."""
        summed_at = told_at = monotonic()
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            now = monotonic()
            frames = self._flush(now)
            if frames and now - summed_at >= self._portfolio_seconds:
                summed_at = now
                frames["portfolio"] = self._portfolio_frame()
            if now - told_at >= KEEP_ALIVE_SECONDS:
                told_at = now
                frames["connection_status"] = self._connection_frame()
            self.channel.publish(frames)

    async def events(self) -> AsyncIterator[bytes]:
        """One client's stream."""
        wakeup = asyncio.Event()
        subscriber = Subscriber(wakeup.set)
        self.channel.join(subscriber)
        self._subscribers.add(subscriber)
        subscriber.start_over()
        try:
            yield sse.retry(RETRY_MS)
            while True:
                await wakeup.wait()
                wakeup.clear()
                news = self.channel.take(subscriber)
                self.sent += news.count(b"\nevent: position\n")
                yield news
        finally:
            self._superseded += subscriber.superseded
            self._subscribers.discard(subscriber)
            self.channel.leave(subscriber)

    @property
    def portfolio(self) -> AccountStream:
        """The sums of what is held, as the row that they would be."""
        sums, now = self.book.sums(), datetime.now(UTC)
        return AccountStream(
            account_id=ACCOUNT,
            seq=self.version,
            cash=CASH,
            cash_as_of=self._since,
            collateral_returned=pnl.ZERO,
            exchange_portfolio_value=sums.positions_value,
            positions_value=sums.positions_value,
            total_value=CASH + sums.positions_value,
            day_pnl=self.book.day_pnl(),
            day_pnl_since=self._since,
            exposure=sums.exposure,
            unrealized_pnl=sums.unrealized_pnl,
            unrealized_pnl_percent=sums.unrealized_pnl_percent,
            realized_pnl=sums.realized_pnl,
            fees_paid=sums.fees_paid,
            position_count=sums.position_count,
            unpriced_count=sums.unpriced_count,
            estimated_count=sums.estimated_count,
            estimated_value=sums.estimated_value,
            reconciled_at=self._since,
            updated_at=now,
        )

    @property
    def connection(self) -> ConnectionState:
        return ConnectionState("live", since=self._since)

    def _flush(self, now: float) -> dict[str, Frame]:
        if self._began is None:
            return {}
        due = int((now - self._began) * self._rate) - self._made
        if due <= 0:
            return {}
        self.late_seconds = max(self.late_seconds, now - self._began - self._made / self._rate)
        self.version += 1
        at = instant(datetime.now(UTC)) or ""
        # After a pause more may be due than there are positions; those are made next.
        moved = self._dice.sample(self._tickers, k=min(due, len(self._tickers)))
        self._made += len(moved)
        self.ticked += len(moved)
        frames = {}
        for ticker in moved:
            held = self.book.held[ticker]
            held.move(at, self.version)
            data = sse.event("position", self.version, held.document)
            frames[f"position {ticker}"] = Frame(self.version, data)
        return frames

    def _portfolio_frame(self) -> Frame:
        document = sse.to_json(portfolio_document(ACCOUNT, self.portfolio))
        return Frame(self.version, sse.event("portfolio", self.version, document))

    def _connection_frame(self) -> Frame:
        document = {"account_id": ACCOUNT, **connection_document(self.connection)}
        data = sse.event("connection_status", self.version, sse.to_json(document))
        return Frame(self.version, sse.COMMENT + data)

    def _snapshot(self) -> bytes:
        portfolio = sse.to_json(portfolio_document(ACCOUNT, self.portfolio))
        text = (
            f'{{"account_id":{ACCOUNT},"version":{self.version},'
            f'"positions":[{",".join(held.document for held in self.book.held.values())}],'
            f'"portfolio":{portfolio},"connection":{sse.to_json(connection_document(self.connection))},'
            f'"server_time":"{instant(datetime.now(UTC))}"}}'
        )
        return sse.event("snapshot", self.version, text)
