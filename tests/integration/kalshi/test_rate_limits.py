"""Our copy of the exchange's rate limits against the sandbox's own."""

import asyncio

import pytest

from kalshi.environments import Environment
from kalshi.errors import RateLimited
from kalshi.pacing import Pacer
from kalshi.rest import Client
from kalshi.signing import SigningKey
from sandbox.server import running_exchange


class Hurried(Pacer):
    """Waits for nothing."""

    async def turn(self, path):
        pass


@pytest.fixture
async def exchange(credentials):
    async with running_exchange(
        positions=10, usage_tier="basic", credentials=credentials
    ) as exchange:
        yield exchange


def client_of(exchange, pacer=None):
    environment = Environment("sandbox", exchange.api_base, exchange.ws_url)
    key = SigningKey.from_pem(exchange.private_key)
    return Client(environment, exchange.key_id, key, pacer=pacer)


async def ask(client, *, times, balances):
    """The answers and refusals of so many calls at once."""
    return await asyncio.gather(
        *(client.exchange_status() for _ in range(times)),
        *(client.balance(0) for _ in range(balances)),
        return_exceptions=True,
    )


async def test_calls_within_the_limits_are_all_answered(exchange):
    async with client_of(exchange) as client:
        limits = await client.limits()
        answers = await ask(client, times=70, balances=3)

    assert limits.usage_tier == "basic"
    assert [answer for answer in answers if isinstance(answer, Exception)] == []


async def test_the_same_calls_without_waiting_are_refused(exchange):
    async with client_of(exchange, Hurried()) as client:
        answers = await ask(client, times=70, balances=3)

    assert any(isinstance(answer, RateLimited) for answer in answers)
