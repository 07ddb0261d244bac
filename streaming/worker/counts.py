"""What this worker has done so far, in plain numbers; `metrics` tells them."""

from collections import Counter
from dataclasses import dataclass, field

from kalshi.pacing import Paced
from streaming.histogram import Histogram


@dataclass(slots=True)
class Counts:
    """
    Counted in the event loop alone, of all accounts together, from the start of the process.

    Attributes:
        ticks: frames that tell prices; frames: all others that the account is told by, by kind.
        exchange_lag: from when the exchange sent a frame, by its clock, to when it was read, by
            ours; of some frames a second, not of each.
        clock_skew: our clock less the exchange's as it was last told, seconds.
        flush: how long each took; flushed_rows: positions in them.
        frame_to_row: from the first change that a flush holds to its commit.
        connections: opened to the exchange; failures: attempts and connections that ended, by the
            class of the error; went_live: connections that got so far.
        reconciliation: how long each took; reconciliations_failed: those to be tried again.
        found: what reconciling changed although the stream was followed, by kind; what it finds
            first after a connection was opened is no surprise.
        gaps: frames that were lost on the way; garbled: that could not be read.
        subscriptions_ended: by the exchange.
        surprises: balances that the flows did not explain at first.
        holes_filled: stretches of the past; left_out: rows of the exchange that can't be read.
        beats: heartbeats; loop_lag: how late the event loop was at something due once a second.
        paced: what the exchange's rate limits have cost.
    """

    ticks: int = 0
    frames: Counter[str] = field(default_factory=Counter)
    exchange_lag: Histogram = field(default_factory=Histogram)
    clock_skew: float = 0.0
    flush: Histogram = field(default_factory=Histogram)
    flushed_rows: int = 0
    flushes_failed: int = 0
    frame_to_row: Histogram = field(default_factory=Histogram)
    connections: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    went_live: int = 0
    reconciliation: Histogram = field(default_factory=Histogram)
    reconciliations_failed: int = 0
    found: Counter[str] = field(default_factory=Counter)
    gaps: int = 0
    garbled: int = 0
    subscriptions_ended: int = 0
    surprises: int = 0
    holes_filled: int = 0
    left_out: int = 0
    beats: int = 0
    loop_lag: Histogram = field(default_factory=Histogram)
    paced: Paced = field(default_factory=Paced)


COUNTS = Counts()
