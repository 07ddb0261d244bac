"""
A little exchange whose messages get lost, doubled and out of order on their way to a tracker, and
whose REST answers from the past, now further back, now less.

Whatever happens, a reconciliation with the present that leaves nothing unconfirmed makes the
tracker the exchange, to the digit, and rows written from its changes are what it holds. What the
stream has told in full, no read that owns up to its age ever undoes.
"""

import os
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kalshi.lifecycle import Activated, Deactivated, Determined
from kalshi.messages import Fill, MarketPosition, Ticker
from kalshi.resources import PositionRow
from positions import pnl
from positions.held_market import QUOTE_DOUBT_SECONDS
from positions.pnl import Holding, MarketState, Quote
from positions.portfolio import Closed, Position
from positions.reconciliation import TRUST_AFTER_SECONDS, compare
from positions.tracker import Read, Tracker
from tests.told import NOON, amount, at, fill, holding, market, position, prices, quote

TICKERS = st.sampled_from("ABC")
QUANTITIES = st.sampled_from(["-2.50", "0", "0", "1", "3"])
MONEY = st.sampled_from(["0.01", "1.234567", "2"])
PRICES = st.none() | st.sampled_from(["0.0001", "0.4", "0.99"])
SETTLEMENTS = st.sampled_from(["0", "0.37", "1"])
LAGS = st.sampled_from([0.0, 0.0005, 0.4, 3.0, TRUST_AFTER_SECONDS + 2, 60.0])


@dataclass
class _Listed:
    """One market at the exchange and what the account holds in it."""

    held: Holding = field(default_factory=lambda: holding("0"))
    quotes: Quote = field(default_factory=quote)
    state: MarketState = field(default_factory=lambda: MarketState("active"))
    updated: float = 0.0
    is_settled: bool = False
    # Whether the frame of its last change has arrived.
    is_told: bool = True


