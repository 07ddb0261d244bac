"""
What the day has brought so far, from one baseline: the whole account and each market alike.

The baseline is the account's value at an instant, and the net P&L of each market then, held or
flat. A position that had no mark then enters it at its first mark. The sums of today's changes are
those of the whole, as every flow of a market changes its net P&L and the cash alike.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from positions.pnl import ZERO


@dataclass(slots=True)
class Baseline:
    """
    Where the day began.

    Attributes:
        total_value: of the account then.
        nets: net P&L then, of the markets that are known; None for one held without a mark.
        is_complete: whether all markets that are not in `nets` were never traded before.
        net_transfers: what came in since, less what went out.
        entered: value of positions without a mark then, at their first mark since.
    """

    at: datetime
    total_value: Decimal
    nets: dict[str, Decimal | None]
    is_complete: bool
    net_transfers: Decimal = ZERO
    entered: Decimal = ZERO
    # Of `nets` and `entered`: whether they are others than those that were loaded.
    is_changed: bool = field(default=False, compare=False)

    def begin(self, ticker: str, net_pnl_before: Decimal | None) -> None:
        """A market is traded that was flat: what its net P&L was, None if it is not known."""
        if ticker in self.nets:
            return
        if net_pnl_before is None and self.is_complete:
            net_pnl_before = ZERO
        if net_pnl_before is not None:
            self.nets[ticker] = net_pnl_before

    def marked(self, ticker: str, net_pnl: Decimal | None, value: Decimal | None) -> None:
        """A market's figures are known; one that the baseline has without a mark enters it."""
        if net_pnl is None or value is None:
            return
        if self.nets.get(ticker, ZERO) is None:
            self.nets[ticker] = net_pnl
            self.entered += value
            self.is_changed = True

    def day_pnl(self, ticker: str, net_pnl: Decimal | None) -> Decimal | None:
        """A market's part; None where either end is unknown."""
        before = self.nets.get(ticker)
        return None if net_pnl is None or before is None else net_pnl - before

    def day_pnl_of_all(
        self, total_value: Decimal | None, unpriced: Iterable[str]
    ) -> Decimal | None:
        """
        The account's.

        Args:
            unpriced: markets held that have no mark. One that had is worth something unknown: then
                so is the whole.
        """
        if total_value is None or any(self.nets.get(ticker) is not None for ticker in unpriced):
            return None
        return total_value - self.total_value - self.entered - self.net_transfers
