"""
Where a member's cash came from and went: one entry for every change, and their sum.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

from sandbox.grid import ZERO

EntryKind = Literal[
    "opening",
    "fill",
    "settlement",
    "deposit",
    "withdrawal",
    "collateral_return",
    "subaccount_transfer",
    "instance_transfer",
    "untold",
]


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One change of the cash.

    Args:
        dollars: positive when the member received it.
        reference: what it belongs to: a trade, a market, a transfer or an event; empty for what is
            told nowhere.
    """

    kind: EntryKind
    dollars: Decimal
    reference: str
    at: datetime


@dataclass(slots=True)
class Ledger:
    """Entries in the order in which they were posted; `balance` is their sum, to the last digit."""

    entries: list[Entry] = field(default_factory=list)
    balance: Decimal = ZERO

    def post(self, kind: EntryKind, dollars: Decimal, reference: str, at: datetime) -> None:
        """Change the balance; a change of nothing leaves no entry."""
        if dollars:
            self.entries.append(Entry(kind, dollars, reference, at))
            self.balance += dollars
