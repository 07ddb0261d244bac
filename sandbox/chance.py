"""
What happens on the exchange without anybody's command: prices wander, others trade, members' orders
meet them, and questions have an answer.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from random import Random

from sandbox.account import Account
from sandbox.grid import ONE, ZERO
from sandbox.listing import Market
from sandbox.market import Quote, Tape, walk
from sandbox.position import OutcomeSide

# How often a change of a quote comes with a trade, and one side of a book runs dry.
_TRADE_CHANCE = 0.3
_DRY_CHANCE = 0.002
_LARGEST_ORDER = 8
_SCALAR_CHANCE = 0.05
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Order:
    """A member's order that trades at once, against the best price of the book."""

    side: OutcomeSide
    count: Decimal
    yes_price: Decimal


class Chance:
    """
    Decides everything that nobody commands.

    Args:
        random: the same one decides the same.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        # Books of which a side ran dry, as they were before.
        self._dry: dict[str, Quote] = {}

    def market(self, active: Sequence[Market]) -> Market | None:
        """One of the markets that has a quote to change."""
        # A few tries find one: only a handful of markets have no quote at all.
        for _ in range(8):
            if not active:
                return None
            market = self._random.choice(active)
            quote = market.tape.quote
            if quote.has_bid or quote.has_ask or market.ticker in self._dry:
                return market
        return None

    def tape(self, market: Market, at: datetime) -> Tape:
        """What the market shows next: quoted anew, and perhaps traded before."""
        quote = self._dry.pop(market.ticker, market.tape.quote)
        tape = market.tape
        if self._random.random() < _TRADE_CHANCE:
            prices = [quote.yes_bid] * quote.has_bid + [quote.yes_ask] * quote.has_ask
            count = Decimal(self._random.randint(1, 5000)).scaleb(-2)
            tape = tape.traded(self._random.choice(prices), count, at)
        walked = walk(quote, market.grid, self._random)
        if self._random.random() < _DRY_CHANCE:
            self._dry[market.ticker] = walked
            walked = walked.without(self._random.choice(("yes", "no")))
        return tape.quoted(walked, at)

    def forget(self, ticker: str) -> None:
        """A command quoted the market: what ran dry does not come back."""
        self._dry.pop(ticker, None)

    def strikes(self, probability: float) -> bool:
        """Whether something of a probability, 0 to 1, happens."""
        return self._random.random() < probability

    def one_of(self, members: Sequence[Account]) -> Account:
        """Whose turn it is."""
        return self._random.choice(members)

    def order(self, market: Market, cash: Decimal) -> Order | None:
        """A small order of a member who has the cash for it; None when nobody would take it."""
        quote = market.tape.quote
        offers: list[tuple[OutcomeSide, Decimal]] = []
        if quote.has_ask:
            offers.append(("yes", quote.yes_ask))
        if quote.has_bid:
            offers.append(("no", quote.yes_bid))
        if not offers or cash < 2 * _LARGEST_ORDER:
            return None
        side, yes_price = self._random.choice(offers)
        return Order(side, Decimal(self._random.randint(1, _LARGEST_ORDER)), yes_price)

    def yes_value(self, market: Market) -> Decimal:
        """What a YES contract pays, as likely as the market last thought it to be."""
        last = market.tape.last_price
        if self._random.random() < _SCALAR_CHANCE:
            return last.quantize(_CENT)
        return ONE if self._random.random() < last else ZERO

    def identifier(self) -> str:
        """A new UUID."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))
