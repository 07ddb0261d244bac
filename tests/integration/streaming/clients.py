"""Clients of streams: they apply each event to what they have, as the page does."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from accounts import sight
from accounts.models import Account, Session
from streaming.web.hub import Hub
from tests.integration.visitors import key_session


class Client:
    """What a page shows, from the bytes it got."""

    def __init__(self) -> None:
        self.received = b""
        self.events: list[dict] = []
        self.positions: dict[str, dict] = {}
        self.connection: dict = {}
        self.version = -1
        self.is_ended = False

    def feed(self, data: bytes) -> None:
        """Take in a chunk; events may be cut anywhere."""
        unread = self.received.rfind(b"\n\n") + 2 if b"\n\n" in self.received else 0
        self.received += data
        for block in self.received[unread:].split(b"\n\n")[:-1]:
            lines = block.decode().split("\n")
            data_lines = [line for line in lines if line.startswith("data: ")]
            if data_lines:
                self._apply(json.loads(data_lines[0].removeprefix("data: ")))

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    @property
    def bids(self) -> dict[str, str]:
        return {ticker: position["yes_bid"] for ticker, position in self.positions.items()}

    @property
    def statuses(self) -> list[str]:
        """Of the connection, each named once when it changes."""
        told: list[str] = []
        for event in self.events:
            state = event.get("connection", event)
            if "status" in state and told[-1:] != [state["status"]]:
                told.append(state["status"])
        return told

    def _apply(self, event: dict) -> None:
        self.events.append(event)
        match event["type"]:
            case "snapshot":
                self.positions = {each["ticker"]: each for each in event["positions"]}
                self.connection = event["connection"]
            case "position":
                self.positions[event["ticker"]] = event
            case "position_closed":
                self.positions.pop(event["ticker"], None)
            case "connection_status":
                self.connection = event
        self.version = event.get("version", self.version)


def new_session(account_id: int) -> Session:
    """Sign in with a key."""
    return key_session(Account.objects.get(pk=account_id))[0]


@asynccontextmanager
async def watching(
    hub: Hub, account_id: int | None, session: Session | None = None
) -> AsyncIterator[Client]:
    """
    A client of a hub's stream, reading as fast as it is sent.

    Args:
        account_id: whose; None for all that the session sees.
        session: a new one of the account's key if None.
    """
    client = Client()
    if session is None:
        session = await hub.database.run(new_session, account_id)
    seen = await hub.database.run(sight.of, session)
    reader = asyncio.create_task(_read(hub.events(hub.stream(session, account_id), seen), client))
    try:
        yield client
    finally:
        reader.cancel()
        await asyncio.wait([reader])
        if not reader.cancelled():
            reader.result()


async def _read(events: AsyncIterator[bytes], client: Client) -> None:
    async with aclosing(events) as chunks:
        async for chunk in chunks:
            client.feed(chunk)
    client.is_ended = True
