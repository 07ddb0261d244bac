"""
The product beside the simplest design for its job, as one table.

    python -m benchmarks.table [--json FILE]

The simplest design (`simplest.py`) is one process with FastAPI, a queue for each client and no
database; the relay (`relay.py`) is less still, each message written to each socket as it comes; by
NOTIFY (`notified.py`) is the relay with PostgreSQL on the way. All in the same run, as figures of
another hour or machine don't compare. Prints the table and writes it as JSON. Ends with 1 if a
client showed something wrong; a missed aim is told, and no failure. Loopback only; ends after some
three minutes.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path

from benchmarks import fleet, returning, tick_to_stream
from benchmarks.rivals import RELAY, SIMPLEST
from benchmarks.tick_to_stream import Ticks
from sandbox.server import running_exchange

POSITIONS = 50
RELAY_FACTOR = 3
OUTPUT = Path(__file__).resolve().parent.parent / "var" / "bench.json"


@dataclass(frozen=True, slots=True)
class Figure:
    """
    A line of the table.

    Attributes:
        simplest, relay, notified: of the other designs; None where they have nothing of the kind.
        ours: infinite for what did not come to be; null in JSON.
        aim: at most so much is wished for; None: nothing was set.
    """

    what: str
    unit: str
    ours: float
    simplest: float | None = None
    relay: float | None = None
    notified: float | None = None
    aim: float | None = None

    @property
    def is_missed(self) -> bool:
        """Whether it is more than wished for."""
        return self.aim is not None and self.ours > self.aim


async def ticks() -> list[Figure]:
    """One client, a hundred updates a second."""
    async with running_exchange(positions=POSITIONS, updates_per_minute=0) as sandbox:
        relay = await tick_to_stream.through_a_rival(sandbox, RELAY)
        simplest = await tick_to_stream.through_a_rival(sandbox, SIMPLEST)
        notified = await tick_to_stream.through_the_database_alone(sandbox)
        ours, memory = await tick_to_stream.through_the_product(sandbox)

    def figure(what: str, of: Callable[[Ticks], float], aim: float | None = None) -> Figure:
        return Figure(what, "ms", of(ours), of(simplest), of(relay), of(notified), aim)

    return [
        figure("a tick to a client's bytes, p50", lambda it: it.p50, RELAY_FACTOR * relay.p50),
        figure("the same, p99", lambda it: it.p99, 25),
        figure("the same, longest", lambda it: it.longest),
        Figure("memory, worker", "MB", memory.worker, aim=100),
        Figure("memory, web server", "MB", memory.web, aim=100),
    ]


async def return_of_many() -> list[Figure]:
    """A thousand clients at once, after a new start."""
    async with running_exchange(positions=POSITIONS, updates_per_minute=0) as sandbox:
        simplest = returning.middle_of(await returning.to_the_simplest(sandbox))
        ours = returning.middle_of(await returning.to_the_product(sandbox))
    what = f"{returning.CLIENTS} clients return, the last has its snapshot"
    return [
        Figure(what, "ms", ours.last, simplest.last, aim=1000),
        Figure("memory of each", "kB", ours.kilobytes, simplest.kilobytes, aim=40),
    ]


async def two_of_each() -> tuple[list[Figure], int]:
    """A hundred accounts over two workers and two web servers; how many clients were wrong."""
    quiet, killed = await fleet.measure()
    what = f"{fleet.ACCOUNTS} accounts, 2 workers, 2 web servers: "
    figures = [
        Figure(what + "a tick, p50", "ms", quiet.p50),
        Figure("the same, p99", "ms", quiet.p99),
        *(Figure(f"{each.what} killed, all follow", "s", each.seconds, aim=5) for each in killed),
    ]
    return figures, sum(each.wrong for each in killed)


def lines(figures: list[Figure]) -> Iterator[str]:
    """The table."""
    yield f"{'':<56}{'':<4}{'ours':>9}{'simplest':>10}{'relay':>8}{'by NOTIFY':>11}{'aim':>9}"
    for each in figures:
        missed = "  missed" if each.is_missed else ""
        yield (
            f"{each.what:<56}{each.unit:<4}{_number(each.ours):>9}{_number(each.simplest):>10}"
            f"{_number(each.relay):>8}{_number(each.notified):>11}{_number(each.aim):>9}{missed}"
        )


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def write(path: Path, figures: list[Figure], wrong: int) -> None:
    """The same for programs."""
    document = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "figures": [_document(each) for each in figures],
        "clients_wrong": wrong,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2, allow_nan=False) + "\n")


def _document(figure: Figure) -> dict[str, object]:
    # JSON has no word for what never came to be.
    ours = figure.ours if isfinite(figure.ours) else None
    return {**asdict(figure), "ours": ours, "is_missed": figure.is_missed}


def say(what: str) -> None:
    """What is being measured, beside the table."""
    print(what, file=sys.stderr, flush=True)


async def main(path: Path) -> int:
    """Measure, print and write; how many clients showed something wrong."""
    say("ticks, through each of the designs …")
    figures = await ticks()
    say(f"{returning.CLIENTS} clients return …")
    figures += await return_of_many()
    say(f"{fleet.ACCOUNTS} accounts, two workers and two web servers, each killed …")
    of_the_fleet, wrong = await two_of_each()
    figures += of_the_fleet
    print("\n".join(lines(figures)))
    print(f"clients that showed something wrong after a kill: {wrong}")
    write(path, figures, wrong)
    return wrong


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", type=Path, default=OUTPUT)
    sys.exit(1 if asyncio.run(main(parser.parse_args().json)) else 0)
