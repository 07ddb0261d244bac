"""What a worker takes of the machine while something goes on, and how long its ticks take."""

from collections.abc import Awaitable
from dataclasses import dataclass
from statistics import quantiles
from time import perf_counter

import psycopg

from benchmarks.processes import Footprint, footprint
from benchmarks.product import WORKER_NAME, Product
from benchmarks.quotes import Tick

# A second in which some tick took longer counts as slow.
SLOW_MILLISECONDS = 50


@dataclass(frozen=True, slots=True)
class Taken:
    """
    What the worker takes of the machine, and of the database's sessions, and what it did for that.

    Attributes:
        ticks_per_second: that came to be rows which were looked at.
        longest_milliseconds: of one of them.
    """

    process: Footprint
    sessions: int
    ticks_per_second: float
    longest_milliseconds: float


class Figures:
    """Measures phase after phase, and prints a line for each."""

    def __init__(self, product: Product, database: psycopg.Connection, took: list[Tick]) -> None:
        self._product = product
        self._database = database
        self._took = took
        print(
            f"{'':<36}{'ticks':>7}{'p50 ms':>8}{'p99 ms':>8}{'max ms':>8}{'slow s':>8}"
            f"{'threads':>9}{'sessions':>9}{'sockets':>8}{'MB':>6}{'CPU %':>7}"
        )

    async def measure(self, name: str, doing: Awaitable[object]) -> Taken:
        """Wait for what is done meanwhile; what the worker took at its end."""
        self._took.clear()
        before, began = footprint(self._product.worker), perf_counter()
        await doing
        after, seconds = footprint(self._product.worker), perf_counter() - began
        milliseconds = [tick.milliseconds for tick in self._took]
        taken = Taken(
            after,
            self._sessions(),
            len(milliseconds) / seconds,
            max(milliseconds, default=0.0),
        )
        self._print(name, before, taken, seconds)
        return taken

    def _print(self, name: str, before: Footprint, taken: Taken, seconds: float) -> None:
        after = taken.process
        cpu = (after.cpu_seconds - before.cpu_seconds) / seconds * 100
        milliseconds = [tick.milliseconds for tick in self._took]
        percentiles = quantiles(milliseconds, n=100, method="inclusive")
        slow = {int(tick.at) for tick in self._took if tick.milliseconds > SLOW_MILLISECONDS}
        print(
            f"{name:<36}{len(milliseconds):>7}{percentiles[49]:>8.1f}{percentiles[98]:>8.1f}"
            f"{max(milliseconds):>8.0f}{len(slow):>8}"
            f"{after.threads:>9}{taken.sessions:>9}{after.sockets:>8}{after.megabytes:>6.0f}"
            f"{cpu:>7.0f}",
            flush=True,
        )

    def _sessions(self) -> int:
        found = self._database.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", [WORKER_NAME]
        ).fetchone()
        return int(found[0]) if found else 0
