"""One closed trade's sums, reckoned in Python: what the database's must be."""

from decimal import Decimal

from ledger.statistics import Tally
from ledger.trades import Result, Trade
from positions.pnl import ZERO, Side


def tally_of(trade: Trade, closing_price: Decimal | None = None) -> Tally:
    """
    One closed trade's sums.

    Args:
        closing_price: of one contract of the trade's side just before its event began.
    """
    net = trade.net_pnl
    if net is None:
        return Tally()
    won = _is_won(trade.side, trade.result)
    price = trade.average_entry_price
    return Tally(
        trades=1,
        wins=int(net > 0),
        losses=int(net < 0),
        gross_profit=max(net, ZERO),
        gross_loss=max(-net, ZERO),
        fees_paid=trade.fees_paid,
        entry_cost=trade.entry_cost,
        count=trade.count,
        contract_seconds=trade.contract_seconds,
        brier_sum=ZERO if won is None else (price - int(won)) ** 2,
        brier_trades=int(won is not None),
        line_sum=ZERO if closing_price is None else closing_price - price,
        line_trades=int(closing_price is not None),
    )


def _is_won(side: Side, result: Result | None) -> bool | None:
    """Whether the side paid a dollar; None where it was neither won nor lost."""
    return side == result if result in ("yes", "no") else None
