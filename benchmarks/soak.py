"""
Faults and load over a longer time: after each fault everything must be right again by itself.

    python -m benchmarks.soak [MINUTES [FAULT...]]

Ten minutes unless told otherwise, at 50 updates a second. In each round something dies, is cut or
tells nonsense while prices move and fills come; once that is over, the API must equal the exchange
within the fault's own time, ten seconds for most. Faults can be named by a part of their names.
Prints a table, and what memory has grown to; ends with 1 if anything was ever wrong for longer, or
if the time was too short for a single round. Loopback only.
"""

import asyncio
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle

import httpx
import psycopg

from benchmarks.faults import FAULTS, Fault
from benchmarks.processes import resident_megabytes
from benchmarks.product import running_product
from benchmarks.scene import NotMet, Scene, running_scene
from sandbox.server import running_exchange

POSITIONS = 50
CALM_SECONDS = 2


@dataclass(slots=True)
class Record:
    """
    What came of one fault's rounds.

    Attributes:
        slowest: seconds until all was right; None until it was so once.
    """

    rounds: int = 0
    slowest: float | None = None
    said: dict[str, None] = field(default_factory=dict)
    measured: dict[str, float] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


async def play(scene: Scene, fault: Fault, record: Record) -> None:
    """One round of a fault."""
    try:
        await scene.until(scene.is_right, 10, "all is right before")
        movement = asyncio.create_task(scene.move())
        try:
            await scene.begin_anew()
            await asyncio.sleep(random.uniform(0, CALM_SECONDS))
            await fault.make(scene)
        finally:
            movement.cancel()
        took = await scene.until(scene.is_right, fault.right_within, "all is right")
        record.slowest = max(record.slowest or 0.0, took)
    except (NotMet, httpx.TransportError, psycopg.Error) as failure:
        failed = str(failure) or type(failure).__name__
        record.failures.append(f"{failed}; {await scene.difference()}")
        print(f"{fault.name}: {record.failures[-1]}", flush=True)
    record.rounds += 1
    record.said |= scene.said
    for what, seconds in scene.measured.items():
        record.measured[what] = max(seconds, record.measured.get(what, 0.0))


async def soak(minutes: float, faults: Sequence[Fault]) -> bool:
    """Round after round until the time is over; whether all was right in each."""
    records = {fault.name: Record() for fault in faults}
    memory = ""
    async with (
        running_exchange(positions=POSITIONS, updates_per_minute=0) as sandbox,
        running_product(sandbox) as product,
        running_scene(sandbox, product) as scene,
    ):
        try:
            # The round that is under way at the end does not count.
            async with asyncio.timeout(minutes * 60):
                for fault in cycle(faults):
                    await play(scene, fault, records[fault.name])
        except TimeoutError:
            memory = f"memory: worker {_memory(product.worker)}, web server {_memory(product.web)}"
    print("\n".join(report(faults, records, memory)))
    return is_passed(records)


def _memory(process: subprocess.Popen[bytes]) -> str:
    """What it holds, or that it is dead at the moment: time can be up in the middle of a fault."""
    try:
        return f"{resident_megabytes(process):.0f} MB"
    except OSError:
        return "not running"


def report(faults: Sequence[Fault], records: Mapping[str, Record], memory: str) -> Iterator[str]:
    """The table, and each failure below it."""
    yield "| fault | made by | rounds | right after | said meanwhile |\n|---|---|---|---|---|"
    for fault in faults:
        record = records[fault.name]
        right_after = "–" if record.slowest is None else f"{record.slowest:.1f} s"
        said = ", ".join(
            [each for each in record.said if each != "live"]
            + [f"{what} after {seconds:.1f} s" for what, seconds in record.measured.items()]
        )
        yield f"| {fault.name} | {fault.how} | {record.rounds} | {right_after} | {said} |"
    failures = [failure for record in records.values() for failure in record.failures]
    rounds = sum(record.rounds for record in records.values())
    yield f"{rounds} rounds, {len(failures)} failures; {memory}"
    for fault in faults:
        for failure in records[fault.name].failures:
            yield f"  {fault.name}: {failure}"


def is_passed(records: Mapping[str, Record]) -> bool:
    """Whether there was a round, and all was right in each."""
    rounds = sum(record.rounds for record in records.values())
    return rounds > 0 and not any(record.failures for record in records.values())


def named(parts: Sequence[str]) -> list[Fault]:
    """
    The faults whose names have one of these parts; all without any.

    Raises:
        ValueError: no fault's name has one of them.
    """
    for part in parts:
        if not any(part in fault.name for fault in FAULTS):
            names = ", ".join(fault.name for fault in FAULTS)
            raise ValueError(f"no fault is called {part}; there are {names}")
    return [fault for fault in FAULTS if not parts or any(part in fault.name for part in parts)]


if __name__ == "__main__":
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10
    try:
        chosen = named(sys.argv[2:])
    except ValueError as unknown:
        sys.exit(str(unknown))
    sys.exit(0 if asyncio.run(soak(minutes, chosen)) else 1)
