"""
The positions of one account, in memory.

Fed by two sources that say the same thing at different moments: the stream, which is quick and has
no sequence numbers, and REST, which is the authority and late. What always holds:

1. An older message never undoes a newer state. Both are ordered by the exchange's own times, where
   it says them: a quote's of its change, a holding's of sending it. The caller leaves out those
   that have yet to come, as all until then would count as older.
2. After a reconciliation that left nothing unconfirmed, holdings are the exchange's to the digit.
3. What changed since the last `take_changes` is known, so a write costs what changed and no more.

Amounts are kept to six decimals, the exchange's own precision and that of the rows: what is written
and what is kept are the same. What counts of a market's prices and state, `held_market` says.

No clock in here: `received_at` and `requested_at` are seconds of one monotonic clock, the caller's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from kalshi.messages import Fill, MarketPosition, Ticker
from positions import pnl
from positions.collateral_book import PaidMarket
from positions.day import Baseline
from positions.executions import Executions
from positions.held_market import (
    LONG_AGO,
    HeldMarket,
    checked_price,
    checked_state,
    is_before,
)
from positions.noticed import Noticed, differing
from positions.pnl import Figures, Holding, MarketState, Quote, RunningSums, Sums
from positions.portfolio import (
    Cash,
    Changes,
    Closed,
    EventFacts,
    MarketFacts,
    Position,
    Unreadable,
    Worth,
)
from positions.reconciliation import (
    Difference,
    Heard,
    holding_of,
    is_news_to_rest,
)
from positions.worth import Span, Valuation

# What the exchange tells in whole seconds.
SECOND = timedelta(seconds=1)
# How long it is remembered of a position that it is no more.
_REMEMBERED = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Read:
    """
    What REST said, in one reconciliation.

    Attributes:
        markets: of every ticker that is new, and of as many others as could be read.
        requested_at: when the requests were sent; nothing in it is older, but for what REST lags.
        at: now, for `reconciled_at`.
        as_of: how old the account's part is by the exchange's own account, if it says so.
        unreadable_markets: tickers of markets whose rows can't be understood.
        left_out: all rows that can't be, those of positions and without a readable name too, each
            in a sentence.
    """

    markets: Mapping[str, tuple[MarketFacts, MarketState, Quote]]
    requested_at: float
    at: datetime
    as_of: datetime | None = None
    unreadable_markets: frozenset[str] = frozenset()
    left_out: tuple[str, ...] = ()


@dataclass(slots=True)
class _Tracked:
    market: HeldMarket
    holding: Holding
    figures: Figures
    unreadable: Unreadable | None = None
    holding_known_at: datetime | None = None  # by the exchange

    @property
    def is_in_doubt(self) -> bool:
        """Whether nothing can be said of its worth: the stream makes up for a market's row."""
        if self.unreadable == "market":
            return not self.market.is_quoted
        return self.unreadable == "position"


