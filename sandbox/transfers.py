"""
Money that a member moves: to the exchange and back, and from one place on it to another.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal

Direction = Literal["deposit", "withdrawal"]
TransferStatus = Literal["pending", "applied", "failed", "returned"]
Method = Literal["ach", "wire", "crypto", "debit", "apm"]
Instance = Literal["event_contract", "margined"]

# What can become of a transfer; the rest is final.
_NEXT: dict[TransferStatus, tuple[TransferStatus, ...]] = {
    "pending": ("applied", "failed"),
    "applied": ("returned",),
}


@dataclass(frozen=True, slots=True)
class Transfer:
    """A deposit or a withdrawal; cash has changed only while it is applied."""

    transfer_id: str
    direction: Direction
    method: Method
    amount_cents: int
    fee_cents: int
    created_at: datetime
    status: TransferStatus = "pending"
    finalized_at: datetime | None = None

    @property
    def dollars(self) -> Decimal:
        """What it does to the cash once it is applied; the fee is the member's either way."""
        signed = self.amount_cents if self.direction == "deposit" else -self.amount_cents
        return Decimal(signed - self.fee_cents).scaleb(-2)

    def become(self, status: TransferStatus, at: datetime) -> "Transfer":
        """The transfer in its next status; ValueError when it cannot get there."""
        if status not in _NEXT.get(self.status, ()):
            raise ValueError(f"a transfer that is {self.status} cannot become {status}")
        return replace(self, status=status, finalized_at=at)


@dataclass(frozen=True, slots=True)
class SubaccountTransfer:
    """Cash that went from one subaccount to another, at once."""

    transfer_id: str
    source: int
    destination: int
    amount_cents: int
    created_at: datetime

    @property
    def dollars(self) -> Decimal:
        return Decimal(self.amount_cents).scaleb(-2)


@dataclass(frozen=True, slots=True)
class InstanceTransfer:
    """Cash that went between the exchange for events and that for margined contracts, at once."""

    transfer_id: str
    source: Instance
    destination: Instance
    dollars: Decimal
    created_at: datetime
