"""
What a market's prices were: candles of a minute, an hour and a day.

A finished minute is added to its hour, a finished hour to its day, so each change of a price is
looked at once. Days begin at midnight in New York, as the exchange's do.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

from sandbox.market import Tape

Minutes = Literal[1, 60, 1440]

_PERIODS: tuple[Minutes, ...] = (1, 60, 1440)
# Bounded, so that a long run with thousands of markets stays within memory.
_KEPT: dict[Minutes, int] = {1: 240, 60: 24 * 30, 1440: 365}
_NEW_YORK = ZoneInfo("America/New_York")
_PRICE_STEP = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Span:
    """The first, lowest, highest and last of prices in dollars."""

    open: Decimal
    low: Decimal
    high: Decimal
    close: Decimal

    def then(self, later: "Span") -> "Span":
        return Span(self.open, min(self.low, later.low), max(self.high, later.high), later.close)


@dataclass(frozen=True, slots=True)
class Candle:
    """
    One market during one period.

    Args:
        end: Unix seconds at which the period ends.
        traded: prices of YES in trades, None when there were none.
        previous: price of the last trade before the period, 0 when there was none.
        volume: contracts traded; `turnover` is the sum of each count times its YES price.
    """

    end: int
    yes_bid: Span
    yes_ask: Span
    traded: Span | None
    previous: Decimal
    volume: Decimal
    turnover: Decimal
    open_interest: Decimal

    @property
    def mean(self) -> Decimal | None:
        """Dollars per contract traded, to the wire's four decimals."""
        if not self.volume:
            return None
        return (self.turnover / self.volume).quantize(_PRICE_STEP, ROUND_HALF_EVEN)

    def then(self, later: "Candle") -> "Candle":
        """This candle with a later one of the same period added."""
        traded = self.traded
        if later.traded is not None:
            traded = later.traded if traded is None else traded.then(later.traded)
        return replace(
            self,
            yes_bid=self.yes_bid.then(later.yes_bid),
            yes_ask=self.yes_ask.then(later.yes_ask),
            traded=traded,
            volume=self.volume + later.volume,
            turnover=self.turnover + later.turnover,
            open_interest=later.open_interest,
        )


def period_end(timestamp: int, minutes: Minutes) -> int:
    """Unix seconds at which the period of a moment ends; the end belongs to the period."""
    if minutes < 1440:
        seconds = minutes * 60
        return -(-timestamp // seconds) * seconds
    before = datetime.fromtimestamp(timestamp - 1, _NEW_YORK).date()
    midnight = datetime.combine(before + timedelta(days=1), time(), _NEW_YORK)
    return int(midnight.timestamp())


class Candles:
    """
    The candles of one market, as far back as they are kept.

    Args:
        past: its hours of before it was watched, oldest first; asked for only when somebody looks.
    """

    def __init__(self, past: Callable[[], Sequence[Candle]] = tuple) -> None:
        self._past = cache(past)
        self._finished: dict[Minutes, deque[Candle]] = {
            minutes: deque(maxlen=_KEPT[minutes]) for minutes in _PERIODS
        }
        self._growing: dict[Minutes, Candle | None] = dict.fromkeys(_PERIODS)

    def add(self, before: Tape, after: Tape) -> None:
        """Take in one change of what the market shows."""
        count = after.volume - before.volume
        price = after.last_price
        self._grow(
            1,
            Candle(
                end=period_end(int(after.at.timestamp()), 1),
                yes_bid=span(before.quote.yes_bid, after.quote.yes_bid),
                yes_ask=span(before.quote.yes_ask, after.quote.yes_ask),
                traded=span(price, price) if count else None,
                previous=before.last_price,
                volume=count,
                turnover=count * price,
                open_interest=after.open_interest,
            ),
        )

    def between(self, start: int, end: int, minutes: Minutes) -> list[Candle]:
        """Candles that end within the Unix seconds `start` to `end`, oldest first."""
        return [candle for candle in self._all(minutes) if start <= candle.end <= end]

    def latest_before(self, start: int, minutes: Minutes) -> Candle | None:
        """The last candle that ended before a moment."""
        earlier = [candle for candle in self._all(minutes) if candle.end < start]
        return earlier[-1] if earlier else None

    def _all(self, minutes: Minutes) -> list[Candle]:
        found: list[Candle] = []
        if minutes > 1:
            for hour in self._past():
                _add(found, replace(hour, end=period_end(hour.end, minutes)))
        for finished in self._finished[minutes]:
            _add(found, finished)
        for period in reversed(_PERIODS):
            growing = self._growing[period]
            if period <= minutes and growing is not None:
                _add(found, replace(growing, end=period_end(growing.end, minutes)))
        return found

    def _grow(self, minutes: Minutes, candle: Candle) -> None:
        growing = self._growing[minutes]
        if growing is not None and growing.end == candle.end:
            self._growing[minutes] = growing.then(candle)
            return
        self._growing[minutes] = candle
        if growing is None:
            return
        self._finished[minutes].append(growing)
        if minutes != _PERIODS[-1]:
            longer = _PERIODS[_PERIODS.index(minutes) + 1]
            self._grow(longer, replace(growing, end=period_end(growing.end, longer)))


def span(first: Decimal, last: Decimal) -> Span:
    """The way from one price to another without a turn beyond them."""
    return Span(first, min(first, last), max(first, last), last)


def _add(candles: list[Candle], later: Candle) -> None:
    if candles and candles[-1].end == later.end:
        candles[-1] = candles[-1].then(later)
    else:
        candles.append(later)
