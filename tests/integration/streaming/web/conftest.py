"""The web server in the test's own loop, and who asks it."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from accounts.models import Account
from streaming.web.server import DrainingServer, listening_socket
from tests.integration.visitors import key_session
from tests.serving import serving
from tests.waiting import PATIENCE_SECONDS


class Web:
    """The web server, in this event loop."""

    def __init__(self, server: DrainingServer, port: int, task: asyncio.Task) -> None:
        self.server = server
        self.port = port
        self.task = task
        self.origin = f"http://127.0.0.1:{port}"

    async def stop(self, seconds: float) -> None:
        """Stop it as SIGTERM does."""
        self.server.should_exit = True
        await asyncio.wait_for(asyncio.shield(self.task), seconds)


@pytest.fixture
async def web(database) -> AsyncIterator[Web]:
    listener = listening_socket("127.0.0.1", 0)
    port = listener.getsockname()[1]
    async with serving(listener) as (server, task):
        yield Web(server, port, task)


@pytest.fixture
async def token(database, alice) -> str:
    def sign_in() -> str:
        return key_session(Account.objects.get(pk=alice))[1]

    return await database.run(sign_in)


@pytest.fixture
async def browser(web, token) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=web.origin, cookies={"session": token}, timeout=PATIENCE_SECONDS
    ) as browser:
        yield browser


@pytest.fixture
async def stranger(web) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=web.origin, timeout=PATIENCE_SECONDS) as stranger:
        yield stranger
