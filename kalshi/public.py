"""What the exchange tells anybody of its markets: with a key, or without one by `PublicClient`."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self
from urllib.parse import quote

import httpx

from kalshi.environments import Environment
from kalshi.errors import RequestRejected
from kalshi.fields import Fields
from kalshi.history import Candle, Minutes
from kalshi.orderbook import OrderBook
from kalshi.pacing import Pacer
from kalshi.resources import Event, Series
from kalshi.rows import Rows, decode_rows
from kalshi.transport import Params, Transport, answer_of


class PublicReads:
    """The calls that need no key. All raise what `rest.Client` says of its own."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections, if they are its own."""
        await self._transport.close()

    async def orderbook(self, ticker: str, depth: int = 0) -> OrderBook:
        """
        What is bid for in one market.

        Args:
            depth: how many of the best prices of each side, up to 100; 0 for all.
        """
        return (await self.aged_orderbook(ticker, depth))[0]

    async def aged_orderbook(self, ticker: str, depth: int = 0) -> tuple[OrderBook, timedelta]:
        """The same, and for how long a cache on the way has had it."""
        params: Params = {"depth": depth} if depth else {}
        answer = await self._transport.send(f"/markets/{_segment(ticker)}/orderbook", params)
        return OrderBook.decode(answer_of(answer)), answer.age

    async def event(self, event_ticker: str) -> Event:
        """One event, without its markets. The exchange knows no combos here."""
        path = f"/events/{_segment(event_ticker)}"
        answer = await self._transport.get(path, {"exclude_markets": "true"})
        return Event.decode(Fields(answer, "event answer").value("event"))

    async def series(self, series_ticker: str) -> Series:
        """One series, with how its fees are reckoned."""
        answer = await self._transport.get(f"/series/{_segment(series_ticker)}")
        return Series.decode(Fields(answer, "series answer").value("series"))

    async def candlesticks(
        self,
        series_ticker: str,
        ticker: str,
        *,
        since: datetime,
        until: datetime,
        minutes: Minutes,
    ) -> Rows[Candle]:
        """
        A market's prices over time, oldest first; of one that is not archived.

        Args:
            since, until: the candles that end in between.
            minutes: the length of one.
        """
        path = f"/series/{_segment(series_ticker)}/markets/{_segment(ticker)}/candlesticks"
        return await self._candles(path, since, until, minutes, Candle.decode)

    async def historical_candlesticks(
        self, ticker: str, *, since: datetime, until: datetime, minutes: Minutes
    ) -> Rows[Candle]:
        """The same of a market that the exchange has archived."""
        path = f"/historical/markets/{_segment(ticker)}/candlesticks"
        return await self._candles(path, since, until, minutes, Candle.decode_archived)

    async def all_candlesticks(
        self,
        series_ticker: str,
        ticker: str,
        *,
        since: datetime,
        until: datetime,
        minutes: Minutes,
    ) -> Rows[Candle]:
        """The same, wherever the exchange has the market by now."""
        span = {"since": since, "until": until}
        try:
            return await self.candlesticks(series_ticker, ticker, **span, minutes=minutes)
        except RequestRejected as rejected:
            if rejected.status != 404:
                raise
        return await self.historical_candlesticks(ticker, **span, minutes=minutes)

    async def _candles(
        self,
        path: str,
        since: datetime,
        until: datetime,
        minutes: Minutes,
        decode: Callable[[object], Candle],
    ) -> Rows[Candle]:
        params = {
            "start_ts": int(since.timestamp()),
            "end_ts": int(until.timestamp()),
            "period_interval": minutes,
        }
        answer = Fields(await self._transport.get(path, params), "candlesticks")
        candles = answer.items("candlesticks")
        return decode_rows(candles, decode, kind="candle", named_by="end_period_ts", is_number=True)


class PublicClient(PublicReads):
    """
    Asks without a key, so that who opens none can ask too.

    Answers come from a cache before the exchange and may be some 15 seconds old. What may be asked
    this way is not documented; it is kept to what the lowest tier of accounts may ask.

    Args:
        http: the connections to use; stays open when the client is closed. None for its own.
        timeout_seconds: for one request with its whole answer.
    """

    def __init__(
        self,
        environment: Environment,
        *,
        http: httpx.AsyncClient | None = None,
        clock: Callable[[], float] = time.time,
        timeout_seconds: float = 10.0,
        pacer: Pacer | None = None,
    ) -> None:
        super().__init__(
            Transport(
                environment,
                "",
                None,
                http=http,
                clock=clock,
                timeout_seconds=timeout_seconds,
                pacer=Pacer() if pacer is None else pacer,
            )
        )


def _segment(ticker: str) -> str:
    return quote(ticker, safe="")
