"""
How much may be asked of the exchange, and when: token buckets, without waiting.

A request takes its cost out of a bucket that refills continuously; one that finds too little there
is answered 429. We keep the same books and wait instead. All instants are seconds of one monotonic
clock.
"""

from dataclasses import dataclass
from typing import Self

from kalshi.fields import Fields
from kalshi.rows import decode_rows

# Ours are emptied sooner and refill slower than the exchange's: requests may arrive closer together
# than they left, and the account's owner may run other programs on the same budget.
_SHARE = 0.9

# What a request costs at the most, in seconds of refilling: nobody waits for tokens longer than
# twice that. Else one odd answer about limits or costs would keep an account waiting for ever.
_LONGEST_REFILL_SECONDS = 60.0

# Each request looks through all of them.
_MOST_COSTS = 1000

# Those that may ask for the balance five times a second. One that is not known here is as slow as
# the lowest: to wait is better than to be turned away.
_FAST_TIERS = frozenset({"expert", "premier", "paragon", "prime", "prestige"})

# Of tokens: less than this is what arithmetic leaves over.
_ROUNDING = 1e-6

# The first wait after a 429, doubled by each that follows, and the longest.
_FIRST_BACKOFF_SECONDS = 0.1
_LONGEST_BACKOFF_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class BucketLimit:
    """A budget in tokens: what comes each second, and how much can be saved up."""

    refill_rate: int
    capacity: int

    @classmethod
    def decode(cls, value: object) -> Self:
        fields = Fields(value, "bucket limit")
        return cls(fields.positive("refill_rate"), fields.positive("bucket_capacity"))


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """
    What one account may ask for; reading and writing are counted apart.

    Nothing is written here: `write` is None where it can't be understood.
    """

    usage_tier: str
    read: BucketLimit
    write: BucketLimit | None

    @classmethod
    def decode(cls, value: object) -> Self:
        fields = Fields(value, "account limits")
        return cls(
            usage_tier=fields.text_or_empty("usage_tier"),
            read=BucketLimit.decode(fields.value("read")),
            write=fields.readable(lambda name: BucketLimit.decode(fields.value(name)), "write"),
        )

    @property
    def balance(self) -> BucketLimit:
        """The balance's own budget, in calls. It is documented by tier; no answer tells it."""
        calls = 5 if self.usage_tier in _FAST_TIERS else 1
        return BucketLimit(calls, calls)


# What every account has from its first day.
BASIC = AccountLimits("basic", read=BucketLimit(200, 200), write=BucketLimit(100, 100))


@dataclass(frozen=True, slots=True)
class EndpointCost:
    """The tokens of one kind of request; in `path`, `:name` is any segment and `*name` any rest."""

    method: str
    path: str
    cost: int

    @classmethod
    def decode(cls, value: object) -> Self:
        fields = Fields(value, "endpoint cost")
        return cls(fields.text("method"), fields.text("path"), fields.positive("cost"))

    def is_of(self, method: str, path: str) -> bool:
        return method == self.method and _matches(self.path.split("/"), path.split("/"))


@dataclass(frozen=True, slots=True)
class EndpointCosts:
    """What requests cost: `default` tokens, but for the endpoints listed."""

    default: int
    listed: tuple[EndpointCost, ...]

    @classmethod
    def decode(cls, value: object) -> Self:
        fields = Fields(value, "endpoint costs")
        return cls(
            default=fields.positive("default_cost"),
            listed=tuple(
                decode_rows(
                    fields.items("endpoint_costs", at_most=_MOST_COSTS),
                    EndpointCost.decode,
                    kind="endpoint cost",
                    named_by="path",
                )
            ),
        )

    def cost(self, method: str, path: str) -> int:
        """
        The tokens of one request.

        Args:
            path: from the host's root, such as `/trade-api/v2/markets`.
        """
        # A path that is listed as it stands comes before those it also fits.
        fitting = [cost for cost in self.listed if cost.is_of(method, path)]
        exact = [cost for cost in fitting if cost.path == path]
        return next((cost.cost for cost in exact + fitting), self.default)


DEFAULT_COSTS = EndpointCosts(10, ())


class Bucket:
    """
    Our copy of one of the exchange's buckets. Full at first.

    Ask `delay`, wait that long, ask again, until it is 0; then `take` and send.
    """

    def __init__(self, limit: BucketLimit, now: float) -> None:
        self._capacity = limit.capacity * _SHARE
        self._refill_rate = limit.refill_rate * _SHARE
        self._level = self._capacity
        # The level's instant; in the future while a 429 holds everything.
        self._as_of = now
        self._refusals = 0

    def resize(self, limit: BucketLimit, now: float) -> None:
        """Go on by another limit."""
        self._refill(now)
        self._capacity = limit.capacity * _SHARE
        self._refill_rate = limit.refill_rate * _SHARE
        # What is owed was to be had at the former rate.
        owed = -self._refill_rate * _LONGEST_REFILL_SECONDS
        self._level = max(min(self._level, self._capacity), owed)

    def delay(self, cost: int, now: float) -> float:
        """Seconds until `cost` is there; 0 if it is."""
        self._refill(now)
        # What the bucket can never hold is let through when it is full, and paid for afterwards.
        missing = min(self._payable(cost), self._capacity) - self._level
        held = max(0.0, self._as_of - now)
        return held if missing < _ROUNDING else held + missing / self._refill_rate

    def take(self, cost: int, now: float) -> None:
        """Spend the tokens of a request that is sent now."""
        self._refill(now)
        self._level -= self._payable(cost)

    def settle(self, cost: int, now: float) -> None:
        """
        Count a request's tokens from its answer on instead of from when it was sent.

        The exchange counts from when it arrived, which is somewhere in between.
        """
        self._level = min(self._level, self._capacity - self._payable(cost))
        self._as_of = max(self._as_of, now)

    def refused(self, now: float, jitter: float) -> None:
        """
        The exchange's bucket was empty: so is ours, and nothing is sent for a while.

        Args:
            jitter: from 0 to 1, by chance. It parts those who were refused together.
        """
        if now < self._as_of:
            # Under way when an earlier one was refused: both are the same refusal.
            return
        wait = min(_FIRST_BACKOFF_SECONDS * 2**self._refusals, _LONGEST_BACKOFF_SECONDS)
        # Bounded, as the power is computed before it is cut.
        self._refusals = min(self._refusals + 1, 16)
        self._refill(now)
        self._level = min(self._level, 0.0)
        self._as_of = max(self._as_of, now + wait * (0.5 + jitter / 2))

    def accepted(self) -> None:
        """The exchange answered something else than 429."""
        self._refusals = 0

    def _payable(self, cost: int) -> float:
        return min(cost, self._refill_rate * _LONGEST_REFILL_SECONDS)

    def _refill(self, now: float) -> None:
        if now > self._as_of:
            gained = (now - self._as_of) * self._refill_rate
            self._level = min(self._capacity, self._level + gained)
            self._as_of = now


def _matches(pattern: list[str], path: list[str]) -> bool:
    for index, segment in enumerate(pattern):
        if segment.startswith("*"):
            return len(path) > index
        if index >= len(path) or not (segment.startswith(":") or segment == path[index]):
            return False
    return len(pattern) == len(path)
