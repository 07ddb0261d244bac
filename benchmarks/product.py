"""The product as its own processes, on a database of its own, for measuring."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import django
import httpx
import psycopg
from psycopg.conninfo import make_conninfo

from benchmarks.ports import free_port
from benchmarks.processes import end
from config.environment_file import fresh_secrets
from postgres import embedded
from sandbox.server import Sandbox

BASE_DIR = Path(__file__).resolve().parent.parent
# What the product's processes said in the last run.
LOG = BASE_DIR / "var" / "bench.log"
START_SECONDS = 20
# It reads the past of the sandbox's account in a few.
PAST_SECONDS = 60
# It starts the embedded server, which a migration may have to make first.
MANAGE_SECONDS = 120
# What a worker's sessions are called in the database.
WORKER_NAME = "bench-worker"


@dataclass(slots=True)
class Product:
    """Worker and web server, and a session of the sandbox's account."""

    port: int
    environment: dict[str, str]
    cookie: str = ""
    csrf_token: str = ""
    worker: subprocess.Popen[bytes] = field(init=False)
    web: subprocess.Popen[bytes] = field(init=False)
    _started: list[subprocess.Popen[bytes]] = field(init=False, default_factory=list)

    @property
    def database(self) -> Path:
        """The directory of its embedded server."""
        return Path(self.environment["POSTGRES_DIR"])

    def start_worker(self) -> None:
        self.worker = self.another_worker()

    def another_worker(self) -> subprocess.Popen[bytes]:
        """One more worker process."""
        # By its name the database's list of sessions tells the worker's from all others.
        environment = {**self.environment, "PGAPPNAME": WORKER_NAME}
        return self._start("run_kalshi_stream", environment=environment)

    def start_web(self) -> None:
        self.web = self._start("serve", "--port", str(self.port), environment=self.environment)

    def _start(self, *arguments: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
        process = _start(*arguments, environment=environment)
        self._started.append(process)
        return process

    async def answers(self) -> None:
        """
        Wait until the web server does.

        Raises:
            TimeoutError: it does not.
        """
        async with (
            asyncio.timeout(START_SECONDS),
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}") as client,
        ):
            while True:
                try:
                    await client.get("/healthz")
                except httpx.TransportError:
                    await asyncio.sleep(0.05)
                else:
                    return

    def stop(self) -> None:
        """End whatever of it runs, be it half started."""
        end(*self._started)


@asynccontextmanager
async def running_product(sandbox: Sandbox, **settings: str) -> AsyncIterator[Product]:
    """Worker and web server on this sandbox, signed in and live."""
    async with started_product(sandbox, **settings) as product:
        product.cookie, product.csrf_token = await _signed_in(sandbox, product.port)
        yield product


@asynccontextmanager
async def started_product(sandbox: Sandbox, **settings: str) -> AsyncIterator[Product]:
    """Worker and web server on this sandbox, to which nobody has signed in."""
    environment = environment_of(sandbox) | settings
    await prepare(environment)
    product = Product(free_port(), environment)
    try:
        product.start_worker()
        product.start_web()
        await product.answers()
        yield product
    finally:
        await asyncio.to_thread(product.stop)


def environment_of(sandbox: Sandbox) -> dict[str, str]:
    """What the product's processes need to work on this sandbox and a database of their own."""
    return {
        **os.environ,
        "ENV_FILE": os.devnull,
        # Never a database that somebody uses: it is emptied.
        "DATABASE_URL": "",
        **_fresh_secrets(),
        "POSTGRES_DIR": str(embedded.default_directory(BASE_DIR, "bench-postgres")),
        "SANDBOX_API_BASE": sandbox.api_base,
        "SANDBOX_WS_URL": sandbox.ws_url,
    }


@cache
def _fresh_secrets() -> dict[str, str]:
    """The same for all products of this process, which may use their models (`set_up_django`)."""
    return fresh_secrets()


async def prepare(environment: dict[str, str]) -> None:
    """Make the database ready and empty, and the log too."""
    LOG.write_bytes(b"")
    await _manage("migrate", "--verbosity", "0", environment=environment)
    # What an earlier run stored was encrypted with a key that is gone.
    await _manage("flush", "--no-input", "--verbosity", "0", environment=environment)


