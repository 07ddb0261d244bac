"""
Events that could be listed: an endless row of them with believable names.

They come round and round from a few kinds (weather, elections, the Fed, crypto, baseball, combos),
each round a day, a state or a game further on, so there is always a new one.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

from sandbox.grid import (
    CENTER_DECI_EDGE_CENTI_CENT,
    DECI_CENT,
    LINEAR_CENT,
    ONE,
    TAPERED_DECI_CENT,
    PriceGrid,
)
from sandbox.listing import Series

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


_GAME = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    One market of an event: what its ticker ends in, what its sides are called, a first YES price.
    """

    suffix: str
    yes: str
    no: str
    price: str


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One event with its outcomes."""

    series: Series
    ticker: str
    title: str
    sub_title: str
    mutually_exclusive: bool
    closes_at: datetime
    grid: PriceGrid
    outcomes: tuple[Outcome, ...]
    starts_at: datetime | None = None


def occurrences(now: datetime) -> Iterator[Occurrence]:
    """Events without end, the kinds taking turns."""
    kinds: tuple[Callable[[int, datetime], Occurrence], ...] = (
        _temperature, _fed_decision, _bitcoin, _governor, _baseball_game, _combo, _inflation,
    )  # fmt: skip
    for turn in count():
        for kind in kinds:
            yield kind(turn, now)


def _on_the_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _month(now: datetime, ahead: int) -> datetime:
    """The tenth of a month to come."""
    years, month = divmod(now.month - 1 + ahead, 12)
    return _on_the_hour(now).replace(year=now.year + years, month=month + 1, day=10)


def _temperature(turn: int, now: datetime) -> Occurrence:
    code, city, warmth = _CITIES[turn % len(_CITIES)]
    day = 2 + turn // len(_CITIES)
    low = warmth + turn % 5
    series = Series(f"KXHIGH{code}", f"Highest temperature in {city}", "Climate and Weather",
                    ONE, 0, ("National Weather Service", "https://www.weather.gov"))  # fmt: skip
    on = now + timedelta(days=day)
    date = f"{on:%b} {on.day}"
    return Occurrence(
        series,
        f"{series.ticker}-{on:%y%b%d}".upper(),
        f"Highest temperature in {city} on {date}?",
        f"On {date}, {on:%Y}",
        True,
        _on_the_hour(now) + timedelta(days=day),
        LINEAR_CENT,
        (
            Outcome(f"T{low}", f"{low - 1}° or below", f"{low - 1}° or below", "0.12"),
            Outcome(f"B{low}.5", f"{low}° to {low + 1}°", f"{low}° to {low + 1}°", "0.31"),
            Outcome(
                f"B{low + 2}.5", f"{low + 2}° to {low + 3}°", f"{low + 2}° to {low + 3}°", "0.38"
            ),
            Outcome(f"T{low + 3}", f"{low + 4}° or above", f"{low + 4}° or above", "0.14"),
        ),
    )


def _fed_decision(turn: int, now: datetime) -> Occurrence:
    on = _month(now, 1 + 2 * turn)
    return Occurrence(
        _SERIES["KXFEDDECISION"],
        f"KXFEDDECISION-{on:%y%b}".upper(),
        f"Fed decision in {on:%b %Y}?",
        f"{on:%b %Y} meeting",
        True,
        _on_the_hour(on),
        TAPERED_DECI_CENT,
        (
            Outcome("H0", "Fed maintains rate", "Fed maintains rate", "0.62"),
            Outcome("C25", "Cut 25bps", "Cut 25bps", "0.33"),
            Outcome("C26", "Cut more than 25bps", "Cut more than 25bps", "0.024"),
        ),
    )


def _bitcoin(turn: int, now: datetime) -> Occurrence:
    on = now + timedelta(days=3 + turn)
    base = 96_000 + 500 * (turn % 13)
    prices = ("0.84", "0.485", "0.113")
    return Occurrence(
        _SERIES["KXBTCD"],
        f"KXBTCD-{on:%y%b%d}17".upper(),
        f"Bitcoin price on {on:%b} {on.day}, {on:%Y} at 5pm EST?",
        f"{on:%b} {on.day}, {on:%Y}",
        False,
        _on_the_hour(on),
        DECI_CENT,
        tuple(
            Outcome(f"T{strike - 1}.99", f"${strike:,} or above", f"${strike:,} or above", price)
            for strike, price in zip((base, base + 4000, base + 9000), prices, strict=True)
        ),
    )


def _governor(turn: int, now: datetime) -> Occurrence:
    (code, state), year = _STATES[turn % len(_STATES)], 2028 + 2 * (turn // len(_STATES))
    democrat = 35 + 4 * (turn % 9)
    return Occurrence(
        _SERIES["KXGOVPARTY"],
        f"KXGOVPARTY{code}-{year % 100}",
        f"{state} Governor winner?",
        f"{year} election, by party",
        True,
        _on_the_hour(now) + timedelta(days=365 * (year - 2026)),
        LINEAR_CENT,
        (
            Outcome("D", "Democratic party", "Democratic party", f"0.{democrat}"),
            Outcome("R", "Republican party", "Republican party", f"0.{98 - democrat}"),
        ),
    )


def _baseball_game(turn: int, now: datetime) -> Occurrence:
    (away, away_city), (home, home_city) = _game(turn)
    on = now + timedelta(days=4 + turn // 6)
    favourite = 44 + 3 * (turn % 5)
    return Occurrence(
        _SERIES["KXMLBGAME"],
        f"KXMLBGAME-{on:%y%b%d}1905{away}{home}".upper(),
        f"{away_city} vs {home_city} Winner?",
        f"{away} vs {home} ({on:%b} {on.day})",
        True,
        _on_the_hour(on),
        LINEAR_CENT,
        (
            Outcome(home, home_city, home_city, f"0.{favourite}"),
            Outcome(away, away_city, away_city, f"0.{98 - favourite}"),
        ),
        starts_at=_on_the_hour(on) - _GAME,
    )


def _game(turn: int) -> tuple[tuple[str, str], tuple[str, str]]:
    # Six games a day, every day another pairing.
    shift = 1 + 2 * (turn // 6 % 6)
    first = 2 * (turn % 6)
    return _TEAMS[first], _TEAMS[(first + shift) % len(_TEAMS)]


def _combo(turn: int, now: datetime) -> Occurrence:
    (away, away_city), (home, home_city) = _game(turn)
    _, third_city = _TEAMS[(turn + 5) % len(_TEAMS)]
    legs = (
        f"yes {home_city},no {away_city} wins by over 2.5 runs,yes {third_city}: 9+ runs scored,"
        f"yes {away_city}: 4+ runs scored"
    )
    code = uuid.uuid5(uuid.NAMESPACE_URL, f"combo {turn}").hex.upper()
    return Occurrence(
        _SERIES["KXMVESPORTSMULTIGAMEEXTENDED"],
        f"KXMVESPORTSMULTIGAMEEXTENDED-S{now:%Y}{code[:11]}",
        legs,
        f"{away} at {home}, and more",
        False,
        _on_the_hour(now) + timedelta(days=4 + turn // 6),
        CENTER_DECI_EDGE_CENTI_CENT,
        (Outcome(code[11:22], legs, legs, ("0.2275", "0.0086", "0.061")[turn % 3]),),
    )


def _inflation(turn: int, now: datetime) -> Occurrence:
    on = _month(now, 1 + turn)
    return Occurrence(
        _SERIES["KXCPIYOY"],
        f"KXCPIYOY-{on:%y%b}".upper(),
        f"CPI year-over-year in {on:%b %Y}?",
        f"In {on:%b %Y}",
        False,
        _on_the_hour(on),
        TAPERED_DECI_CENT,
        (
            Outcome("T2.6", "Above 2.6%", "2.6% or below", "0.91"),
            Outcome("T2.8", "Above 2.8%", "2.8% or below", "0.57"),
            Outcome("T3.0", "Above 3.0%", "3.0% or below", "0.085"),
        ),
    )
