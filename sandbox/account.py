"""
What a member holds: keys, cash, positions, and the fills, settlements and transfers that made them.

Always true of a portfolio, without rounding: its cash is the sum of its ledger, and in each market
the flows before fees add up to realized P&L minus exposure.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from sandbox.fees import DIRECT, PRECISIONS
from sandbox.grid import ZERO
from sandbox.ledger import EntryKind, Ledger
from sandbox.position import OutcomeSide, Position, price_of
from sandbox.transfers import (
    Direction,
    InstanceTransfer,
    Method,
    SubaccountTransfer,
    Transfer,
    TransferStatus,
)

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

    It is the only one of its market: a decision after it takes its place.

    Args:
        position: as it was held, before the payout.
        yes_value: what one YES contract paid, in dollars.
        revenue: dollars for all of them, in whole cents.
    """

    position: Position
    yes_value: Decimal
    revenue: Decimal
    at: datetime

    @classmethod
    def of(cls, position: Position, yes_value: Decimal, at: datetime) -> "Settlement":
        side: OutcomeSide = "yes" if position.quantity > 0 else "no"
        payout = abs(position.quantity) * price_of(side, yes_value)
        # Only a scalar result makes parts of a cent; the exchange rounds payouts to whole ones.
        return cls(position, yes_value, payout.quantize(_CENT, ROUND_FLOOR), at)


@dataclass(slots=True)
class Portfolio:
    """
    One subaccount: cash, positions by ticker, and what happened to them, oldest first.

    Args:
        precision: the step of its balance in dollars, one of `fees.PRECISIONS`.
        is_netting: collateral is returned early on what is certain to pay.
        overpaid: by the rounding of each order's fills, in dollars, where an order has several.
    """

    subaccount: int
    starting_cash: Decimal
    updated_at: datetime
    ledger: Ledger = field(default_factory=Ledger)
    positions: dict[str, Position] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    settlements: list[Settlement] = field(default_factory=list)
    transfers: dict[str, Transfer] = field(default_factory=dict)
    collateral_returned: dict[str, Decimal] = field(default_factory=dict)
    precision: Decimal = DIRECT
    is_netting: bool = True
    overpaid: dict[str, Decimal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ValueError(f"a balance is precise to one of {', '.join(map(str, PRECISIONS))}")
        self._check_precision(self.starting_cash)
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
        settlement = Settlement.of(before, yes_value, at)
        self.positions[ticker] = before.settled(settlement.revenue, at)
        self.settlements.append(settlement)
        self.ledger.post("settlement", settlement.revenue, ticker, at)
        self.updated_at = at
        return settlement

    def settle_anew(self, ticker: str, yes_value: Decimal, at: datetime) -> Settlement | None:
        """
        Bring a payout to what another decision makes of it; None when nothing was held.

        The new settlement stands for the old one, and the cash gets the difference, which may take
        it below 0.
        """
        paid = next((each for each in self.settlements if each.position.ticker == ticker), None)
        if paid is None:
            return None
        settlement = Settlement.of(paid.position, yes_value, at)
        difference = settlement.revenue - paid.revenue
        position = self.positions[ticker]
        self.positions[ticker] = replace(
            position, realized_pnl=position.realized_pnl + difference, updated_at=at
        )
        self.settlements.remove(paid)
        self.settlements.append(settlement)
        self.ledger.post("settlement", difference, ticker, at)
        self.updated_at = at
        return settlement

    def return_collateral(self, event_ticker: str, dollars: Decimal, at: datetime) -> None:
        """Bring what is returned early on an event to `dollars`, by giving more or taking back."""
        change = dollars - self.collateral_returned.get(event_ticker, ZERO)
        if not change:
            return
        self.collateral_returned[event_ticker] = dollars
        self.ledger.post("collateral_return", change, event_ticker, at)
        self.updated_at = at

    def post(self, kind: EntryKind, dollars: Decimal, reference: str, at: datetime) -> None:
        """
        Let cash come or go for a reason of its own.

        Raises:
            ValueError: it is finer than the balance's precision, or more than the cash goes.
        """
        self._check_precision(dollars)
        if dollars < 0 and self.cash + dollars < 0:
            raise ValueError(f"more than the cash of {self.cash}")
        self.ledger.post(kind, dollars, reference, at)
        self.updated_at = at

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
            self.post(transfer.direction, transfer.dollars, transfer_id, at)
        elif status == "returned":
            self.ledger.post(transfer.direction, -transfer.dollars, transfer_id, at)
        self.transfers[transfer_id] = transfer
        self.updated_at = at
        return transfer

    def _check_precision(self, dollars: Decimal) -> None:
        if dollars % self.precision:
            raise ValueError(f"dollars in steps of {self.precision}")


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
    """
    A member: portfolios by subaccount, 0 being the primary one, and keys by their id.

    Cash that moved between the subaccounts, or to another exchange, is told oldest first.
    """

    user_id: str
    portfolios: dict[int, Portfolio]
    keys: dict[str, ApiKey] = field(default_factory=dict)
    subaccount_transfers: list[SubaccountTransfer] = field(default_factory=list)
    instance_transfers: list[InstanceTransfer] = field(default_factory=list)