def set_up_django(environment: dict[str, str]) -> None:
    """Let this process use the product's models, as one of its processes."""
    os.environ.update(environment)
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()


def conninfo(environment: dict[str, str]) -> str:
    """How to reach the product's database beside the product."""
    return make_conninfo(**embedded.conninfo(Path(environment["POSTGRES_DIR"])))


def session(environment: dict[str, str]) -> psycopg.Connection:
    """A database session beside the product's own."""
    return psycopg.connect(conninfo(environment), autocommit=True, connect_timeout=5)


def living_workers(environment: dict[str, str]) -> list[int]:
    """How many accounts each worker feeds that has given a sign of life just now."""
    with session(environment) as database:
        found = database.execute(
            "SELECT (SELECT count(*) FROM positions_accountstream WHERE worker_id = worker.id)"
            " FROM positions_worker AS worker"
            " WHERE heartbeat_at > clock_timestamp() - interval '1.5 seconds'"
        ).fetchall()
    return [int(count) for (count,) in found]


def _start(*arguments: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    with LOG.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, str(BASE_DIR / "manage.py"), *arguments],
            env=environment,
            stdout=log,
            stderr=log,
        )


async def _manage(*arguments: str, environment: dict[str, str]) -> None:
    process = _start(*arguments, environment=environment)
    try:
        failed = await asyncio.to_thread(process.wait, MANAGE_SECONDS)
    except subprocess.TimeoutExpired as expired:
        raise RuntimeError(f"manage.py {arguments[0]} took over {MANAGE_SECONDS} s") from expired
    finally:
        await asyncio.to_thread(end, process)
    if failed:
        *_, last = ["", *LOG.read_text().splitlines()]
        raise RuntimeError(f"manage.py {arguments[0]} failed: {last}")


async def sign_in(client: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """
    Show the sandbox's key; the client has the session from then on.

    Raises:
        httpx.HTTPStatusError: it was refused.
    """
    await client.get("/session")
    answer = await client.post(
        "/authenticate",
        json={
            "environment": "sandbox",
            "api_key_id": sandbox.key_id,
            "private_key": sandbox.private_key,
        },
        headers={"X-CSRFToken": client.cookies["csrftoken"]},
    )
    answer.raise_for_status()


async def until_reconciled(client: httpx.AsyncClient) -> None:
    """
    Wait until the account's figures are the exchange's.

    Raises:
        TimeoutError: they are not.
    """
    async with asyncio.timeout(START_SECONDS):
        while (await client.get("/portfolio")).json()["reconciled_at"] is None:
            await asyncio.sleep(0.05)


async def until_past_is_read(environment: dict[str, str]) -> None:
    """
    Wait until the worker has read what was before it came.

    Raises:
        TimeoutError: it has not.
    """
    with session(environment) as database:
        async with asyncio.timeout(PAST_SECONDS):
            while database.execute(
                "SELECT EXISTS (SELECT FROM ledger_followed) AND NOT EXISTS"
                " (SELECT FROM ledger_hole WHERE filled_at IS NULL AND reason = '')"
            ).fetchone() != (True,):
                await asyncio.sleep(0.05)


async def _signed_in(sandbox: Sandbox, port: int) -> tuple[str, str]:
    """The cookies of a session, and its CSRF token."""
    address = f"http://127.0.0.1:{port}/api/v1/account"
    async with httpx.AsyncClient(base_url=address) as client:
        await sign_in(client, sandbox)
        await until_reconciled(client)
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        return cookie, client.cookies["csrftoken"]


async def events(port: int, path: str, cookie: str = "") -> AsyncGenerator[dict[str, object], None]:
    """The data of each event of a stream, read straight off a socket."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode())
    line = b""
    try:
        async for part in _body(reader):
            # What the server's end cuts off in the middle of a line is none.
            *lines, line = (line + part).split(b"\n")
            for each in lines:
                if each.startswith(b"data: "):
                    yield json.loads(each[6:])
    finally:
        writer.close()


async def _body(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """An answer's body as it comes, until the server ends it or itself."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"\r\ntransfer-encoding: chunked\r\n" in head.lower():
            while size := int(await reader.readline() or b"0", 16):
                yield (await reader.readexactly(size + 2))[:-2]
        else:
            while part := await reader.read(2**16):
                yield part
    except asyncio.IncompleteReadError:
        return
