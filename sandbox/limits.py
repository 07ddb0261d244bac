"""
How often a member may call: token buckets that refill continuously.
"""

from dataclasses import dataclass, field

# Tokens that a call costs, unless the exchange lists another price for it.
DEFAULT_COST = 10


@dataclass(frozen=True, slots=True)
class Tier:
    """Tokens a second and at most, for reading and writing; calls a second of the balance."""

    name: str
    read_rate: int
    read_capacity: int
    write_rate: int
    write_capacity: int
    balance_rate: int


# Basic and Advanced save up three seconds of reading, all but Basic as much of writing.
TIERS = {
    tier.name: tier
    for tier in (
        Tier("basic", 200, 600, 100, 100, 1),
        Tier("advanced", 300, 900, 300, 900, 1),
        Tier("expert", 600, 600, 600, 1_800, 5),
        Tier("premier", 1_200, 1_200, 1_200, 3_600, 5),
        Tier("paragon", 2_400, 2_400, 2_400, 7_200, 5),
        Tier("prime", 4_800, 4_800, 4_800, 14_400, 5),
        Tier("prestige", 12_000, 12_000, 9_600, 28_800, 5),
    )
}


@dataclass(slots=True)
class Bucket:
    """Tokens, full at first."""

    rate: float
    capacity: float
    _tokens: float = field(init=False)
    _at: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._tokens = self.capacity

    def take(self, cost: float, now: float) -> bool:
        """Take tokens if they are there; `now` is in seconds of a clock that only grows."""
        self._tokens = min(self.capacity, self._tokens + (now - self._at) * self.rate)
        self._at = now
        if self._tokens < cost:
            return False
        self._tokens -= cost
        return True


class Limits:
    """The buckets of every member of one tier."""

    def __init__(self, tier: Tier) -> None:
        self.tier = tier
        self._reading: dict[str, Bucket] = {}
        self._balance: dict[str, Bucket] = {}

    def allow(self, user_id: str, path: str, now: float) -> bool:
        """
        Whether a member may read once more; what is refused costs nothing.

        Args:
            path: below the version, such as `/portfolio/balance`, which has a bucket of its own.
        """
        if path == "/portfolio/balance":
            rate = self.tier.balance_rate
            return self._balance.setdefault(user_id, Bucket(rate, rate)).take(1, now)
        reading = self._reading.setdefault(
            user_id, Bucket(self.tier.read_rate, self.tier.read_capacity)
        )
        return reading.take(DEFAULT_COST, now)
