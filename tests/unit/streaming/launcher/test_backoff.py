"""How long a process that keeps ending has to wait."""

import pytest

from streaming.launcher.backoff import delay_seconds


def test_delays_double_and_then_stay_at_half_a_minute():
    delays = [delay_seconds(failures) for failures in range(8)]

    assert delays == [1, 2, 4, 8, 16, 30, 30, 30]


# 2.0**1024 overflows.
@pytest.mark.parametrize("failures", [1_023, 1_024, 1_025, 10**9])
def test_delay_stays_the_same_however_often_a_process_ends(failures):
    assert delay_seconds(failures) == 30
