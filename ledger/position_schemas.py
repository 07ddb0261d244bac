"""The shapes of one market's position, and of how figures come about."""

from datetime import datetime
from typing import Literal

from ninja import Field, Schema

from ledger.schemas import FillOut
from positions.schemas import Figure, PositionOut


class NoteIn(Schema):
    text: str = Field(max_length=5_000, description="Nothing deletes the note.")


class NoteOut(Schema):
    ticker: str
    text: str
    updated_at: datetime | None = Field(description="Null where there is no note.")


class OutcomeOut(Schema):
    """What is paid at an outcome, and what all has brought then."""

    outcome: str | None = Field(
        description="The ticker of the market that ends as YES, or `none_of_these`."
    )
    payout: Figure
    net_pnl: Figure


class EventMatrixOut(Schema):
    """What is held of the market's event, at each of its outcomes."""

    is_exclusive: bool | None = Field(
        description="Whether at most one of its markets ends as YES; null: not known."
    )
    outcomes: list[OutcomeOut] = Field(
        description="One for each market held and `none_of_these`; empty if not exclusive."
    )
    best: OutcomeOut | None
    worst: OutcomeOut | None


class SettlementMatrixOut(Schema):
    if_yes: OutcomeOut | None = Field(description="Of this position by itself.")
    if_no: OutcomeOut | None
    event: EventMatrixOut


class FillReference(Schema):
    id: str
    at: datetime


class GivenOut(Schema):
    """A number that is put in, and where it is from."""

    name: str
    value: Figure | None
    from_: str = Field(alias="from")
    at: datetime | None
    ticker: str | None
    fills: list[FillReference]


class ExplanationOut(Schema):
    """A figure's formula; with the numbers put in it gives exactly the value shown."""

    field: str
    formula: str = Field(
        description="Arithmetic with the names in `with`; `sum(x)` is over all of that name, "
        "`round6(x)` is to six decimals, half even."
    )
    words: str
    with_: list[GivenOut] = Field(alias="with")
    value: Figure | None


class ExplanationsOut(Schema):
    account_id: int
    explanation: list[ExplanationOut]


class OnePositionOut(PositionOut):  # type: ignore[valid-type,misc]  # a class, made of columns
    """A position with what is known of it; one that is closed has no side."""

    side: Literal["yes", "no"] | None
    closed_reason: Literal["closed", "settled"] | None = None
    fills: list[FillOut] = Field(description="The newest hundred.")
    note: str | None
    settlement_matrix: SettlementMatrixOut
    explanation: list[ExplanationOut]
