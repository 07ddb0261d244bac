"""What gets into the product's way in the database, and a visitor who notices."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic

import httpx
import psycopg

from benchmarks.product import session

RECOVERY_SECONDS = 60


@contextmanager
def locked(environment: dict[str, str], account_id: int) -> Iterator[None]:
    """Another session holds the account's row for as long as this lasts."""
    with session(environment) as other, other.transaction():
        other.execute(
            "SELECT FROM positions_accountstream WHERE account_id = %s FOR UPDATE", [account_id]
        )
        yield


class Connections:
    """Takes whatever connection the database has left, and gives all back at the end."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._taken: list[psycopg.Connection] = []

    async def hold_all(self, seconds: float) -> None:
        """Also those that others let go of meanwhile."""
        until = monotonic() + seconds
        try:
            while monotonic() < until:
                with suppress(psycopg.OperationalError):
                    while True:
                        self._taken.append(await asyncio.to_thread(session, self._environment))
                await asyncio.sleep(0.02)
        finally:
            print(f"  {len(self._taken)} connections were taken for {seconds} s")
            for connection in self._taken:
                connection.close()


class Visitor:
    """Asks for the positions ten times a second."""

    def __init__(self, port: int, cookie: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers={"Cookie": cookie}, timeout=10
        )
        self.statuses: Counter[int] = Counter()
        self.slowest: dict[int, float] = {}

    async def run(self) -> None:
        while True:
            await self.ask()
            await asyncio.sleep(0.1)

    async def ask(self) -> int:
        """The status of one answer; 0 if there was none."""
        began = monotonic()
        try:
            status = (await self._client.get("/api/v1/account/positions")).status_code
        except httpx.TransportError:
            status = 0
        self.statuses[status] += 1
        self.slowest[status] = max(self.slowest.get(status, 0.0), monotonic() - began)
        return status

    async def close(self) -> None:
        """Ask no more."""
        await self._client.aclose()

    async def recover(self) -> float:
        """Seconds until an answer is good again; RuntimeError if none is for long."""
        began = monotonic()
        while await self.ask() != 200:
            if monotonic() - began > RECOVERY_SECONDS:
                raise RuntimeError(f"no good answer within {RECOVERY_SECONDS} s: {self}")
            await asyncio.sleep(0.02)
        return monotonic() - began

    def __str__(self) -> str:
        return ", ".join(
            f"{count} times {status} within {self.slowest[status]:.2f} s"
            for status, count in sorted(self.statuses.items())
        )
