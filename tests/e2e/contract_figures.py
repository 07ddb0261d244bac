"""
The figures of the contract worked out a second time, from what the sandbox itself holds and quotes.

Nothing of `positions/` in here: fractions instead of decimals, formulas written anew.
"""

from fractions import Fraction

from sandbox.exchange import Market
from sandbox.server import Sandbox


def expected(sandbox: Sandbox) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """What every position and the portfolio must say, as the product writes figures."""
    positions, priced_cost = {}, Fraction(0)
    sums = dict.fromkeys(["value", "exposure", "realized", "fees", "estimated"], Fraction(0))
    unpriced = estimated = 0
    for held in sandbox.account.portfolios[0].positions.values():
        if not held.quantity:
            continue
        market = sandbox.exchange.markets[held.ticker]
        count, cost = abs(Fraction(held.quantity)), Fraction(held.exposure)
        realized, fees = Fraction(held.realized_pnl), Fraction(held.fees_paid)
        mark, source = _mark(market, is_yes=held.quantity > 0)
        value = gain = None
        if mark is None:
            unpriced += 1
        else:
            value, gain = count * mark, count * mark - cost
            sums["value"] += value
            priced_cost += cost
        if source == "last":
            estimated += 1
            sums["estimated"] += value
        sums["exposure"] += cost
        sums["realized"] += realized
        sums["fees"] += fees
        positions[held.ticker] = {
            "quantity": exact(Fraction(held.quantity)),
            "average_price": rounded(cost / count),
            "exposure": exact(cost),
            "mark": exact(mark),
            "market_value": exact(value),
            "unrealized_pnl": exact(gain),
            "unrealized_pnl_percent": rounded(gain and gain / cost * 100),
            "realized_pnl": exact(realized),
            "fees_paid": exact(fees),
            "net_pnl": exact(None if gain is None else realized + gain - fees),
            "break_even_price": rounded((cost + fees - realized) / count),
            "payout": exact(count),
        }
    cash = Fraction(sandbox.account.portfolios[0].cash)
    # By the sandbox's own books, which know nothing of our rule.
    returned = Fraction(sum(sandbox.account.portfolios[0].collateral_returned.values()))
    gain = sums["value"] - priced_cost
    portfolio = {
        "cash": exact(cash),
        "positions_value": exact(sums["value"]),
        "total_value": exact(cash + sums["value"] - returned),
        "exposure": exact(sums["exposure"]),
        "unrealized_pnl": exact(gain),
        "unrealized_pnl_percent": rounded(gain / priced_cost * 100),
        "realized_pnl": exact(sums["realized"]),
        "fees_paid": exact(sums["fees"]),
        "position_count": str(len(positions)),
        "unpriced_count": str(unpriced),
        "estimated_count": str(estimated),
        "estimated_value": exact(sums["estimated"]),
        "collateral_returned": exact(returned),
    }
    return positions, portfolio


def _mark(market: Market, *, is_yes: bool) -> tuple[Fraction | None, str | None]:
    """The mark for MARK_PRICE=bid."""
    if market.settlement_value is not None:
        value = Fraction(market.settlement_value)
        return (value if is_yes else 1 - value), "settlement"
    quote, last = market.tape.quote, Fraction(market.tape.last_price)
    if market.status == "active":
        if is_yes and quote.yes_bid_size:
            return Fraction(quote.yes_bid), "bid"
        if not is_yes and quote.yes_ask_size:
            return 1 - Fraction(quote.yes_ask), "bid"
    if last:
        return (last if is_yes else 1 - last), "last"
    return None, None


def exact(value: Fraction | None) -> str:
    """A fraction of tens in plain notation; the empty string for unknown."""
    if value is None:
        return ""
    billionths = value * 10**9
    assert billionths.denominator == 1
    return _plain(billionths.numerator, 9)


def rounded(value: Fraction | None) -> str:
    """To six decimals, half even, as `round` does."""
    return "" if value is None else _plain(round(value * 10**6), 6)


def _plain(units: int, decimals: int) -> str:
    sign = "-" if units < 0 else ""
    whole, part = divmod(abs(units), 10**decimals)
    return f"{sign}{whole}.{part:0{decimals}}".rstrip("0").rstrip(".")
