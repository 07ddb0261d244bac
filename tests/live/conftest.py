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
HERE = Path(__file__).resolve().parent


def pytest_ignore_collect(config):
    """Only when asked for by path: these tests leave the machine."""
    asked = (Path(argument.partition("::")[0]).resolve() for argument in config.args)
    return None if any(path.is_relative_to(HERE) for path in asked) else True


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
def rows(demo):
    """Reads the first rows of a public list, undecoded."""

    def read(path: str, name: str, **params):
        address = demo.environment.api_base + path
        return httpx.get(address, params=params).raise_for_status().json()[name]

    return read


@pytest.fixture(scope="session")
def open_markets(rows) -> list[dict]:
    markets = rows("/markets", "markets", status="open", mve_filter="exclude", limit=2)
    assert len(markets) == 2, "the exchange has no two open markets"
    return markets


@pytest.fixture(scope="session")
def open_market(open_markets) -> dict:
    return open_markets[0]