class Tracker:
    """
    Open positions and their figures, from the cache at first, then from the exchange.

    Before the first reconciliation of its life an account has no sums at all.

    Args:
        positions, closed: what an earlier worker has written; of the closed the latest.

    Attributes:
        valuation: the cash, and what the account is worth in all.
    """

    def __init__(
        self,
        mark_price: pnl.MarkPrice,
        *,
        positions: Iterable[Position] = (),
        closed: Iterable[Closed] = (),
        valuation: Valuation | None = None,
        reconciled_at: datetime | None = None,
    ) -> None:
        self._mark_price = mark_price
        self._open: dict[str, _Tracked] = {}
        self._running = RunningSums(mark_price)
        self._heard: dict[str, Heard] = {}
        self._left_out: tuple[str, ...] = ()
        self._is_left_out_new = True
        # When the stream's present connection began: what it said before may be out of date.
        self.followed_since = LONG_AGO
        self._closed: dict[str, Closed] = {}
        self._dirty: set[str] = set()
        self._new_markets: set[str] = set()
        self.valuation = valuation or Valuation()
        self.reconciled_at = reconciled_at
        self._executions = Executions()
        self._noticed = Noticed()
        # What an earlier worker heard is news to a REST that has not caught up with it.
        for each in closed:
            self._heard[each.ticker] = Heard(pnl.FLAT, LONG_AGO, each.held_at)
        for position in positions:
            if position.held_at:
                self._heard[position.ticker] = Heard(position.holding, LONG_AGO, position.held_at)
            quote = position.quote
            self._open[position.ticker] = _Tracked(
                HeldMarket(position.market, position.state, quote, quote.priced_at),
                position.holding,
                position.figures,
                position.unreadable,
                position.held_at,
            )
            self.valuation.collateral.hold(
                position.ticker, position.market, position.holding.quantity
            )
            # Marks follow MARK_PRICE, which may have changed since these were written.
            self._touch(position.ticker)

    @property
    def tickers(self) -> list[str]:
        """The markets held, sorted."""
        return sorted(self._open)

    @property
    def holdings(self) -> Mapping[str, Holding]:
        """What is held, by ticker."""
        return {ticker: tracked.holding for ticker, tracked in self._open.items()}

    @property
    def held_at(self) -> Mapping[str, datetime | None]:
        """The exchange's times of what is held, by ticker, where it said them."""
        return {ticker: tracked.holding_known_at for ticker, tracked in self._open.items()}

    @property
    def decided(self) -> set[str]:
        """The markets held whose outcome is known."""
        return {
            ticker
            for ticker, tracked in self._open.items()
            if tracked.market.state.determined_value is not None
        }

    @property
    def lacks_positions(self) -> bool:
        """Whether the stream told of something held that no read has shown yet."""
        return any(
            heard.holding.quantity and ticker not in self._open
            for ticker, heard in self._heard.items()
        )

    @property
    def markets(self) -> Mapping[str, MarketFacts]:
        """The facts known of the markets held."""
        return {ticker: tracked.market.facts for ticker, tracked in self._open.items()}

    def apply_ticker(self, message: Ticker, received_at: float) -> bool:
        """Take a market's new prices; False when it is not held or the message is an old one."""
        tracked = self._open.get(message.market_ticker)
        if tracked is None or tracked.market.is_newer_than(message):
            return False
        was_in_doubt = tracked.is_in_doubt
        is_news = tracked.market.apply_ticker(message, received_at)
        if is_news or was_in_doubt:
            self._touch(message.market_ticker)
        return is_news or was_in_doubt

    def apply_unreadable_ticker(self, ticker: str, received_at: float) -> bool:
        """
        The stream told a market's prices in words that can't be understood.

        What it is worth is unknown until the next message says, or a read asked for after this.
        False when that is nothing new, or the market is not held.
        """
        tracked = self._open.get(ticker)
        if tracked is None:
            return False
        was_in_doubt = tracked.is_in_doubt
        tracked.market.apply_unreadable_ticker(received_at)
        tracked.unreadable = tracked.unreadable or "market"
        if not was_in_doubt:
            self._touch(ticker)
        return not was_in_doubt

    def apply_position(
        self, message: MarketPosition, received_at: float, now: datetime | None = None
    ) -> bool:
        """
        Take what the account now holds in a market.

        Args:
            now: by the exchange's clock, for a message that tells no time of its own.
        Returns:
            True when that is all, also for an old message; False when only a reconciliation can
            show it: the market is new here, or the holding went to nothing without a trade, so it
            may have been settled.
        """
        ticker = message.market_ticker
        holding = holding_of(message)
        tracked, heard = self._open.get(ticker), self._heard.get(ticker)
        if tracked and is_before(message.sent_at, tracked.holding_known_at):
            return True
        if heard and is_before(message.sent_at, heard.sent_at):
            return True
        self._heard[ticker] = Heard(holding, received_at, message.sent_at)
        traded = self._executions.met(ticker, holding.quantity)
        span = _span_of(message.sent_at, now)
        if tracked is None:
            return not holding.quantity
        if not holding.quantity:
            if traded or _is_payout(tracked, holding):
                tracked.holding_known_at = message.sent_at
                at = message.sent_at
                self._close(ticker, holding, was_sold=traded, span=span, paid_at=at)
            return traded
        tracked.holding_known_at = message.sent_at or tracked.holding_known_at
        is_known_again = tracked.unreadable == "position"
        if holding != tracked.holding or is_known_again:
            self._hold(ticker, tracked, holding, span)
            if is_known_again:
                tracked.unreadable = "market" if tracked.market.is_garbled else None
            self._touch(ticker)
        return True

    def apply_fill(self, fill: Fill, received_at: float) -> None:
        """
        Take note of what a fill says the quantity is now.

        `missing_positions` tells which position frames did not come with their fills.
        """
        ticker, quantity = fill.market_ticker, fill.post_quantity
        self._executions.told(fill)
        self._price_by_fill(ticker, fill.yes_price, fill.at, received_at)
        if quantity is None:
            return
        heard = self._heard.get(ticker)
        if heard is None or heard.holding.quantity != quantity:
            self._executions.expect(fill, quantity, received_at)
            return
        self._executions.forget(ticker)
        if not quantity:
            if ticker in self._open:
                self._open[ticker].holding_known_at = heard.sent_at
            self._close(ticker, heard.holding, was_sold=True, span=_span_of(heard.sent_at, fill.at))

    def determined(self, ticker: str, at: datetime | None) -> None:
        """A market's result is known; which it is, REST tells if nobody else."""
        if ticker in self._open:
            self._noticed.determined(ticker, at)

    def apply_state(self, ticker: str, state: MarketState, received_at: float) -> bool:
        """
        The stream says where a market stands; REST says the same a little later.

        Returns:
            Whether that is news: held, and not so far yet.
        """
        tracked = self._open.get(ticker)
        if tracked is None:
            return False
        told = tracked.market.apply_state(state, received_at)
        if told:
            self._change_state(ticker, tracked, told)
        return told is not None

    def forget_told_pauses(self) -> None:
        """Of pauses and their ends a word was lost, perhaps: REST's next one counts."""
        for tracked in self._open.values():
            tracked.market.forget_told_pause()

    def apply_settled(
        self,
        ticker: str,
        at: datetime | None,
        received_at: float,
        value: Decimal | None = None,
        now: datetime | None = None,
    ) -> bool:
        """
        A market has paid; what was held of it is paid for at once, if it is known what it pays.

        REST tells of it later, and the balance perhaps before REST's positions.

        Args:
            value: what one YES contract paid, where that is told with it.
            now: by the exchange's clock, where no time is told.
        Returns:
            Whether something was paid for: held, with a value that is known.
        """
        tracked = self._open.get(ticker)
        if tracked is None or tracked.unreadable:
            return False
        paid = checked_state(MarketState("finalized", value, at))
        known = tracked.market.state.determined_value
        if paid.determined_value is not None and paid.determined_value != known:
            self._change_state(ticker, tracked, paid)
        elif known is None:
            return False
        tracked.holding_known_at = at or tracked.holding_known_at
        self._heard[ticker] = Heard(pnl.FLAT, received_at, at)
        self._executions.forget(ticker)
        span = _span_of(None, now) if at is None else Span(at - SECOND, at + SECOND)
        self._close(ticker, None, was_sold=False, span=span, paid_at=at)
        return True

    def missing_positions(self, before: float) -> list[str]:
        """
        Markets whose fill came before this instant and is not in the position yet, and those whose
        position went to nothing before it, of which no fill has told.
        """
        emptied = (
            ticker
            for ticker in self._open
            if (heard := self._heard.get(ticker))
            and not heard.holding.quantity
            and heard.received_at < before
        )
        return [*self._executions.missing(before), *emptied]

    @property
    def undescribed_events(self) -> set[str]:
        """The events of markets held whose titles have not been read."""
        return {
            tracked.market.facts.event_ticker
            for tracked in self._open.values()
            if not tracked.market.facts.is_described
        }

    @property
    def contradicted(self) -> set[str]:
        """Markets of which REST says otherwise than the stream; to be read once more."""
        return {ticker for ticker, tracked in self._open.items() if tracked.market.is_contradicted}

    def describe(self, events: Mapping[str, EventFacts]) -> bool:
        """Take the titles of events, by ticker; True when that changed anything."""
        changed = False
        for ticker, tracked in self._open.items():
            event = events.get(tracked.market.facts.event_ticker)
            if event and tracked.market.describe(event):
                self._described(ticker, tracked)
                changed = True
        return changed

    def _described(self, ticker: str, tracked: _Tracked) -> None:
        self.valuation.collateral.describe(ticker, tracked.market.facts)
        self._new_markets.add(ticker)
        self._touch(ticker)

    @property
    def heard(self) -> Mapping[str, Heard]:
        """The stream's last word on what is held, and on what lately ceased to be."""
        return self._heard

    def apply_difference(self, difference: Difference, read: Read) -> None:
        """
        Make ours what the exchange says.

        Args:
            difference: of the exchange's holdings and ours as they are now: no message was applied
                since it was computed.
        """
        ours = self.holdings
        told = {ticker: heard.holding for ticker, heard in self._heard.items()}
        for ticker, holding in difference.changed.items():
            tracked = self._open.get(ticker)
            span = self._span(tracked, difference.as_of.get(ticker), read)
            if tracked is None:
                self._start(ticker, holding, *read.markets[ticker], span=span)
            else:
                self._hold(ticker, tracked, holding, span)
            self._touch(ticker)
        for ticker, as_of in difference.as_of.items():
            tracked = self._open[ticker]
            if not is_before(as_of, tracked.holding_known_at):
                tracked.holding_known_at = as_of
        self.apply_markets(read.markets, read.requested_at, read.unreadable_markets)
        for ticker, left in difference.gone.items():
            span = self._span(self._open.get(ticker), difference.as_of.get(ticker), read)
            self._close(ticker, left, was_sold=ticker in difference.sold, span=span)
            self._remember_flat(ticker, difference.as_of.get(ticker) or read.as_of)
        for ticker, holding in difference.flat.items():
            self.valuation.lies_flat(ticker, holding)
        for ticker, tracked in self._open.items():
            if ticker in difference.unreadable:
                self._mark(tracked, ticker, "position")
            elif tracked.unreadable == "position":
                is_garbled = tracked.market.is_garbled_since(read.requested_at)
                is_odd = is_garbled or ticker in read.unreadable_markets
                self._mark(tracked, ticker, "market" if is_odd else None)
        self._leave_out(read.left_out)
        settled = {each.ticker for each in self._closed.values() if each.reason == "settled"}
        found = differing(difference, ours, told, settled)
        self._noticed.reconciled(read.at, found, is_new=self.reconciled_at is None)
        # What the read has settled needs no waiting for; what it has refuted, no keeping.
        self._executions.read(read.requested_at, read.as_of, difference.unconfirmed)
        self._heard = {
            ticker: heard for ticker, heard in self._heard.items() if self._is_true(ticker, read)
        }
        # What one read has dated no later read may undo that is older by its own account.
        for ticker, tracked in self._open.items():
            if ticker not in self._heard and tracked.holding_known_at:
                self._heard[ticker] = Heard(tracked.holding, LONG_AGO, tracked.holding_known_at)
        heard = (ticker for ticker, each in self._heard.items() if each.holding.quantity)
        self._executions.keep_prices({*self._open, *heard}, read.requested_at)
        self.reconciled_at = read.at

    def _span(self, tracked: _Tracked | None, at: datetime | None, read: Read) -> Span | None:
        """When what a read tells has happened; None in the first, before which nothing is known."""
        if self.reconciled_at is None:
            return None
        known_at = tracked.holding_known_at if tracked else None
        by = at or read.as_of or read.at
        return Span(min(known_at or self.reconciled_at, by), by)

    def _remember_flat(self, ticker: str, since: datetime | None) -> None:
        heard = self._heard.get(ticker)
        if since and (heard is None or heard.holding.quantity):
            self._heard[ticker] = Heard(pnl.FLAT, LONG_AGO, since)

    def _mark(self, tracked: _Tracked, ticker: str, unreadable: Unreadable | None) -> None:
        if unreadable != tracked.unreadable:
            tracked.unreadable = unreadable
            self._touch(ticker)

    def _leave_out(self, sentences: tuple[str, ...]) -> None:
        self._is_left_out_new |= sentences != self._left_out
        self._left_out = sentences

    def follow(self, now: float) -> None:
        """A connection of the stream begins: what an earlier one said is not sure any more."""
        self.followed_since = now
        self._noticed.connected()
        for tracked in self._open.values():
            tracked.market.follow()

    def forget_markets(self, tickers: Iterable[str]) -> None:
        """
        The first read of a connection did not tell of these: what they were before may be no more.

        They are unknown until REST or the stream tells of them.
        """
        for ticker in self._open.keys() & set(tickers):
            tracked = self._open[ticker]
            if state := tracked.market.forget():
                self._change_state(ticker, tracked, state)
            else:
                self._touch(ticker)

    def tell_left_out_again(self) -> None:
        """Count the rows that are left out as changed."""
        self._is_left_out_new = True

    def write_again(self, ticker: str) -> None:
        """Count a position as changed, if it is held."""
        if ticker in self._open:
            self._dirty.add(ticker)

    def _is_true(self, ticker: str, read: Read) -> bool:
        heard, tracked = self._heard[ticker], self._open.get(ticker)
        if tracked:
            return heard.holding == tracked.holding
        if heard.holding.quantity:
            return False
        # Kept for as long as a read may still show what is no more: REST's answers are not all of
        # the same age.
        if heard.sent_at:
            return heard.sent_at > read.at - _REMEMBERED
        return is_news_to_rest(heard.received_at, None, read.requested_at, None)

    def apply_markets(
        self,
        markets: Mapping[str, tuple[MarketFacts, MarketState, Quote]],
        requested_at: float,
        unreadable: frozenset[str] = frozenset(),
    ) -> None:
        """
        Take what REST says of markets; those not held are left alone.

        Args:
            unreadable: tickers of rows that are there and can't be understood.
        """
        for ticker, (facts, state, quote) in markets.items():
            self._apply_market(ticker, facts, state, quote, requested_at)
        for ticker in unreadable | markets.keys():
            tracked = self._open.get(ticker)
            if tracked is None or tracked.unreadable == "position":
                continue
            if ticker in unreadable:
                self._mark(tracked, ticker, "market")
            elif tracked.market.understood(requested_at):
                self._mark(tracked, ticker, None)

    def _start(
        self,
        ticker: str,
        holding: Holding,
        facts: MarketFacts,
        state: MarketState,
        quote: Quote,
        *,
        span: Span | None,
    ) -> None:
        market = HeldMarket.first_read(facts, state, quote)
        ours = self._executions.price_of(ticker)
        if market.quote.last_price is None and ours:
            price, at = ours
            priced_at = market.quote.priced_at or at
            market.quote = replace(market.quote, last_price=price, priced_at=priced_at)
        self.valuation.held(ticker, facts, None, holding, span)
        figures = pnl.figures_of(holding, market.quote, market.state, self._mark_price)
        self._open[ticker] = _Tracked(market, holding, figures)
        self._closed.pop(ticker, None)
        self._new_markets.add(ticker)

    def _apply_market(
        self, ticker: str, facts: MarketFacts, state: MarketState, quote: Quote, requested_at: float
    ) -> None:
        tracked = self._open.get(ticker)
        if tracked is None:
            return
        market = tracked.market
        if market.read_facts(facts):
            self._described(ticker, tracked)
        if told := market.read_state(state, requested_at):
            self._change_state(ticker, tracked, told)
        ours = self._executions.price_of(ticker)
        if market.read_quote(quote, requested_at, ours[0] if ours else None):
            self._touch(ticker)

    def _change_state(self, ticker: str, tracked: _Tracked, state: MarketState) -> None:
        self._noticed.changed(ticker, tracked.market.state, state)
        tracked.market.state = state
        self._touch(ticker)

    def _touch(self, ticker: str) -> None:
        tracked = self._open[ticker]
        if tracked.is_in_doubt:
            tracked.figures = pnl.figures_of_unreadable(tracked.holding)
        else:
            tracked.figures = pnl.figures_of(
                tracked.holding, tracked.market.quote, tracked.market.state, self._mark_price
            )
        if self.valuation.baseline:
            figures = tracked.figures
            self.valuation.baseline.marked(ticker, figures.net_pnl, figures.market_value)
        self._running.count(ticker, tracked.holding, tracked.figures)
        self._dirty.add(ticker)

    def _hold(self, ticker: str, tracked: _Tracked, holding: Holding, span: Span | None) -> None:
        self.valuation.held(ticker, tracked.market.facts, tracked.holding, holding, span)
        tracked.holding = holding

    def _price_by_fill(
        self, ticker: str, yes_price: Decimal, at: datetime, received_at: float
    ) -> None:
        """Take a fill's own price as the last trade of a market that shows no other."""
        tracked = self._open.get(ticker)
        if tracked is None or tracked.market.quote.last_price is None:
            price = checked_price(yes_price)
            if price is None:
                return
            self._executions.priced(ticker, price, at, received_at)
            if tracked:
                tracked.market.quote = replace(tracked.market.quote, last_price=price)
                self._touch(ticker)

    def _close(
        self,
        ticker: str,
        left: Holding | None,
        *,
        was_sold: bool,
        span: Span | None,
        paid_at: datetime | None = None,
    ) -> None:
        """
        A position is no more.

        Args:
            left: the flat holding, if the exchange tells it.
            paid_at: the exchange's time of its end, if it was no trade and that is known.
        """
        tracked = self._open.pop(ticker, None)
        if tracked is None:
            return
        self._running.drop(ticker)
        reason: pnl.ClosedReason = "closed"
        realized_pnl = left.realized_pnl if left else None
        facts, state = tracked.market.facts, tracked.market.state
        settlement_value = state.determined_value
        # What was sold before the market was determined, if only just, got no payout.
        if settlement_value is not None and not was_sold:
            reason = "settled"
            self._noticed.paid(ticker, state, paid_at)
            paid = PaidMarket(ticker, facts.event_ticker, settlement_value == pnl.PAYOUT)
            self.valuation.paid(paid, span)
            realized_pnl = pnl.settled_pnl(tracked.holding, settlement_value)
            left = replace(pnl.FLAT, realized_pnl=realized_pnl, fees_paid=tracked.holding.fees_paid)
        self.valuation.held(ticker, facts, tracked.holding, left, span)
        self._executions.closed(ticker)
        self._dirty.discard(ticker)
        self._new_markets.discard(ticker)
        fees_paid = left.fees_paid if left else None
        self._closed[ticker] = Closed(
            ticker, reason, realized_pnl, fees_paid, tracked.holding_known_at
        )

    def take_changes(self, at: datetime | None = None) -> Changes:
        """What changed since the last call, which then counts as taken; `at` is now."""
        sums = self._sums()
        changes = Changes(
            positions=tuple(self._position(ticker) for ticker in sorted(self._dirty)),
            closed=tuple(self._closed.values()),
            markets=frozenset(self._new_markets),
            sums=sums,
            cash=self.valuation.cash.cash,
            reconciled_at=self.reconciled_at,
            left_out=self._left_out if self._is_left_out_new else None,
            worth=self._worth(sums),
            fills=self._executions.take(),
            notices=self._noticed.take(at),
        )
        self._is_left_out_new = False
        self._dirty.clear()
        self._closed.clear()
        self._new_markets.clear()
        return changes

    def put_back(self, changes: Changes) -> None:
        """Changes that could not be written count as not taken, unless newer ones replaced them."""
        self._dirty.update(
            position.ticker for position in changes.positions if position.ticker in self._open
        )
        self._new_markets.update(changes.markets & self._open.keys())
        self._is_left_out_new |= changes.left_out is not None
        self._executions.put_back(changes.fills)
        self._noticed.put_back(changes.notices)
        for closed in changes.closed:
            if closed.ticker not in self._open:
                self._closed.setdefault(closed.ticker, closed)

    def _position(self, ticker: str) -> Position:
        tracked = self._open[ticker]
        return Position(
            ticker,
            tracked.market.facts,
            tracked.market.state,
            tracked.holding,
            tracked.market.quote,
            tracked.figures,
            tracked.unreadable if tracked.is_in_doubt else None,
            tracked.holding_known_at,
            self._day_pnl(ticker, tracked.figures),
        )

    def _day_pnl(self, ticker: str, figures: Figures) -> Decimal | None:
        baseline = self.valuation.baseline
        return baseline.day_pnl(ticker, figures.net_pnl) if baseline else None

    def begin_day(self, baseline: Baseline | None) -> None:
        """Reckon the day from another baseline."""
        self.valuation.begin_day(baseline)
        for ticker in self._open:
            self._touch(ticker)

    @property
    def nets(self) -> Mapping[str, Decimal | None]:
        """Net P&L of the markets held; None for those without a mark."""
        return {ticker: tracked.figures.net_pnl for ticker, tracked in self._open.items()}

    @property
    def valued(self) -> tuple[Worth, Sums | None, Cash | None]:
        """What the account is worth now."""
        sums = self._sums()
        return self._worth(sums), sums, self.valuation.cash.cash

    def _worth(self, sums: Sums | None) -> Worth:
        if sums is None:
            return Worth()
        unpriced: Iterable[str] = ()
        if sums.unpriced_count:
            unpriced = (ticker for ticker, each in self._open.items() if each.figures.mark is None)
        return self.valuation.worth(sums.positions_value, unpriced)

    def _sums(self) -> Sums | None:
        return None if self.reconciled_at is None else self._running.sums


def _is_payout(tracked: _Tracked, left: Holding) -> bool:
    """Whether what a frame leaves of a position is what its market's outcome makes of it."""
    value = tracked.market.state.determined_value
    if value is None or tracked.unreadable:
        return False
    paid = pnl.settled_pnl(tracked.holding, value)
    # The exchange pays whole cents.
    return abs(paid - left.realized_pnl) < pnl.CENT


def _span_of(sent_at: datetime | None, now: datetime | None) -> Span | None:
    if sent_at is None:
        return None if now is None else Span.untold(now)
    return Span.told(sent_at)
