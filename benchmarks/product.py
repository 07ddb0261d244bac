"""The product as its own processes, on a database of its own, for measuring."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from cryptography.fernet import Fernet

from postgres import embedded
from sandbox.server import Sandbox

BASE_DIR = Path(__file__).resolve().parent.parent
START_SECONDS = 20


@dataclass(slots=True)
class Product:
    """Worker and web server, and a session of the sandbox's account."""

    port: int
    environment: dict[str, str]
    cookie: str = ""
    worker: subprocess.Popen[bytes] = field(init=False)
    web: subprocess.Popen[bytes] = field(init=False)

    def start_worker(self) -> None:
        self.worker = _start("run_kalshi_stream", environment=self.environment)

    def start_web(self) -> None:
        self.web = _start("serve", "--port", str(self.port), environment=self.environment)

    def stop(self) -> None:
        for process in (self.web, self.worker):
            process.terminate()
            process.wait(10)


@asynccontextmanager
async def running_product(sandbox: Sandbox) -> AsyncIterator[Product]:
    """Worker and web server on this sandbox, signed in and live."""
    environment = {
        **os.environ,
        "ENV_FILE": os.devnull,
        # Never a database that somebody uses: it is emptied.
        "DATABASE_URL": "",
        "SECRET_KEY": "benchmark" * 8,
        "JWT_SECRET_KEY": "benchmark" * 8,
        "ENCRYPTION_SECRET_KEY": Fernet.generate_key().decode(),
        "POSTGRES_DIR": str(embedded.default_directory(BASE_DIR, "bench-postgres")),
        "SANDBOX_API_BASE": sandbox.api_base,
        "SANDBOX_WS_URL": sandbox.ws_url,
    }
    await _manage("migrate", "--verbosity", "0", environment=environment)
    # What an earlier run stored was encrypted with a key that is gone.
    await _manage("flush", "--no-input", "--verbosity", "0", environment=environment)
    product = Product(free_port(), environment)
    product.start_worker()
    product.start_web()
    try:
        product.cookie = await _sign_in(sandbox, product.port)
        yield product
    finally:
        await asyncio.to_thread(product.stop)


def _start(*arguments: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, str(BASE_DIR / "manage.py"), *arguments],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


async def _manage(*arguments: str, environment: dict[str, str]) -> None:
    process = _start(*arguments, environment=environment)
    if await asyncio.to_thread(process.wait):
        raise RuntimeError(f"manage.py {arguments[0]} failed")


async def _sign_in(sandbox: Sandbox, port: int) -> str:
    async with (
        asyncio.timeout(START_SECONDS),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1/account") as client,
    ):
        while True:
            try:
                await client.get("/session")
                break
            except httpx.TransportError:
                await asyncio.sleep(0.05)
        await client.post(
            "/authenticate",
            json={
                "environment": "sandbox",
                "api_key_id": sandbox.key_id,
                "private_key": sandbox.private_key,
            },
            headers={"X-CSRFToken": client.cookies["csrftoken"]},
        )
        while (await client.get("/portfolio")).json()["reconciled_at"] is None:
            await asyncio.sleep(0.05)
        return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


async def events(port: int, path: str, cookie: str = "") -> AsyncGenerator[dict[str, object], None]:
    """The data of each event of a stream, read straight off a socket."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode())
    try:
        while line := await reader.readline():
            if line.startswith(b"data: "):
                yield json.loads(line[6:])
    finally:
        writer.close()


def resident_megabytes(process: subprocess.Popen[bytes]) -> float:
    """The memory that a process holds."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
