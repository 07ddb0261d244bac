"""
Every figure that the API tells, computed a second time.

The formulas are written down again here, in fractions and from what the exchange said, so that a
slip in `positions.pnl` or a digit lost in a column shows.
"""

import random
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import pytest

from positions.cash import CashBook
from positions.portfolio import Cash
from tests.integration.positions.conftest import open, signed_in, write
from tests.integration.visitors import make_account
from tests.told import NOON, amount, market, quote, reconcile, row

pytestmark = pytest.mark.django_db(transaction=True)

STATUSES = ["active", "active", "active", "inactive", "closed", "determined", "finalized"]


def six_decimals(quotient: Fraction) -> Fraction:
    # Enough digits that cutting them off here cannot turn a half.
    exact = Decimal(quotient.numerator * 10**40 // quotient.denominator).scaleb(-40)
    return Fraction(exact.quantize(Decimal("0.000001"), rounding=ROUND_HALF_EVEN))


def told(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)


def expected_mark(said: dict, mark_price: str) -> tuple[Fraction, str] | None:
    """The contract's table, row by row."""
    is_no = said["quantity"].startswith("-")

    def held(yes_price):
        return 1 - Fraction(yes_price) if is_no else Fraction(yes_price)

    last = (held(said["last"]), "last") if said["last"] else None
    if said["status"] in ("determined", "finalized") and said["value"]:
        return held(said["value"]), "settlement"
    if said["status"] != "active":
        return last
    closing = said["ask"] if is_no else said["bid"]
    as_bid = (held(closing), "bid") if closing else last
    both = said["bid"] and said["ask"]
    middle = (held((Fraction(said["bid"]) + Fraction(said["ask"])) / 2), "mid") if both else None
    return {"bid": as_bid, "mid": middle or as_bid, "last": last or middle or as_bid}[mark_price]


def expected_figures(said: dict, mark_price: str) -> dict[str, object]:
    count = abs(Fraction(said["quantity"]))
    cost, realized = Fraction(said["exposure"]), Fraction(said["realized"])
    fees = Fraction(said["fees"])
    priced = "mark mark_source market_value unrealized_pnl unrealized_pnl_percent net_pnl"
    figures: dict[str, object] = dict.fromkeys(priced.split())
    figures["average_price"] = six_decimals(cost / count)
    figures["break_even_price"] = six_decimals((cost + fees - realized) / count)
    figures["payout"] = count
    mark = expected_mark(said, mark_price)
    if mark:
        value, figures["mark_source"] = mark
        unrealized = count * value - cost
        figures["mark"], figures["market_value"] = value, count * value
        figures["unrealized_pnl"] = unrealized
        figures["unrealized_pnl_percent"] = six_decimals(unrealized * 100 / cost) if cost else None
        figures["net_pnl"] = realized + unrealized - fees
    return figures


def something(dice: random.Random, ticker: str) -> dict:
    """A position of any kind in a market of any kind, as the exchange would say it."""

    def money(most: int, places: int) -> str:
        return f"{dice.randrange(most * 10**places) / Decimal(10**places):f}"

    def price() -> str | None:
        return dice.choice([None, money(1, 2), money(1, 4), money(1, 6), "0.0001", "0.999999"])

    return {
        "ticker": ticker,
        "quantity": dice.choice(["", "-"]) + str(dice.randint(1, 10**7) / Decimal(100)),
        "exposure": dice.choice(["0", money(5000, 4), money(50000, 6)]),
        "realized": dice.choice(["", "-"]) + money(900, 6),
        "fees": money(90, 4),
        "bid": price(),
        "ask": price(),
        "last": price(),
        "status": dice.choice(STATUSES),
        "value": dice.choice([None, "0", "1", "0.37", "0.123456"]),
    }


@pytest.mark.parametrize("mark_price", ["bid", "mid", "last"])
def test_every_figure_is_what_the_contract_says(mark_price):
    dice = random.Random(f"figures {mark_price}")
    account = make_account()
    opened = open(account, mark_price=mark_price)
    said = {ticker: something(dice, ticker) for ticker in (f"M{n:03}" for n in range(300))}
    reconcile(
        opened.tracker,
        [
            row(ticker, each["quantity"], each["exposure"], each["realized"], each["fees"])
            for ticker, each in said.items()
        ],
        {
            ticker: market(
                ticker,
                status=each["status"],
                settlement_value=each["value"],
                prices=quote(each["bid"], each["ask"], each["last"]),
            )
            for ticker, each in said.items()
        },
    )
    opened.tracker.valuation.cash = CashBook(Cash(Decimal("1234.567891"), amount("77.12"), NOON))
    write(opened.writer, opened.tracker)
    alice = signed_in(account)

    positions = alice.get("positions").json()["positions"]
    portfolio = alice.get("portfolio").json()

    expected = {ticker: expected_figures(each, mark_price) for ticker, each in said.items()}
    shown = {
        each["ticker"]: {
            name: each[name] if name == "mark_source" else told(each[name])
            for name in expected[each["ticker"]]
        }
        for each in positions
    }
    assert shown == expected
    for each in positions:
        its = said[each["ticker"]]
        assert [told(each[name]) for name in ("quantity", "exposure", "realized_pnl")] == [
            told(its[name]) for name in ("quantity", "exposure", "realized")
        ]
    assert_sums(portfolio, said, expected, mark_price)


def assert_sums(portfolio: dict, said: dict, expected: dict, mark_price: str) -> None:
    priced = {ticker for ticker, figures in expected.items() if figures["mark"] is not None}
    estimated = {
        ticker
        for ticker in priced
        if expected[ticker]["mark_source"] == "last" and mark_price != "last"
    }
    value = sum(expected[ticker]["market_value"] for ticker in priced)
    cost_of_priced = sum(Fraction(said[ticker]["exposure"]) for ticker in priced)
    sums = {
        "positions_value": value,
        "total_value": value + Fraction("1234.567891"),
        "cash": Fraction("1234.567891"),
        "exposure": sum(Fraction(each["exposure"]) for each in said.values()),
        "unrealized_pnl": value - cost_of_priced,
        "unrealized_pnl_percent": six_decimals((value - cost_of_priced) * 100 / cost_of_priced),
        "realized_pnl": sum(Fraction(each["realized"]) for each in said.values()),
        "fees_paid": sum(Fraction(each["fees"]) for each in said.values()),
        "estimated_value": sum(expected[ticker]["market_value"] for ticker in estimated),
    }

    assert {name: told(portfolio[name]) for name in sums} == sums
    assert portfolio["position_count"] == len(said)
    assert portfolio["unpriced_count"] == len(said) - len(priced)
    assert portfolio["estimated_count"] == len(estimated)
