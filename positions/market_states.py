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
# A market closes without a word of the stream's, so this may be news.
_MAY_FOLLOW = {("active", "closed")}


@dataclass(frozen=True, slots=True)
class ToldState:
    """
    What the stream said.

    Attributes:
        at: seconds of the caller's monotonic clock.
    """

    state: MarketState
    at: float

    def is_news(self, state: MarketState, before: "ToldState | None") -> bool:
        """
        Whether it changes a market that stands so.

        Args:
            before: what the stream said last.
        """
        return state.status in self._before or (
            # A result that was disputed is determined anew, and nothing tells of the dispute.
            before is not None
            and before.state == state != self.state
            and before.state.status == self.state.status == "determined"
            and not self._is_older_than(state)
        )

    def outlives(self, read: MarketState, requested_at: float) -> bool:
        """Whether an answer of REST's is from before it."""
        return (
            requested_at < self.at + DOUBT_SECONDS
            and read.status in self._before
            and (self.state.status, read.status) not in _MAY_FOLLOW
        )

    def completed(self, read: MarketState) -> MarketState:
        """An answer of REST's, with the value that only the stream has told so far."""
        if read.settlement_value is None and read.status == self.state.status:
            return replace(read, settlement_value=self.state.settlement_value)
        return read

    @property
    def _before(self) -> frozenset[str]:
        return _BEFORE.get(self.state.status, frozenset())

    def _is_older_than(self, state: MarketState) -> bool:
        ours, theirs = self.state.since, state.since
        return ours is not None and theirs is not None and ours < theirs
