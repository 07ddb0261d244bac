from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import get_args

import pytest

from ledger.records import Fill, Settlement
from ledger.telling import (
    connection_text,
    fill_text,
    market_text,
    money_text,
    reconciliation_text,
    settlement_text,
    transfer_text,
)
from positions.connection import Reason, Status
from positions.noticed import Differing

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
BOUGHT = Fill("t", "o", "KXA-1", NOON, "yes", Decimal(10), Decimal("0.4"), Decimal("0.17"))
PAID = Settlement(
    "KXA-1", NOON, "yes", Decimal(1), Decimal(10), Decimal(4), Decimal(10), Decimal("0.17")
)


@pytest.mark.parametrize(
    ("side", "closed", "realized", "text"),
    [
        ("yes", "0", "0", "Bought 10 YES at 40¢. KXA-1, fee $0.17."),
        ("yes", None, None, "Bought 10 YES at 40¢. KXA-1, fee $0.17."),
        ("no", "10", "-1.5", "Sold 10 YES at 60¢, a loss of $1.50 before fees. KXA-1, fee $0.17."),
        ("no", "10", None, "Sold 10 YES at 60¢. KXA-1, fee $0.17."),
        (
            "yes",
            "4",
            "0",
            "Sold 4 NO at 60¢, neither gain nor loss before fees; bought 6 YES at 40¢. "
            "KXA-1, fee $0.17.",
        ),
    ],
)
def test_fill_as_a_trader_says_it(side, closed, realized, text):
    amounts = [None if each is None else Decimal(each) for each in (closed, realized)]

    assert fill_text(replace(BOUGHT, side=side), *amounts) == text


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "Settled as YES: 10 YES paid $10.00, a gain of $6.00. KXA-1."),
        (
            {"result": "no", "quantity": Decimal(-3), "revenue": Decimal(3)},
            "Settled as NO: 3 NO paid $3.00, a loss of $1.00. KXA-1.",
        ),
        (
            {"result": "scalar", "value": Decimal("0.375"), "revenue": Decimal("3.75")},
            "Settled as 37.5¢ for YES: 10 YES paid $3.75, a loss of $0.25. KXA-1.",
        ),
        ({"result": ""}, "Settled as 100¢ for YES: 10 YES paid $10.00, a gain of $6.00. KXA-1."),
        (
            {"result": "no", "revenue": Decimal(0), "paid_before": Decimal(10)},
            "Corrected to NO: $10.00 taken back. KXA-1.",
        ),
        (
            {"paid_before": Decimal("9.5")},
            "Corrected to YES: $0.50 paid in addition. KXA-1.",
        ),
    ],
)
def test_settlement(changes, text):
    assert settlement_text(replace(PAID, **changes)) == text


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (("deposit", "100", "ach", "pending", "0"), "Deposit of $100.00 (ach): pending."),
        (
            ("withdrawal", "1234.5", "", "returned", "1234.5"),
            "Withdrawal of $1,234.50: returned, cash +$1,234.50.",
        ),
        (("named", "-0.005", "Interest", "applied", "-0.005"), "Named by you: -$0.005, Interest."),
    ],
)
def test_transfer(told, text):
    kind, amount, method, status, cash_flow = told

    assert transfer_text(kind, Decimal(amount), method, status, Decimal(cash_flow)) == text


@pytest.mark.parametrize("status", get_args(Status))
@pytest.mark.parametrize("reason", [None, *get_args(Reason)])
def test_every_state_of_the_connection_is_a_sentence(status, reason):
    text = connection_text(status, reason)

    assert text.endswith(".")
    assert "_" not in text


@pytest.mark.parametrize(
    ("status", "value", "text"),
    [
        ("inactive", None, "Trading paused. KXA-1."),
        ("active", None, "Open for trading. KXA-1."),
        ("closed", None, "Closed for trading. KXA-1."),
        ("determined", "1", "Determined as YES. KXA-1."),
        ("determined", None, "Determined. KXA-1."),
        ("disputed", "1", "Result disputed as YES. KXA-1."),
        ("amended", "0.000000", "Result amended as NO. KXA-1."),
        ("finalized", "0.375", "Finalized as 37.5¢ for YES. KXA-1."),
        ("halted", None, "Halted. KXA-1."),
    ],
)
def test_market(status, value, text):
    assert market_text(status, None if value is None else Decimal(value), "KXA-1") == text


def differing(figure: str, ours: str, theirs: str, ticker: str = "KXA-1") -> Differing:
    return Differing(ticker, figure, Decimal(ours), Decimal(theirs))


@pytest.mark.parametrize(
    ("found", "is_first", "text"),
    [
        ([], True, "Read again after a break: nothing was different."),
        (
            [differing("quantity", "10", "12")],
            True,
            "Read again after a break: KXA-1: 12 instead of 10 contracts.",
        ),
        (
            [differing("quantity", "-10", "-2.5"), differing("quantity", "10", "0", "KXB")],
            False,
            "Set right by the exchange's own list: KXA-1: 2.5 instead of 10 contracts; "
            "KXB: nothing instead of 10 YES.",
        ),
        (
            [differing("quantity", "0", "3"), differing("quantity", "10", "-1", "KXB")],
            False,
            "Set right by the exchange's own list: KXA-1: 3 YES instead of nothing; "
            "KXB: 1 NO instead of 10 YES.",
        ),
        (
            [differing("realized_pnl", "-1", "0.5"), differing("fees_paid", "0", "0.17")],
            False,
            "Set right by the exchange's own list: KXA-1: realized P&L $0.50 instead of -$1.00; "
            "KXA-1: fees $0.17 instead of $0.00.",
        ),
    ],
)
def test_reconciliation(found, is_first, text):
    assert reconciliation_text(found, is_first=is_first) == text


def test_reconciliation_tells_the_first_of_many():
    found = [differing("quantity", "1", "2", f"K{number}") for number in range(9)]

    text = reconciliation_text(found, is_first=True)

    assert text.endswith("K4: 2 instead of 1 contracts; 4 more.")


@pytest.mark.parametrize(
    ("amount", "text"),
    [("0", "$0.00"), ("-1234567.125", "-$1,234,567.125"), ("5", "$5.00"), ("1E+3", "$1,000.00")],
)
def test_money(amount, text):
    assert money_text(Decimal(amount)) == text
