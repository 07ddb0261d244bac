"""
The exchange's state and what can happen to it.

Commands change the state and return what happened as values, in the order in which members hear of
it. Time comes in as an argument and randomness with the constructor, so the same seed and the same
sequence of commands make the same world.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from heapq import heappop, heappush
from random import Random

from sandbox.account import Account, Portfolio
from sandbox.chance import Chance
from sandbox.collateral import returnable
from sandbox.fees import FeeType, fee_rate, fill_fee
from sandbox.grid import ONE, ZERO
from sandbox.happenings import (
    EventListed,
    FeesChanged,
    Filled,
    Happening,
    LifecycleChanged,
    PaidOut,
    TickerChanged,
)
from sandbox.listing import Event, Market, MarketStatus, Series, result_of
from sandbox.market import EMPTY_BOOK, Quote, Tape, check_count, check_quote
from sandbox.membership import Membership
from sandbox.position import OutcomeSide, price_of

_CENT = Decimal("0.01")
_HIGHEST_MULTIPLIER = 100
# How far back the live data reaches; the exchange itself opened in 2021.
_LIVE = timedelta(days=90)
_OPENING = datetime(2021, 7, 1, tzinfo=UTC)

Listing = tuple[Series, Event, tuple[Market, ...]]


class Exchange(Membership):
    """
    Markets by ticker, members, and the commands that move both.

    Args:
        random: decides everything that nobody commands.
        next_listing: the event that takes the place of one which is over; without it none does.

    `history_before` parts the live data from the archived; while `exchange_active` or
    `trading_active` is False nothing trades.
    """

    def __init__(
        self,
        *,
        series: Iterable[Series],
        events: Iterable[Event],
        markets: Iterable[Market],
        random: Random,
        next_listing: Callable[[datetime], Listing] | None = None,
    ) -> None:
        super().__init__(Chance(random))
        self.series: dict[str, Series] = {each.ticker: each for each in series}
        self.events: dict[str, Event] = {}
        self.markets: dict[str, Market] = {}
        self.tickers_by_id: dict[str, str] = {}
        self.exchange_active = True
        self.trading_active = True
        self.resume_time: datetime | None = None
        self.history_before = _OPENING
        self._next_listing = next_listing
        self._in_event: dict[str, list[Market]] = {}
        # Markets that trade; the random walk picks from it once for every update.
        self._active: list[Market] = []
        # When the next market changes its status by time alone; entries may be out of date.
        self._due: list[tuple[datetime, str]] = []
        for event in events:
            self._add_event(event)
        for market in markets:
            self._add_market(market)

    # Listing

    def list_event(
        self, series: Series, event: Event, markets: Iterable[Market], at: datetime
    ) -> tuple[Happening, ...]:
        """
        Begin an event with its markets, on the shard of its series.

        Raises:
            ValueError: the series is known with another category or other fees.
        """
        known = self.series.setdefault(series.ticker, series)
        if series.terms != known.terms:
            raise ValueError(f"{known.ticker} has other terms: {', '.join(map(str, known.terms))}")
        self._add_event(event)
        happened: list[Happening] = [EventListed(event, known.exchange_index)]
        for market in markets:
            market.exchange_index = known.exchange_index
            self._add_market(market)
            happened.append(LifecycleChanged(market, "created", at))
        return tuple(happened)

    def set_fees(
        self, event_ticker: str, override: tuple[FeeType, Decimal] | None
    ) -> tuple[Happening, ...]:
        """
        Give one event fees of its own, or with None its series' again.

        Raises:
            KeyError: there is no such event.
            ValueError: the multiplier is negative or above 100.
        """
        if override is not None and not ZERO <= override[1] <= _HIGHEST_MULTIPLIER:
            raise ValueError("a fee multiplier is from 0 to 100")
        event = replace(self.events[event_ticker], fee_override=override)
        self.events[event_ticker] = event
        self._changed(event)
        return (FeesChanged(event),)

    def markets_of(self, event_ticker: str) -> tuple[Market, ...]:
        """The markets of an event in the order of their listing."""
        return tuple(self._in_event.get(event_ticker, ()))

    def is_archived(self, market: Market) -> bool:
        """Whether a market settled before the live data begins."""
        return market.settled_at is not None and market.settled_at < self.history_before

    # Prices

    def set_quote(self, ticker: str, quote: Quote, at: datetime) -> tuple[Happening, ...]:
        """
        Quote an active market; ValueError when it is not active or the quote is none of its grid.
        """
        market = self._tradable(ticker)
        check_quote(quote, market.grid)
        self._chance.forget(ticker)
        return self._show(market, market.tape.quoted(quote, at))

    def trade(
        self, ticker: str, yes_price: Decimal, count: Decimal, at: datetime
    ) -> tuple[Happening, ...]:
        """
        Let others trade; ValueError when the market is not active, the price not on its grid or
        the count none.
        """
        market = self._tradable(ticker)
        market.grid.index(yes_price)
        check_count(count)
        return self._show(market, market.tape.traded(yes_price, count, at))

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
        order_id: str | None = None,
    ) -> tuple[Happening, ...]:
        """
        Let a member's order trade, with its fee; ValueError as for `trade`.

        Args:
            order_id: of an order that trades several times; without it the fill has its own.
        """
        market = self._tradable(ticker)
        market.grid.index(yes_price)
        check_count(count)
        shown = self._show(market, market.tape.traded(yes_price, count, at))
        filled = self._book(
            account, market, side, count, yes_price, at, is_taker, subaccount, order_id
        )
        return (filled, *shown)

    # The life of a market

    def open(self, ticker: str, at: datetime) -> tuple[Happening, ...]:
        """Begin trading, before its time perhaps. No lifecycle message tells of it."""
        market = self._of_status(ticker, "initialized")
        market.open_time = min(market.open_time, at)
        self._become(market, "active", at)
        if market.opening_quote is None:
            return ()
        return self._show(market, market.tape.quoted(market.opening_quote, at))

    def pause(self, ticker: str, at: datetime) -> tuple[Happening, ...]:
        """Halt trading in one market."""
        market = self._of_status(ticker, "active")
        self._become(market, "inactive", at)
        return (LifecycleChanged(market, "deactivated", at),)

    def resume(self, ticker: str, at: datetime) -> tuple[Happening, ...]:
        """Trade again."""
        market = self._of_status(ticker, "inactive")
        self._become(market, "active", at)
        return (LifecycleChanged(market, "activated", at),)

    def reschedule(self, ticker: str, close_time: datetime, at: datetime) -> tuple[Happening, ...]:
        """Close a market at another time than it was listed with."""
        market = self._of_status(ticker, "initialized", "active", "inactive")
        market.close_time = close_time
        market.updated_at = at
        self._await_next_step(market)
        self._changed(market)
        return (LifecycleChanged(market, "close_date_updated", at),)

    def close(self, ticker: str, at: datetime) -> tuple[Happening, ...]:
        """
        End trading: the book is emptied, the last trade stays. No lifecycle message tells of it.
        """
        market = self._of_status(ticker, "active", "inactive")
        market.close_time = min(market.close_time, at)
        self._chance.forget(ticker)
        self._become(market, "closed", at)
        return self._show(market, market.tape.quoted(EMPTY_BOOK, at))

    def determine(self, ticker: str, yes_value: Decimal, at: datetime) -> tuple[Happening, ...]:
        """
        Decide a market, closing it first if need be.

        Args:
            yes_value: what a YES contract pays: 1, 0, or whole cents between for a scalar result.
        Raises:
            ValueError: it was decided before, or the value is none it can pay: the markets of a
                mutually exclusive event pay at most a dollar together.
        """
        market = self._of_status(ticker, "active", "inactive", "closed")
        self._check_value(market, yes_value)
        happened = self.close(ticker, at) if market.status != "closed" else ()
        return (*happened, self._decide(market, "determined", yes_value, at))

    def dispute(self, ticker: str, at: datetime) -> tuple[Happening, ...]:
        """Question an outcome: the settlement waits until it is amended. No message tells of it."""
        self._become(self._of_status(ticker, "determined"), "disputed", at)
        return ()

    def amend(self, ticker: str, yes_value: Decimal, at: datetime) -> tuple[Happening, ...]:
        """Decide a disputed market again, the same way or another; ValueError as `determine`."""
        market = self._of_status(ticker, "disputed")
        self._check_value(market, yes_value)
        return (self._decide(market, "amended", yes_value, at),)

    def settle(self, ticker: str, at: datetime) -> tuple[Happening, ...]:
        """Pay out a decided market to everybody who holds it."""
        market = self._of_status(ticker, "determined", "amended")
        assert market.settlement_value is not None  # noqa: S101  # as every decided one
        market.settled_at = at
        self._become(market, "finalized", at)
        happened: list[Happening] = [LifecycleChanged(market, "settled", at)]
        for account in self.accounts.values():
            for portfolio in account.portfolios.values():
                if portfolio.settle(ticker, market.settlement_value, at) is not None:
                    left = portfolio.positions[ticker]
                    happened.append(PaidOut(account.user_id, portfolio.subaccount, market, left))
                self._return_collateral(portfolio, market.event_ticker, at)
            self._changed(account)
        return (*happened, *self._succeed(market.event_ticker, at))

    def amend_paid(self, ticker: str, yes_value: Decimal, at: datetime) -> tuple[Happening, ...]:
        """
        Decide a market anew that was paid out: everybody who held it gets or gives the difference.

        It is told as decided and settled once more. ValueError as `determine`.
        """
        market = self._of_status(ticker, "finalized")
        self._check_value(market, yes_value)
        market.settled_at = at
        happened: list[Happening] = [
            self._decide(market, "finalized", yes_value, at),
            LifecycleChanged(market, "settled", at),
        ]
        for account in self.accounts.values():
            for portfolio in account.portfolios.values():
                if portfolio.settle_anew(ticker, yes_value, at) is not None:
                    left = portfolio.positions[ticker]
                    happened.append(PaidOut(account.user_id, portfolio.subaccount, market, left))
                self._return_collateral(portfolio, market.event_ticker, at)
            self._changed(account)
        return tuple(happened)

    def set_netting(
        self, account: Account, subaccount: int, is_netting: bool, at: datetime
    ) -> None:
        """
        Return collateral early in one subaccount, or no longer; KeyError when there is none such.
        """
        portfolio = account.portfolios[subaccount]
        portfolio.is_netting = is_netting
        for event_ticker in dict.fromkeys(
            self.markets[each].event_ticker for each in portfolio.positions
        ):
            self._return_collateral(portfolio, event_ticker, at)
        self._changed(account)

    def archive(self, before: datetime) -> None:
        """Move what was settled and traded before a moment out of the live data."""
        self.history_before = before

    # Time

    def advance(self, at: datetime) -> tuple[Happening, ...]:
        """Take every market as far as time alone takes it: opened, closed, decided, settled."""
        happened: list[Happening] = []
        while self._due and self._due[0][0] <= at:
            market = self.markets[heappop(self._due)[1]]
            due = market.next_step_at
            if due is not None and due <= at:
                happened += self._next_step(market, due)
            elif due is not None:
                heappush(self._due, (due, market.ticker))
        self.history_before = max(self.history_before, at - _LIVE)
        return tuple(happened)

    def step(self, at: datetime, own_fill_chance: float = 0.0) -> tuple[Happening, ...]:
        """
        One random update: a market is quoted anew, perhaps traded, perhaps by a member.

        What time alone does to markets is done first.

        Args:
            own_fill_chance: probability, 0 to 1, that one of the members' orders trades.
        """
        happened = [*self.advance(at)]
        if not (self.exchange_active and self.trading_active):
            return tuple(happened)
        if self._chance.strikes(own_fill_chance):
            happened += self._random_own_fill(at)
        quoted = self._chance.market(self._active)
        if quoted is not None:
            happened += self._show(quoted, self._chance.tape(quoted, at))
        return tuple(happened)

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
        self._book(
            account, self.markets[ticker], side, count, yes_price, at, True, subaccount, None
        )

    # Parts of commands

    def _add_event(self, event: Event) -> None:
        self.events[event.ticker] = event
        self._in_event[event.ticker] = []
        self._changed(event)

    def _add_market(self, market: Market) -> None:
        self.markets[market.ticker] = market
        self.tickers_by_id[market.market_id] = market.ticker
        self._in_event[market.event_ticker].append(market)
        if market.status == "active":
            self._active.append(market)
        self._await_next_step(market)
        self._changed(market)

    def _of_status(self, ticker: str, *statuses: MarketStatus) -> Market:
        market = self.markets[ticker]
        if market.status not in statuses:
            raise ValueError(f"{ticker} is {market.status}")
        return market

    def _tradable(self, ticker: str) -> Market:
        if not (self.exchange_active and self.trading_active):
            raise ValueError("trading is paused")
        return self._of_status(ticker, "active")

    def _become(self, market: Market, status: MarketStatus, at: datetime) -> None:
        if market.status == "active":
            self._active.remove(market)
        market.status = status
        market.updated_at = at
        if status == "active":
            self._active.append(market)
        self._await_next_step(market)
        self._changed(market)

    def _await_next_step(self, market: Market) -> None:
        due = market.next_step_at
        if due is not None:
            heappush(self._due, (due, market.ticker))

    def _next_step(self, market: Market, at: datetime) -> tuple[Happening, ...]:
        match market.status:
            case "initialized":
                return self.open(market.ticker, at)
            case "active" | "inactive":
                return self.close(market.ticker, at)
            case "closed":
                return self.determine(market.ticker, self._random_value(market), at)
            case _:
                return self.settle(market.ticker, at)

    def _check_value(self, market: Market, yes_value: Decimal) -> None:
        if not ZERO <= yes_value <= ONE or yes_value % _CENT:
            raise ValueError("a contract pays from 0 to 1 dollar in whole cents")
        if yes_value > self._payable(market):
            raise ValueError(f"the markets of {market.event_ticker} pay a dollar together")

    def _succeed(self, event_ticker: str, at: datetime) -> tuple[Happening, ...]:
        is_over = all(each.status == "finalized" for each in self._in_event[event_ticker])
        if self._next_listing is None or not is_over:
            return ()
        return self.list_event(*self._next_listing(at), at)

    def _payable(self, market: Market) -> Decimal:
        """The most that a YES contract can pay beside the decided markets of its event."""
        if not self.events[market.event_ticker].mutually_exclusive:
            return ONE
        others = self._in_event[market.event_ticker]
        return ONE - sum(
            (each.settlement_value or ZERO for each in others if each is not market), ZERO
        )

    def _random_value(self, market: Market) -> Decimal:
        value = self._chance.yes_value(market)
        return value if value <= self._payable(market) else ZERO

    def _decide(
        self, market: Market, status: MarketStatus, yes_value: Decimal, at: datetime
    ) -> LifecycleChanged:
        market.settlement_value = yes_value
        market.result = result_of(yes_value)
        market.determined_at = at
        self._become(market, status, at)
        return LifecycleChanged(market, "determined", at)

    def _show(self, market: Market, tape: Tape) -> tuple[Happening, ...]:
        market.candles.add(market.tape, tape)
        market.remember(market.tape)
        market.tape = tape
        self._changed(market)
        return (TickerChanged(market),)

    def _random_own_fill(self, at: datetime) -> tuple[Happening, ...]:
        account = self._chance.one_of(list(self.accounts.values()))
        portfolio = account.portfolios[0]
        market = self._chance.market(self._active)
        if market is None or not portfolio.positions:
            return ()
        order = self._chance.order(market, portfolio.cash)
        if order is None:
            return ()
        return self.fill(account, market.ticker, order.side, order.count, order.yes_price, at)

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
        order_id: str | None,
    ) -> Filled:
        fee_type, multiplier = self.fees_of(market.event_ticker)
        portfolio = account.portfolios[subaccount]
        fee = fill_fee(
            count,
            price_of(side, yes_price),
            fee_rate(fee_type, multiplier, is_taker=is_taker),
            precision=portfolio.precision,
            overpaid=portfolio.overpaid.get(order_id or "", ZERO),
        )
        if order_id is not None:
            portfolio.overpaid[order_id] = fee.overpaid
        fill = portfolio.book(
            market.ticker,
            side,
            count,
            yes_price,
            fee=fee.dollars,
            is_taker=is_taker,
            trade_id=self._chance.identifier(),
            order_id=order_id or self._chance.identifier(),
            at=at,
        )
        self._return_collateral(portfolio, market.event_ticker, at)
        self._changed(account)
        position = portfolio.positions[market.ticker]
        return Filled(account.user_id, subaccount, market, fill, position)

    def fees_of(self, event_ticker: str) -> tuple[FeeType, Decimal]:
        """Fee type and multiplier of an event: its own before its series'."""
        event = self.events[event_ticker]
        series = self.series[event.series_ticker]
        return event.fee_override or (series.fee_type, series.fee_multiplier)

    def _return_collateral(self, portfolio: Portfolio, event_ticker: str, at: datetime) -> None:
        event = self.events[event_ticker]
        if not event.mutually_exclusive:
            return
        markets = self._in_event[event.ticker]
        held = (
            portfolio.positions[each.ticker].quantity
            for each in markets
            if each.ticker in portfolio.positions
        )
        is_decided = any(each.status == "finalized" and each.result == "yes" for each in markets)
        certain = returnable([-count for count in held if count < 0], is_decided=is_decided)
        portfolio.return_collateral(event.ticker, certain if portfolio.is_netting else ZERO, at)
