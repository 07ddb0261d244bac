from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from positions.connection import ConnectionState, Reason, Status
from positions.connection_words import TROUBLES, WORDS, is_stale, standing
from positions.position_tables import Size, Snapshot, lines

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LIVE = ConnectionState("live", since=NOW - timedelta(minutes=5))
PORTFOLIO = {
    "cash": "100",
    "total_value": "152.85",
    "positions_value": "52.85",
    "unrealized_pnl": "-3.6",
    "unrealized_pnl_percent": "-6.3",
    "day_pnl": None,
    "unpriced_count": 0,
    "unreadable_count": 0,
}


def position(ticker: str = "KXNBA-26-LAL", **fields: str | None) -> dict[str, str | None]:
    return {
        "ticker": ticker,
        "side": "yes",
        "quantity": "100",
        "average_price": "0.543333",
        "mark": "0.5",
        "market_value": "50",
        "unrealized_pnl": "-4.333333",
        "unrealized_pnl_percent": "-7.98",
        "day_pnl": "1.2",
    } | fields


def snapshot(
    *positions, connection=LIVE, heading="Account 1, Mine (demo)", **portfolio
) -> Snapshot:
    return Snapshot(
        heading, positions, PORTFOLIO | portfolio, connection, NOW - timedelta(seconds=12)
    )


def test_book_is_a_table_with_its_sums():
    no = position("KXA-B", side="no", quantity="-2.5", mark=None, market_value=None)
    unknown = dict.fromkeys(("unrealized_pnl", "unrealized_pnl_percent", "day_pnl"))

    told = lines([snapshot(position(), no | unknown)], NOW)

    assert "\n".join(told).replace("\u00a0", " ") == (
        "Account 1, Mine (demo)\n"
        "Live for 5 min. Reconciled 12 s ago.\n"
        "Ticker        Side  Quantity  Average  Mark   Value       P&L       %     Today\n"
        "KXNBA-26-LAL  YES        100   54.33¢   50¢  $50.00  ▼ −$4.33  −8.0 %  ▲ +$1.20\n"
        "KXA-B         NO         2.5   54.33¢     —       —         —       —         —\n"
        "Sum                                          $52.85  ▼ −$3.60  −6.3 %         —\n"
        "Cash $100.00, in all $152.85."
    )


def test_what_no_sum_holds_is_counted():
    told = lines([snapshot(position(), unpriced_count=2, unreadable_count=1)], NOW)

    assert told[-2:] == [
        "Without a mark, and in no sum of values: 2.",
        "Rows of the exchange that can't be read: 1.",
    ]


def test_account_that_was_never_read_says_so():
    unread = Snapshot("Account 1", [], {}, ConnectionState("connecting", NOW), None)

    assert lines([unread], NOW) == [
        "Account 1",
        "Connecting, STALE.",
        "Not read from the exchange yet.",
    ]


def test_empty_book_keeps_its_cash():
    assert lines([snapshot()], NOW)[2:] == ["No open positions.", "Cash $100.00, in all $152.85."]


def test_without_accounts_the_way_to_one_is_told():
    assert lines([], NOW) == ["There is no account yet: sign in to the page with a key."]


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
def test_no_line_is_wider_than_the_terminal(width):
    long = position("KXHIGHNY-26NOV23-B54.5-AND-MUCH-MORE-OF-IT")

    told = lines([snapshot(long, position())], NOW, Size(width, 50))

    assert max(map(len, told)) <= width


def test_columns_go_where_a_shorter_ticker_is_not_enough():
    told = lines([snapshot(position("KXHIGHNY-26NOV23-B54.5"))], NOW, Size(66, 50))

    assert told[2].split() == ["Ticker", "Side", "Quantity", "Mark", "P&L", "Today"]
    assert told[3].startswith("KXHIGHNY-26NOV23-B54.5 ")


def test_ticker_that_is_cut_keeps_both_ends():
    told = lines([snapshot(position("KXHIGHNY-26NOV23-B54.5"))], NOW, Size(46, 50))

    assert told[3].split()[0] == "KXHIGHNY-2…V23-B54.5"


def test_longest_books_are_cut_first_and_say_so():
    short = snapshot(*(position(f"S{number}") for number in range(2)))
    long = snapshot(*(position(f"L{number}") for number in range(50)))

    told = lines([short, long], NOW, Size(100, 24))

    assert len(told) == 24
    assert [line for line in told if "more" in line] == ["… 40 more: make the window taller"]
    assert sum(line.startswith("S") and not line.startswith("Sum") for line in told) == 2
    assert sum(line.startswith("Sum") for line in told) == 2


def test_lines_that_fit_no_window_are_left_out():
    snapshots = [snapshot(position()) for _ in range(5)]

    assert len(lines(snapshots, NOW, Size(100, 3))) == 3


def test_control_characters_of_the_exchange_or_an_owner_reach_no_terminal():
    told = "\n".join(lines([snapshot(position("KX\x1b[2J"), heading="Mine\x07")], NOW))

    assert "\x1b" not in told
    assert "\x07" not in told


def test_connection_that_is_down_dates_the_prices_and_calls_them_stale():
    until = NOW - timedelta(minutes=3)
    state = ConnectionState("reconnecting", until, reason="worker_down", live_until=until)

    assert standing(state, NOW).replace("\u00a0", " ") == (
        "Reconnecting, STALE: no worker feeds it. Prices as of 2026-11-23 11:57:00 UTC, 3 min ago."
    )


@pytest.mark.parametrize(
    ("status", "seconds", "stale"),
    [("live", 100, False), ("reconnecting", 14, False), ("reconnecting", 15, True)],
)
def test_figures_are_stale_after_a_while_without_the_exchange(status, seconds, stale):
    state = ConnectionState(status, NOW, live_until=NOW - timedelta(seconds=seconds))

    assert is_stale(state, NOW) is stale


def test_each_status_and_each_reason_has_its_words():
    assert set(WORDS) == set(get_args(Status))
    assert set(TROUBLES) == set(get_args(Reason))
