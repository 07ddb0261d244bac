"""
The world at its start: series, events and markets with believable names, and a member who holds
positions.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from sandbox.account import Account
from sandbox.candles import Candle, Candles, period_end, span
from sandbox.exchange import Exchange, Listing
from sandbox.fees import DIRECT
from sandbox.grid import (
    ONE,
    ZERO,
    PriceGrid,
)
from sandbox.listing import Event, Market
from sandbox.market import NEVER_QUOTED, Quote, Tape, walk
from sandbox.occurrences import Occurrence, Outcome, occurrences
from sandbox.position import OutcomeSide

_CASH_PER_POSITION = Decimal(200)
_HISTORY = timedelta(days=9)
# Of an event that is listed while the world runs, from its listing until trading ends.
_SHORTEST_LIFE = timedelta(hours=1)
_OPENS_AFTER = timedelta(minutes=1)


def world(
    *,
    positions: int,
    seed: int,
    now: datetime,
    events_apart: bool = False,
    precision: Decimal = DIRECT,
) -> tuple[Exchange, Account]:
    """
    An exchange and the member who holds that many positions on it.

    The same arguments make the same world. Among fifty positions are an empty side of the book, a
    market that was never quoted and one that is closed.

    Args:
        events_apart: every held market is the first of an event of its own.
        precision: the step of the member's balance in dollars, one of `fees.PRECISIONS`.
    """
    random = Random(seed)
    coming = occurrences(now)
    listings: list[Listing] = []
    held: list[Market] = []
    while len(held) < positions:
        listings.append(_listing(next(coming), now - _HISTORY, now, random))
        of_event = listings[-1][2]
        held += of_event[:1] if events_apart else of_event
    held = held[:positions]

    def next_listing(at: datetime) -> Listing:
        occurrence = next(
            each
            for each in coming
            if each.closes_at > at + _SHORTEST_LIFE and each.ticker not in exchange.events
        )
        series, event, markets = _listing(occurrence, at, at, random)
        for market in markets:
            _leave_unopened(market, at)
        return series, event, markets

    markets = [market for _, _, listed in listings for market in listed]
    exchange = Exchange(
        series={series.ticker: series for series, _, _ in listings}.values(),
        events=[event for _, event, _ in listings],
        markets=markets,
        random=random,
        next_listing=next_listing,
    )
    exchange.advance(now)
    cash = {0: _CASH_PER_POSITION * max(1, positions)}
    account = exchange.open_account(cash, now - _HISTORY, precision=precision)
    purchases = [purchase for market in held for purchase in _purchases(market, random)]
    for purchase in sorted(purchases, key=lambda purchase: purchase.at):
        exchange.hold(
            account, purchase.ticker, purchase.side, purchase.count, purchase.yes_price, purchase.at
        )
    _make_odd(exchange, held, now)
    return exchange, account


def _listing(
    occurrence: Occurrence, created_at: datetime, now: datetime, random: Random
) -> Listing:
    event = Event(
        occurrence.ticker,
        occurrence.series.ticker,
        occurrence.title,
        occurrence.sub_title,
        occurrence.mutually_exclusive,
        created_at,
        starts_at=_after(occurrence.starts_at, created_at),
    )
    markets = (
        _market(occurrence, outcome, created_at, now, random) for outcome in occurrence.outcomes
    )
    return occurrence.series, event, tuple(markets)


def _after(moment: datetime | None, earliest: datetime) -> datetime | None:
    return moment if moment is not None and moment > earliest else None


def _market(
    occurrence: Occurrence, outcome: Outcome, created_at: datetime, now: datetime, random: Random
) -> Market:
    grid = occurrence.grid
    bid = grid.nearest(Decimal(outcome.price))
    ask = grid.prices[grid.index(bid) + 2]
    size = Decimal(random.randint(10, 900))
    volume = Decimal(random.randint(10_000, 9_000_000)).scaleb(-2)
    open_interest = (volume / 2).quantize(Decimal("0.01"))
    previous = Tape(
        Quote(bid, size, ask, size), bid, ONE, volume, open_interest, now - timedelta(days=1)
    )
    tape = previous
    for _ in range(5):
        tape = tape.quoted(walk(tape.quote, grid, random), now)
    last = random.choice((tape.quote.yes_bid, tape.quote.yes_ask))
    tape = tape.traded(last, Decimal(random.randint(1, 90_000)).scaleb(-2), now)
    ticker = f"{occurrence.ticker}-{outcome.suffix}"
    return Market(
        ticker=ticker,
        market_id=str(uuid.uuid5(uuid.NAMESPACE_URL, ticker)),
        event_ticker=occurrence.ticker,
        title=occurrence.title,
        yes_sub_title=outcome.yes,
        no_sub_title=outcome.no,
        rules=f"If the outcome is {outcome.yes}, then the market resolves to Yes.",
        grid=grid,
        exchange_index=occurrence.series.exchange_index,
        created_at=created_at,
        open_time=created_at,
        close_time=occurrence.closes_at,
        previous=previous,
        tape=replace(tape, open_interest=(tape.volume / 2).quantize(Decimal("0.01"))),
        updated_at=created_at,
        candles=Candles(lambda: _past(grid, previous, created_at, Random(ticker))),
    )


def _leave_unopened(market: Market, at: datetime) -> None:
    market.status = "initialized"
    market.open_time = at + _OPENS_AFTER
    market.opening_quote = market.tape.quote
    market.previous = market.tape = Tape(NEVER_QUOTED, ZERO, ZERO, ZERO, ZERO, at)


@dataclass(frozen=True, slots=True)
class _Purchase:
    """Contracts of one side that the member bought before the world began."""

    ticker: str
    side: OutcomeSide
    count: Decimal
    yes_price: Decimal
    at: datetime


def _purchases(market: Market, random: Random) -> Iterator[_Purchase]:
    """One to three of one side over the past days, near where the market stood."""
    side: OutcomeSide = random.choice(("yes", "yes", "no"))
    at = market.created_at
    for _ in range(random.randint(1, 3)):
        at += timedelta(hours=random.randint(1, 60), microseconds=random.randint(0, 999_999))
        whole = Decimal(random.randint(2, 120))
        contracts = (
            whole if random.random() < 0.7 else whole + Decimal(random.randint(1, 99)).scaleb(-2)
        )
        here = market.grid.index(market.previous.quote.yes_bid)
        there = max(0, min(here + random.randint(-8, 8), len(market.grid.prices) - 1))
        yield _Purchase(market.ticker, side, contracts, market.grid.prices[there], at)


def _past(grid: PriceGrid, tape: Tape, since: datetime, random: Random) -> list[Candle]:
    """
    Hours that could have led to where a market stands, found by walking back from there.

    A random walk of its own: who looks at the past must not change what comes.
    """
    top = len(grid.prices) - 2
    bid = min(grid.index(tape.quote.yes_bid), top)
    hours = int((tape.at - since).total_seconds()) // 3600
    volume = (tape.volume / (2 * hours + 1)).quantize(Decimal("0.01"))
    end = period_end(int(tape.at.timestamp()), 60)
    candles: list[Candle] = []
    for hour in range(hours):
        before = max(0, min(bid + random.randint(-3, 3), top))
        opening, closing = grid.prices[before], grid.prices[bid]
        candles.append(
            Candle(
                end=end - 3600 * (hour + 1),
                yes_bid=span(opening, closing),
                yes_ask=span(grid.prices[before + 1], grid.prices[bid + 1]),
                traded=span(opening, closing),
                previous=opening,
                volume=volume,
                turnover=volume * closing,
                open_interest=tape.open_interest,
            )
        )
        bid = before
    return candles[::-1]


def _make_odd(exchange: Exchange, held: list[Market], now: datetime) -> None:
    """Give a few markets the states that a client meets seldom and must not misread."""
    for index, market in enumerate(held):
        quote = market.tape.quote
        match index % 50:
            case 7:
                without_bid = replace(quote, yes_bid=ZERO, yes_bid_size=ZERO)
                market.tape = market.tape.quoted(without_bid, now)
            case 18:
                without_ask = replace(quote, yes_ask=ONE, yes_ask_size=ZERO)
                market.tape = market.tape.quoted(without_ask, now)
            case 29:
                market.tape = Tape(NEVER_QUOTED, ZERO, ZERO, ZERO, ZERO, market.created_at)
                market.previous = market.tape
            case 40:
                market.determination_delay = timedelta(days=2)
                exchange.close(market.ticker, now)
