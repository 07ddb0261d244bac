"""
The exchange's state and what can happen to it.

Commands change the state and return what happened as values, in the order in which members hear of
it. Time comes in as an argument and randomness with the constructor, so the same seed and the same
sequence of commands make the same world.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Literal

from sandbox.account import Account, ApiKey, Fill, OutcomeSide, Portfolio, Position
from sandbox.fees import MAKER_RATE, TAKER_RATE, fill_fee
from sandbox.market import EMPTY_BOOK, ONE, ZERO, PriceGrid, Quote, Tape, check_quote, walk

MarketStatus = Literal["active", "closed", "determined"]
Result = Literal["", "yes", "no", "scalar"]

# How often a change of a quote comes with a trade, and how large the member's own are.
_TRADE_CHANCE = 0.3
_LARGEST_OWN_FILL = 8


@dataclass(frozen=True, slots=True)
class Series:
    """A family of events with the same rules and the same fees."""

    ticker: str
    title: str
    category: str
    fee_multiplier: Decimal
    exchange_index: int
    settlement_source: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Event:
    """One occurrence with one market for each outcome."""

    ticker: str
    series_ticker: str
    title: str
    sub_title: str
    mutually_exclusive: bool
    created_at: datetime


@dataclass(slots=True)
class Market:
    """One outcome: its terms, which stay, then the state, which does not."""

    ticker: str
    market_id: str
    event_ticker: str
    title: str
    yes_sub_title: str
    no_sub_title: str
    rules: str
    grid: PriceGrid
    exchange_index: int
    created_at: datetime
    close_time: datetime
    previous: Tape
    tape: Tape
    updated_at: datetime
    status: MarketStatus = "active"
    result: Result = ""
    settlement_value: Decimal | None = None

    @property
    def yes_value(self) -> Decimal | None:
        """What the exchange values a YES contract at in dollars; None before the first trade."""
        if self.settlement_value is not None:
            return self.settlement_value
        return self.tape.last_price or None


@dataclass(frozen=True, slots=True)
class TickerChanged:
    """A quote or the last trade changed."""

    market: Market


@dataclass(frozen=True, slots=True)
class Filled:
    """A member's order traded; `position` is the holding after it."""

    user_id: str
    subaccount: int
    market: Market
    fill: Fill
    position: Position


@dataclass(frozen=True, slots=True)
class Determined:
    """A market's outcome is known."""

    market: Market
    at: datetime


Happening = TickerChanged | Filled | Determined


