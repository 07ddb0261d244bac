"""
The order book behind a quote: what lies below the best bid of either side.

Only the best bids are simulated. The levels below them are made up when somebody looks, always the
same ones of a market while its quote stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from sandbox.grid import ONE
from sandbox.listing import Market

_MOST_LEVELS = 8
_WIDEST_GAP = 3


@dataclass(frozen=True, slots=True)
class Level:
    """Contracts bid for at one price, in dollars of the side that is bid for."""

    price: Decimal
    count: Decimal


@dataclass(frozen=True, slots=True)
class Orderbook:
    """Bids for YES and bids for NO, by ascending price: the best is the last of each."""

    yes: tuple[Level, ...]
    no: tuple[Level, ...]


def orderbook(market: Market, depth: int = 0) -> Orderbook:
    """
    The book of a market as it is quoted.

    Args:
        depth: how many of the best levels of each side; 0 is all.
    """
    quote, prices = market.tape.quote, market.grid.prices
    random = Random(market.ticker)
    # Both are made up, whatever is quoted, so that one side does not change the other.
    below, above = _depth(random), _depth(random)
    yes: list[Level] = []
    no: list[Level] = []
    if quote.has_bid:
        best = Level(quote.yes_bid, quote.yes_bid_size)
        yes = _side(best, prices[: market.grid.index(quote.yes_bid)][::-1], below)
    if quote.has_ask:
        best = Level(ONE - quote.yes_ask, quote.yes_ask_size)
        asks = prices[market.grid.index(quote.yes_ask) + 1 :]
        no = _side(best, [ONE - price for price in asks], above)
    return Orderbook(tuple(yes[: depth or None][::-1]), tuple(no[: depth or None][::-1]))


def _depth(random: Random) -> list[tuple[int, Decimal]]:
    """How many ticks each level is from the one before, and how many contracts are bid for."""
    return [
        (random.randint(1, _WIDEST_GAP), Decimal(random.randint(100, 150_000)).scaleb(-2))
        for _ in range(random.randint(3, _MOST_LEVELS))
    ]


def _side(best: Level, worse: Sequence[Decimal], depth: list[tuple[int, Decimal]]) -> list[Level]:
    """The best level and those below it, as far as there are prices."""
    levels = [best]
    tick = -1
    for gap, count in depth:
        tick += gap
        if tick < len(worse):
            levels.append(Level(worse[tick], count))
    return levels
