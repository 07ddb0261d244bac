"""The shapes of `positions.documents`, for the API's documentation."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.db.models import Model
from ninja import Schema
from pydantic import Field, create_model

from accounts.schemas import AccountOut
from positions.connection import Status
from positions.documents import figure_columns
from positions.models import AccountStream, Position
from positions.pnl import MarkSource
from positions.portfolio import Unreadable

Figure = Annotated[
    str,
    Field(description="A decimal in plain notation", examples=["0.57"], pattern=r"^-?\d+(\.\d+)?$"),
]


class _PositionFacts(Schema):
    account_id: int
    ticker: str
    event_ticker: str
    series_ticker: str
    title: str
    outcome: str | None
    yes_outcome: str | None = Field(description="What YES is about, whichever side is held.")
    side: Literal["yes", "no"]
    priced_at: datetime | None
    mark_source: MarkSource | None
    unreadable: Unreadable | None = Field(
        description="Which of the exchange's rows can't be understood; then its value is unknown."
    )
    market_status: str
    close_time: datetime | None
    expected_expiration_time: datetime | None
    url: str
    updated_at: datetime
    version: int


class _PortfolioFacts(Schema):
    account_id: int | None = Field(description="Null for a sum of accounts.")
    cash_as_of: datetime | None
    cash_provisional: bool
    day_pnl_since: datetime | None
    position_count: int | None
    unpriced_count: int | None
    estimated_count: int | None
    unreadable_count: int | None = Field(
        description="Rows of the exchange that can't be understood and are left out."
    )
    reconciled_at: datetime | None
    version: int | None = Field(description="Null for a sum of accounts.")
    updated_at: datetime | None


class ConnectionOut(Schema):
    """How an account's connection to the exchange stands."""

    status: Status
    attempt: int
    retry_at: datetime | None
    reason: str | None
    since: datetime | None
    live_until: datetime | None


def _with_figures(name: str, facts: type[Schema], model: type[Model], about: str) -> type[Schema]:
    # Any: what pydantic takes for a field, a type and its default.
    figures: dict[str, Any] = {
        field.name: (Figure | None if field.null else Figure, ...)
        for field in figure_columns(model)
    }
    return create_model(name, __base__=facts, __doc__=about, **figures)


PositionOut = _with_figures("PositionOut", _PositionFacts, Position, "One open position.")
PositionsOut = create_model(
    "PositionsOut",
    __base__=Schema,
    __doc__="The open positions; `as_of` is null until they were first read from the exchange.",
    positions=(list[PositionOut], ...),  # type: ignore[valid-type]  # a class, made above
    version=(int, ...),
    as_of=(datetime | None, ...),
)
PositionsOfAllOut = create_model(
    "PositionsOfAllOut",
    __base__=Schema,
    __doc__="Of all accounts; `as_of` is of the one furthest behind, null while any is unknown.",
    positions=(list[PositionOut], ...),  # type: ignore[valid-type]  # as above
    as_of=(datetime | None, ...),
)
PortfolioOut = _with_figures(
    "PortfolioOut",
    _PortfolioFacts,
    AccountStream,
    "Cash and the sums of the open positions; null is unknown.",
)
SumOut = create_model(
    "SumOut",
    __base__=PortfolioOut,
    __doc__="The accounts of one environment added up.",
    environment=(str, ...),
)
AccountWithFiguresOut = create_model(
    "AccountWithFiguresOut",
    __base__=AccountOut,
    __doc__="An account, its sums and its connection.",
    portfolio=(PortfolioOut, ...),
    connection=(ConnectionOut, ...),
)
AccountsOut = create_model(
    "AccountsOut",
    __base__=Schema,
    __doc__="The accounts that a session sees, and a sum for each environment with several.",
    accounts=(list[AccountWithFiguresOut], ...),  # type: ignore[valid-type]  # as above
    sums=(list[SumOut], ...),  # type: ignore[valid-type]  # as above
)
