"""The shapes of trades and statistics."""

from datetime import datetime
from typing import get_type_hints

from ninja import Field, Schema
from pydantic import create_model

from ledger.statistics import Statistics
from ledger.trades import Result, Source
from positions.pnl import Side
from positions.schemas import Figure


class TradeOut(Schema):
    """From flat to flat, or to settlement."""

    account_id: int
    ticker: str
    side: Side
    opened_at: datetime
    closed_at: datetime | None = Field(description="Null while something is held.")
    count: Figure = Field(description="Contracts bought in all.")
    average_entry_price: Figure
    average_exit_price: Figure | None
    fees_paid: Figure
    net_pnl: Figure | None = Field(
        description="After fees; of an open trade at the mark, null without one."
    )
    result: Result | None = Field(description="Null while open, and where it was sold.")
    source: Source


class TradesOut(Schema):
    trades: list[TradeOut]
    next: str | None


class DrawdownOut(Schema):
    """The deepest falls; the dates are those of the percentage."""

    amount: Figure = Field(description="Dollars, of the value less net transfers.")
    percent: Figure | None = Field(description="Of the index of returns.")
    since: datetime | None = Field(alias="from", description="The peak.")
    until: datetime | None = Field(alias="to", description="The lowest point after it.")
    recovered_at: datetime | None


_NAMES = [name for name in get_type_hints(Statistics) if name != "reasons"]
_BRIER = "Scores the prices paid against the outcomes, not what their buyer thought; 0 is perfect."


def _shape(name: str) -> tuple[object, object]:
    kind = get_type_hints(Statistics)[name]
    description = _BRIER if name == "entry_brier" else None
    if kind is int:
        return int | None, ...
    return Figure | None, Field(..., description=description)


StatisticsOut = create_model(  # type: ignore[call-overload]  # fields by their names
    "StatisticsOut",
    __base__=Schema,
    __doc__="Of closed trades. What can't be said is null, and `reasons` says by field why.",
    **{name: _shape(name) for name in _NAMES},
    reasons=(dict[str, str], ...),
)


class TotalOut(StatisticsOut):  # type: ignore[misc, valid-type]  # a class, made above
    """Of all trades, and of the account's value over the same period."""

    time_weighted_return: Figure | None
    money_weighted_return: Figure | None
    sharpe: Figure | None
    max_drawdown: DrawdownOut | None


class GroupOut(StatisticsOut):  # type: ignore[misc, valid-type]  # as above
    """Of the trades of one key."""

    key: str


class StatisticsAnswerOut(Schema):
    account_id: int | None = Field(description="Null for a sum of accounts.")
    environment: str
    total: TotalOut
    groups: list[GroupOut]
