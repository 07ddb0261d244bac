"""The shapes of the exchange's market data, as we tell it."""

from datetime import datetime
from typing import Literal

from ninja import Field, Schema

from positions.schemas import Figure


class Span(Schema):
    """The time that a chart is of."""

    from_: str | None = Field(
        None,
        alias="from",
        description="An instant, or a day, which begins where trading days do; without, a day "
        "before `to`.",
        examples=["2026-11-23", "2026-11-23T12:00:00Z"],
    )
    to: str | None = Field(None, description="An instant or a day; without, now.")


class LevelOut(Schema):
    """Contracts that are bid for at one price of their own side."""

    price: Figure
    count: Figure


class SellNowOut(Schema):
    """What selling the whole position to those who bid now would fetch."""

    count: Figure = Field(description="Contracts that are bid for, of those held.")
    average_price: Figure | None = Field(description="Null where nothing is bid for.")
    worst_price: Figure | None
    fee: Figure | None = Field(
        description="A taker's by the published formula; null where it does not hold."
    )
    fee_multiplier: Figure | None = Field(description="Null where it is not told: then 1 is taken.")
    cash_flow: Figure | None = Field(description="With the fee.")
    left: Figure = Field(description="Contracts that nobody bids for.")


class OrderBookOut(Schema):
    """The bids for YES and for NO, best first; a bid for NO at p offers YES at 1 - p."""

    account_id: int
    ticker: str
    as_of: datetime
    yes_bids: list[LevelOut]
    no_bids: list[LevelOut]
    sell_now: SellNowOut


class RangeOut(Schema):
    """Where a price began, went and ended; of YES."""

    open: Figure
    high: Figure
    low: Figure
    close: Figure


class CandleOut(Schema):
    """A market over one period. Quotes are the exchange's: 0 and 1 may stand for nobody."""

    ends_at: datetime
    yes_bid: RangeOut
    yes_ask: RangeOut
    price: RangeOut | None = Field(description="Of trades; null if there was none.")
    previous_price: Figure | None = Field(description="Of the last trade before.")
    volume: Figure
    open_interest: Figure


class CandlesOut(Schema):
    """A market's prices over time, oldest first."""

    account_id: int
    ticker: str
    minutes: Literal[1, 60, 1440] = Field(description="The length of a candle.")
    candles: list[CandleOut]
    unreadable_count: int = Field(description="Candles that can't be understood and are left out.")
