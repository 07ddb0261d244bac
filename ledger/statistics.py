"""
What closed trades add up to.

A `Tally` holds sums alone, so that those of two periods, added, are those of both; `Statistics`
are its quotients, six decimals, half even. Money in dollars, rates as fractions. What can't be
said is None, with a reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Context, Decimal
from typing import Any, Literal

from positions.decimal_text import quotient
from positions.pnl import ZERO

By = Literal["series", "event", "side", "day", "week", "month", "weekday"]
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_WIDE = Context(prec=60)

NO_TRADE = "No trade was closed."
NO_WIN_OR_LOSS = "It takes a win and a loss."
NO_LOSS = "No trade lost."
NO_COST = "Nothing was paid for what was traded."
NO_RESULT = "No closed trade is in a market that ended with yes or no."
NO_CLOSING_LINE = "No price from just before the event began is known."


@dataclass(frozen=True, slots=True)
class Tally:
    """
    Sums over closed trades.

    Attributes:
        gross_profit, gross_loss: of those that won, and lost, after fees; neither is negative.
        count: contracts.
        brier_sum: of `brier_trades`, those with a result yes or no.
        line_sum: of `line_trades`, those with a closing price.
    """

    trades: int = 0
    wins: int = 0
    losses: int = 0
    gross_profit: Decimal = ZERO
    gross_loss: Decimal = ZERO
    fees_paid: Decimal = ZERO
    entry_cost: Decimal = ZERO
    count: Decimal = ZERO
    contract_seconds: Decimal = ZERO
    brier_sum: Decimal = ZERO
    brier_trades: int = 0
    line_sum: Decimal = ZERO
    line_trades: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(_sum(getattr(self, n), getattr(other, n)) for n in COLUMNS))


COLUMNS = tuple(each.name for each in fields(Tally))


@dataclass(frozen=True, slots=True)
class Statistics:
    """
    What a tally comes to.

    Attributes:
        win_rate: wins / trades; a trade of exactly 0 is neither a win nor a loss.
        break_even_rate: average loss / (average win + average loss): the win rate at which trades
            of these sizes earn nothing.
        profit_factor: gross profit / gross loss.
        expectancy: net P&L of a trade, on average.
        fee_drag: fees / entry cost.
        average_holding_seconds: of a contract.
        entry_brier: mean of (average entry price - 1 if it won, else 0) squared, each trade the
            same: it scores the prices that were paid, not what their buyer thought.
        closing_line_value: mean of closing price - average entry price.
        reasons: by field, why it is None.
    """

    trades: int
    wins: int
    losses: int
    win_rate: Decimal | None
    break_even_rate: Decimal | None
    net_pnl: Decimal
    gross_profit: Decimal
    gross_loss: Decimal
    profit_factor: Decimal | None
    expectancy: Decimal | None
    fees_paid: Decimal
    fee_drag: Decimal | None
    average_holding_seconds: Decimal | None
    entry_brier: Decimal | None
    closing_line_value: Decimal | None
    reasons: Mapping[str, str] = field(default_factory=dict)


def statistics_of(tally: Tally) -> Statistics:
    """The statistics of these trades."""
    reasons: dict[str, str] = {}

    def ratio(name: str, dividend: Decimal, divisor: Decimal | int, reason: str) -> Decimal | None:
        if not divisor:
            reasons[name] = reason
            return None
        return quotient(dividend, Decimal(divisor))

    net = tally.gross_profit - tally.gross_loss
    # Both averages with the product of wins and losses as their denominator.
    loss = _WIDE.multiply(tally.gross_loss, tally.wins)
    win = _WIDE.multiply(tally.gross_profit, tally.losses)
    has_both = tally.wins and tally.losses
    return Statistics(
        trades=tally.trades,
        wins=tally.wins,
        losses=tally.losses,
        win_rate=ratio("win_rate", Decimal(tally.wins), tally.trades, NO_TRADE),
        break_even_rate=ratio(
            "break_even_rate", loss, _WIDE.add(win, loss) if has_both else 0, NO_WIN_OR_LOSS
        ),
        net_pnl=net,
        gross_profit=tally.gross_profit,
        gross_loss=tally.gross_loss,
        profit_factor=ratio("profit_factor", tally.gross_profit, tally.gross_loss, NO_LOSS),
        expectancy=ratio("expectancy", net, tally.trades, NO_TRADE),
        fees_paid=tally.fees_paid,
        fee_drag=ratio("fee_drag", tally.fees_paid, tally.entry_cost, NO_COST),
        average_holding_seconds=ratio(
            "average_holding_seconds", tally.contract_seconds, tally.count, NO_TRADE
        ),
        entry_brier=ratio("entry_brier", tally.brier_sum, tally.brier_trades, NO_RESULT),
        closing_line_value=ratio(
            "closing_line_value", tally.line_sum, tally.line_trades, NO_CLOSING_LINE
        ),
        reasons=reasons,
    )


def key_of_day(by: By, day: date) -> str:
    """The group of a day: `2026-11-23`, `2026-W48` as ISO 8601 has it, `2026-11`, `Monday`."""
    match by:
        case "week":
            year, week, _ = day.isocalendar()
            return f"{year:04}-W{week:02}"
        case "month":
            return f"{day.year:04}-{day.month:02}"
        case "weekday":
            return WEEKDAYS[day.weekday()]
        case _:
            return day.isoformat()


def _sum(one: Any, other: Any) -> Any:  # Any: counts or decimals, the one like the other
    return one + other if isinstance(one, int) else _WIDE.add(one, other)
