"""The schedule of reconnection delays."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

FIRST_DELAY_SECONDS = 2.0
# After so many failures in a row the circuit is open: people are told that it is down.
ATTEMPTS_BEFORE_OPEN = 5
PROBE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Wait:
    """
    How long to wait before the next attempt.

    Attributes:
        attempt: failures in a row, this one included, from 1.
        is_open: whether the circuit is open, so that attempts are but probes.
    """

    seconds: float
    attempt: int
    is_open: bool


def waits(jitter: Callable[[], float]) -> Iterator[Wait]:
    """
    Generate the waits after each failed attempt: 2, 4, 8, 16, 32 seconds, then a minute each.

    Args:
        jitter: a random number from 0 to 1; up to a quarter of each delay is added, so that many
            clients of one exchange don't come back in the same instant.
    """
    delay = FIRST_DELAY_SECONDS
    for attempt in range(1, ATTEMPTS_BEFORE_OPEN + 1):
        yield Wait(delay * (1 + jitter() / 4), attempt, is_open=attempt == ATTEMPTS_BEFORE_OPEN)
        delay *= 2
    while True:
        attempt += 1
        yield Wait(PROBE_SECONDS * (1 + jitter() / 4), attempt, is_open=True)
