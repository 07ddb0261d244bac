"""
What happened to an account, as values.

Money in dollars, prices in dollars for one contract of the side they belong to, counts in
contracts. Times are the exchange's. A record never changes: what the exchange says anew of
something is another record.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from kalshi import history, messages, transfers
from kalshi.clocks import to_milliseconds
from positions.decimal_text import quotient
from positions.pnl import PAYOUT, ZERO, Side

SettlementSource = Literal["exchange", "derived"]
TransferKind = Literal["deposit", "withdrawal", "subaccount", "exchange", "named"]


@dataclass(frozen=True, slots=True)
class Fill:
    """
    One execution of an order of the account's.

    Attributes:
        at: to the millisecond, as the stream tells it: REST's microseconds would order two fills
            by which of both told them first.
        side: what was bought. YES sold at 55¢ is NO bought at 45¢, which closes.
        price: of one contract of that side.
        is_taker: None where the exchange does not tell.
    """

    trade_id: str
    order_id: str
    ticker: str
    at: datetime
    side: Side
    count: Decimal
    price: Decimal
    fee: Decimal
    is_taker: bool | None = None

    @property
    def signed_count(self) -> Decimal:
        """What it adds to the signed quantity held."""
        return self.count if self.side == "yes" else -self.count

    @property
    def order(self) -> tuple[datetime, int, str]:
        """Its place among the records of an account; those of one instant by id."""
        return (self.at, 0, self.trade_id)


@dataclass(frozen=True, slots=True)
class Settlement:
    """
    The payout of what was held in a market at its end.

    Attributes:
        result: "yes", "no", "scalar", or what else the exchange may say.
        value: what one YES contract paid; None where it is not told.
        quantity: signed contracts that were paid for.
        exposure: what they had cost, as far as the exchange tells; the books may know it better
            (`flows.effect_of`).
        revenue: what they paid, in whole cents. Of a correction what they paid in all.
        fees_paid: over the market's life, for information.
        paid_before: by the settlement that this one corrects; None for the first.
    """

    ticker: str
    at: datetime
    result: str
    value: Decimal | None
    quantity: Decimal
    exposure: Decimal
    revenue: Decimal
    fees_paid: Decimal
    source: SettlementSource = "exchange"
    paid_before: Decimal | None = None

    @property
    def cash_flow(self) -> Decimal:
        """What it changes the cash by."""
        return self.revenue - (self.paid_before or ZERO)

    @property
    def realized_pnl(self) -> Decimal:
        """What it adds to the market's realized P&L, before fees."""
        return self.cash_flow - (self.exposure if self.paid_before is None else ZERO)

    @property
    def order(self) -> tuple[datetime, int, str]:
        """Its place among the records of an account: after the fills of its instant."""
        return (self.at, 1, self.ticker)


Record = Fill | Settlement


@dataclass(frozen=True, slots=True)
class Transfer:
    """
    Money that came or went beside the markets, at one stage of its way.

    Attributes:
        id: the exchange's.
        at: when it got to this stage.
        amount: without sign; `fee` is the owner's either way.
        status: the exchange's word: "pending", "applied", "failed", "returned".
        cash_flow: what this stage changed the cash by.
    """

    id: str
    kind: TransferKind
    at: datetime
    method: str
    amount: Decimal
    fee: Decimal
    status: str
    cash_flow: Decimal


def fill_of(told: messages.Fill) -> Fill:
    """What the exchange tells of an execution, by REST or by the stream."""
    side = told.outcome_side
    return Fill(
        trade_id=told.trade_id,
        order_id=told.order_id,
        ticker=told.market_ticker,
        at=to_milliseconds(told.at),
        side=side,
        count=told.count,
        price=told.yes_price if side == "yes" else PAYOUT - told.yes_price,
        fee=told.fee_cost,
        is_taker=told.is_taker,
    )


def settlement_of(told: history.Settlement) -> Settlement:
    """What the exchange tells of a payout: of the contracts that were held at the end."""
    return Settlement(
        ticker=told.ticker,
        at=told.settled_at,
        result=told.result,
        value=told.yes_value,
        quantity=told.quantity,
        exposure=_cost_at_the_end(told),
        revenue=told.payout,
        fees_paid=told.fee_cost,
    )


def _cost_at_the_end(told: history.Settlement) -> Decimal:
    if not (told.yes_count and told.no_count):
        return told.yes_cost + told.no_cost
    # What is left of the larger side, at the average of all that was bought of it.
    count, cost = max((told.yes_count, told.yes_cost), (told.no_count, told.no_cost))
    return quotient(cost * abs(told.quantity), count)


def stages_of(told: transfers.Payment, kind: Literal["deposit", "withdrawal"]) -> list[Transfer]:
    """
    The stages that a deposit or a withdrawal has passed, oldest first.

    Of one that came back it was once applied, when is not told: at its beginning, then.
    """
    sign = 1 if kind == "deposit" else -1
    flow = sign * told.amount - told.fee
    ended_at = told.finalized_at or told.created_at

    def stage(status: str, at: datetime, cash_flow: Decimal) -> Transfer:
        return Transfer(told.id, kind, at, told.method, told.amount, told.fee, status, cash_flow)

    match told.status:
        case "applied":
            return [stage("applied", ended_at, flow)]
        case "returned":
            return [
                stage("applied", told.created_at, flow),
                stage("returned", ended_at, -flow),
            ]
        case "failed":
            return [stage("failed", ended_at, ZERO)]
        case _:
            return [stage(told.status, told.created_at, ZERO)]
