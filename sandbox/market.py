"""
The book of one market as everybody sees it: best bid and ask, the last trade, and how they wander.

Everything is quoted for YES in dollars, from 0 to 1. NO is the same book read from the other end:
its bid is 1 minus the YES ask. A side of the book exists only when its size is above 0.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from random import Random

from sandbox.grid import ONE, ZERO, PriceGrid

_CENT = Decimal("0.01")
_LEAST_CONTRACTS = Decimal("0.01")
_MOST_CONTRACTS = Decimal(10_000_000)
_JUMP_CHANCE = 0.01
_LARGEST_JUMP_CENTS = 15


@dataclass(frozen=True, slots=True)
class Quote:
    """
    Best bid and ask for YES: prices in dollars, sizes in contracts; a size of 0 is an empty side.
    """

    yes_bid: Decimal
    yes_bid_size: Decimal
    yes_ask: Decimal
    yes_ask_size: Decimal

    @property
    def has_bid(self) -> bool:
        return self.yes_bid_size > 0

    @property
    def has_ask(self) -> bool:
        return self.yes_ask_size > 0

    def without(self, side: str) -> "Quote":
        """The book once the best `yes` bids, or the best `no` bids, are all taken."""
        if side == "yes":
            return replace(self, yes_bid=ZERO, yes_bid_size=ZERO)
        return replace(self, yes_ask=ONE, yes_ask_size=ZERO)


EMPTY_BOOK = Quote(ZERO, ZERO, ONE, ZERO)
# A market nobody ever quoted shows an ask of 0 and thus a NO bid of 1, with no order behind either.
NEVER_QUOTED = Quote(ZERO, ZERO, ZERO, ZERO)


def check_count(count: Decimal) -> None:
    """Raise ValueError unless that many contracts can be traded."""
    if not ZERO < count <= _MOST_CONTRACTS or count % _LEAST_CONTRACTS:
        raise ValueError("a count is above 0, at most 10 million, with at most two decimals")


def check_quote(quote: Quote, grid: PriceGrid) -> None:
    """
    Raise ValueError unless each side is on the grid or empty, the sides do not cross and their
    sizes are counts.
    """
    for size in (quote.yes_bid_size, quote.yes_ask_size):
        if size:
            check_count(size)
    if not quote.has_bid and quote.yes_bid != ZERO:
        raise ValueError("a side without any size has a bid of 0")
    if not quote.has_ask and quote.yes_ask not in (ZERO, ONE):
        raise ValueError("a side without any size has an ask of 1, or 0 if there never was one")
    if quote.has_bid:
        grid.index(quote.yes_bid)
    if quote.has_ask:
        grid.index(quote.yes_ask)
    if quote.has_bid and quote.has_ask and quote.yes_bid >= quote.yes_ask:
        raise ValueError(f"a bid of {quote.yes_bid} crosses an ask of {quote.yes_ask}")


def walk(quote: Quote, grid: PriceGrid, random: Random) -> Quote:
    """
    Where a market is quoted next: a step of about a cent up or down, the spread and sizes changing.

    Now and then there is news, and the price jumps.

    An empty side stays empty. The sides never cross and never leave the grid.
    """
    if not quote.has_bid and not quote.has_ask:
        return quote
    top = len(grid.prices) - 1
    lower = grid.index(quote.yes_bid if quote.has_bid else quote.yes_ask)
    cent = _ticks_in_a_cent(grid, lower)
    cents = random.randint(2, _LARGEST_JUMP_CENTS) if random.random() < _JUMP_CHANCE else 1
    lower += random.randint(1, cent) * cents * random.choice((-1, 1))
    if not (quote.has_bid and quote.has_ask):
        price, size = grid.prices[max(0, min(lower, top))], _size(random)
        if quote.has_bid:
            return replace(quote, yes_bid=price, yes_bid_size=size)
        return replace(quote, yes_ask=price, yes_ask_size=size)
    spread = grid.index(quote.yes_ask) - grid.index(quote.yes_bid)
    spread = max(1, min(spread + random.choice((-1, 0, 1)), 4 * cent))
    lower = max(0, min(lower, top - spread))
    return Quote(grid.prices[lower], _size(random), grid.prices[lower + spread], _size(random))


def _ticks_in_a_cent(grid: PriceGrid, index: int) -> int:
    neighbour = index + 1 if index + 1 < len(grid.prices) else index - 1
    tick = abs(grid.prices[neighbour] - grid.prices[index])
    # The finest ticks lie at the edges, where a whole cent would double or halve the price.
    return min(10, max(1, int(_CENT / tick)))


def _size(random: Random) -> Decimal:
    if random.random() < 0.2:
        return Decimal(random.randint(1, 99_999)).scaleb(-2)
    return Decimal(random.randint(1, 900))


@dataclass(frozen=True, slots=True)
class Tape:
    """
    What the market shows to everybody at one instant.

    Args:
        last_price: YES price of the last trade in dollars, 0 before the first.
        last_trade_size, volume, open_interest: contracts.
        at: when any of it last changed.
    """

    quote: Quote
    last_price: Decimal
    last_trade_size: Decimal
    volume: Decimal
    open_interest: Decimal
    at: datetime

    def quoted(self, quote: Quote, at: datetime) -> "Tape":
        return replace(self, quote=quote, at=at)

    def traded(self, yes_price: Decimal, count: Decimal, at: datetime) -> "Tape":
        # Who traded with whom is not simulated: every trade opens as many contracts as it counts.
        return replace(
            self,
            last_price=yes_price,
            last_trade_size=count,
            volume=self.volume + count,
            open_interest=self.open_interest + count,
            at=at,
        )
