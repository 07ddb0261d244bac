"""What tests of every kind share."""

from collections.abc import AsyncIterator

import pytest

from kalshi.environments import Environment
from sandbox.server import Sandbox, running_exchange


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """An exchange of ten still positions, which move only when a test moves them."""
    async with running_exchange(positions=10, updates_per_minute=0) as exchange:
        yield exchange


@pytest.fixture
def sandbox_environment(sandbox: Sandbox, settings) -> Environment:
    """The sandbox as one of the environments to sign in to."""
    environment = Environment("sandbox", sandbox.api_base, sandbox.ws_url)
    settings.KALSHI_ENVIRONMENTS = {"sandbox": environment}
    return environment
