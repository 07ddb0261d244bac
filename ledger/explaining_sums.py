"""How each of a portfolio's sums and its day come about; as `ledger.explaining` of one position."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ledger.explaining import Explanation, Given, another_figure, as_told
from positions.pnl import ZERO


@dataclass(frozen=True, slots=True)
class Part:
    """An open position's figures; `priced_at` is of its quote."""

    ticker: str
    exposure: Decimal
    realized_pnl: Decimal
    fees_paid: Decimal
    market_value: Decimal | None
    mark_source: str | None
    priced_at: datetime | None


@dataclass(frozen=True, slots=True)
class Returned:
    """Collateral returned early on one event."""

    event_ticker: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class DayBaseline:
    """
    The account when its day began: what it was worth, and what has come and gone since.

    `entered` is the value of positions that had no mark then, at their first mark since.
    """

    at: datetime
    total_value: Decimal
    entered: Decimal
    net_transfers: Decimal


@dataclass(frozen=True, slots=True)
class Shown:
    """A portfolio's figures as they are shown; None where unknown."""

    cash: Decimal | None
    cash_as_of: datetime | None
    is_cash_provisional: bool
    positions_value: Decimal | None
    collateral_returned: Decimal | None
    total_value: Decimal | None
    exposure: Decimal | None
    unrealized_pnl: Decimal | None
    unrealized_pnl_percent: Decimal | None
    realized_pnl: Decimal | None
    fees_paid: Decimal | None
    estimated_value: Decimal | None
    exchange_portfolio_value: Decimal | None
    day_pnl: Decimal | None


def explained(
    shown: Shown,
    parts: Sequence[Part],
    *,
    returned: Sequence[Returned] | None,
    baseline: DayBaseline | None,
    mark_price: str,
) -> Iterator[Explanation]:
    """
    All sums, those that others are made of first.

    Args:
        returned: by event; None where that does not lead to what is shown.
        baseline: None where the day has none that is stored.
        mark_price: what marks are asked to be.
    """
    priced = [part for part in parts if part.market_value is not None]
    yield Explanation(
        "cash",
        "cash",
        "The exchange's balance, moved on by what has happened since."
        if shown.is_cash_provisional
        else "The exchange's balance.",
        (Given("cash", shown.cash, "the exchange's balance", shown.cash_as_of),),
        shown.cash,
    )
    yield _sum(
        "positions_value",
        "market_value",
        "What the open positions are worth; those without a price are left out.",
        priced,
        lambda part: part.market_value,
        shown.positions_value,
    )
    yield _sum(
        "exposure",
        "exposure",
        "What the open positions cost.",
        parts,
        lambda part: part.exposure,
        shown.exposure,
    )
    priced_exposure = sum((part.exposure for part in priced), ZERO)
    cost = Given("priced_exposure", priced_exposure, "what those cost that have a price")
    yield Explanation(
        "unrealized_pnl",
        "positions_value - priced_exposure",
        "What they are worth less what they cost, before fees.",
        (another_figure("positions_value", shown.positions_value), cost),
        shown.unrealized_pnl,
    )
    if priced_exposure:
        yield Explanation(
            "unrealized_pnl_percent",
            "round6(unrealized_pnl * 100 / priced_exposure)",
            "The same in percent of what they cost.",
            (another_figure("unrealized_pnl", shown.unrealized_pnl), cost),
            shown.unrealized_pnl_percent,
        )
    yield _sum(
        "realized_pnl",
        "realized_pnl",
        "What the open positions have realized, before fees.",
        parts,
        lambda part: part.realized_pnl,
        shown.realized_pnl,
    )
    yield _sum(
        "fees_paid",
        "fees_paid",
        "The fees of the open positions' markets.",
        parts,
        lambda part: part.fees_paid,
        shown.fees_paid,
    )
    yield _sum(
        "estimated_value",
        "market_value",
        "What those are worth whose price is a last trade's, for want of a better one.",
        [part for part in priced if part.mark_source == "last" and mark_price != "last"],
        lambda part: part.market_value,
        shown.estimated_value,
    )
    yield _collateral(shown, returned)
    yield _total(shown)
    yield as_told("exchange_portfolio_value", shown.exchange_portfolio_value, shown.cash_as_of)
    yield _day(shown, baseline)


def _sum(
    field: str,
    name: str,
    words: str,
    parts: Sequence[Part],
    figure: Callable[[Part], Decimal | None],
    value: Decimal | None,
) -> Explanation:
    if value is None:
        unread = Given(name, None, "not yet read from the exchange")
        return Explanation(field, f"sum({name})", words, (unread,), None)
    given = tuple(
        Given(name, figure(part), f"position in {part.ticker}", part.priced_at, part.ticker)
        for part in parts
    )
    return Explanation(field, f"sum({name})", words, given, value)


def _collateral(shown: Shown, returned: Sequence[Returned] | None) -> Explanation:
    value = shown.collateral_returned
    field = "collateral_returned"
    if returned is None or sum((each.amount for each in returned), ZERO) != value:
        words = "What the exchange has paid back early; it is in the cash already."
        if value is None:
            words = "What the exchange has paid back early can't be established."
        return Explanation(field, field, words, (Given(field, value, "the worker"),), value)
    return Explanation(
        field,
        "sum(returned)",
        "Of each mutually exclusive event, what its NO contracts are certain to pay.",
        tuple(
            Given("returned", each.amount, f"NO contracts held in {each.event_ticker}")
            for each in returned
        ),
        value,
    )


def _total(shown: Shown) -> Explanation:
    cash, value = (
        another_figure("cash", shown.cash),
        another_figure("positions_value", shown.positions_value),
    )
    if shown.collateral_returned is None:
        words = "An estimate, as what has been paid back early is not known."
        return Explanation(
            "total_value", "cash + positions_value", words, (cash, value), shown.total_value
        )
    return Explanation(
        "total_value",
        "cash + positions_value - collateral_returned",
        "Cash and positions, less what is in both.",
        (cash, value, another_figure("collateral_returned", shown.collateral_returned)),
        shown.total_value,
    )


def _day(shown: Shown, baseline: DayBaseline | None) -> Explanation:
    total = shown.total_value
    if baseline is None or shown.day_pnl is None or total is None:
        given = (Given("day_pnl", shown.day_pnl, "the worker"),)
        return Explanation(
            "day_pnl", "day_pnl", "There is nothing yet to reckon it from.", given, shown.day_pnl
        )
    at = baseline.at
    net_transfers = baseline.net_transfers
    source = "transfers in the ledger since"
    if total - baseline.total_value - baseline.entered - net_transfers != shown.day_pnl:
        # One that has been read since the worker last reckoned is in its next figures.
        net_transfers = total - baseline.total_value - baseline.entered - shown.day_pnl
        source = "transfers since, as far as the worker has them"
    return Explanation(
        "day_pnl",
        "total_value - total_value_then - entered - net_transfers",
        "What it is worth now, less what it was when the day began, what had no price then, and "
        "what was paid in since.",
        (
            another_figure("total_value", total),
            Given("total_value_then", baseline.total_value, "the account's stored value", at),
            Given("entered", baseline.entered, "positions without a price then", at),
            Given("net_transfers", net_transfers, source, at),
        ),
        shown.day_pnl,
    )
