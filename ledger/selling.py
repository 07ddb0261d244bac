"""
What selling a whole position at once would fetch, by the order book as it stands.

The fee is the published one of a taker: at each price level, rounded up to $0.0001, 0.07 times the
series' multiplier times count times price times (1 − price). What an account of cents loses to
rounding besides is not in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal

from kalshi.orderbook import Level, OrderBook
from kalshi.resources import Event, Series
from positions.decimal_text import quotient
from positions.pnl import PAYOUT, ZERO

# Held by the documents of the exchange and by every recorded fill; the maker's is a fourth of it.
_TAKER = Decimal("0.07")
_FEE_STEP = Decimal("0.0001")
_QUADRATIC = "quadratic"
# Those told are 0.5 and 1. What lies outside is no multiplier, and would overflow.
_MOST = Decimal(100)
_WIDE = Context(prec=60)


@dataclass(frozen=True, slots=True)
class FeeTerms:
    """
    By what the fee of a market is reckoned.

    Attributes:
        multiplier: of the published formula; None if it is not known, and 1 is taken.
        has_formula: whether that formula holds. Of no other kind of fee one is published.
    """

    multiplier: Decimal | None = None
    has_formula: bool = True


@dataclass(frozen=True, slots=True)
class Sale:
    """
    The sale of a position to those who bid for it now.

    Attributes:
        count: contracts that are bid for, of those held.
        average_price, worst_price: of the held side; None if nothing is bid for.
        fee, cash_flow: None if the fee follows no published formula.
        left: contracts that nobody bids for.
    """

    count: Decimal
    average_price: Decimal | None
    worst_price: Decimal | None
    fee: Decimal | None
    cash_flow: Decimal | None
    left: Decimal


def sale(quantity: Decimal, book: OrderBook, terms: FeeTerms) -> Sale:
    """
    What selling a position would fetch.

    Args:
        quantity: signed contracts; positive holds YES, negative holds NO.
    """
    taken = _taken(abs(quantity), book.yes_bids if quantity > 0 else book.no_bids)
    count = sum((level.count for level in taken), ZERO)
    proceeds = sum((level.count * level.price for level in taken), ZERO)
    fee = sum((_fee(level, terms.multiplier) for level in taken), ZERO)
    is_known = terms.has_formula or not taken
    return Sale(
        count=count,
        average_price=quotient(proceeds, count) if taken else None,
        worst_price=taken[-1].price if taken else None,
        fee=fee if is_known else None,
        cash_flow=proceeds - fee if is_known else None,
        left=abs(quantity) - count,
    )


def fee_terms(series: Series | None, event: Event | None) -> FeeTerms:
    """The terms of a market by its series and its event, which goes before; None: not told."""
    kind = (event and event.fee_type_override) or (series.fee_type if series else _QUADRATIC)
    multiplier = series.fee_multiplier if series else None
    if event and event.fee_multiplier_override is not None:
        multiplier = event.fee_multiplier_override
    if multiplier is not None and not 0 <= multiplier <= _MOST:
        multiplier = None
    return FeeTerms(multiplier, has_formula=kind.startswith(_QUADRATIC))


def _taken(wanted: Decimal, bids: Sequence[Level]) -> list[Level]:
    """What is taken of each level, best first."""
    taken = []
    for bid in bids:
        if wanted <= 0:
            break
        part = min(wanted, bid.count)
        taken.append(Level(bid.price, part))
        wanted -= part
    return taken


def _fee(level: Level, multiplier: Decimal | None) -> Decimal:
    rate = _TAKER * (PAYOUT if multiplier is None else multiplier)
    fee = _WIDE.multiply(rate * level.count, level.price * (PAYOUT - level.price))
    return fee.quantize(_FEE_STEP, rounding=ROUND_CEILING, context=_WIDE)
