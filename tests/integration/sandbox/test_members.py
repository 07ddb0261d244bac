"""Many members on one exchange, each with a key, positions and a stream of their own."""

import asyncio
import json
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from websockets.asyncio.client import ClientConnection

from sandbox import keys
from sandbox.account import Account
from sandbox.keys import Credentials
from sandbox.server import Sandbox
from tests.integration.sandbox.client import connect, get, subscribe
from tests.waiting import START_SECONDS

MEMBERS = 200
HELD = 5


@dataclass
class Member:
    account: Account
    credentials: Credentials
    tickers: list[str]


def open_members(sandbox: Sandbox) -> list[Member]:
    """Members who hold five markets each, beginning at another one."""
    active = [each.ticker for each in sandbox.exchange.markets.values() if each.status == "active"]
    members = []
    for number in range(MEMBERS):
        member = Member(sandbox.open_account(), keys.new_ed25519(), [])
        sandbox.add_key(member.credentials, account=member.account)
        for offset in range(HELD):
            ticker = active[(number + offset) % len(active)]
            sandbox.exchange.hold(
                member.account,
                ticker,
                "yes",
                Decimal(1 + number),
                Decimal("0.30"),
                sandbox.market_clock.now(),
            )
            member.tickers.append(ticker)
        members.append(member)
    return members


async def connected(stack: AsyncExitStack, sandbox: Sandbox, member: Member) -> ClientConnection:
    key = member.credentials
    socket = await stack.enter_async_context(
        connect(sandbox.ws_url, key.api_key_id, key.private_key)
    )
    await subscribe(socket, "fill", "market_positions", "ticker", market_tickers=member.tickers)
    return socket


async def heard_until(socket: ClientConnection, trade_size: str) -> list[dict[str, Any]]:
    """Frames up to the trade of that size."""
    frames: list[dict[str, Any]] = []
    while True:
        frames.append(json.loads(await socket.recv()))
        if frames[-1]["msg"].get("last_trade_size_fp") == trade_size:
            return frames


async def test_two_hundred_members_are_opened_within_two_seconds(sandbox: Sandbox) -> None:
    began = time.process_time()

    members = open_members(sandbox)

    assert time.process_time() - began < 2
    assert len(sandbox.exchange.accounts) == 1 + MEMBERS
    for member in (members[0], members[99], members[-1]):
        answered = await get(sandbox, "/portfolio/positions", member.credentials)
        rows = answered.json()["market_positions"]
        assert sorted(row["ticker"] for row in rows) == sorted(member.tickers)


async def test_every_member_hears_of_their_own_alone(sandbox: Sandbox) -> None:
    async with asyncio.timeout(START_SECONDS), AsyncExitStack() as stack:
        members = open_members(sandbox)
        sockets = await asyncio.gather(*(connected(stack, sandbox, each) for each in members))
        for number, member in enumerate(members, start=1):
            sandbox.step()
            sandbox.fill(
                member.tickers[0], "yes", Decimal(number), Decimal("0.30"), account=member.account
            )
        # Told to all: what was told before has come before.
        for ticker in {ticker for member in members for ticker in member.tickers}:
            sandbox.trade(ticker, Decimal("0.30"), Decimal(9999))
        told = await asyncio.gather(*(heard_until(each, "9999.00") for each in sockets))

    for number, (member, frames) in enumerate(zip(members, told, strict=True), start=1):
        fills = [frame["msg"] for frame in frames if frame["type"] == "fill"]
        positions = [frame["msg"] for frame in frames if frame["type"] == "market_position"]
        assert [fill["count_fp"] for fill in fills] == [f"{number}.00"]
        assert [fill["post_position_fp"] for fill in fills] == [f"{2 * number}.00"]
        assert [each["position_fp"] for each in positions] == [f"{2 * number}.00"]
        assert [each["user_id"] for each in positions] == [member.account.user_id]
        assert {frame["msg"]["market_ticker"] for frame in frames} <= set(member.tickers)
