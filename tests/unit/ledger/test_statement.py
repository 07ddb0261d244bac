"""Statements of the exchange's, as its own files and as whatever else may come in their place."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import statement
from ledger.statement import COLUMNS, NoTrade, Problem, Trade

HEADER = ",".join(COLUMNS)
# Ten YES bought at 40¢, sold at 55¢: 150¢ less 17¢ and 18¢ of fees.
SOLD = {
    "type": "trade",
    "quantity": "10",
    "market_ticker": "KXHIGHNY-25JUL24-T81",
    "side": "yes",
    "entry_price_cents": "40",
    "exit_price_cents": "55",
    "open_fees_cents": "17",
    "close_fees_cents": "18",
    "realized_pnl_without_fees_cents": "150",
    "realized_pnl_with_fees_cents": "115",
    "close_timestamp": "2025-07-24T21:30:00-04:00",
    "open_timestamp": "2025-07-24T09:15:00.250-04:00",
}


def line(**changed: str) -> str:
    row = SOLD | changed
    return ",".join(f'"{row[name]}"' if "," in row[name] else row[name] for name in COLUMNS)


def read(*lines: str, header: str = HEADER) -> list:
    return list(statement.read([f"{each}\n" for each in (header, *lines)]))


def test_row_becomes_a_trade_in_dollars():
    (trade,) = read(line())

    assert trade == Trade(
        ticker="KXHIGHNY-25JUL24-T81",
        side="yes",
        count=Decimal(10),
        entry_price=Decimal("0.40"),
        exit_price=Decimal("0.55"),
        fees_paid=Decimal("0.35"),
        net_pnl=Decimal("1.15"),
        opened_at=datetime(2025, 7, 24, 13, 15, 0, 250_000, UTC),
        closed_at=datetime(2025, 7, 25, 1, 30, tzinfo=UTC),
        result=None,
        line=2,
    )


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2025-07-24T21:30:00-04:00", "2025-07-25T01:30:00+00:00"),
        ("2025-07-25T01:30:00Z", "2025-07-25T01:30:00+00:00"),
        ("2025-07-25 01:30:00 UTC", "2025-07-25T01:30:00+00:00"),
        ("2025-07-25 01:30:00.123456+00:00", "2025-07-25T01:30:00.123456+00:00"),
        ("1753407000", "2025-07-25T01:30:00+00:00"),
        ("1753407000.5", "2025-07-25T01:30:00.500000+00:00"),
    ],
)
def test_times_are_read_in_each_of_their_forms(text, at):
    (trade,) = read(line(close_timestamp=text))

    assert trade.closed_at.isoformat() == at


def test_file_may_be_written_by_anything():
    shuffled = [*COLUMNS[6:], "note", *COLUMNS[:6]]
    row = SOLD | {"note": '"=HYPERLINK(""x"")"', "quantity": '"10.00"', "side": " YES "}
    lines = [",".join(shuffled), "", ",".join(row[name] for name in shuffled), ""]

    (trade,) = statement.read([f"{each}\r\n" for each in lines])

    assert trade.identity == read(line())[0].identity
    assert trade.line == 3


def test_thousands_and_fractions_of_cents_are_exact():
    # 1,250.5 × (0.55¢ − 0.1¢) = 562.725¢, less 0.9¢ and 1,000¢
    (trade,) = read(
        line(
            quantity="1,250.50",
            entry_price_cents="0.1",
            exit_price_cents="0.55",
            open_fees_cents="0.9",
            close_fees_cents="1,000",
            realized_pnl_without_fees_cents="562.725",
            realized_pnl_with_fees_cents="-438.175",
        )
    )

    assert trade.entry_price == Decimal("0.001")
    assert trade.fees_paid == Decimal("10.009")
    assert trade.net_pnl == Decimal("-4.38175")


def test_average_that_was_cut_off_and_cents_that_were_rounded_fit():
    # 3 × (55 − 33.3333) = 65.0001, 0.5 × 15 = 7.5
    averaged = line(
        quantity="3",
        entry_price_cents="33.3333",
        realized_pnl_without_fees_cents="65",
        realized_pnl_with_fees_cents="30",
    )
    rounded = line(
        quantity="0.5",
        realized_pnl_without_fees_cents="8",
        realized_pnl_with_fees_cents="-27",
    )

    assert [trade.net_pnl for trade in read(averaged, rounded)] == [
        Decimal("0.3"),
        Decimal("-0.27"),
    ]


@pytest.mark.parametrize(
    ("side", "exit_price", "pnl", "result"),
    [
        ("yes", "100", "600", "yes"),
        ("yes", "0", "-400", "no"),
        ("no", "100", "600", "no"),
        ("no", "0", "-400", "yes"),
    ],
)
def test_payout_tells_the_result(side, exit_price, pnl, result):
    (trade,) = read(
        line(
            side=side,
            exit_price_cents=exit_price,
            open_fees_cents="0",
            close_fees_cents="0",
            realized_pnl_without_fees_cents=pnl,
            realized_pnl_with_fees_cents=pnl,
        )
    )

    assert trade.result == result


def test_settlement_in_between_is_a_scalar_one():
    (trade,) = read(line(type="Settlement"))

    assert trade.result == "scalar"


def test_credit_is_no_trade():
    (credit,) = read("credit" + "," * (len(COLUMNS) - 1))

    assert credit == NoTrade(2)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"quantity": ""}, "quantity is missing"),
        ({"quantity": "0"}, "quantity is no count of contracts"),
        ({"quantity": "-10"}, "quantity is no count of contracts"),
        ({"quantity": "10.001"}, "quantity is no count of contracts"),
        ({"quantity": "1e1"}, "quantity is no number"),
        ({"quantity": "NaN"}, "quantity is no number"),
        ({"quantity": "1,0"}, "quantity is no number"),
        ({"quantity": "٣"}, "quantity is no number"),
        ({"quantity": "9" * 400}, "quantity is no number"),
        ({"side": "buy"}, "side is neither yes nor no"),
        ({"market_ticker": ""}, "market_ticker is no ticker"),
        ({"market_ticker": "=cmd|'/C calc'!A0"}, "market_ticker is no ticker"),
        ({"market_ticker": "\x1b[2J"}, "market_ticker is no ticker"),
        ({"market_ticker": "A" * 201}, "market_ticker is no ticker"),
        ({"entry_price_cents": "101"}, "entry_price_cents is no price from 0 to 100 cents"),
        ({"exit_price_cents": "-1"}, "exit_price_cents is no price from 0 to 100 cents"),
        ({"close_fees_cents": "free"}, "close_fees_cents is no number"),
        ({"close_timestamp": ""}, "close_timestamp is missing"),
        ({"close_timestamp": "yesterday"}, "close_timestamp is no time"),
        ({"close_timestamp": "2025-07-25T01:30:00"}, "does not say its offset from UTC"),
        ({"close_timestamp": "1753407000000"}, "close_timestamp is no time"),
        ({"close_timestamp": "0001-01-01T00:00:00+14:00"}, "close_timestamp is no time"),
        ({"open_timestamp": "2025-07-26T00:00:00Z"}, "open_timestamp is later than"),
        (
            {"realized_pnl_without_fees_cents": "151", "realized_pnl_with_fees_cents": "116"},
            "realized_pnl_without_fees_cents is not quantity times",
        ),
        ({"realized_pnl_with_fees_cents": "150"}, "realized_pnl_with_fees_cents is not"),
        ({"side": '"yes'}, "quotes"),
        ({"side": "ye\0s"}, "NUL"),
        ({"side": "\udcff"}, "is not UTF-8"),
        ({"type": "x" * statement.LONGEST_LINE}, "longer than"),
    ],
    ids=str,
)
def test_row_that_cannot_be_understood_is_named_and_never_repeated(changed, message):
    good, problem = read(line(), line(**changed))

    assert isinstance(good, Trade)
    assert problem.line == 3
    assert message in problem.message
    assert all(
        not text or text not in problem.message for text in changed.values() if len(text) > 9
    )


def test_bad_rows_hide_no_others():
    found = read(line(quantity="0"), line(), line(side=""), "trade,10")

    assert [(type(each), each.line) for each in found] == [
        (Problem, 2),
        (Trade, 3),
        (Problem, 4),
        (Problem, 5),
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "empty"),
        (["\n", "\n"], "empty"),
        (["type,quantity,side\n"], "columns are missing: market_ticker, entry_price_cents,"),
        ([f"{HEADER},side\n"], "the column side is there twice"),
        (["PK\x03\x04\0\n", "more"], "NUL"),
    ],
)
def test_file_of_another_kind_is_told_by_one_problem(lines, message):
    (problem,) = statement.read(lines)

    assert message in problem.message


def test_nothing_is_read_after_a_line_without_end():
    def endless():
        yield f"{HEADER}\n"
        yield "x" * (statement.LONGEST_LINE + 1)
        raise AssertionError("read on")

    (problem,) = statement.read(endless())

    assert problem.line == 2


@given(st.lists(st.text(max_size=200)))
def test_any_text_is_read_or_named(lines):
    for each in statement.read([HEADER, *lines]):
        assert isinstance(each, Problem | NoTrade)


cents = st.decimals(0, 100, places=2)
fees = st.decimals(0, 10_000, places=4)


@given(
    count=st.decimals("0.01", 1_000_000, places=2),
    entry=cents,
    leaving=cents,
    opening=fees,
    closing=fees,
    lasted=st.integers(0, 10**6),
)
def test_figures_that_follow_from_each_other_are_kept_exactly(
    count, entry, leaving, opening, closing, lasted
):
    gross = (leaving - entry) * count
    begin = datetime(2025, 1, 1, tzinfo=UTC)

    (trade,) = read(
        line(
            quantity=f"{count:,}",
            entry_price_cents=str(entry),
            exit_price_cents=str(leaving),
            open_fees_cents=f"{opening:,}",
            close_fees_cents=str(closing),
            realized_pnl_without_fees_cents=f"{gross:f}",
            realized_pnl_with_fees_cents=f"{gross - opening - closing:f}",
            open_timestamp=begin.isoformat(),
            close_timestamp=str(int(begin.timestamp()) + lasted),
        )
    )

    assert trade.net_pnl * 100 == gross - opening - closing
    assert trade.net_pnl == count * (trade.exit_price - trade.entry_price) - trade.fees_paid
    assert trade.closed_at - trade.opened_at == timedelta(seconds=lasted)


@given(off=st.decimals("-1000", 1000, places=2).filter(lambda off: abs(off) >= 1))
def test_figure_that_is_off_is_always_noticed(off):
    told = {"realized_pnl_with_fees_cents": str(115 + off)}

    (problem,) = read(line(**told))

    assert problem.message.startswith("realized_pnl_with_fees_cents is not")
