"""The metrics of a web process: their names, what they mean, and where they come from."""

from collections.abc import Iterator

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from streaming.exposition import counter, counters, gauge, histogram, of_any_process
from streaming.web.counts import COUNTS, Counts
from streaming.web.hub import Hub


class WebMetrics(Collector):
    """
    Told anew whenever somebody asks.

    Args:
        hub: None while the server starts.
    """

    def __init__(self, hub: Hub | None, counts: Counts = COUNTS) -> None:
        self._hub = hub
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """All of them."""
        yield from of_any_process("web", self._counts.loop_lag)
        yield from self._streams()
        yield from self._rows()
        yield from self._requests()

    def _streams(self) -> Iterator[Metric]:
        counts, told = self._counts, self._counts.told
        hub = self._hub
        yield gauge("streams", "Open streams.", hub.open_streams if hub else 0)
        yield counter("streams_opened", "Streams opened.", counts.streams_opened)
        yield counter("stream_bytes", "Bytes sent to streams.", counts.stream_bytes)
        yield counter("stream_events", "Events sent, without snapshots.", told.events)
        yield counter(
            "stream_events_superseded",
            "Events that a client was too slow for: it got newer ones.",
            told.superseded,
        )
        yield counter("snapshots", "Snapshots sent.", told.snapshots)

    def _rows(self) -> Iterator[Metric]:
        counts = self._counts
        hub = self._hub
        yield gauge(
            "watched_accounts", "Accounts that somebody looks at.", hub.watched if hub else 0
        )
        yield gauge(
            "behind_seconds",
            "For how long the process has known of rows that it has not read, or could not ask.",
            hub.behind_seconds if hub else 0.0,
        )
        yield counter("doorbells_heard", "Announcements of flushes.", counts.heard)
        yield counter(
            "doorbells_carried",
            "Announcements that brought what was written, so that nothing was read.",
            counts.carried,
        )
        yield counter(
            "doorbells_missed",
            "Flushes that the poll found, and no announcement told within a second.",
            counts.missed,
        )
        yield counter("listens", "Times it began to listen to the database.", counts.listens)
        yield histogram(
            "row_to_bytes_seconds",
            "From a flush's own time to when a client's connection had taken what is new.",
            counts.row_to_bytes,
        )

    def _requests(self) -> Iterator[Metric]:
        counts = self._counts
        statuses = {str(status): count for status, count in counts.requests.items()}
        yield counters(
            "requests",
            "Answers, a stream's at its start.",
            "status",
            statuses,
            ["200", "500", "503"],
        )
        yield counters(
            "refusals",
            "Answers that tell an error, by its code.",
            "code",
            counts.refusals,
            ["busy", "database_unavailable", "too_many_streams"],
        )
        yield histogram("turn_seconds", "How long requests waited for their turn.", counts.turns)
