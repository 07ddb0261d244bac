"""What is known of an account, as values: its positions with their markets, and its cash."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

from kalshi.messages import Fill
from positions import pnl
from positions.noticed import Notice
from positions.pnl import Figures, Holding, MarketState, Quote, Sums

# Which of the exchange's rows about a position can't be understood.
Unreadable = Literal["position", "market"]


@dataclass(frozen=True, slots=True)
class MarketFacts:
    """What a market is; what it trades at and where it stands in its life come apart from it."""

    event_ticker: str
    series_ticker: str
    title: str
    yes_outcome: str
    no_outcome: str
    close_time: datetime | None
    # Whether the title is the event's; else it stands in until the event has been read.
    is_described: bool = True
    expected_at: datetime | None = None
    # The event's; None until it has been read.
    collateral_return_type: str | None = None


@dataclass(frozen=True, slots=True)
class EventFacts:
    """What all markets of an event have in common."""

    series_ticker: str
    title: str
    collateral_return_type: str | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """
    One open position, whole.

    `unreadable` names the row of the exchange that can't be understood, the position's or its
    market's: what is shown of it is as last known, and what it is worth now unknown. `held_at` is
    the exchange's time of the holding, if it said one.
    """

    ticker: str
    market: MarketFacts
    state: MarketState
    holding: Holding
    quote: Quote
    figures: Figures
    unreadable: Unreadable | None = None
    held_at: datetime | None = None
    day_pnl: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """
    A position that is no more; `realized_pnl` and `fees_paid` None when the exchange has not said
    them.

    `held_at` is the exchange's time of what ended it, if it said one.
    """

    ticker: str
    reason: pnl.ClosedReason
    realized_pnl: Decimal | None
    fees_paid: Decimal | None = None
    # Tells when, not what: the same end told twice is the same.
    held_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Cash:
    """
    The account's cash, and what the exchange takes the positions for, as of `as_of`.

    `is_provisional` where it is the exchange's balance moved on by what happened since.
    """

    balance: Decimal
    exchange_portfolio_value: Decimal | None
    as_of: datetime
    is_provisional: bool = False


@dataclass(frozen=True, slots=True)
class Worth:
    """
    What the account is worth in all.

    Attributes:
        total_value: cash and positions, without the collateral that is in both; None while the
            cash is unknown, an estimate while the collateral is.
        day_pnl: since `day_pnl_since`, transfers apart; None where either end is unknown.
    """

    total_value: Decimal | None = None
    collateral_returned: Decimal | None = None
    day_pnl: Decimal | None = None
    day_pnl_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """
    What to write: whole positions, so that writing them twice is harmless.

    Attributes:
        positions: those open whose figures or facts changed.
        markets: tickers among them whose market facts are new or different.
        sums: of all open positions, None before the first reconciliation.
        left_out: rows of the last read that can't be understood, each in a sentence; None when they
            are the same as at the last write.
        fills: executions whose effect is in these positions, or in earlier ones; to be recorded.
        notices: what was noticed since the last write; to be recorded.
    """

    positions: tuple[Position, ...]
    closed: tuple[Closed, ...]
    markets: frozenset[str]
    sums: Sums | None
    cash: Cash | None
    reconciled_at: datetime | None
    left_out: tuple[str, ...] | None = None
    worth: Worth = Worth()
    fills: tuple[Fill, ...] = ()
    notices: tuple[Notice, ...] = ()
