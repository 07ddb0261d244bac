"""The shapes of what happened; a row's fields are the columns of its CSV."""

from datetime import datetime

from ninja import Field, Schema

from ledger.records import SettlementSource, TransferKind
from positions.pnl import Side
from positions.schemas import Figure

Next = str | None


class FillOut(Schema):
    """One execution; what follows from those before it is null until all of them are known."""

    account_id: int
    id: str
    order_id: str
    ticker: str
    event_ticker: str
    at: datetime
    side: Side = Field(description="What was bought: who sells YES buys NO.")
    count: Figure
    closed_count: Figure | None
    price: Figure = Field(description="Of one contract of the side that was bought.")
    cash_flow: Figure | None = Field(description="With the fee, and $1 for each netted pair.")
    fee: Figure
    is_taker: bool | None
    quantity_after: Figure | None
    realized_pnl: Figure | None = Field(description="Of this fill alone, before fees.")


class FillsOut(Schema):
    fills: list[FillOut]
    next: Next


class SettlementOut(Schema):
    """A payout, or the correction of one."""

    account_id: int
    ticker: str
    event_ticker: str
    at: datetime
    result: str
    value: Figure | None = Field(description="What one YES contract paid.")
    quantity: Figure
    exposure: Figure
    cash_flow: Figure
    realized_pnl: Figure = Field(description="Of this event alone, before fees.")
    fees_paid: Figure = Field(description="Over the market's life; in no sum again.")
    source: SettlementSource


class SettlementsOut(Schema):
    settlements: list[SettlementOut]
    next: Next


class TransferOut(Schema):
    """Money that came or went beside the markets, as its newest status has it."""

    account_id: int
    id: str
    at: datetime
    kind: TransferKind
    method: str
    amount: Figure = Field(description="Without sign, save for what its owner named.")
    fee: Figure
    status: str
    cash_flow: Figure


class TransfersOut(Schema):
    transfers: list[TransferOut]
    next: Next
