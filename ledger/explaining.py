"""
How each figure of a position comes about: a formula, the numbers put in, and where those are from.

A formula is arithmetic with the names of what is put in, in Python's own signs: `abs(x)`, `sum(x)`
over all that have the name, `round6(x)` to six decimals, half even. Computed so it gives exactly
the value shown; it is unknown where something put in is. Where the records don't lead to what the
exchange tells, its own figure is what is shown, and said to be.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from positions.pnl import Figures, Holding, MarketState, Quote

TOLD = "the exchange's own figure"


@dataclass(frozen=True, slots=True)
class Given:
    """
    A number that is put in.

    Attributes:
        source: where it is from, in words.
        at: the instant that it is of.
        ticker: of the market that it is of, where several are put in.
        fills: the ids and times of the executions that it is made of; the newest, where `source`
            says that there are more.
    """

    name: str
    value: Decimal | None
    source: str
    at: datetime | None = None
    ticker: str | None = None
    fills: tuple[tuple[str, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """One figure; `words` say the formula for people."""

    field: str
    formula: str
    words: str
    given: tuple[Given, ...]
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """
    What the records of one market add up to.

    Attributes:
        paid_out: signed contracts that settlements paid for.
        opening_cost: what was paid for contracts that opened or added.
        cost_of_closed: what those had cost that were closed or paid out.
        fills: ids and times of the newest of them, `fill_count` of all.
    """

    bought_yes: Decimal
    bought_no: Decimal
    paid_out: Decimal
    opening_cost: Decimal
    cost_of_closed: Decimal
    realized_by_fills: Decimal
    realized_by_settlements: Decimal
    fees: Decimal
    fill_count: int
    fills: tuple[tuple[str, datetime], ...]


@dataclass(frozen=True, slots=True)
class DayStart:
    """Net P&L of a market at the instant that the day is reckoned from."""

    net_pnl: Decimal
    at: datetime | None
    source: str


def explained(
    holding: Holding,
    quote: Quote,
    state: MarketState,
    figures: Figures,
    *,
    day_pnl: Decimal | None,
    day_start: DayStart | None,
    told_at: datetime | None,
    recorded: Recorded | None,
) -> Iterator[Explanation]:
    """
    All figures of one open position, those that others are made of first.

    Args:
        told_at: the exchange's time of the holding.
        recorded: None while the records do not reach back to where nothing was held.
    """
    yield from _holding(holding, told_at, recorded)
    yield from _price(holding, quote, state, figures)
    yield from _worth(holding, figures)
    yield _day(figures.net_pnl, day_pnl, day_start)


def explained_flat(
    holding: Holding,
    *,
    day_pnl: Decimal | None,
    day_start: DayStart | None,
    told_at: datetime | None,
    recorded: Recorded | None,
) -> Iterator[Explanation]:
    """The figures of a market in which nothing is held any more."""
    net_pnl = holding.realized_pnl - holding.fees_paid
    yield from _holding(holding, told_at, recorded)
    yield Explanation(
        "net_pnl",
        "realized_pnl - fees_paid",
        "All that this market has brought.",
        (
            another_figure("realized_pnl", holding.realized_pnl),
            another_figure("fees_paid", holding.fees_paid),
        ),
        net_pnl,
    )
    yield _day(net_pnl, day_pnl, day_start)


def _day(
    net_pnl: Decimal | None, day_pnl: Decimal | None, day_start: DayStart | None
) -> Explanation:
    then = Given("net_pnl_then", None, "not known")
    if day_start is not None:
        then = Given("net_pnl_then", day_start.net_pnl, day_start.source, day_start.at)
    return Explanation(
        "day_pnl",
        "net_pnl - net_pnl_then",
        "What it has brought in all, less what it had when the day began.",
        (another_figure("net_pnl", net_pnl), then),
        day_pnl,
    )


def _holding(
    holding: Holding, told_at: datetime | None, recorded: Recorded | None
) -> Iterator[Explanation]:
    by_records = {each.field: each for each in _by_records(recorded)} if recorded else {}
    for field, value in (
        ("quantity", holding.quantity),
        ("exposure", holding.exposure),
        ("realized_pnl", holding.realized_pnl),
        ("fees_paid", holding.fees_paid),
    ):
        explanation = by_records.get(field)
        if explanation is not None and explanation.value == value:
            yield explanation
        else:
            yield as_told(field, value, told_at)


def as_told(field: str, value: Decimal | None, at: datetime | None) -> Explanation:
    """A figure that is not reckoned here."""
    return Explanation(
        field, field, "As the exchange tells it.", (Given(field, value, TOLD, at),), value
    )


def _by_records(of: Recorded) -> Iterator[Explanation]:
    newest = f", the newest {len(of.fills)} of them here" if len(of.fills) < of.fill_count else ""
    executions = f"{of.fill_count} executions in the ledger{newest}"

    def by_fills(name: str, value: Decimal) -> Given:
        return Given(name, value, executions, of.fills[0][1] if of.fills else None, None, of.fills)

    def by_settlements(name: str, value: Decimal) -> Given:
        return Given(name, value, "settlements in the ledger")

    yield Explanation(
        "quantity",
        "bought_yes - bought_no - paid_out",
        "YES bought less NO bought, as a pair of both nets, less what was paid out.",
        (
            by_fills("bought_yes", of.bought_yes),
            by_fills("bought_no", of.bought_no),
            by_settlements("paid_out", of.paid_out),
        ),
        of.bought_yes - of.bought_no - of.paid_out,
    )
    yield Explanation(
        "exposure",
        "opening_cost - cost_of_closed",
        "What was paid for contracts, without fees, less what those had cost on average that were "
        "sold or paid out since.",
        (
            by_fills("opening_cost", of.opening_cost),
            by_fills("cost_of_closed", of.cost_of_closed),
        ),
        of.opening_cost - of.cost_of_closed,
    )
    yield Explanation(
        "realized_pnl",
        "realized_by_fills + realized_by_settlements",
        "What sales and payouts brought over what the contracts had cost, before fees.",
        (
            by_fills("realized_by_fills", of.realized_by_fills),
            by_settlements("realized_by_settlements", of.realized_by_settlements),
        ),
        of.realized_by_fills + of.realized_by_settlements,
    )
    yield Explanation(
        "fees_paid", "fees", "The fees of all fills.", (by_fills("fees", of.fees),), of.fees
    )


def _price(
    holding: Holding, quote: Quote, state: MarketState, figures: Figures
) -> Iterator[Explanation]:
    mark = figures.mark

    def quoted(name: str, value: Decimal | None) -> Given:
        return Given(name, value, "the exchange's quote", quote.priced_at)

    is_yes = holding.quantity > 0
    rest = "" if is_yes else "1 - "
    of_no = "" if is_yes else ", taken from the dollar that both sides pay together"
    given: tuple[Given, ...]
    match mark.source if mark else None:
        case "bid" if is_yes:
            formula, given = "yes_bid", (quoted("yes_bid", quote.yes_bid),)
            words = "What the best buyer of YES bids."
        case "bid":
            formula, given = "1 - yes_ask", (quoted("yes_ask", quote.yes_ask),)
            words = f"What the best seller of YES asks{of_no}."
        case "mid":
            formula = f"{rest}(yes_bid + yes_ask) / 2"
            given = (quoted("yes_bid", quote.yes_bid), quoted("yes_ask", quote.yes_ask))
            words = f"The middle of the best bid and ask for YES{of_no}."
        case "last":
            formula = f"{rest}last_price"
            given = (quoted("last_price", quote.last_price),)
            words = f"The last trade's price for YES{of_no}."
        case "settlement":
            formula = f"{rest}settlement_value"
            given = (
                Given("settlement_value", state.settlement_value, f"the market is {state.status}"),
            )
            words = f"What the exchange has determined that YES pays{of_no}."
        case _:
            formula, given = "mark", (Given("mark", None, "no price is known"),)
            words = "Nobody bids, and nothing was traded, as far as is known."
    yield Explanation("mark", formula, words, given, mark.value if mark else None)


def _worth(holding: Holding, figures: Figures) -> Iterator[Explanation]:
    mark = another_figure("mark", figures.mark.value if figures.mark else None)
    quantity = another_figure("quantity", holding.quantity)
    exposure = another_figure("exposure", holding.exposure)
    realized = another_figure("realized_pnl", holding.realized_pnl)
    fees = another_figure("fees_paid", holding.fees_paid)
    unrealized = another_figure("unrealized_pnl", figures.unrealized_pnl)
    yield Explanation(
        "average_price",
        "round6(exposure / abs(quantity))",
        "The cost of what is held, for one contract.",
        (exposure, quantity),
        figures.average_price,
    )
    yield Explanation(
        "market_value",
        "abs(quantity) * mark",
        "The contracts held, at the value of one.",
        (quantity, mark),
        figures.market_value,
    )
    yield Explanation(
        "unrealized_pnl",
        "market_value - exposure",
        "What they are worth less what they cost, before fees.",
        (another_figure("market_value", figures.market_value), exposure),
        figures.unrealized_pnl,
    )
    if holding.exposure:
        yield Explanation(
            "unrealized_pnl_percent",
            "round6(unrealized_pnl * 100 / exposure)",
            "The same in percent of what they cost.",
            (unrealized, exposure),
            figures.unrealized_pnl_percent,
        )
    yield Explanation(
        "net_pnl",
        "realized_pnl + unrealized_pnl - fees_paid",
        "All that this market has brought.",
        (realized, unrealized, fees),
        figures.net_pnl,
    )
    yield Explanation(
        "break_even_price",
        "round6((exposure + fees_paid - realized_pnl) / abs(quantity))",
        "The price of one contract at which nothing is lost, all fees so far included.",
        (exposure, fees, realized, quantity),
        figures.break_even_price,
    )
    yield Explanation(
        "payout",
        "abs(quantity)",
        "A dollar for each contract, if the held side wins.",
        (quantity,),
        figures.payout,
    )


def another_figure(name: str, value: Decimal | None) -> Given:
    """One that has an explanation of its own."""
    return Given(name, value, "explained by itself")
