from datetime import date
from decimal import Decimal

import pytest

from ledger import statistics
from ledger.statistics import Tally, key_of_day, statistics_of
from ledger.trades import Trade
from tests.tallies import tally_of
from tests.told import NOON, at

D = Decimal


def trade(entry: str, exit: str, fees: str = "0", *, result=None, side="yes", seconds: float = 60):
    """Ten contracts."""
    return Trade(
        number=1,
        side=side,
        opened_at=NOON,
        closed_at=at(seconds),
        count=D(10),
        closed_count=D(10),
        entry_cost=10 * D(entry),
        exit_value=10 * D(exit),
        fees_paid=D(fees),
        contract_seconds=10 * D(seconds),
        result=result,
    )


def test_table_of_trades_by_hand():
    told = statistics_of(
        sum(
            (
                tally_of(each)
                for each in [
                    trade("0.40", "1", "0.20", result="yes"),  # + 5.80
                    trade("0.30", "0", "0.10", result="no", seconds=180),  # - 3.10
                    trade("0.50", "0.60", "0.30"),  # + 0.70
                    trade("0.50", "0.52", "0.20"),  # 0
                ]
            ),
            Tally(),
        )
    )

    assert (told.trades, told.wins, told.losses, told.win_rate) == (4, 2, 1, D("0.5"))
    assert (told.gross_profit, told.gross_loss, told.net_pnl) == (D("6.5"), D("3.1"), D("3.4"))
    # 6.5 / 3.1
    assert told.profit_factor == D("2.096774")
    assert told.expectancy == D("0.85")
    # 3.1 / (3.25 + 3.1)
    assert told.break_even_rate == D("0.488189")
    # 0.8 / 17
    assert (told.fees_paid, told.fee_drag) == (D("0.8"), D("0.047059"))
    assert told.average_holding_seconds == D(90)
    # (0.6 x 0.6 + 0.3 x 0.3) / 2
    assert told.entry_brier == D("0.225")
    assert told.closing_line_value is None
    assert told.reasons == {"closing_line_value": statistics.NO_CLOSING_LINE}


def test_no_trade_says_why_nothing_can_be_said():
    told = statistics_of(Tally())

    assert (told.trades, told.net_pnl, told.fees_paid) == (0, 0, 0)
    assert told.reasons == {
        "win_rate": statistics.NO_TRADE,
        "break_even_rate": statistics.NO_WIN_OR_LOSS,
        "profit_factor": statistics.NO_LOSS,
        "expectancy": statistics.NO_TRADE,
        "fee_drag": statistics.NO_COST,
        "average_holding_seconds": statistics.NO_TRADE,
        "entry_brier": statistics.NO_RESULT,
        "closing_line_value": statistics.NO_CLOSING_LINE,
    }


def test_only_wins_have_no_profit_factor_and_no_rate_to_break_even():
    told = statistics_of(tally_of(trade("0.4", "0.5")))

    assert (told.profit_factor, told.break_even_rate) == (None, None)
    assert told.win_rate == 1


def test_no_that_won_is_scored_as_won():
    told = statistics_of(tally_of(trade("0.9", "1", result="no", side="no")))

    assert told.entry_brier == D("0.01")


def test_scalar_result_is_scored_by_nothing():
    assert statistics_of(tally_of(trade("0.9", "0.3", result="scalar"))).entry_brier is None


def test_closing_line_is_what_the_price_went_on_to():
    tally = tally_of(trade("0.40", "0.5"), D("0.47")) + tally_of(trade("0.40", "0.5"), D("0.36"))

    assert statistics_of(tally + tally_of(trade("0.1", "0.2"))).closing_line_value == D("0.015")


def test_open_trade_is_in_no_sum():
    assert tally_of(Trade(1, "yes", NOON, count=D(1), entry_cost=D(1))) == Tally()


@pytest.mark.parametrize(
    ("by", "key"),
    [("day", "2027-01-01"), ("week", "2026-W53"), ("month", "2027-01"), ("weekday", "Friday")],
)
def test_groups_of_days(by, key):
    assert key_of_day(by, date(2027, 1, 1)) == key
