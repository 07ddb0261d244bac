"""What this web process has done so far, in plain numbers; `metrics` tells them."""

from collections import Counter
from dataclasses import dataclass, field

from streaming.histogram import Histogram
from streaming.web.fanout import Told


@dataclass(slots=True)
class Counts:
    """
    Counted in the event loop alone, from the start of the process.

    Attributes:
        told: to clients, event by event.
        stream_bytes: as they were sent, compressed or not.
        heard, missed: doorbells, and flushes whose doorbell did not come within a second.
        carried: doorbells that brought what was written, so that nothing was read.
        listens: how often it began to listen; each but the first after a loss.
        row_to_bytes: from when a flush was written, by its worker's clock, to when a client's
            connection had taken what is new in it.
        turns: how long requests waited for their turn.
        requests: answers by status; refusals: those that tell an error, by its code.
    """

    told: Told = field(default_factory=Told)
    streams_opened: int = 0
    stream_bytes: int = 0
    heard: int = 0
    carried: int = 0
    missed: int = 0
    listens: int = 0
    row_to_bytes: Histogram = field(default_factory=Histogram)
    loop_lag: Histogram = field(default_factory=Histogram)
    turns: Histogram = field(default_factory=Histogram)
    requests: Counter[int] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)


COUNTS = Counts()
