"""
What a member holds: keys, cash, positions and the fills that made them.

Always true of a portfolio, without rounding: its cash is the starting cash plus the cash flow of
each fill, and in each market the flows before fees add up to realized P&L minus exposure.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from sandbox.market import ONE, ZERO

OutcomeSide = Literal["yes", "no"]

# The wire shows money with six decimals; the cost of a part of a position is kept to that.
_MICRO_DOLLAR = Decimal("0.000001")


def price_of(side: OutcomeSide, yes_price: Decimal) -> Decimal:
    """Dollars for one contract of a side, from the price of YES."""
    return yes_price if side == "yes" else ONE - yes_price


@dataclass(frozen=True, slots=True)
class Fill:
    """
    One execution of the member's.

    Args:
        sequence: position in the portfolio's list, from 1.
        outcome_side: the side it moved the member towards.
        count: contracts; `post_quantity` is the signed holding after it.
        fee, cash_flow: dollars; the flow includes the fee and is negative when the member paid.
        is_closing: it reduced what was held.
    """

    sequence: int
    trade_id: str
    order_id: str
    ticker: str
    outcome_side: OutcomeSide
    count: Decimal
    yes_price: Decimal
    fee: Decimal
    is_taker: bool
    is_closing: bool
    post_quantity: Decimal
    cash_flow: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class Position:
    """
    A holding in one market, with average-cost accounting.

    Args:
        quantity: signed contracts, YES > 0, NO < 0.
        exposure: cost of what is still held, in dollars, without fees.
        realized_pnl: locked in by closing, in dollars, without fees.
        fees_paid: all fees in this market; `open_fees` those of the contracts still held.
        volume: contracts traded; `total_traded` the dollars they were traded for.
    """

    ticker: str
    quantity: Decimal = ZERO
    exposure: Decimal = ZERO
    realized_pnl: Decimal = ZERO
    fees_paid: Decimal = ZERO
    open_fees: Decimal = ZERO
    volume: Decimal = ZERO
    total_traded: Decimal = ZERO
    updated_at: datetime | None = None

    def after(
        self, side: OutcomeSide, count: Decimal, yes_price: Decimal, fee: Decimal, at: datetime
    ) -> "Position":
        """The holding once `count` contracts of a side were bought; the other side nets first."""
        signed = count if side == "yes" else -count
        held = abs(self.quantity)
        closed = min(count, held) if self.quantity * signed < 0 else ZERO
        opened = count - closed
        cost_closed = self.exposure if closed == held else _share(self.exposure, closed, held)
        fees_closed = self.open_fees if closed == held else _share(self.open_fees, closed, held)
        price = price_of(side, yes_price)
        # A pair of YES and NO is worth $1, so buying the other side sells ours at what is left of
        # it.
        proceeds = closed * (ONE - price)
        return replace(
            self,
            quantity=self.quantity + signed,
            exposure=self.exposure - cost_closed + opened * price,
            realized_pnl=self.realized_pnl + proceeds - cost_closed,
            fees_paid=self.fees_paid + fee,
            open_fees=self.open_fees - fees_closed + _share(fee, opened, count),
            volume=self.volume + count,
            total_traded=self.total_traded + proceeds + opened * price,
            updated_at=at,
        )


def _share(dollars: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    if not part:
        return ZERO
    return (dollars * part / whole).quantize(_MICRO_DOLLAR, rounding=ROUND_HALF_EVEN)


@dataclass(slots=True)
class Portfolio:
    """Cash, positions by ticker and fills, oldest first, of one subaccount."""

    subaccount: int
    starting_cash: Decimal
    updated_at: datetime
    cash: Decimal = field(init=False)
    positions: dict[str, Position] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cash = self.starting_cash

    def book(
        self,
        ticker: str,
        side: OutcomeSide,
        count: Decimal,
        yes_price: Decimal,
        *,
        fee: Decimal,
        is_taker: bool,
        trade_id: str,
        order_id: str,
        at: datetime,
    ) -> Fill:
        """Apply an execution to position and cash, and keep it."""
        before = self.positions.get(ticker, Position(ticker))
        after = before.after(side, count, yes_price, fee, at)
        netted = (abs(before.quantity) + count - abs(after.quantity)) / 2
        fill = Fill(
            sequence=len(self.fills) + 1,
            trade_id=trade_id,
            order_id=order_id,
            ticker=ticker,
            outcome_side=side,
            count=count,
            yes_price=yes_price,
            fee=fee,
            is_taker=is_taker,
            is_closing=netted > 0,
            post_quantity=after.quantity,
            cash_flow=netted - count * price_of(side, yes_price) - fee,
            at=at,
        )
        self.positions[ticker] = after
        self.fills.append(fill)
        self.cash += fill.cash_flow
        self.updated_at = at
        return fill


@dataclass(frozen=True, slots=True)
class ApiKey:
    """
    A key of a member's.

    Args:
        scopes: such as `read` and `write`.
        subaccount: the only one it may see, or None for all.
    """

    api_key_id: str
    user_id: str
    name: str
    scopes: tuple[str, ...]
    public_key: RSAPublicKey | Ed25519PublicKey = field(repr=False)
    subaccount: int | None = None


@dataclass(slots=True)
class Account:
    """A member: portfolios by subaccount, 0 being the primary one, and keys by their id."""

    user_id: str
    portfolios: dict[int, Portfolio]
    keys: dict[str, ApiKey] = field(default_factory=dict)
