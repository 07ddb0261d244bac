import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from kalshi.rest import Client
from kalshi.socket import Socket, connect
from tests.live.demo import DemoAccount, account

# For one answer over the WebSocket.
PATIENCE_SECONDS = 15


def pytest_ignore_collect(config):
    """Only when asked for: these tests leave the machine."""
    return None if any("live" in Path(argument).parts for argument in config.args) else True


@pytest.fixture(scope="session")
def demo() -> DemoAccount:
    named = account()
    assert named, "no key in the environment; `make test-live` tells how to get one"
    return named


# One for all tests, because the account has one budget.
@pytest.fixture(scope="session")
async def client(demo) -> AsyncIterator[Client]:
    async with Client(demo.environment, demo.key_id, demo.key) as client:
        yield client


@pytest.fixture
async def socket(demo) -> AsyncIterator[Socket]:
    async with (
        connect(demo.environment, demo.key_id, demo.key) as socket,
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        yield socket


@pytest.fixture(scope="session")
def first(demo):
    """The first row of a public list, undecoded, or None."""

    def ask(path: str, name: str, **params):
        address = demo.environment.api_base + path
        rows = httpx.get(address, params=params).raise_for_status().json()[name]
        return rows[0] if rows else None

    return ask


@pytest.fixture(scope="session")
def open_market(first) -> dict:
    market = first("/markets", "markets", status="open", mve_filter="exclude", limit=1)
    assert market, "the exchange has no open market"
    return market
