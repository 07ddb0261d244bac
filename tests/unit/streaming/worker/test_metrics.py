"""What a worker tells of its accounts."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from positions.connection import ConnectionState
from streaming.worker.backoff import ATTEMPTS_BEFORE_OPEN
from streaming.worker.metrics import WorkerMetrics

NOON = datetime(2026, 8, 7, 12, tzinfo=UTC)


@dataclass
class Account:
    """One that stands so."""

    state: ConnectionState
    silent_seconds: float | None = None
    is_reading_past: bool = False


def open_breakers(*states: ConnectionState) -> float:
    metrics = WorkerMetrics([Account(state) for state in states]).collect()
    (metric,) = [each for each in metrics if each.name == "kalshi_live_breakers_open"]
    return metric.samples[0].value


@pytest.mark.parametrize(
    ("status", "reason", "attempt", "is_open"),
    [
        ("disconnected", "unreachable", ATTEMPTS_BEFORE_OPEN, True),
        ("disconnected", "rate_limited", ATTEMPTS_BEFORE_OPEN + 3, True),
        ("reconnecting", "unreachable", ATTEMPTS_BEFORE_OPEN - 1, False),
        # The exchange says when it is closed: nobody is to be called for that.
        ("maintenance", "maintenance", ATTEMPTS_BEFORE_OPEN, False),
        ("reconnecting", "clock_skew", ATTEMPTS_BEFORE_OPEN, False),
        ("disconnected", "set_aside", ATTEMPTS_BEFORE_OPEN, False),
        ("live", None, 0, False),
    ],
)
def test_breaker_is_open_where_the_exchange_is_out_of_reach(status, reason, attempt, is_open):
    state = ConnectionState(status, since=NOON, attempt=attempt, reason=reason)

    assert open_breakers(state) == is_open
