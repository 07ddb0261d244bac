"""How fine a chart of so much time is drawn."""

from datetime import datetime, timedelta

from kalshi.history import Minutes

# The exchange answers no more at once. Two may be cut by the ends of the time.
MOST_CANDLES = 5_000
LONGEST = timedelta(days=MOST_CANDLES - 2)
_LENGTHS: tuple[Minutes, ...] = (1, 60, 1440)


def candle_minutes(since: datetime, until: datetime) -> Minutes:
    """
    The shortest candles of which there are not too many.

    Raises:
        ValueError: even of the longest there are, or there is no time in between.
    """
    span = until - since
    if span <= timedelta(0):
        raise ValueError("no time in between")
    for minutes in _LENGTHS:
        if span <= minutes * LONGEST / 1440:
            return minutes
    raise ValueError("too long")
