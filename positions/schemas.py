"""The shapes of `positions.documents`, for the API's documentation."""

from datetime import datetime
from typing import Annotated, Literal

from ninja import Schema
from pydantic import Field

Figure = Annotated[
    str,
    Field(description="A decimal in plain notation", examples=["0.57"], pattern=r"^-?\d+(\.\d+)?$"),
]


class PositionOut(Schema):
    """One open position."""

    account_id: int
    ticker: str
    event_ticker: str
    series_ticker: str
    title: str
    outcome: str
    side: Literal["yes", "no"]
    quantity: Figure
    average_price: Figure | None
    exposure: Figure
    yes_bid: Figure | None
    yes_ask: Figure | None
    last_price: Figure | None
    priced_at: datetime | None
    mark: Figure | None
    mark_source: Literal["bid", "mid", "last", "settlement"] | None
    market_value: Figure | None
    unrealized_pnl: Figure | None
    unrealized_pnl_percent: Figure | None
    realized_pnl: Figure
    fees_paid: Figure
    net_pnl: Figure | None
    day_pnl: Figure | None
    break_even_price: Figure | None
    payout: Figure
    market_status: str
    close_time: datetime | None
    url: str
    updated_at: datetime
    version: int


class PositionsOut(Schema):
    """The open positions; `as_of` is null until they were first read from the exchange."""

    positions: list[PositionOut]
    version: int
    as_of: datetime | None


class PortfolioOut(Schema):
    """Cash and the sums of the open positions; null is unknown."""

    cash: Figure | None
    cash_as_of: datetime | None
    cash_provisional: bool
    positions_value: Figure | None
    collateral_returned: Figure | None
    total_value: Figure | None
    exposure: Figure | None
    unrealized_pnl: Figure | None
    unrealized_pnl_percent: Figure | None
    realized_pnl: Figure | None
    fees_paid: Figure | None
    day_pnl: Figure | None
    day_pnl_since: datetime | None
    position_count: int | None
    unpriced_count: int | None
    estimated_count: int | None
    estimated_value: Figure | None
    exchange_portfolio_value: Figure | None
    reconciled_at: datetime | None
    version: int
    updated_at: datetime | None
