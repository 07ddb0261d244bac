"""
Where a market stands, as the stream says, against what REST says, which lags.

The stream tells each step once. So a read that shows what the market was before that step is taken
for an old answer, for a while; one that shows any later step, or an unexpected one, counts.
"""

from dataclasses import dataclass, replace

from kalshi.resources import UNKNOWN_STATUS
from positions.pnl import MarketState

# REST's answer about a market is as old as its cache: so long a read is not believed against the
# stream.
DOUBT_SECONDS = 20.0

# What a market may have been before it came to be so.
_BEFORE = {
    "active": frozenset({"initialized", "inactive", "closed", UNKNOWN_STATUS}),
    "inactive": frozenset({"active", UNKNOWN_STATUS}),
    "determined": frozenset({"initialized", "inactive", "active", "closed", UNKNOWN_STATUS}),
}
# A result may be disputed, and determined anew.
_RESULTS = frozenset({"determined", "disputed", "amended"})


@dataclass(frozen=True, slots=True)
class ToldState:
    """
    What the stream said, or REST of a result.

    Attributes:
        at: when it was said or asked for, seconds of the caller's monotonic clock.
        replaced: what the market was until then.
    """

    state: MarketState
    at: float
    replaced: MarketState

    def is_news(self, last: "ToldState | None") -> bool:
        """
        Whether it changes the market.

        Args:
            last: what the stream said before, as far as that still holds.
        """
        return self.replaced.status in _BEFORE[self.state.status] or (
            self.is_result
            and self.replaced.status in _RESULTS
            and self.replaced != self.state
            and (last is None or not last.is_result or self._is_later_than(last))
        )

    @property
    def is_result(self) -> bool:
        """Whether the market's result is known by it."""
        return self.state.status == "determined"

    def outlives(self, read: MarketState, requested_at: float) -> bool:
        """Whether an answer of REST's is from before it."""
        if read == self.state or requested_at >= self.at + DOUBT_SECONDS:
            return False
        return read == self.replaced or read.status in _BEFORE[self.state.status]

    def completed(self, read: MarketState) -> MarketState:
        """An answer of REST's, with the value that only the stream has told so far."""
        if read.settlement_value is None and read.status == self.state.status:
            return replace(read, settlement_value=self.state.settlement_value)
        return read

    def _is_later_than(self, other: "ToldState") -> bool:
        ours, theirs = self.state.since, other.state.since
        return ours is not None and theirs is not None and ours > theirs
