"""
What the log tells of sign-ins that fail: where they came from and why, never what was typed.

One line for each try that counts, which the throttle keeps few. All else can be repeated without
an end, so of that the first in a while is told.
"""

import logging
import time
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Literal

from accounts import throttle
from accounts.errors import ApiError, Busy, FailedTry, TooManyTries

logger = logging.getLogger(__name__)

SignInBy = Literal["key", "link", "passkey", "password"]

KINDS_REMEMBERED = 1000


class FirstOfItsKind:
    """
    Lets the first of a kind pass, and another when that one is `window_seconds` ago.

    Remembers as many kinds as `capacity`; while there are that many, no new kind passes.
    """

    def __init__(
        self,
        window_seconds: float,
        capacity: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._window_seconds = window_seconds
        self._capacity = capacity
        self._clock = clock
        # When each passed, the oldest first.
        self._passed: dict[Hashable, float] = {}
        self._lock = Lock()

    def passes(self, kind: Hashable) -> bool:
        """Whether this one passes; then it is remembered."""
        with self._lock:
            now = self._clock()
            self._forget_until(now - self._window_seconds)
            if kind in self._passed or len(self._passed) >= self._capacity:
                return False
            self._passed[kind] = now
            return True

    def _forget_until(self, latest: float) -> None:
        while self._passed:
            oldest = next(iter(self._passed))
            if self._passed[oldest] > latest:
                return
            del self._passed[oldest]


_repeatable = FirstOfItsKind(throttle.WINDOW.total_seconds(), KINDS_REMEMBERED)


def tell(error: ApiError, *, by: SignInBy, network: str) -> None:
    """Log why a sign-in failed, or that it was refused before anything was looked at."""
    is_refused = isinstance(error, TooManyTries | Busy)
    if isinstance(error, FailedTry) or _repeatable.passes((network, by, error.code)):
        logger.warning(
            "sign-in refused" if is_refused else "sign-in failed",
            extra={"address": network, "by": by, "code": error.code},
        )
