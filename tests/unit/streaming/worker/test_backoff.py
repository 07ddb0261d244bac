"""The delays grow to a minute, and the circuit opens at the fifth failure."""

from itertools import islice

import pytest

from streaming.worker.backoff import Wait, waits


def test_delays_double_and_then_stay_at_a_minute():
    seconds = [wait.seconds for wait in islice(waits(lambda: 0.0), 8)]

    assert seconds == [2, 4, 8, 16, 32, 60, 60, 60]


def test_attempts_are_counted_and_the_circuit_is_open_from_the_fifth():
    counted = [(wait.attempt, wait.is_open) for wait in islice(waits(lambda: 0.0), 7)]

    assert counted == [
        *((1, False), (2, False), (3, False), (4, False)),
        *((5, True), (6, True), (7, True)),
    ]


@pytest.mark.parametrize(("jitter", "first", "sixth"), [(0.0, 2.0, 60.0), (1.0, 2.5, 75.0)])
def test_jitter_adds_at_most_a_quarter(jitter, first, sixth):
    schedule = list(islice(waits(lambda: jitter), 6))

    assert schedule[0] == Wait(first, attempt=1, is_open=False)
    assert schedule[5] == Wait(sixth, attempt=6, is_open=True)


def test_each_delay_has_its_own_jitter():
    jitter = iter([0.0, 1.0])

    seconds = [wait.seconds for wait in islice(waits(lambda: next(jitter)), 2)]

    assert seconds == [2.0, 5.0]
