"""Somebody who comes by https through nginx, without a browser, and has a stream open."""

import asyncio
import json
import ssl
from decimal import Decimal
from time import monotonic

import httpx

from sandbox.server import Sandbox

STREAM = "/sse/positions"
API = "/api/v1/account"
# As the page does: the connection's state is told every ten seconds.
SILENCE_SECONDS = 15
RETRY_SECONDS = 0.5
ENDED_WELL = b"retry: 1000\n\n"


class Visitor:
    """
    One visitor, and what the stream told.

    Attributes:
        bids: by ticker, of all positions.
        status: of the connection to the exchange, as last told.
        ticks: how many changes of a position came.
        longest_gap: seconds between two of them, since it was last set to 0.
        resumed: streams that ended whole; `cut_off`: those that did not; `refused`: attempts that
            brought none.
        went_back: snapshots that were older than what had been told before.
    """

    def __init__(self, origin: str, authority: str) -> None:
        context = ssl.create_default_context(cafile=authority)
        limits = httpx.Timeout(10, read=SILENCE_SECONDS)
        self._client = httpx.AsyncClient(
            base_url=origin, verify=context, timeout=limits, trust_env=False
        )
        self.bids: dict[str, str | None] = {}
        self.status = ""
        self.ticks = 0
        self.longest_gap = 0.0
        self.resumed = self.cut_off = self.refused = self.went_back = 0
        self._version = -1
        self._last_tick = monotonic()

    async def close(self) -> None:
        """Leave."""
        await self._client.aclose()

    async def get(self, path: str) -> httpx.Response:
        """An answer, whatever it is."""
        return await self._client.get(path)

    async def sign_in(self, sandbox: Sandbox, invitation: str) -> httpx.Response:
        """Show the sandbox's key, with an invitation."""
        await self._client.get(f"{API}/session")
        return await self._send(
            "POST",
            "authenticate",
            {
                "environment": "sandbox",
                "api_key_id": sandbox.key_id,
                "private_key": sandbox.private_key,
                "invitation": invitation,
            },
        )

    async def name_account(self, name: str) -> None:
        """Call one's account something."""
        [account] = await self._accounts()
        answer = await self._send("PATCH", f"accounts/{account['id']}", {"name": name})
        answer.raise_for_status()

    async def name_of_account(self) -> str:
        """What one's account is called."""
        [account] = await self._accounts()
        return account["name"]

    async def positions(self) -> dict[str, str | None] | None:
        """The bid of each position as the API tells it; None without an answer."""
        try:
            answer = await self.get(f"{API}/positions")
        except httpx.TransportError:
            return None
        if answer.status_code != 200:
            return None
        return {row["ticker"]: row["yes_bid"] for row in answer.json()["positions"]}

    async def _accounts(self) -> list[dict]:
        return (await self.get(f"{API}/accounts")).raise_for_status().json()["accounts"]

    async def _send(self, method: str, path: str, body: dict) -> httpx.Response:
        token = self._client.cookies["csrftoken"]
        # Behind https Django wants to know which page asks.
        headers = {"X-CSRFToken": token, "Referer": f"{self._client.base_url}"}
        return await self._client.request(method, f"{API}/{path}", json=body, headers=headers)

    # The stream

    async def watch(self) -> None:
        """Have a stream open, and open the next one when it ends, for ever."""
        while True:
            try:
                if await self._follow():
                    self.resumed += 1
                else:
                    self.cut_off += 1
            except (httpx.ConnectError, httpx.HTTPStatusError):
                self.refused += 1
            except httpx.TransportError:
                self.cut_off += 1
            await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self) -> bool:
        """One stream; whether it ended whole."""
        headers = {"Last-Event-ID": str(self._version)} if self._version >= 0 else {}
        unread = b""
        async with self._client.stream("GET", STREAM, headers=headers) as answer:
            answer.raise_for_status()
            async for chunk in answer.aiter_bytes():
                *blocks, unread = (unread + chunk).split(b"\n\n")
                for block in blocks:
                    self._hear(block)
                last = blocks[-1] + b"\n\n" if blocks else b""
        return last == ENDED_WELL and not unread

    def _hear(self, block: bytes) -> None:
        for line in block.split(b"\n"):
            if line.startswith(b"data: "):
                self._apply(json.loads(line.removeprefix(b"data: ")))

    def _apply(self, event: dict) -> None:
        match event["type"]:
            case "snapshot":
                if event["version"] < self._version:
                    self.went_back += 1
                self.bids = {each["ticker"]: each["yes_bid"] for each in event["positions"]}
                self.status = event["connection"]["status"]
            case "position":
                self.bids[event["ticker"]] = event["yes_bid"]
                self._note_tick()
            case "position_closed":
                self.bids.pop(event["ticker"], None)
            case "connection_status":
                self.status = event["status"]
        self._version = event.get("version", self._version)

    def _note_tick(self) -> None:
        now = monotonic()
        self.ticks += 1
        self.longest_gap = max(self.longest_gap, now - self._last_tick)
        self._last_tick = now


def quoted(sandbox: Sandbox) -> dict[str, str | None]:
    """The bid of each position that the exchange says is held."""
    held = {}
    for position in sandbox.account.portfolios[0].positions.values():
        quote = sandbox.exchange.markets[position.ticker].tape.quote
        if position.quantity != Decimal(0):
            held[position.ticker] = f"{quote.yes_bid.normalize():f}" if quote.has_bid else None
    return held
