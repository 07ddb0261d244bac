"""The metrics of a worker: their names, what they mean, and where they come from."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Protocol, get_args

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from positions.connection import ConnectionState, Reason, Status
from streaming.exposition import counter, counters, gauge, gauges, histogram, of_any_process
from streaming.worker.backoff import ATTEMPTS_BEFORE_OPEN
from streaming.worker.counts import COUNTS, Counts

# What a reconciliation finds; `positions.reconciliation.Difference` has the meaning.
FOUND = ("changed", "gone", "unreadable")
FRAMES = ("market_position", "fill", "lifecycle")
FAILURES = ("Unavailable", "RateLimited", "KeyRefused", "ClockSkew", "Maintenance")


class Account(Protocol):
    """What is told of one account; never which one it is."""

    @property
    def state(self) -> ConnectionState: ...

    @property
    def silent_seconds(self) -> float | None: ...

    @property
    def is_reading_past(self) -> bool: ...


class WorkerMetrics(Collector):
    """
    Told anew whenever somebody asks.

    Args:
        accounts: those that the worker holds.
    """

    def __init__(self, accounts: Iterable[Account], counts: Counts = COUNTS) -> None:
        self._accounts = list(accounts)
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """All of them."""
        yield from of_any_process("worker", self._counts.loop_lag)
        yield from self._held()
        yield from self._stream()
        yield from self._writes()
        yield from self._connections()
        yield from self._rest()

    def _held(self) -> Iterator[Metric]:
        accounts = self._accounts
        states = [account.state for account in accounts]
        statuses = dict.fromkeys(get_args(Status), 0) | Counter(each.status for each in states)
        reasons = Counter(each.reason for each in states if each.reason)
        yield gauge("accounts_held", "Accounts that this worker feeds.", len(accounts))
        yield gauges("accounts", "The same by how their connection stands.", "status", statuses)
        yield gauges(
            "accounts_not_live",
            "The same by why it is not live.",
            "reason",
            {reason: reasons[reason] for reason in get_args(Reason)},
        )
        yield gauge(
            "breakers_open",
            "Accounts whose attempts have failed so often that one a minute is made.",
            sum(_is_breaker_open(each) for each in states),
        )
        yield gauge(
            "accounts_silent",
            "Accounts whose rows nobody can vouch for, as they can't be written.",
            sum(each.silent_seconds is not None for each in accounts),
        )
        yield gauge(
            "accounts_reading_past",
            "Accounts with a stretch of the past that is still to be read.",
            sum(each.is_reading_past for each in accounts),
        )
        yield counter("heartbeats", "Heartbeats written.", self._counts.beats)

    def _stream(self) -> Iterator[Metric]:
        counts = self._counts
        yield counter("ticks", "Frames that tell a market's prices.", counts.ticks)
        yield counters(
            "frames", "Frames that tell anything else of an account.", "kind", counts.frames, FRAMES
        )
        yield counter("frames_lost", "Gaps in what the exchange numbers.", counts.gaps)
        yield counter("frames_garbled", "Frames that can't be read.", counts.garbled)
        yield counter(
            "subscriptions_ended", "By the exchange, unasked.", counts.subscriptions_ended
        )
        yield histogram(
            "exchange_lag_seconds",
            "From the exchange's own time of a frame to ours; samples. Wrong by the clocks' skew.",
            counts.exchange_lag,
        )
        yield gauge(
            "clock_skew_seconds",
            "Our clock less the exchange's, as it was last told; exact to half a second.",
            counts.clock_skew,
        )

    def _writes(self) -> Iterator[Metric]:
        counts = self._counts
        yield histogram("flush_seconds", "How long a flush took that was written.", counts.flush)
        yield counter("flush_rows", "Positions written.", counts.flushed_rows)
        yield counter("flushes_failed", "Flushes to be tried again.", counts.flushes_failed)
        yield histogram(
            "frame_to_row_seconds",
            "From the first change that a flush holds to its commit.",
            counts.frame_to_row,
        )

    def _connections(self) -> Iterator[Metric]:
        counts = self._counts
        yield counter("connections", "Connections opened to the exchange.", counts.connections)
        yield counter("connections_live", "Those that went live.", counts.went_live)
        yield counters(
            "connection_failures",
            "Attempts that failed and connections that ended, by the class of the error.",
            "error",
            counts.failures,
            FAILURES,
        )

    def _rest(self) -> Iterator[Metric]:
        counts = self._counts
        yield counter("rate_limit_waits", "Requests that waited for it.", counts.paced.waits)
        yield counter(
            "rate_limit_wait_seconds", "How long, all together.", counts.paced.waited_seconds
        )
        yield counter("rate_limited", "Requests answered 429.", counts.paced.refusals)
        yield histogram(
            "reconciliation_seconds", "How long each took that was done.", counts.reconciliation
        )
        yield counter("reconciliations_failed", "To be tried again.", counts.reconciliations_failed)
        yield counters(
            "reconciliation_found",
            "Positions that the stream should have told of, and had not.",
            "kind",
            counts.found,
            FOUND,
        )
        yield counter(
            "balance_surprises", "Balances that nothing explained at first.", counts.surprises
        )
        yield counter("holes_filled", "Stretches of the past read whole.", counts.holes_filled)
        yield counter("rows_left_out", "Rows that can't be understood.", counts.left_out)


def _is_breaker_open(state: ConnectionState) -> bool:
    """Whether the exchange is out of reach; closed, as it says itself, it is not."""
    is_out_of_reach = state.status == "disconnected" and state.reason != "set_aside"
    return is_out_of_reach and state.attempt >= ATTEMPTS_BEFORE_OPEN
