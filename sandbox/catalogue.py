"""
The world at its start: series, events and markets with believable names, and a member who holds
positions.

Markets come round and round from a few kinds (weather, elections, the Fed, crypto, baseball,
combos), each round a day, a state or a game further on, so there is a new one for every position
asked for.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random

from sandbox.account import Account
from sandbox.candles import Candle, Candles, period_end, span
from sandbox.exchange import Exchange, Listing
from sandbox.grid import (
    CENTER_DECI_EDGE_CENTI_CENT,
    DECI_CENT,
    LINEAR_CENT,
    ONE,
    TAPERED_DECI_CENT,
    ZERO,
    PriceGrid,
)
from sandbox.listing import Event, Market, Series
from sandbox.market import NEVER_QUOTED, Quote, Tape, walk
from sandbox.position import OutcomeSide

_CASH_PER_POSITION = Decimal(200)
_HISTORY = timedelta(days=9)
# Of an event that is listed while the world runs, from its listing until trading ends.
_SHORTEST_LIFE = timedelta(hours=1)
_OPENS_AFTER = timedelta(minutes=1)

_SERIES = {
    each.ticker: each
    for each in (
        Series("KXFEDDECISION", "Fed meeting", "Economics", ONE, 0,
               ("Federal Reserve", "https://www.federalreserve.gov")),
        Series("KXGOVPARTY", "Governor election", "Elections", ONE, 0,
               ("Associated Press", "https://apnews.com")),
        Series("KXBTCD", "Bitcoin price", "Crypto", ONE, 2,
               ("CF Benchmarks", "https://www.cfbenchmarks.com")),
        Series("KXMLBGAME", "Professional baseball game", "Sports", Decimal("0.5"), 3,
               ("MLB", "https://www.mlb.com"), "quadratic_with_maker_fees"),
        Series("KXMVESPORTSMULTIGAMEEXTENDED", "Sports combo", "Sports", ONE, 1,
               ("MLB", "https://www.mlb.com"), "quadratic_with_combo_maker_fees"),
        Series("KXCPIYOY", "Inflation", "Economics", ONE, 0,
               ("Bureau of Labor Statistics", "https://www.bls.gov")),
    )
}  # fmt: skip

# With the highest temperature, in °F, that nobody there would be surprised by.
_CITIES = (("NY", "NYC", 47), ("CHI", "Chicago", 41), ("MIA", "Miami", 79), ("AUS", "Austin", 66),
           ("DEN", "Denver", 49), ("LAX", "Los Angeles", 68),
           ("PHIL", "Philadelphia", 48))  # fmt: skip
_STATES = (("AZ", "Arizona"), ("GA", "Georgia"), ("MI", "Michigan"), ("NV", "Nevada"),
           ("PA", "Pennsylvania"), ("WI", "Wisconsin"), ("KS", "Kansas"), ("IA", "Iowa"),
           ("OH", "Ohio"), ("ME", "Maine"))  # fmt: skip
_TEAMS = (("NYY", "New York Y"), ("BOS", "Boston"), ("TOR", "Toronto"), ("PHI", "Philadelphia"),
          ("LAD", "Los Angeles D"), ("SD", "San Diego"), ("CHC", "Chicago C"),
          ("MIL", "Milwaukee"), ("HOU", "Houston"), ("SEA", "Seattle"), ("ATL", "Atlanta"),
          ("DET", "Detroit"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Outcome:
    """
    One market of an event: what its ticker ends in, what its sides are called, a first YES price.
    """

    suffix: str
    yes: str
    no: str
    price: str


@dataclass(frozen=True, slots=True)
class _Occurrence:
    """One event with its outcomes."""

    series: Series
    ticker: str
    title: str
    sub_title: str
    mutually_exclusive: bool
    closes_at: datetime
    grid: PriceGrid
    outcomes: tuple[_Outcome, ...]


def world(*, positions: int, seed: int, now: datetime) -> tuple[Exchange, Account]:
    """
    An exchange and the member who holds that many positions on it.

    The same arguments make the same world. Among fifty positions are an empty side of the book, a
    market that was never quoted and one that is closed.
    """
    random = Random(seed)
    occurrences = _occurrences(now)
    listings: list[Listing] = []
    while sum(len(markets) for _, _, markets in listings) < positions:
        listings.append(_listing(next(occurrences), now - _HISTORY, now, random))

    def next_listing(at: datetime) -> Listing:
        occurrence = next(
            each
            for each in occurrences
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
    account = exchange.open_account({0: _CASH_PER_POSITION * max(1, positions)}, now - _HISTORY)
    held = markets[:positions]
    purchases = [purchase for market in held for purchase in _purchases(market, random)]
    for purchase in sorted(purchases, key=lambda purchase: purchase.at):
        exchange.hold(
            account, purchase.ticker, purchase.side, purchase.count, purchase.yes_price, purchase.at
        )
    _make_odd(exchange, held, now)
    return exchange, account


def _listing(
    occurrence: _Occurrence, created_at: datetime, now: datetime, random: Random
) -> Listing:
    event = Event(
        occurrence.ticker,
        occurrence.series.ticker,
        occurrence.title,
        occurrence.sub_title,
        occurrence.mutually_exclusive,
        created_at,
    )
    markets = (
        _market(occurrence, outcome, created_at, now, random) for outcome in occurrence.outcomes
    )
    return occurrence.series, event, tuple(markets)


def _market(
    occurrence: _Occurrence, outcome: _Outcome, created_at: datetime, now: datetime, random: Random
) -> Market:
    grid = occurrence.grid
    bid = grid.nearest(Decimal(outcome.price))
    ask = grid.prices[grid.index(bid) + 2]
    size = Decimal(random.randint(10, 900))
    volume = Decimal(random.randint(10_000, 9_000_000)).scaleb(-2)
    previous = Tape(
        Quote(bid, size, ask, size), bid, ONE, volume, volume / 2, now - timedelta(days=1)
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


def _on_the_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _month(now: datetime, ahead: int) -> datetime:
    """The tenth of a month to come."""
    years, month = divmod(now.month - 1 + ahead, 12)
    return _on_the_hour(now).replace(year=now.year + years, month=month + 1, day=10)


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


# The kinds of events


def _occurrences(now: datetime) -> Iterator[_Occurrence]:
    """Events without end, the kinds taking turns."""
    kinds: tuple[Callable[[int, datetime], _Occurrence], ...] = (
        _temperature, _fed_decision, _bitcoin, _governor, _baseball_game, _combo, _inflation,
    )  # fmt: skip
    for turn in count():
        for kind in kinds:
            yield kind(turn, now)


def _temperature(turn: int, now: datetime) -> _Occurrence:
    code, city, warmth = _CITIES[turn % len(_CITIES)]
    day = 2 + turn // len(_CITIES)
    low = warmth + turn % 5
    series = Series(f"KXHIGH{code}", f"Highest temperature in {city}", "Climate and Weather",
                    ONE, 0, ("National Weather Service", "https://www.weather.gov"))  # fmt: skip
    on = now + timedelta(days=day)
    date = f"{on:%b} {on.day}"
    return _Occurrence(
        series,
        f"{series.ticker}-{on:%y%b%d}".upper(),
        f"Highest temperature in {city} on {date}?",
        f"On {date}, {on:%Y}",
        True,
        _on_the_hour(now) + timedelta(days=day),
        LINEAR_CENT,
        (
            _Outcome(f"T{low}", f"{low - 1}° or below", f"{low - 1}° or below", "0.12"),
            _Outcome(f"B{low}.5", f"{low}° to {low + 1}°", f"{low}° to {low + 1}°", "0.31"),
            _Outcome(
                f"B{low + 2}.5", f"{low + 2}° to {low + 3}°", f"{low + 2}° to {low + 3}°", "0.38"
            ),
            _Outcome(f"T{low + 3}", f"{low + 4}° or above", f"{low + 4}° or above", "0.14"),
        ),
    )


def _fed_decision(turn: int, now: datetime) -> _Occurrence:
    on = _month(now, 1 + 2 * turn)
    return _Occurrence(
        _SERIES["KXFEDDECISION"],
        f"KXFEDDECISION-{on:%y%b}".upper(),
        f"Fed decision in {on:%b %Y}?",
        f"{on:%b %Y} meeting",
        True,
        _on_the_hour(on),
        TAPERED_DECI_CENT,
        (
            _Outcome("H0", "Fed maintains rate", "Fed maintains rate", "0.62"),
            _Outcome("C25", "Cut 25bps", "Cut 25bps", "0.33"),
            _Outcome("C26", "Cut more than 25bps", "Cut more than 25bps", "0.024"),
        ),
    )


def _bitcoin(turn: int, now: datetime) -> _Occurrence:
    on = now + timedelta(days=3 + turn)
    base = 96_000 + 500 * (turn % 13)
    prices = ("0.84", "0.485", "0.113")
    return _Occurrence(
        _SERIES["KXBTCD"],
        f"KXBTCD-{on:%y%b%d}17".upper(),
        f"Bitcoin price on {on:%b} {on.day}, {on:%Y} at 5pm EST?",
        f"{on:%b} {on.day}, {on:%Y}",
        False,
        _on_the_hour(on),
        DECI_CENT,
        tuple(
            _Outcome(f"T{strike - 1}.99", f"${strike:,} or above", f"${strike:,} or above", price)
            for strike, price in zip((base, base + 4000, base + 9000), prices, strict=True)
        ),
    )


def _governor(turn: int, now: datetime) -> _Occurrence:
    (code, state), year = _STATES[turn % len(_STATES)], 2028 + 2 * (turn // len(_STATES))
    democrat = 35 + 4 * (turn % 9)
    return _Occurrence(
        _SERIES["KXGOVPARTY"],
        f"KXGOVPARTY{code}-{year % 100}",
        f"{state} Governor winner?",
        f"{year} election, by party",
        True,
        _on_the_hour(now) + timedelta(days=365 * (year - 2026)),
        LINEAR_CENT,
        (
            _Outcome("D", "Democratic party", "Democratic party", f"0.{democrat}"),
            _Outcome("R", "Republican party", "Republican party", f"0.{98 - democrat}"),
        ),
    )


def _baseball_game(turn: int, now: datetime) -> _Occurrence:
    (away, away_city), (home, home_city) = _game(turn)
    on = now + timedelta(days=4 + turn // 6)
    favourite = 44 + 3 * (turn % 5)
    return _Occurrence(
        _SERIES["KXMLBGAME"],
        f"KXMLBGAME-{on:%y%b%d}1905{away}{home}".upper(),
        f"{away_city} vs {home_city} Winner?",
        f"{away} vs {home} ({on:%b} {on.day})",
        True,
        _on_the_hour(on),
        LINEAR_CENT,
        (
            _Outcome(home, home_city, home_city, f"0.{favourite}"),
            _Outcome(away, away_city, away_city, f"0.{98 - favourite}"),
        ),
    )


def _game(turn: int) -> tuple[tuple[str, str], tuple[str, str]]:
    # Six games a day, every day another pairing.
    shift = 1 + 2 * (turn // 6 % 6)
    first = 2 * (turn % 6)
    return _TEAMS[first], _TEAMS[(first + shift) % len(_TEAMS)]


def _combo(turn: int, now: datetime) -> _Occurrence:
    (away, away_city), (home, home_city) = _game(turn)
    _, third_city = _TEAMS[(turn + 5) % len(_TEAMS)]
    legs = (
        f"yes {home_city},no {away_city} wins by over 2.5 runs,yes {third_city}: 9+ runs scored,"
        f"yes {away_city}: 4+ runs scored"
    )
    code = uuid.uuid5(uuid.NAMESPACE_URL, f"combo {turn}").hex.upper()
    return _Occurrence(
        _SERIES["KXMVESPORTSMULTIGAMEEXTENDED"],
        f"KXMVESPORTSMULTIGAMEEXTENDED-S{now:%Y}{code[:11]}",
        legs,
        f"{away} at {home}, and more",
        False,
        _on_the_hour(now) + timedelta(days=4 + turn // 6),
        CENTER_DECI_EDGE_CENTI_CENT,
        (_Outcome(code[11:22], legs, legs, ("0.2275", "0.0086", "0.061")[turn % 3]),),
    )


def _inflation(turn: int, now: datetime) -> _Occurrence:
    on = _month(now, 1 + turn)
    return _Occurrence(
        _SERIES["KXCPIYOY"],
        f"KXCPIYOY-{on:%y%b}".upper(),
        f"CPI year-over-year in {on:%b %Y}?",
        f"In {on:%b %Y}",
        False,
        _on_the_hour(on),
        TAPERED_DECI_CENT,
        (
            _Outcome("T2.6", "Above 2.6%", "2.6% or below", "0.91"),
            _Outcome("T2.8", "Above 2.8%", "2.8% or below", "0.57"),
            _Outcome("T3.0", "Above 3.0%", "3.0% or below", "0.085"),
        ),
    )
