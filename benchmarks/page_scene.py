"""One stand-in server, and one page that looks at it."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import httpx

from benchmarks.page_browser import Browser, Session
from benchmarks.product import LOG

PROBE = (Path(__file__).parent / "page_probe.js").read_text()
START_SECONDS = 60
LOOK_SECONDS = 0.05
# Until what the server said last stands on the page: what is under way to one that is too slow
# fills the buffers of both sides.
QUIET_SECONDS = 60
SEED = 20_260_101


class NotShown(Exception):
    """The page does not show, or has not got, what the server sent: nothing else counts then."""


@dataclass(frozen=True, slots=True)
class Load:
    """So many positions, and ticks a second."""

    positions: int
    rate: int

    def __str__(self) -> str:
        return f"{self.positions:,} at {self.rate:,}/s"


@dataclass(frozen=True, slots=True)
class Server:
    """The stand-in server, and what it tells of itself."""

    load: Load
    address: str
    client: httpx.AsyncClient

    async def counts(self, wish: str = "") -> dict[str, float]:
        """What it has sent; a wish (`hush`, `go_on`) is done first."""
        answer = await self.client.get(f"/bench/{wish}" if wish else "/bench")
        counts: dict[str, float] = answer.raise_for_status().json()
        return counts

    async def documents(self) -> dict[str, dict[str, Any]]:  # Any: as JSON has them
        """Its positions by ticker."""
        answer = (await self.client.get("/api/v1/account/positions")).json()
        return {position["ticker"]: position for position in answer["positions"]}

    async def total(self) -> str:
        """The account's total value."""
        portfolio = (await self.client.get("/api/v1/account/portfolio")).json()
        return str(portfolio["total_value"])


@asynccontextmanager
async def running_server(load: Load, portfolios: float) -> AsyncIterator[Server]:
    """A server of its own process; it has ended afterwards."""
    arguments = [str(load.positions), str(load.rate), str(portfolios), str(SEED)]
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.page_server", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    assert process.stdin
    assert process.stdout
    try:
        async with asyncio.timeout(START_SECONDS):
            port = (await asyncio.to_thread(process.stdout.readline)).decode().strip()
        if not port:
            raise RuntimeError(f"the server did not start: see {LOG.name}")
        address = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=address, timeout=30) as client:
            yield Server(load, address, client)
    finally:
        process.stdin.close()
        try:
            await asyncio.to_thread(process.wait, 10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


@asynccontextmanager
async def open_page(
    browser: Browser, server: Server
) -> AsyncIterator[tuple[Session, float, float]]:
    """
    The page on a cold cache, once it shows a sum and a row.

    Yields:
        The page, and the milliseconds until its first sum and its first row were painted.
    """
    async with browser.page(PROBE) as page:
        await page.call("Page.navigate", url=f"{server.address}/")
        deadline = monotonic() + START_SECONDS
        while True:
            first = await page.evaluate("globalThis.bench?.first")
            if first and first["sum"] and first["row"]:
                break
            if first:
                await check_errors(page)
            if monotonic() > deadline:
                raise NotShown(f"no figure within {START_SECONDS} s: {first}")
            await asyncio.sleep(LOOK_SECONDS)
        yield page, first["sum"], first["row"]


async def check_errors(page: Session) -> None:
    """
    A page that fails is quick.

    Raises:
        NotShown: a script of it has failed.
    """
    if errors := await page.evaluate("bench.errors.slice(0, 3)"):
        raise NotShown(f"the page failed: {errors}")


async def check_delivery(browser: Browser, server: Server, page: Session, seconds: float) -> float:
    """
    Count for a while what the server sends and what the browser gets, then compare what is shown.

    Returns:
        How far behind the server the page was at the end, in seconds.
    Raises:
        NotShown: something is missing.
    """
    sessions = [page, *await browser.workers(page)]
    await server.counts("hush")
    await _settled(server, page)
    for session in sessions:
        await session.call("Network.enable")
    got = [session.count("position") for session in sessions]
    before = await server.counts("go_on")
    await asyncio.sleep(seconds)
    await server.counts("hush")
    behind = await _settled(server, page)
    sent = (await server.counts())["sent"] - before["sent"]
    received = sum(count() for count in got)
    for session in sessions:
        await session.call("Network.disable")
    for worker in sessions[1:]:
        await browser.itself.call("Target.detachFromTarget", sessionId=worker.id)
    await server.counts("go_on")
    if received != sent:
        raise NotShown(f"the server sent {sent:,.0f} positions, the page got {received:,}")
    return behind


async def _settled(server: Server, page: Session) -> float:
    """The seconds until rows in sight and sum are what the server said last, to the digit."""
    began = monotonic()
    documents, total = await server.documents(), await server.total()
    while True:
        shown, summed = await page.evaluate("[bench.exact(), bench.sum()]")
        odd = [
            f"{ticker}: {mark}, {value}"
            for ticker, mark, value in zip(
                shown["tickers"], shown["marks"], shown["values"], strict=True
            )
            if (mark or None, value or None)
            != (documents[ticker]["mark"], documents[ticker]["market_value"])
        ]
        if shown["tickers"] and not odd and summed == total:
            return monotonic() - began
        if monotonic() - began > QUIET_SECONDS:
            raise NotShown(f"{summed} instead of {total}; {len(odd)} rows differ: {odd[:3]}")
        await asyncio.sleep(LOOK_SECONDS)
