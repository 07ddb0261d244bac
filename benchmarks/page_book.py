"""
The positions that `page.py` shows, and how their prices move: the same for the same seed.

Each position goes round a few states that are encoded beforehand, by the product's own formulas and
documents, so that a tick costs the server next to nothing and the browser what it always does.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from positions import pnl
from positions.documents import position_document
from positions.models import Market, Position
from streaming.web import sse

ACCOUNT = 1
STATES = 8
MARKETS_AN_EVENT = 4
# One in so many has a tick of a tenth of a cent, one has no bid, one never had a price.
FINE = 10
WITHOUT_BID = 40
WITHOUT_PRICE = 50

_CENT = Decimal("0.01")
_QUESTIONS = (
    (
        "KXHIGHNY",
        "Will the highest temperature in New York be {} or more on Dec {}?",
        "{}° or above",
    ),
    ("KXBTCD", "Bitcoin price on Dec {1} at 5pm EST: {0} thousand or above?", "${},000 or above"),
    ("KXFED", "Fed funds rate after the meeting of Dec {1}: at least {0} basis points?", "{} bp"),
    ("KXNFLGAME", "Week {1}: do the home team win by {0} points or more?", "By {} or more"),
    (
        "KXCPIYOY",
        "Will the consumer price index, all items, not seasonally adjusted, have risen by more "
        "than {} tenths of a percent over the year that ends with Dec {}, as first released?",
        "Above {} tenths",
    ),
)


@dataclass(frozen=True, slots=True)
class State:
    """A position at one price: its figures, and its document but for the time and the version."""

    figures: pnl.Figures
    day_pnl: Decimal | None
    text: str

    def document(self, at: str, version: int) -> str:
        """The position's document as JSON on one line."""
        return f'{self.text},"priced_at":"{at}","updated_at":"{at}","version":{version}}}'


@dataclass(slots=True)
class Held:
    """One position, and where it is on its round."""

    ticker: str
    holding: pnl.Holding
    states: list[State]
    at: str
    step: int = 0
    version: int = 1

    @property
    def state(self) -> State:
        return self.states[self.step]

    @property
    def document(self) -> str:
        return self.state.document(self.at, self.version)

    def move(self, at: str, version: int) -> None:
        """On to the next price."""
        self.step = (self.step + 1) % len(self.states)
        self.at, self.version = at, version


@dataclass(slots=True)
class Book:
    """All positions of the account, in the order in which they were made."""

    held: dict[str, Held] = field(default_factory=dict)

    def sums(self) -> pnl.Sums:
        """The open positions added up."""
        return pnl.sums_of(
            ((each.holding, each.state.figures) for each in self.held.values()), "bid"
        )

    def day_pnl(self) -> Decimal:
        return sum((each.state.day_pnl or pnl.ZERO for each in self.held.values()), pnl.ZERO)


def book(count: int, seed: int, now: datetime) -> Book:
    """A book of so many positions, some of them odd."""
    dice = random.Random(seed)
    made = Book()
    for number in range(count):
        market = _market(number, dice, now)
        holding, price = _holding(number, dice)
        quotes = _round(number, holding, price, dice)
        states = [_state(market, holding, quote) for quote in quotes]
        at = now.isoformat().replace("+00:00", "Z")
        made.held[market.ticker] = Held(market.ticker, holding, states, at)
    return made


def _market(number: int, dice: random.Random, now: datetime) -> Market:
    event = number // MARKETS_AN_EVENT
    series, question, outcome = _QUESTIONS[event % len(_QUESTIONS)]
    # No two questions are the same: by its title the page's detail is known again.
    bound, day = 10 + number, 1 + event % 28
    return Market(
        environment="sandbox",
        ticker=f"{series}-26DEC{day:02}E{event}-T{bound}",
        event_ticker=f"{series}-26DEC{day:02}E{event}",
        series_ticker=series,
        title=question.format(bound, day),
        yes_outcome=outcome.format(bound),
        no_outcome=outcome.format(bound),
        close_time=now + timedelta(days=30, hours=event),
        expected_at=now + timedelta(minutes=30 + dice.randrange(60 * 24 * 30)),
    )