class Exchange:
    """
    Markets by ticker, members, and the commands that move both.

    Args:
        random: decides everything that nobody commands.
    """

    def __init__(
        self,
        *,
        series: Iterable[Series],
        events: Iterable[Event],
        markets: Iterable[Market],
        random: Random,
    ) -> None:
        self.series: Mapping[str, Series] = {each.ticker: each for each in series}
        self.events: Mapping[str, Event] = {each.ticker: each for each in events}
        self.markets: Mapping[str, Market] = {each.ticker: each for each in markets}
        self.accounts: dict[str, Account] = {}
        self.exchange_active = True
        self.resume_time: datetime | None = None
        self._random = random
        self._keys: dict[str, ApiKey] = {}
        # Markets that trade; the random walk picks from it once for every update.
        self._active = [each for each in self.markets.values() if each.status == "active"]

    # Members

    def open_account(self, cash: Mapping[int, Decimal], at: datetime) -> Account:
        """A new member with cash in each subaccount; 0, the primary one, is among them."""
        account = Account(
            user_id=self._new_id(),
            portfolios={
                subaccount: Portfolio(subaccount, dollars, at)
                for subaccount, dollars in cash.items()
            },
        )
        self.accounts[account.user_id] = account
        return account

    def add_key(self, key: ApiKey) -> None:
        self.accounts[key.user_id].keys[key.api_key_id] = key
        self._keys[key.api_key_id] = key

    def revoke_key(self, api_key_id: str) -> None:
        """Forget a key; KeyError when there is none of that id."""
        key = self._keys.pop(api_key_id)
        del self.accounts[key.user_id].keys[api_key_id]

    def key(self, api_key_id: str) -> ApiKey | None:
        return self._keys.get(api_key_id)

    # Markets

    def set_quote(self, ticker: str, quote: Quote, at: datetime) -> tuple[Happening, ...]:
        """
        Quote an active market; ValueError when it is not active or the quote is none of its grid.
        """
        market = self._tradable(ticker)
        check_quote(quote, market.grid)
        market.tape = market.tape.quoted(quote, at)
        return (TickerChanged(market),)

    def trade(
        self, ticker: str, yes_price: Decimal, count: Decimal, at: datetime
    ) -> tuple[Happening, ...]:
        """
        Let others trade; ValueError when the market is not active or the price not on its grid.
        """
        market = self._tradable(ticker)
        market.grid.index(yes_price)
        market.tape = market.tape.traded(yes_price, count, at)
        return (TickerChanged(market),)

    def fill(
        self,
        account: Account,
        ticker: str,
        side: OutcomeSide,
        count: Decimal,
        yes_price: Decimal,
        at: datetime,
        *,
        is_taker: bool = True,
        subaccount: int = 0,
    ) -> tuple[Happening, ...]:
        """Let a member's order trade, with its fee; ValueError as for `trade`."""
        market = self._tradable(ticker)
        market.grid.index(yes_price)
        market.tape = market.tape.traded(yes_price, count, at)
        filled = self._book(account, market, side, count, yes_price, at, is_taker, subaccount)
        return (filled, TickerChanged(market))

    def close(self, ticker: str, at: datetime) -> tuple[Happening, ...]:
        """
        End trading: the book is emptied, the last trade stays. No lifecycle message tells of it.
        """
        market = self._tradable(ticker)
        self._active.remove(market)
        market.status = "closed"
        market.close_time = min(market.close_time, at)
        market.updated_at = at
        market.tape = market.tape.quoted(EMPTY_BOOK, at)
        return (TickerChanged(market),)

    def determine(self, ticker: str, yes_value: Decimal, at: datetime) -> tuple[Happening, ...]:
        """
        Decide a market, closing it first if need be.

        Args:
            yes_value: what a YES contract pays: 1, 0, or between for a scalar result.
        """
        market = self.markets[ticker]
        happened = self.close(ticker, at) if market.status == "active" else ()
        market.status = "determined"
        market.settlement_value = yes_value
        market.result = "yes" if yes_value == ONE else "no" if yes_value == ZERO else "scalar"
        market.updated_at = at
        return (*happened, Determined(market, at))

    def step(self, at: datetime, own_fill_chance: float = 0.0) -> tuple[Happening, ...]:
        """
        One random update: a market is quoted anew, perhaps traded, perhaps by a member.

        Markets whose close time has come are closed first.

        Args:
            own_fill_chance: probability, 0 to 1, that one of the members' orders trades.
        """
        happened = [
            each
            for market in [market for market in self._active if market.close_time <= at]
            for each in self.close(market.ticker, at)
        ]
        if self._random.random() < own_fill_chance:
            happened += self._random_own_fill(at)
        quoted = self._random_quoted_market()
        if quoted is not None:
            self._walk(quoted, at)
            happened.append(TickerChanged(quoted))
        return tuple(happened)

    def _random_quoted_market(self) -> Market | None:
        # A few tries find one: only a handful of markets have no quote at all.
        for _ in range(8):
            if not self._active:
                return None
            market = self._random.choice(self._active)
            if market.tape.quote.has_bid or market.tape.quote.has_ask:
                return market
        return None

    def _walk(self, market: Market, at: datetime) -> None:
        quote = market.tape.quote
        if self._random.random() < _TRADE_CHANCE:
            prices = [quote.yes_bid] * quote.has_bid + [quote.yes_ask] * quote.has_ask
            count = Decimal(self._random.randint(1, 5000)).scaleb(-2)
            market.tape = market.tape.traded(self._random.choice(prices), count, at)
        market.tape = market.tape.quoted(walk(quote, market.grid, self._random), at)

    def _random_own_fill(self, at: datetime) -> tuple[Happening, ...]:
        account = self._random.choice(list(self.accounts.values()))
        portfolio = account.portfolios[0]
        market = self._random_quoted_market()
        position = portfolio.positions.get(market.ticker) if market else None
        if market is None or position is None:
            return ()
        if portfolio.cash < 2 * _LARGEST_OWN_FILL:
            return ()
        quote = market.tape.quote
        offers: list[tuple[OutcomeSide, Decimal]] = []
        if quote.has_ask:
            offers.append(("yes", quote.yes_ask))
        if quote.has_bid:
            offers.append(("no", quote.yes_bid))
        side, yes_price = self._random.choice(offers)
        count = Decimal(self._random.randint(1, _LARGEST_OWN_FILL))
        return self.fill(account, market.ticker, side, count, yes_price, at)

    def hold(
        self,
        account: Account,
        ticker: str,
        side: OutcomeSide,
        count: Decimal,
        yes_price: Decimal,
        at: datetime,
        *,
        subaccount: int = 0,
    ) -> None:
        """
        Give a member a position bought before the world began; the market does not show the trade.
        """
        self._book(account, self.markets[ticker], side, count, yes_price, at, True, subaccount)

    def _book(
        self,
        account: Account,
        market: Market,
        side: OutcomeSide,
        count: Decimal,
        yes_price: Decimal,
        at: datetime,
        is_taker: bool,
        subaccount: int,
    ) -> Filled:
        series = self.series[self.events[market.event_ticker].series_ticker]
        rate = (TAKER_RATE if is_taker else MAKER_RATE) * series.fee_multiplier
        portfolio = account.portfolios[subaccount]
        fill = portfolio.book(
            market.ticker,
            side,
            count,
            yes_price,
            fee=fill_fee(count, yes_price if side == "yes" else ONE - yes_price, rate),
            is_taker=is_taker,
            trade_id=self._new_id(),
            order_id=self._new_id(),
            at=at,
        )
        position = portfolio.positions[market.ticker]
        return Filled(account.user_id, subaccount, market, fill, position)

    def _tradable(self, ticker: str) -> Market:
        market = self.markets[ticker]
        if market.status != "active":
            raise ValueError(f"{ticker} is {market.status}")
        return market

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))
