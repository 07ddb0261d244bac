"""The order book of one market, as REST answers it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from kalshi import fixed_point
from kalshi.errors import DecodeError
from kalshi.fields import Fields


@dataclass(frozen=True, slots=True)
class Level:
    """Contracts that are bid for at one price: dollars per contract of the side's own."""

    price: Decimal
    count: Decimal


@dataclass(frozen=True, slots=True)
class OrderBook:
    """
    The bids for YES and those for NO, best first; a bid for NO at p offers YES at 1 - p.

    Decoding it is all or nothing, since a book that lacks a level tells a wrong price.
    """

    yes_bids: tuple[Level, ...]
    no_bids: tuple[Level, ...]

    @classmethod
    def decode(cls, value: object) -> Self:
        book = Fields(Fields(value, "order book answer").value("orderbook_fp"), "order book")
        return cls(_ladder(book, "yes_dollars"), _ladder(book, "no_dollars"))


def _ladder(book: Fields, name: str) -> tuple[Level, ...]:
    # Of an empty side there may be an empty ladder, null, or nothing.
    found = map(_level, book.optional(book.items, name) or [])
    levels = (level for level in found if level.count)
    return tuple(sorted(levels, key=lambda level: level.price, reverse=True))


def _level(value: object) -> Level:
    if not isinstance(value, list) or len(value) != 2:
        raise DecodeError("order book: a level is not a price and a count")
    try:
        level = Level(fixed_point.dollars(value[0]), fixed_point.contracts(value[1]))
    except ValueError:
        raise DecodeError("order book: a level is not of decimal strings") from None
    if not 0 <= level.price <= 1 or level.count < 0:
        raise DecodeError("order book: a level is no bid for a contract")
    return level
