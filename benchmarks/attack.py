"""
What strangers at the door cost those inside: ticks before, during and after an attack.

    python -m benchmarks.attack

One web process, a hundred open streams, fifty positions, a hundred updates a second. One of the
streams is timed as in `tick_to_stream`; the others are read, and the attack made, by processes of
their own (`crowd.py`) on the same two cores. Loopback only; ends after two minutes.
"""

import asyncio
import json
import os
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path

from benchmarks.crowd import OPEN
from benchmarks.processes import end, footprint
from benchmarks.product import Product, events, running_product
from benchmarks.tick_to_stream import SECONDS, WARM_UP_SECONDS, measure
from sandbox.server import Sandbox, running_exchange

POSITIONS = 50
OTHER_STREAMS = 99
OPEN_SECONDS = 30
# Of the attack: it begins before the timed ticks and ends after them.
ATTACK_SECONDS = WARM_UP_SECONDS + SECONDS + 4


def _crowd(*arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.crowd", *(str(argument) for argument in arguments)],
        cwd=Path(__file__).resolve().parent.parent,
        stdout=subprocess.PIPE,
    )


async def _until_open(readers: subprocess.Popen[bytes]) -> None:
    """Wait until all streams of others are open; RuntimeError when they are not."""
    told = asyncio.create_task(asyncio.to_thread(_first_line, readers))
    await asyncio.wait([told], timeout=OPEN_SECONDS)
    if not told.done() or told.result() != OPEN:
        raise RuntimeError("the other streams did not open")


def _first_line(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None  # as it was started
    return process.stdout.readline().decode().strip()


async def _phase(
    name: str, sandbox: Sandbox, product: Product, readers: subprocess.Popen[bytes]
) -> None:
    if readers.poll() is not None:
        raise RuntimeError("the other streams are not open any more")
    async with aclosing(events(product.port, "/sse/positions", product.cookie)) as stream:
        took = await measure(sandbox, stream)
    held = footprint(product.web)
    told = f"{held.threads:>9}{held.sockets:>9}{held.megabytes:>9.0f}"
    print(
        f"{name:<28}{took.count:>7}{took.p50:>9.2f}{took.p99:>9.2f}{took.longest:>9.2f}{told}",
        flush=True,
    )


async def main() -> None:
    """Measure the three phases and print them."""
    os.environ["STREAMS_PER_SESSION"] = str(OTHER_STREAMS + 10)
    async with (
        running_exchange(positions=POSITIONS, updates_per_minute=0) as sandbox,
        running_product(sandbox) as product,
    ):
        readers = _crowd("read", product.port, product.cookie, OTHER_STREAMS)
        others = [readers]
        try:
            await _until_open(readers)
            print(
                f"{'':<28}{'ticks':>7}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}"
                f"{'threads':>9}{'sockets':>9}{'MB':>9}"
            )
            await _phase("before", sandbox, product, readers)
            attackers = _crowd("attack", product.port, ATTACK_SECONDS)
            others.append(attackers)
            await _phase("during", sandbox, product, readers)
            answers, _ = await asyncio.to_thread(attackers.communicate, timeout=120)
            await _phase("after", sandbox, product, readers)
        finally:
            await asyncio.to_thread(end, *others)
    for kind, statuses in json.loads(answers).items():
        print(kind, "answered", statuses)


if __name__ == "__main__":
    asyncio.run(main())
