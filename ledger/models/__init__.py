"""The ledger: what happened to each account, and what follows. All of it goes with its account."""

from ledger.models.follows import CollateralFlow, RecordedPosition, Trade
from ledger.models.happened import EventDecision, Fill, ImportedTrade, Settlement, Transfer
from ledger.models.notes import Note
from ledger.models.noticed import ConnectionChange, MarketChange, Reconciliation
from ledger.models.reach import Followed, Hole, NettingChange
from ledger.models.worth import Balance, EquityPoint, Unexplained

__all__ = [
    "Balance",
    "CollateralFlow",
    "ConnectionChange",
    "EquityPoint",
    "EventDecision",
    "Fill",
    "Followed",
    "Hole",
    "ImportedTrade",
    "MarketChange",
    "NettingChange",
    "Note",
    "Reconciliation",
    "RecordedPosition",
    "Settlement",
    "Trade",
    "Transfer",
    "Unexplained",
]
