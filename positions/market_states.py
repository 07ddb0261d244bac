"""
Where a market stands, as the stream says, against what REST says, which lags.

The stream tells each step once. So a read that shows what the market was before that step is taken
for an old answer, for a while; one that shows any later step, or an unexpected one, counts.
"""

from dataclasses import dataclass

from kalshi.resources import UNKNOWN_STATUS
from positions.pnl import MarketState

# REST's answer about a market is as old as its cache: so long a read is not believed against the
# stream.
DOUBT_SECONDS = 20.0

# What a market may have been before it came to be so.
_BEFORE = {
    "active": frozenset({"initialized", "inactive", UNKNOWN_STATUS}),
    "inactive": frozenset({"active", UNKNOWN_STATUS}),
    "determined": frozenset({"initialized", "inactive", "active", "closed", UNKNOWN_STATUS}),
}


@dataclass(frozen=True, slots=True)
class ToldState:
    """
    What the stream said.

    Attributes:
        at: seconds of the caller's monotonic clock.
    """

    state: MarketState
    at: float

    def is_after(self, other: MarketState) -> bool:
        """Whether a market that stood so came to stand as was told."""
        return other.status in _BEFORE.get(self.state.status, ())

    def outlives(self, read: MarketState, requested_at: float) -> bool:
        """Whether an answer of REST's is from before it."""
        return requested_at < self.at + DOUBT_SECONDS and self.is_after(read)
