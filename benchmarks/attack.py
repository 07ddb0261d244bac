"""
What strangers at the door cost those inside: ticks before, during and after an attack.

    python -m benchmarks.attack

One web process, a hundred open streams, fifty positions, a hundred updates a second. One of the
streams is timed as in `tick_to_stream`; the others are read, and the attack made, by processes of
their own (`readers.py`, `crowd.py`) on the same two cores. Loopback only; ends after two minutes.
"""

import asyncio
import json
import os
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path

from benchmarks.processes import end, footprint
from benchmarks.product import Product, events, running_product
from benchmarks.readers import Readers, reading
from benchmarks.tick_to_stream import SECONDS, WARM_UP_SECONDS, measure
from sandbox.server import Sandbox, running_exchange

POSITIONS = 50
OTHER_STREAMS = 99
# Of the attack: it begins before the timed ticks and ends after them.
ATTACK_SECONDS = WARM_UP_SECONDS + SECONDS + 4


def _attackers(port: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.crowd", str(port), str(ATTACK_SECONDS)],
        cwd=Path(__file__).resolve().parent.parent,
        stdout=subprocess.PIPE,
    )


async def _phase(name: str, sandbox: Sandbox, product: Product, others: Readers) -> None:
    async with aclosing(events(product.port, "/sse/positions", product.cookie)) as stream:
        took = await measure(sandbox, stream)
    # It fails if one of them is not open any more.
    await others.counts()
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
        reading(product, OTHER_STREAMS) as others,
    ):
        print(
            f"{'':<28}{'ticks':>7}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}"
            f"{'threads':>9}{'sockets':>9}{'MB':>9}"
        )
        await _phase("before", sandbox, product, others)
        attackers = _attackers(product.port)
        try:
            await _phase("during", sandbox, product, others)
            answers, _ = await asyncio.to_thread(attackers.communicate, timeout=120)
        finally:
            await asyncio.to_thread(end, attackers)
        await _phase("after", sandbox, product, others)
    for kind, statuses in json.loads(answers).items():
        print(kind, "answered", statuses)


if __name__ == "__main__":
    asyncio.run(main())
