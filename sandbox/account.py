"""
What a member holds: keys, cash, positions, and the fills, settlements and transfers that made them.

Always true of a portfolio, without rounding: its cash is the sum of its ledger, and in each market
the flows before fees add up to realized P&L minus exposure.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from sandbox.grid import ZERO
from sandbox.ledger import Ledger
from sandbox.position import OutcomeSide, Position, price_of
from sandbox.transfers import Direction, Method, Transfer, TransferStatus

_CENT = Decimal("0.01")


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

    @property
    def action(self) -> str:
        """The older word for what `is_closing` says."""
        return "sell" if self.is_closing else "buy"

    @property
    def book_side(self) -> str:
        """The side of the YES book that it moved the member to."""
        return "bid" if self.outcome_side == "yes" else "ask"


@dataclass(frozen=True, slots=True)
class Settlement:
    """
    The final payout of what was held in a market.

    Args:
        position: as it was held, before the payout.
        yes_value: what one YES contract paid, in dollars.
        revenue: dollars for all of them, in whole cents.
    """

    position: Position
    yes_value: Decimal
    revenue: Decimal
    at: datetime


@dataclass(slots=True)
class Portfolio:
    """One subaccount: cash, positions by ticker, and what happened to them, oldest first."""

    subaccount: int
    starting_cash: Decimal
    updated_at: datetime
    ledger: Ledger = field(default_factory=Ledger)
    positions: dict[str, Position] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    settlements: list[Settlement] = field(default_factory=list)
    transfers: dict[str, Transfer] = field(default_factory=dict)
    collateral_returned: dict[str, Decimal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ledger.post("opening", self.starting_cash, "opening", self.updated_at)

    @property
    def cash(self) -> Decimal:
        """Dollars to trade with or to withdraw."""
        return self.ledger.balance

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
        self.ledger.post("fill", fill.cash_flow, trade_id, at)
        self.updated_at = at
        return fill

    def settle(self, ticker: str, yes_value: Decimal, at: datetime) -> Settlement | None:
        """Pay out what is held in a market; None when nothing is."""
        before = self.positions.get(ticker)
        if before is None or not before.quantity:
            return None
        side: OutcomeSide = "yes" if before.quantity > 0 else "no"
        # Only a scalar result makes parts of a cent; the exchange rounds payouts to whole ones.
        revenue = (abs(before.quantity) * price_of(side, yes_value)).quantize(_CENT, ROUND_FLOOR)
        settlement = Settlement(before, yes_value, revenue, at)
        self.positions[ticker] = before.settled(revenue, at)
        self.settlements.append(settlement)
        self.ledger.post("settlement", revenue, ticker, at)
        self.updated_at = at
        return settlement

    def return_collateral(self, event_ticker: str, dollars: Decimal, at: datetime) -> None:
        """Bring what is returned early on an event to `dollars`, by giving more or taking back."""
        change = dollars - self.collateral_returned.get(event_ticker, ZERO)
        self.collateral_returned[event_ticker] = dollars
        self.ledger.post("collateral_return", change, event_ticker, at)

    def begin_transfer(
        self,
        direction: Direction,
        amount_cents: int,
        *,
        fee_cents: int,
        method: Method,
        transfer_id: str,
        at: datetime,
    ) -> Transfer:
        """
        Announce a deposit or a withdrawal; cash changes when it is applied.

        Raises:
            ValueError: the amount is not positive, the fee negative or more than the amount.
        """
        if amount_cents <= 0 or not 0 <= fee_cents <= amount_cents:
            raise ValueError("an amount is above 0, a fee between 0 and the amount")
        transfer = Transfer(transfer_id, direction, method, amount_cents, fee_cents, at)
        self.transfers[transfer_id] = transfer
        return transfer

    def finish_transfer(self, transfer_id: str, status: TransferStatus, at: datetime) -> Transfer:
        """
        Apply a transfer, or let it fail or come back.

        Raises:
            KeyError: there is no such transfer.
            ValueError: it cannot get into that status, or there is not enough cash.
        """
        transfer = self.transfers[transfer_id].become(status, at)
        if status == "applied":
            if transfer.dollars < 0 and self.cash + transfer.dollars < 0:
                raise ValueError(f"a withdrawal of more than the cash of {self.cash}")
            self.ledger.post(transfer.direction, transfer.dollars, transfer_id, at)
        elif status == "returned":
            self.ledger.post(transfer.direction, -transfer.dollars, transfer_id, at)
        self.transfers[transfer_id] = transfer
        self.updated_at = at
        return transfer


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
