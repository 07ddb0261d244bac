"""Other programs for the same job, each one process, which the product is measured beside."""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.ports import free_port
from benchmarks.processes import end
from sandbox.server import Sandbox

RELAY = "benchmarks.relay"
SIMPLEST = "benchmarks.simplest"
NOTIFIED = "benchmarks.notified"
START_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Rival:
    """One that runs and follows the exchange."""

    port: int
    process: subprocess.Popen[bytes]


@asynccontextmanager
async def running_rival(sandbox: Sandbox, module: str, **environment: str) -> AsyncIterator[Rival]:
    """It follows all markets that are held. The exchange must have no other client."""
    port = free_port()
    with tempfile.NamedTemporaryFile("w") as key_file:
        key_file.write(sandbox.private_key)
        key_file.flush()
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", module, sandbox.api_base, sandbox.ws_url),
                *(sandbox.key_id, key_file.name, str(port)),
                *(ticker for ticker in sandbox.account.portfolios[0].positions),
            ],
            cwd=Path(__file__).resolve().parent.parent,
            env=os.environ | environment,
        )
        try:
            async with asyncio.timeout(START_SECONDS):
                while not (sandbox.connection_count and await _listens(port)):
                    await asyncio.sleep(0.05)
                # Until it has subscribed.
                await asyncio.sleep(0.5)
            yield Rival(port, process)
        finally:
            await asyncio.to_thread(end, process)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
