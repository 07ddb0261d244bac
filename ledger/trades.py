"""
Trades of one market: from flat to flat, or to settlement.

A fill that closes more than is held ends a trade and opens the next, of the other side; its fee is
split by count, the closing part to six decimals, half even, and the opening part takes the rest.

Money in dollars, prices in dollars for one contract of the trade's side.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Context, Decimal
from typing import Literal

from ledger.records import Fill, Record, Settlement
from positions.decimal_text import quotient
from positions.pnl import PAYOUT, ZERO, Side

Result = Literal["yes", "no", "scalar"]
Source = Literal["ledger", "statement"]

_MICROSECOND = timedelta(microseconds=1)
_WIDE = Context(prec=60)


@dataclass(frozen=True, slots=True)
class Trade:
    """
    One trade, as far as it got.

    Attributes:
        number: its place among its market's, from 1.
        closed_at: when nothing was left of it; None while something is.
        count: contracts bought in all.
        closed_count: of these, sold or settled.
        entry_cost, exit_value: what was paid for them, and what they brought, without fees.
        exposure: cost of those that are left.
        contract_seconds: how long each contract that is closed was held, added up, less how long
            the others are held already when the trade is `opened_at`: whole once it is closed, and
            then the same whichever contract is said to have been sold first.
        result: of the market that settled it; None while open, or where it was sold.
    """

    number: int
    side: Side
    opened_at: datetime
    closed_at: datetime | None = None
    count: Decimal = ZERO
    closed_count: Decimal = ZERO
    entry_cost: Decimal = ZERO
    exit_value: Decimal = ZERO
    exposure: Decimal = ZERO
    fees_paid: Decimal = ZERO
    contract_seconds: Decimal = ZERO
    result: Result | None = None

    @property
    def held(self) -> Decimal:
        """Contracts that are left."""
        return self.count - self.closed_count

    @property
    def average_entry_price(self) -> Decimal:
        """Six decimals, half even."""
        return quotient(self.entry_cost, self.count)

    @property
    def average_exit_price(self) -> Decimal | None:
        """Six decimals, half even; None while nothing is closed."""
        return quotient(self.exit_value, self.closed_count) if self.closed_count else None

    @property
    def realized_pnl(self) -> Decimal:
        """Locked in, before fees; by the average cost while something is left."""
        return self.exit_value - (self.entry_cost - self.exposure)

    @property
    def net_pnl(self) -> Decimal | None:
        """What it brought after fees; None while it is open."""
        return None if self.closed_at is None else self.realized_pnl - self.fees_paid


def follow(last: Trade | None, record: Record, exposure_after: Decimal) -> list[Trade]:
    """
    What a record makes of its market's last trade.

    Args:
        last: the last one before the record, open or closed; None before the first.
        exposure_after: of the market, after the record.
    Returns:
        The trades that it changed or opened, oldest first: none, one, or the two of a flip.
    """
    if isinstance(record, Fill):
        if not record.count:
            return []
        return _filled(last, record, exposure_after)
    if record.paid_before is not None:
        return _corrected(last, record)
    return _settled(last, record)


def result_of(text: str) -> Result:
    """A settlement's result as a trade's; the exchange's other words pay a value between."""
    if text == "yes":
        return "yes"
    return "no" if text == "no" else "scalar"


def _filled(last: Trade | None, fill: Fill, exposure_after: Decimal) -> list[Trade]:
    number = last.number if last else 0
    before = last if last and last.closed_at is None else None
    if before is None or before.side == fill.side:
        trade = before or Trade(number + 1, fill.side, fill.at)
        return [_opened(trade, fill, fill.count, fill.fee, exposure_after)]
    count = min(before.held, fill.count)
    rest = fill.count - count
    fee = quotient(fill.fee * count, fill.count) if rest else fill.fee
    # The other side bought is this one sold, at what is left of the dollar.
    closed = _closed(before, fill.at, count, count * (PAYOUT - fill.price))
    closed = replace(
        closed,
        fees_paid=closed.fees_paid + fee,
        exposure=ZERO if closed.closed_at else exposure_after,
    )
    if not rest:
        return [closed]
    opened = Trade(number + 1, fill.side, fill.at)
    return [closed, _opened(opened, fill, rest, fill.fee - fee, exposure_after)]


def _opened(
    trade: Trade, fill: Fill, count: Decimal, fee: Decimal, exposure_after: Decimal
) -> Trade:
    return replace(
        trade,
        count=trade.count + count,
        entry_cost=trade.entry_cost + count * fill.price,
        exposure=exposure_after,
        fees_paid=trade.fees_paid + fee,
        contract_seconds=trade.contract_seconds - _contract_seconds(trade, count, fill.at),
    )


def _closed(trade: Trade, at: datetime, count: Decimal, value: Decimal) -> Trade:
    closed = replace(
        trade,
        closed_count=trade.closed_count + count,
        exit_value=trade.exit_value + value,
        contract_seconds=trade.contract_seconds + _contract_seconds(trade, count, at),
    )
    return closed if closed.held else replace(closed, closed_at=at, exposure=ZERO)


def _settled(last: Trade | None, settlement: Settlement) -> list[Trade]:
    if last is None or last.closed_at is not None:
        return []
    closed = _closed(last, settlement.at, last.held, settlement.revenue)
    return [replace(closed, result=result_of(settlement.result))]


def _corrected(last: Trade | None, settlement: Settlement) -> list[Trade]:
    if last is None or last.result is None:
        return []
    return [
        replace(
            last,
            exit_value=last.exit_value + settlement.cash_flow,
            result=result_of(settlement.result),
        )
    ]


def _contract_seconds(trade: Trade, count: Decimal, at: datetime) -> Decimal:
    microseconds = Decimal((at - trade.opened_at) // _MICROSECOND)
    return _WIDE.multiply(count, microseconds).scaleb(-6, _WIDE)
