from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.charts import LONGEST, MOST_CANDLES, candle_minutes

NOON = datetime(2026, 8, 7, 12, tzinfo=UTC)


@given(st.timedeltas(timedelta(microseconds=1), LONGEST))
def test_candles_are_the_shortest_of_which_there_are_not_too_many(span):
    minutes = candle_minutes(NOON, NOON + span)

    assert span / timedelta(minutes=minutes) <= MOST_CANDLES - 2
    shorter = {1: None, 60: 1, 1440: 60}[minutes]
    assert shorter is None or span / timedelta(minutes=shorter) > MOST_CANDLES - 2


@pytest.mark.parametrize("span", [timedelta(0), timedelta(-1), LONGEST + timedelta.resolution])
def test_no_chart_is_drawn_of_no_time_or_too_much(span):
    with pytest.raises(ValueError, match=r"no time in between|too long"):
        candle_minutes(NOON, NOON + span)
