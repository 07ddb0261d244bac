"""
A little exchange whose messages get lost, doubled and out of order on their way to a tracker.

Whatever happens, a reconciliation that leaves nothing unconfirmed makes the tracker the exchange,
to the digit, and rows written from its changes are what it holds.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kalshi.messages import Fill, MarketPosition, Ticker
from kalshi.resources import PositionRow
from positions import pnl
from positions.pnl import Holding, MarketState, Quote
from positions.reconciliation import TRUST_AFTER_SECONDS, difference
from positions.tracker import Position, Tracker
from tests.told import NOON, amount, fill, holding, market, position, prices, quote

TICKERS = st.sampled_from("ABC")
QUANTITIES = st.sampled_from(["-2.50", "0", "0", "1", "3"])
MONEY = st.sampled_from(["0.01", "1.234567", "2"])
PRICES = st.none() | st.sampled_from(["0.0001", "0.4", "0.99"])
SETTLEMENTS = st.sampled_from(["0", "0.37", "1"])


@dataclass
class _Listed:
    """One market at the exchange and what the account holds in it."""

    held: Holding = field(default_factory=lambda: holding("0"))
    quotes: Quote = field(default_factory=quote)
    state: MarketState = field(default_factory=lambda: MarketState("active"))
    updated: float = 0.0
    is_settled: bool = False


class Unreliable(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.listed = {ticker: _Listed() for ticker in "ABC"}
        self.under_way: list[Ticker | MarketPosition | Fill] = []
        self.tracker = Tracker("mid")
        self.rows: dict[str, Position] = {}

    # The exchange

    @rule(ticker=TICKERS, quantity=QUANTITIES, exposure=MONEY, realized_pnl=MONEY)
    def trade(self, ticker, quantity, exposure, realized_pnl):
        listed = self.listed[ticker]
        if listed.state.status != "active":
            return
        self.pass_time(0.001)
        cost = exposure if quantity != "0" else "0"
        listed.held = holding(quantity, cost, realized_pnl, "0.07")
        listed.updated = self.now
        self.under_way += [
            fill(ticker, quantity),
            position(ticker, quantity, cost, realized_pnl, "0.07", sent=self.now),
        ]

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

    @rule(ticker=TICKERS, value=SETTLEMENTS)
    def determine(self, ticker, value):
        self.listed[ticker].state = MarketState("determined", amount(value))

    @rule(ticker=TICKERS)
    def settle(self, ticker):
        listed = self.listed[ticker]
        if listed.state.status == "active" or listed.is_settled:
            return
        self.pass_time(0.001)
        listed.is_settled = True
        listed.held = holding("0")
        self.under_way.append(position(ticker, "0", sent=self.now))

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

    @rule()
    def reconcile(self):
        unconfirmed = self.read()
        if not unconfirmed:
            self.tracker_is_the_exchange()

    @rule(is_written=st.booleans())
    def write(self, is_written):
        changes = self.tracker.take_changes()
        if not is_written:
            self.tracker.put_back(changes)
            return
        for closed in changes.closed:
            self.rows.pop(closed.ticker, None)
        self.rows |= {each.ticker: each for each in changes.positions}

    @rule()
    def restart(self):
        self.tracker = Tracker(
            "mid", positions=self.rows.values(), reconciled_at=self.tracker.reconciled_at
        )

    @invariant()
    def figures_follow_from_what_is_held(self):
        changes = self.tracker.take_changes()
        self.tracker.put_back(changes)
        for each in changes.positions:
            assert each.figures == pnl.figures(each.holding, each.quote, each.state, "mid")

    def teardown(self):
        self.pass_time(TRUST_AFTER_SECONDS + 1)
        assert not self.read()
        self.tracker_is_the_exchange()
        self.write(is_written=True)
        assert self.rows.keys() == self.tracker.holdings.keys()
        for ticker, each in self.rows.items():
            listed = self.listed[ticker]
            prices_there = (each.quote.yes_bid, each.quote.yes_ask, each.quote.last_price)
            assert each.holding == listed.held
            assert each.state == listed.state
            assert prices_there == (
                listed.quotes.yes_bid,
                listed.quotes.yes_ask,
                listed.quotes.last_price,
            )

    def receive(self, message):
        match message:
            case Ticker():
                self.tracker.apply_ticker(message, self.now)
            case MarketPosition():
                self.tracker.apply_position(message, self.now)
            case Fill():
                self.tracker.apply_fill(message, self.now)

    def read(self):
        self.pass_time(0.001)
        found = difference(self.tracker.holdings, self.listed_rows(), self.tracker.heard, self.now)
        self.tracker.apply_difference(
            found,
            markets={
                ticker: (market(ticker)[0], listed.state, listed.quotes)
                for ticker, listed in self.listed.items()
            },
            requested_at=self.now,
            at=NOON,
        )
        return found.unconfirmed

    def listed_rows(self):
        return {
            ticker: PositionRow(
                ticker,
                listed.held.quantity,
                listed.held.exposure,
                listed.held.realized_pnl,
                listed.held.fees_paid,
                NOON + timedelta(seconds=listed.updated),
            )
            for ticker, listed in self.listed.items()
            if not listed.is_settled
        }

    def tracker_is_the_exchange(self):
        assert self.tracker.holdings == {
            ticker: listed.held for ticker, listed in self.listed.items() if listed.held.quantity
        }


Unreliable.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestUnreliableStream = Unreliable.TestCase
