from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.candles import Candles, Minutes, period_end
from sandbox.market import Quote, Tape

START = datetime(2026, 11, 23, 13, 0, 30, tzinfo=UTC)


def tape(at: datetime, *, bid: str = "0.40", last: str = "0.41", volume: str = "0") -> Tape:
    quote = Quote(Decimal(bid), Decimal(1), Decimal("0.45"), Decimal(1))
    return Tape(quote, Decimal(last), Decimal(1), Decimal(volume), Decimal(volume), at)


def followed(*tapes: Tape) -> Candles:
    candles = Candles()
    for before, after in pairwise(tapes):
        candles.add(before, after)
    return candles


def test_minute_has_first_lowest_highest_and_last() -> None:
    candles = followed(
        tape(START),
        tape(START + timedelta(seconds=1), bid="0.44"),
        tape(START + timedelta(seconds=2), bid="0.38", last="0.42", volume="3"),
        tape(START + timedelta(seconds=3), bid="0.41", last="0.40", volume="4"),
    )

    (candle,) = candles.between(0, 2**40, 1)

    span = candle.yes_bid
    assert candle.end == int(START.replace(minute=1, second=0).timestamp())
    assert [str(each) for each in (span.open, span.low, span.high, span.close)] == [
        "0.40",
        "0.38",
        "0.44",
        "0.41",
    ]
    # (3 * 0.42 + 1 * 0.40) / 4
    assert (candle.volume, candle.mean, candle.previous) == (
        4,
        Decimal("0.4150"),
        Decimal("0.41"),
    )


@given(st.lists(st.integers(0, 50_000), min_size=1, max_size=40).map(sorted))
def test_longer_candles_hold_exactly_what_the_minutes_hold(offsets: list[int]) -> None:
    tapes = [tape(START)] + [
        tape(START + timedelta(seconds=offset), last="0.43", volume=str(number + 1))
        for number, offset in enumerate(offsets)
    ]

    candles = followed(*tapes)

    volumes = [sum(each.volume for each in candles.between(0, 2**40, 60)), len(offsets)]
    days = candles.between(0, 2**40, 1440)
    assert volumes[0] == volumes[1] == sum(each.volume for each in days)
    ends = [each.end for each in candles.between(0, 2**40, 60)]
    assert ends == sorted(set(ends))


@pytest.mark.parametrize(
    ("moment", "minutes", "end"),
    [
        ("2026-11-23T13:00:00Z", 1, "2026-11-23T13:00:00Z"),
        ("2026-11-23T13:00:01Z", 1, "2026-11-23T13:01:00Z"),
        ("2026-11-23T13:00:01Z", 60, "2026-11-23T14:00:00Z"),
        # Midnight in New York, in winter and in summer.
        ("2026-11-23T13:00:01Z", 1440, "2026-11-24T05:00:00Z"),
        ("2026-07-23T03:59:59Z", 1440, "2026-07-23T04:00:00Z"),
    ],
)
def test_period_ends(moment: str, minutes: Minutes, end: str) -> None:
    timestamp = int(datetime.fromisoformat(moment).timestamp())

    assert period_end(timestamp, minutes) == int(datetime.fromisoformat(end).timestamp())
