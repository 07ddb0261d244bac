"""Rate limits and scopes over the wire."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from sandbox import keys
from sandbox.keys import Credentials
from sandbox.routes import PUBLIC, SIGNED
from sandbox.server import Sandbox, running_exchange
from tests.integration.sandbox.client import get
from tests.unit.sandbox.published import answer

LOCKED_OUT = {
    "/portfolio/deposits",
    "/portfolio/withdrawals",
    "/portfolio/subaccounts/transfers",
    "/portfolio/intra_exchange_instance_transfers",
}


@pytest.fixture
async def limited(credentials: Credentials) -> AsyncIterator[Sandbox]:
    async with running_exchange(
        credentials=credentials, positions=1, usage_tier="basic"
    ) as running:
        yield running


async def test_balance_may_be_read_once_a_second(limited: Sandbox) -> None:
    # At once: to sign and to connect takes its time.
    answers = await asyncio.gather(*(get(limited, "/portfolio/balance") for _ in range(2)))
    other = await get(limited, "/portfolio/positions")

    first, second = sorted(answers, key=lambda answer: answer.status_code)
    assert (first.status_code, other.status_code) == (200, 200)
    assert second.status_code == 429
    assert second.json() == {"error": "too many requests"}
    assert not {"retry-after", "x-ratelimit-remaining"} & second.headers.keys()


async def test_limits_are_those_that_hold(limited: Sandbox) -> None:
    body = answer((await get(limited, "/account/limits")).json(), "GetAccountApiLimitsResponse")

    assert body["usage_tier"] == "basic"
    assert body["read"] == {"refill_rate": 200, "bucket_capacity": 600}


@pytest.mark.parametrize("path", SIGNED)
async def test_every_private_call_needs_a_scope(sandbox: Sandbox, path: str) -> None:
    narrow = keys.new_ed25519()
    sandbox.add_key(narrow, scopes=("write::transfer",))

    refused = await get(sandbox, path, narrow)
    allowed = await get(sandbox, path)

    assert (refused.status_code, allowed.status_code) == (403, 200)
    assert refused.json()["error"]["code"] == "forbidden"


@pytest.mark.parametrize("path", SIGNED)
async def test_key_of_one_subaccount_sees_no_other(sandbox: Sandbox, path: str) -> None:
    account = sandbox.open_account({0: Decimal(1000), 1: Decimal(500)})
    locked = keys.new_ed25519()
    sandbox.add_key(locked, account=account, subaccount=1)

    own = await get(sandbox, path, locked)

    assert own.status_code == (403 if path in LOCKED_OUT else 200)


@pytest.mark.parametrize("path", [path for path in PUBLIC if "{" not in path])
async def test_public_calls_need_no_key_and_no_scope(sandbox: Sandbox, path: str) -> None:
    narrow = keys.new_ed25519()
    sandbox.add_key(narrow, scopes=("write::transfer",))
    query = "?market_tickers=A&tickers=A&limit=1&start_ts=1&end_ts=2&period_interval=1"

    response = await get(sandbox, path + query, narrow)

    assert response.status_code == 200


async def test_trailing_slash_is_a_redirect(sandbox: Sandbox) -> None:
    response = await get(sandbox, "/portfolio/balance/")

    assert response.status_code == 301
    assert response.headers["location"] == "/trade-api/v2/portfolio/balance"
