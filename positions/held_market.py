"""
What is known of one market that is held: what it is, where it stands and what it trades at.

The stream tells each change once, and quickly; REST is late and tells no time of a price. What
always holds:

1. An older message never undoes a newer price: both are ordered by the exchange's own times.
2. A price read by REST replaces one of the stream's only when reads some time apart say the same,
   or for long say otherwise, and the stream says nothing: then a message was lost.
3. A state of REST's that is from before what the stream said does not undo that, for a while; nor
   does it undo a determination that REST has told, as its answers are not all of the same age.

A price outside 0 to 1 dollar is none. No clock in here: `received_at` and `requested_at` are
seconds of one monotonic clock, the caller's.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from kalshi.messages import Ticker
from kalshi.resources import UNKNOWN_STATUS
from positions.decimal_text import to_six_decimals
from positions.market_states import ToldState
from positions.pnl import PAYOUT, MarketState, Quote
from positions.portfolio import EventFacts, MarketFacts

LONG_AGO = float("-inf")
# REST's price of a market is as old as its cache: only so long after it first contradicts the
# stream is it taken for a change that the stream lost.
QUOTE_DOUBT_SECONDS = 20.0
# Where each read says another price, all of them other than the stream's last.
QUOTE_LOST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Contradiction:
    """What REST says instead, since which request it does, and since which it says otherwise."""

    quote: Quote
    since: float
    first: float


@dataclass(slots=True)
class HeldMarket:
    """
    One market, as the stream and REST tell of it.

    Attributes:
        quote_known_at: the exchange's time of the newest quote; REST's come without.
    """

    facts: MarketFacts
    state: MarketState
    quote: Quote
    quote_known_at: datetime | None = None
    # When the stream last brought a quote, and when one that could not be understood.
    _quoted_at: float = field(default=LONG_AGO, init=False)
    _garbled_at: float = field(default=LONG_AGO, init=False)
    _contradiction: _Contradiction | None = field(default=None, init=False)
    # What the stream last said of its state, and whether REST says otherwise.
    _told: ToldState | None = field(default=None, init=False)
    # A result that REST told when the stream had not, or had been silent for long.
    _read_result: ToldState | None = field(default=None, init=False)
    _is_state_doubted: bool = field(default=False, init=False)

    @classmethod
    def first_read(cls, facts: MarketFacts, state: MarketState, quote: Quote) -> "HeldMarket":
        """As REST tells of it when nothing else is known."""
        return cls(facts, checked_state(state), _checked(quote))

    @property
    def is_quoted(self) -> bool:
        """Whether the stream has told its price, and nothing since has put that in doubt."""
        return self._quoted_at != LONG_AGO

    @property
    def is_garbled(self) -> bool:
        """Whether nothing has been understood of its prices since something could not be."""
        return self._garbled_at > self._quoted_at

    @property
    def is_contradicted(self) -> bool:
        """Whether REST says otherwise than the stream; to be read once more."""
        return self._contradiction is not None or self._is_state_doubted

    # What the stream says

    def is_newer_than(self, message: Ticker) -> bool:
        """Whether its price is known of a later instant than the message's."""
        return is_before(message.at, self.quote_known_at)

    def apply_ticker(self, message: Ticker, received_at: float) -> bool:
        """Take new prices; False when they are the same."""
        self._quoted_at, self.quote_known_at = received_at, message.at
        quote = _checked(
            Quote(
                message.yes_bid,
                message.yes_ask,
                message.last_price,
                message.at,
                message.yes_bid_size,
                message.yes_ask_size,
            )
        )
        if quote == self.quote and quote.sizes == self.quote.sizes:
            return False
        self.quote = quote
        return True

    def apply_unreadable_ticker(self, received_at: float) -> None:
        """Its prices were told in words that can't be understood."""
        self._quoted_at, self._contradiction = LONG_AGO, None
        self._garbled_at = received_at

    def apply_state(self, state: MarketState, received_at: float) -> MarketState | None:
        """The state that is told, if that is news: not so far yet."""
        told = ToldState(checked_state(state), received_at, self.state)
        is_news = told.is_news(self._told)
        if is_news or told.state == self.state:
            self._told, self._is_state_doubted = told, False
        return told.state if is_news else None

    def follow(self) -> None:
        """A connection of the stream begins: what an earlier one said is not sure any more."""
        self._quoted_at = LONG_AGO
        self.forget_told_pause()

    def forget_told_pause(self) -> None:
        """Of a pause or its end a word was lost, perhaps: REST's next one counts."""
        # A result stays one, or becomes another, which no old answer of REST's can be.
        if self._told and not self._told.is_result:
            self._told, self._is_state_doubted = None, False

    def forget(self) -> MarketState | None:
        """
        Forget what was known before the connection, as REST does not tell of the market now.

        What the stream has told since stays, and so does what a contract pays. Returns:
            The state, if that is another by this.
        """
        if not self.is_quoted:
            self.quote = Quote()
        if self._told or self.state.determined_value is not None:
            return None
        unknown = MarketState(UNKNOWN_STATUS)
        return None if self.state == unknown else unknown

    # What REST says

    def describe(self, event: EventFacts) -> bool:
        """Take what its event is; False when that is nothing new."""
        facts = replace(
            self.facts,
            series_ticker=event.series_ticker,
            title=event.title,
            is_described=True,
            collateral_return_type=event.collateral_return_type,
        )
        is_new = facts != self.facts
        self.facts = facts
        return is_new

    def read_facts(self, facts: MarketFacts) -> bool:
        """Take what a read says it is; False when that is nothing new."""
        if self.facts.is_described and not facts.is_described:
            # The event was read before, and says no less now.
            facts = replace(
                facts,
                event_ticker=self.facts.event_ticker,
                series_ticker=self.facts.series_ticker,
                title=self.facts.title,
                is_described=True,
                collateral_return_type=self.facts.collateral_return_type,
            )
        is_new = facts != self.facts
        self.facts = facts
        return is_new

    def read_state(self, read: MarketState, requested_at: float) -> MarketState | None:
        """The state that a read says, if that is another and counts against the stream's."""
        state = checked_state(read)
        told = self._told or self._read_result
        if told:
            state = told.completed(state)
            self._is_state_doubted = told.outlives(state, requested_at)
        if state == self.state or self._is_state_doubted:
            return None
        # From now on the read is what holds.
        self._told = self._read_result = None
        if state.status == "determined":
            self._read_result = ToldState(state, requested_at, self.state)
        return state

    def read_quote(self, read: Quote, requested_at: float, last_price: Decimal | None) -> bool:
        """
        Take what a read says it trades at; False when that is nothing new, or does not count.

        Args:
            last_price: of a trade that is known, where the read tells of none.
        """
        quote = _checked(read)
        if quote.last_price is None and last_price is not None:
            quote = replace(quote, last_price=last_price)
        # REST gives prices without the time of their change: equal ones keep the time we know.
        if replace(quote, priced_at=self.quote.priced_at) == self.quote:
            self._contradiction = None
            if self.is_quoted or quote.sizes == self.quote.sizes:
                return False
            # How much is offered, only the stream knows better.
            self.quote = replace(quote, priced_at=self.quote.priced_at)
            return True
        if not self._is_believed(quote, requested_at):
            return False
        self.quote, self._contradiction = quote, None
        return True

    def understood(self, requested_at: float) -> bool:
        """A read understands its row; False when that is older than what could not be."""
        if requested_at < self._garbled_at:
            return False
        self._garbled_at = LONG_AGO
        return True

    def is_garbled_since(self, requested_at: float) -> bool:
        """Whether nothing has been understood since, neither by the stream nor by this read."""
        return self._garbled_at > max(self._quoted_at, requested_at)

    def _is_believed(self, quote: Quote, requested_at: float) -> bool:
        """
        Whether a read counts against the stream's quote.

        REST tells no time of a price and lags; the stream tells each change while it is connected.
        So a read counts only if one well before said the same, and the stream nothing since; or if
        none agreed with the stream for a minute.
        """
        if not self.is_quoted:
            return requested_at >= self._garbled_at
        before = self._contradiction
        if before is None or before.first <= self._quoted_at:
            self._contradiction = _Contradiction(quote, requested_at, requested_at)
            return False
        if before.quote != quote:
            before = self._contradiction = _Contradiction(quote, requested_at, before.first)
        if before.first <= requested_at - QUOTE_LOST_SECONDS:
            # It tells nothing of this market any more: until it does, REST counts at once.
            self._quoted_at = LONG_AGO
            return True
        return before.since <= requested_at - QUOTE_DOUBT_SECONDS


def is_before(at: datetime | None, known_at: datetime | None) -> bool:
    """Whether one of the exchange's times is before another, if both are known."""
    return at is not None and known_at is not None and at < known_at


def checked_state(told: MarketState) -> MarketState:
    """A state as told, without a value that no contract can have."""
    return replace(told, settlement_value=checked_price(told.settlement_value))


def checked_price(told: Decimal | None) -> Decimal | None:
    """
    A price as told, to six decimals; None for what no contract can cost.

    A contract pays from nothing to one dollar: what lies outside is a misreading or garbage, and
    a row that cannot hold it would keep all others from being written.
    """
    return to_six_decimals(told) if told is not None and 0 <= told <= PAYOUT else None


def _checked(told: Quote) -> Quote:
    return replace(
        told,
        yes_bid=checked_price(told.yes_bid),
        yes_ask=checked_price(told.yes_ask),
        last_price=checked_price(told.last_price),
    )
