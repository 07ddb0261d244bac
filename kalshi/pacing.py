"""Waiting for the exchange's rate limits: a thin shell around `rate_limits`."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from kalshi.rate_limits import BASIC, DEFAULT_COSTS, AccountLimits, Bucket, EndpointCosts

# Counted apart, one token a call.
_BALANCE_PATH = "/portfolio/balance"
# Less is no wait, only our own way through the queue.
_MOMENT_SECONDS = 0.005


@dataclass(slots=True)
class Paced:
    """
    What the limits have cost, of all who share it.

    Attributes:
        waits, waited_seconds: requests that had to wait for their turn, and how long in all.
        refusals: requests that the exchange answered 429 all the same.
    """

    waits: int = 0
    waited_seconds: float = 0.0
    refusals: int = 0


class Pacer:
    """
    Lets requests through as fast as the account's limits allow, first come, first served.

    Begins with what every account may do; `adopt` tells of more. One for all clients of an account,
    if there are several in a process.

    Args:
        monotonic: a clock in seconds.
        sleep: waits that many.
        jitter: a chance from 0 to 1.
        paced: counts, with others.
    """

    def __init__(
        self,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        paced: Paced | None = None,
    ) -> None:
        self._paced = paced or Paced()
        self._monotonic = monotonic
        self._sleep = sleep
        self._jitter = jitter
        self._costs = DEFAULT_COSTS
        now = monotonic()
        self._read = _Queue(Bucket(BASIC.read, now))
        self._balance = _Queue(Bucket(BASIC.balance, now))

    def adopt(self, limits: AccountLimits) -> None:
        """Go by the account's own limits from now on."""
        now = self._monotonic()
        self._read.bucket.resize(limits.read, now)
        self._balance.bucket.resize(limits.balance, now)

    def adopt_costs(self, costs: EndpointCosts) -> None:
        """Go by these costs from now on."""
        self._costs = costs

    async def turn(self, path: str) -> None:
        """Return when a GET of this path may be sent, and count it."""
        queue, cost = self._of(path)
        asked = self._monotonic()
        # The lock's waiters are served in the order they came. One that is cancelled has taken
        # nothing.
        async with queue.lock:
            if queue is self._balance:
                # At one call a second, two that arrive closer together than they left are one too
                # many: the next goes when this one is known to have arrived.
                await queue.is_idle.wait()
            while delay := queue.bucket.delay(cost, self._monotonic()):
                await self._sleep(delay)
            now = self._monotonic()
            queue.bucket.take(cost, now)
            queue.is_idle.clear()
        if now - asked > _MOMENT_SECONDS:
            self._paced.waits += 1
            self._paced.waited_seconds += now - asked

    def answered(self, path: str, status: int) -> None:
        """Note the answer's status: after a 429 everyone waits, longer with each in a row."""
        self.unanswered(path)
        queue, _ = self._of(path)
        if status == 429:
            self._paced.refusals += 1
            queue.bucket.refused(self._monotonic(), self._jitter())
        else:
            queue.bucket.accepted()

    def unanswered(self, path: str) -> None:
        """Note that a request is over; it may have arrived as late as now."""
        queue, cost = self._of(path)
        if queue is self._balance and not queue.is_idle.is_set():
            queue.bucket.settle(cost, self._monotonic())
        queue.is_idle.set()

    def _of(self, path: str) -> "tuple[_Queue, int]":
        if path.endswith(_BALANCE_PATH):
            return self._balance, 1
        return self._read, self._costs.cost("GET", path)


class _Queue:
    """A bucket and those who wait for it."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        self.lock = asyncio.Lock()
        # Whether no request of it is under way.
        self.is_idle = asyncio.Event()
        self.is_idle.set()
