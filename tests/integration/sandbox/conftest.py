from collections.abc import AsyncIterator

import pytest

from sandbox.keys import Credentials
from sandbox.server import Sandbox, running_exchange


@pytest.fixture
async def sandbox(credentials: Credentials) -> AsyncIterator[Sandbox]:
    """Fifty positions on a still market."""
    async with running_exchange(credentials=credentials) as running:
        yield running
