"""
A thousand clients that return at once: how long until each has its snapshot, and what each costs.

    python -m benchmarks.returning [CLIENTS]

As after a web process was started again: one session each, fifty positions. The clients are a
process of their own (`returning_clients.py`) on the same two cores. Loopback only; ends by itself.
"""

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.processes import resident_megabytes
from benchmarks.product import Product, running_product, set_up_django
from benchmarks.rivals import SIMPLEST, running_rival
from sandbox.server import Sandbox, running_exchange

POSITIONS = 50
CLIENTS = 1000
ROUNDS = 3
# So many streams at once are more than the server allows by itself.
SETTINGS = {"STREAMS_TOTAL": "10000"}


@dataclass(frozen=True, slots=True)
class Returned:
    """Milliseconds until the middle and the last client had its snapshot; kilobytes for each."""

    middle: float
    last: float
    kilobytes: float


async def to_the_product(sandbox: Sandbox, count: int = CLIENTS) -> list[Returned]:
    """A few rounds, each with a web server that was just started."""
    async with running_product(sandbox, **SETTINGS) as product:
        set_up_django(product.environment)
        cookies = await asyncio.to_thread(_tokens, count)
        return [await _round_of_the_product(product, cookies) for _ in range(ROUNDS)]


async def to_the_simplest(sandbox: Sandbox, count: int = CLIENTS) -> list[Returned]:
    """The same with the simplest design for the job, which knows no sessions."""
    rounds = []
    for _ in range(ROUNDS):
        async with running_rival(sandbox, SIMPLEST) as rival:
            rounds.append(await _round(rival.process, rival.port, ["none"] * count))
    return rounds


def middle_of(rounds: list[Returned]) -> Returned:
    """What is between the best and the worst of each figure."""
    return Returned(
        median(each.middle for each in rounds),
        median(each.last for each in rounds),
        median(each.kilobytes for each in rounds),
    )


def _tokens(count: int) -> list[str]:
    """A session of the one user for each client."""
    # Models need Django set up.
    from accounts import sessions
    from accounts.devices import Device
    from accounts.models import Account

    device = Device(address="127.0.0.1", browser="benchmark")
    account = Account.objects.select_related("owner").get()
    return [sessions.show_key(account, device=device)[1] for _ in range(count)]


async def _round_of_the_product(product: Product, cookies: list[str]) -> Returned:
    product.web.terminate()
    await asyncio.to_thread(product.web.wait, 20)
    product.start_web()
    await product.answers()
    return await _round(product.web, product.port, cookies)


async def _round(server: subprocess.Popen[bytes], port: int, cookies: list[str]) -> Returned:
    before = resident_megabytes(server)
    clients = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.returning_clients", str(port)),
        cwd=Path(__file__).resolve().parent.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert clients.stdin
    assert clients.stdout
    clients.stdin.write("\n".join([*cookies, "", ""]).encode())
    told = json.loads(await asyncio.wait_for(clients.stdout.readline(), 120))
    after = resident_megabytes(server)
    clients.stdin.close()
    await asyncio.wait_for(clients.wait(), 30)
    return Returned(**told, kilobytes=(after - before) * 1000 / len(cookies))


async def main(count: int) -> None:
    """Measure and print each round."""
    async with running_exchange(positions=POSITIONS, updates_per_minute=0) as sandbox:
        rounds = await to_the_product(sandbox, count)
    print(f"{count} clients return at once{'middle ms':>20}{'last ms':>10}{'kB each':>10}")
    for number, each in enumerate(rounds, 1):
        print(f"round {number}{each.middle:>40.0f}{each.last:>10.0f}{each.kilobytes:>10.0f}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else CLIENTS))
