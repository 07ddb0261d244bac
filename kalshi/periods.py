"""
A period of time as the exchange's lists are asked for it: in whole Unix seconds.

The exchange says that its bounds stand before and after what it lists. Whether what happened in a
bound's own second is among it, it does not say; so the bounds that are sent leave room for either.
"""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def bounds(since: datetime | None, until: datetime | None) -> dict[str, int]:
    """
    The parameters of a list that leave out nothing of the period, its ends included.

    What they let in beside it lies at most two seconds outside.
    """
    params: dict[str, int] = {}
    if since is not None:
        params["min_ts"] = _second_of(since) - 1
    if until is not None:
        params["max_ts"] = _second_of(until) + 1
    return params


def _second_of(time: datetime) -> int:
    # Not by way of a float, which may round up.
    return (time - _EPOCH) // _SECOND