def _holding(number: int, dice: random.Random) -> tuple[pnl.Holding, Decimal]:
    """What is held, and the price that it was bought at."""
    count = Decimal(dice.choice((1, 5, 10, 25, 120, 400, 2500)))
    price = dice.randrange(10, 89) * _CENT
    fees = (count * Decimal("0.07") * price * (1 - price)).quantize(_CENT)
    return (
        pnl.Holding(
            quantity=count if dice.random() < 0.6 else -count,
            exposure=count * price,
            realized_pnl=dice.randrange(-2000, 2000) * _CENT if number % 3 == 0 else pnl.ZERO,
            fees_paid=fees,
        ),
        price,
    )


def _round(
    number: int, holding: pnl.Holding, price: Decimal, dice: random.Random
) -> Iterator[pnl.Quote]:
    """Quotes that wander near a price and come back; each has another mark than the one before."""
    tick = Decimal("0.001") if number % FINE == 0 else _CENT
    middle = price if holding.quantity > 0 else pnl.PAYOUT - price
    away = [dice.choice((1, 2, 3)) for _ in range(STATES // 2)]
    # There and back again: no step is a jump, the last to the first neither.
    offsets = [sum(away[:n]) for n in range(len(away))]
    offsets += [offset + 1 for offset in reversed(offsets)]
    for offset in offsets:
        bid, size = middle + (offset - 4) * tick, Decimal(dice.randrange(1, 5000))
        ask = bid + tick * 2
        if number % WITHOUT_PRICE == 7:
            # Nothing was ever traded, and nobody would buy: what moves is the other side's order.
            yes = holding.quantity > 0
            yield pnl.Quote(
                yes_bid=None if yes else bid,
                yes_ask=ask if yes else None,
                yes_bid_size=None if yes else size,
                yes_ask_size=size if yes else None,
            )
        elif number % WITHOUT_BID == 3:
            yield pnl.Quote(last_price=bid)
        else:
            yield pnl.Quote(bid, ask, middle, yes_bid_size=size, yes_ask_size=size + 7)


def _state(market: Market, holding: pnl.Holding, quote: pnl.Quote) -> State:
    figures = pnl.figures_of(holding, quote, pnl.MarketState("active"), "bid")
    # As if the day had begun with each contract worth a cent more than it had cost.
    day_pnl = None
    if figures.unrealized_pnl is not None:
        day_pnl = figures.unrealized_pnl - holding.count * _CENT
    row = Position(
        account_id=ACCOUNT,
        market=market,
        quantity=holding.quantity,
        exposure=holding.exposure,
        realized_pnl=holding.realized_pnl,
        fees_paid=holding.fees_paid,
        yes_bid=quote.yes_bid,
        yes_ask=quote.yes_ask,
        last_price=quote.last_price,
        yes_bid_size=quote.yes_bid_size,
        yes_ask_size=quote.yes_ask_size,
        market_status="active",
        average_price=figures.average_price,
        mark=figures.mark.value if figures.mark else None,
        mark_source=figures.mark.source if figures.mark else None,
        market_value=figures.market_value,
        unrealized_pnl=figures.unrealized_pnl,
        unrealized_pnl_percent=figures.unrealized_pnl_percent,
        net_pnl=figures.net_pnl,
        day_pnl=day_pnl,
        break_even_price=figures.break_even_price,
        payout=figures.payout,
        seq=0,
        updated_at=datetime.now(UTC),
    )
    document = dict(position_document(row))
    for told_at_each_tick in ("priced_at", "updated_at", "version"):
        del document[told_at_each_tick]
    return State(figures, day_pnl, sse.to_json(document).removesuffix("}"))