class Unreliable(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.listed = {ticker: _Listed() for ticker in "ABC"}
        # What was, and since when: REST answers from it.
        self.past = [(float("-inf"), deepcopy(self.listed))]
        self.under_way: list[
            Ticker | MarketPosition | Fill | Activated | Deactivated | Determined
        ] = []
        self.tracker = Tracker("mid")
        self.rows: dict[str, Position] = {}
        self.filled_at: dict[str, Decimal] = {}
        self.closed: dict[str, Closed] = {}

    # The exchange

    @rule(ticker=TICKERS, quantity=QUANTITIES, exposure=MONEY, realized_pnl=MONEY)
    def trade(self, ticker, quantity, exposure, realized_pnl):
        listed = self.listed[ticker]
        if listed.state.status != "active":
            return
        self.pass_time(0.001)
        cost = exposure if quantity != "0" else "0"
        self.filled_at[ticker] = Decimal("0.5")
        listed.held = holding(quantity, cost, realized_pnl, "0.07")
        listed.updated = self.now
        listed.is_told = False
        self.under_way += [
            fill(ticker, quantity, sent=self.now),
            position(ticker, quantity, cost, realized_pnl, "0.07", sent=self.now),
        ]
        self.remember()

    @rule(ticker=TICKERS, quantity=QUANTITIES, lag=LAGS, owns_up=st.booleans())
    def trade_told_in_full_and_read_late(self, ticker, quantity, lag, owns_up):
        if self.listed[ticker].state.status != "active":
            return
        self.trade(ticker, quantity, "2", "0.01")
        for message in self.under_way[-2:]:
            self.receive(message)
        del self.under_way[-2:]
        self.pass_time(TRUST_AFTER_SECONDS + 1)
        self.reconcile(lag, owns_up, delivered_meanwhile=0)

    @rule(ticker=TICKERS, yes_bid=PRICES, yes_ask=PRICES, last_price=PRICES)
    def move(self, ticker, yes_bid, yes_ask, last_price):
        listed = self.listed[ticker]
        if listed.state.status != "active":
            return
        self.pass_time(0.001)
        listed.quotes = quote(yes_bid, yes_ask, last_price)
        self.under_way.append(
            prices(ticker, self.now, yes_bid=yes_bid, yes_ask=yes_ask, last_price=last_price)
        )
        self.remember()

    @rule(ticker=TICKERS, value=SETTLEMENTS)
    def determine(self, ticker, value):
        self.pass_time(0.001)
        self.listed[ticker].state = MarketState("determined", amount(value))
        self.under_way.append(Determined(ticker, "scalar", amount(value), at(self.now)))
        self.remember()

    @rule(ticker=TICKERS)
    def pause_or_go_on(self, ticker):
        listed = self.listed[ticker]
        if listed.state.status not in ("active", "inactive"):
            return
        self.pass_time(0.001)
        is_paused = listed.state.status == "inactive"
        listed.state = MarketState("active" if is_paused else "inactive")
        self.under_way.append(Activated(ticker) if is_paused else Deactivated(ticker))
        self.remember()

    @rule(ticker=TICKERS)
    def settle(self, ticker):
        listed = self.listed[ticker]
        if listed.state.determined_value is None or listed.is_settled:
            return
        self.pass_time(0.001)
        listed.is_settled = True
        listed.held = holding("0")
        listed.updated = self.now
        listed.is_told = False
        self.under_way.append(position(ticker, "0", sent=self.now))
        self.remember()

    # The way

    @precondition(lambda self: self.under_way)
    @rule(which=st.integers(0))
    def deliver(self, which):
        self.receive(self.under_way.pop(which % len(self.under_way)))

    @precondition(lambda self: self.under_way)
    @rule(which=st.integers(0))
    def deliver_twice(self, which):
        self.receive(self.under_way[which % len(self.under_way)])

    @precondition(lambda self: self.under_way)
    @rule(which=st.integers(0))
    def lose(self, which):
        del self.under_way[which % len(self.under_way)]

    @rule(seconds=st.sampled_from([0.3, 2.0, TRUST_AFTER_SECONDS + 1]))
    def pass_time(self, seconds):
        self.now += seconds

    # The worker

    @rule(lag=LAGS, owns_up=st.booleans(), delivered_meanwhile=st.integers(0, 3))
    def reconcile(self, lag, owns_up, delivered_meanwhile):
        told = {
            ticker
            for ticker, listed in self.listed.items()
            if listed.is_told and self.tracker.holdings.get(ticker, holding("0")) == listed.held
        }
        unconfirmed = self.read(lag, owns_up=owns_up, delivered_meanwhile=delivered_meanwhile)
        if not lag and not unconfirmed:
            self.tracker_is_the_exchange()
        if owns_up:
            for ticker in told:
                listed = self.listed[ticker]
                held = self.tracker.holdings.get(ticker)
                assert (held or holding("0")).quantity == listed.held.quantity

    @rule(is_written=st.booleans())
    def write(self, is_written):
        changes = self.tracker.take_changes()
        if not is_written:
            self.tracker.put_back(changes)
            return
        for closed in changes.closed:
            self.rows.pop(closed.ticker, None)
            self.closed[closed.ticker] = closed
        for each in changes.positions:
            self.rows[each.ticker] = each
            self.closed.pop(each.ticker, None)
        held = [(each.holding, each.figures) for each in self.rows.values()]
        if self.tracker.reconciled_at:
            assert changes.sums == pnl.sums_of(held, "mid")

    @rule()
    def restart(self):
        self.tracker = Tracker(
            "mid",
            positions=self.rows.values(),
            closed=self.closed.values(),
            reconciled_at=self.tracker.reconciled_at,
        )
        # A new tracker has heard what was written, as far as it has the exchange's time.
        for ticker, listed in self.listed.items():
            written = self.rows.get(ticker) or self.closed.get(ticker)
            held_at = written.held_at if written else None
            listed.is_told &= held_at is not None and held_at >= at(listed.updated)

    @invariant()
    def figures_follow_from_what_is_held(self):
        changes = self.tracker.take_changes()
        self.tracker.put_back(changes)
        for each in changes.positions:
            assert each.figures == pnl.figures_of(each.holding, each.quote, each.state, "mid")

    def teardown(self):
        self.pass_time(TRUST_AFTER_SECONDS + 1)
        assert not self.read(0.0, owns_up=True)
        self.pass_time(QUOTE_DOUBT_SECONDS + 1)
        assert not self.read(0.0, owns_up=True)
        self.tracker_is_the_exchange()
        self.write(is_written=True)
        assert self.rows.keys() == self.tracker.holdings.keys()
        for ticker, each in self.rows.items():
            listed = self.listed[ticker]
            assert each.holding == listed.held
            assert each.state == listed.state
            assert (each.quote.yes_bid, each.quote.yes_ask) == (
                listed.quotes.yes_bid,
                listed.quotes.yes_ask,
            )
            # Of a market that shows no trade a fill of ours may have told one.
            told = {listed.quotes.last_price or self.filled_at.get(ticker)}
            assert each.quote.last_price in told | {listed.quotes.last_price}

    def receive(self, message):
        match message:
            case Ticker():
                self.tracker.apply_ticker(message, self.now)
            case MarketPosition():
                listed = self.listed[message.market_ticker]
                is_new_here = message.market_ticker not in self.tracker.holdings
                self.tracker.apply_position(message, self.now)
                # What is new here, or was settled, only a read can show.
                if message.quantity == listed.held.quantity and not is_new_here:
                    listed.is_told = True
            case Fill():
                self.tracker.apply_fill(message, self.now)
            case Determined(market_ticker=ticker, settlement_value=value):
                self.tracker.apply_state(ticker, MarketState("determined", value), self.now)
            case Activated(market_ticker=ticker):
                self.tracker.apply_state(ticker, MarketState("active"), self.now)
            case Deactivated(market_ticker=ticker):
                self.tracker.apply_state(ticker, MarketState("inactive"), self.now)

    def read(self, lag, *, owns_up, delivered_meanwhile=0):
        self.pass_time(0.001)
        requested_at = self.now
        there = self.as_it_was(requested_at - lag)
        as_of = at(requested_at - lag) if owns_up else None
        for _ in range(min(delivered_meanwhile, len(self.under_way))):
            self.receive(self.under_way.pop())
        difference = compare(
            self.tracker.holdings,
            self.listed_rows(there),
            self.tracker.heard,
            requested_at,
            read_as_of=as_of,
        )
        self.tracker.apply_difference(
            difference,
            Read(
                markets={
                    ticker: (market(ticker)[0], listed.state, listed.quotes)
                    for ticker, listed in there.items()
                },
                requested_at=requested_at,
                at=NOON,
                as_of=as_of,
            ),
        )
        return difference.unconfirmed

    def as_it_was(self, instant):
        return next(state for since, state in reversed(self.past) if since <= instant)

    def remember(self):
        self.past.append((self.now, deepcopy(self.listed)))

    def listed_rows(self, there):
        return {
            ticker: PositionRow(
                ticker,
                listed.held.quantity,
                listed.held.exposure,
                listed.held.realized_pnl,
                listed.held.fees_paid,
                NOON + timedelta(seconds=listed.updated),
            )
            for ticker, listed in there.items()
            if not listed.is_settled
        }

    def tracker_is_the_exchange(self):
        assert self.tracker.holdings == {
            ticker: listed.held for ticker, listed in self.listed.items() if listed.held.quantity
        }


Unreliable.TestCase.settings = settings(
    # `make soak` tries ten thousand.
    max_examples=int(os.environ.get("LAW_EXAMPLES", "150")),
    stateful_step_count=40,
)
TestUnreliableStream = Unreliable.TestCase
