"""
The whole product in one event loop: sandbox, worker, web server, and a browser to look at it.

Where one of them must die, it is a process of its own (`tests/processes.py`).
"""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from kalshi.environments import Environment
from sandbox.server import Sandbox
from streaming.web.asgi import StreamingHandler
from streaming.web.server import DrainingServer, listening_socket
from streaming.worker.worker import Worker
from tests.waiting import until

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# More than anybody should wait, as other tests run beside these.
expect.set_options(timeout=15_000)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM_ARGUMENTS
        )
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context()
    yield await context.new_page()
    await context.close()


@pytest.fixture
def one_click(sandbox: Sandbox, sandbox_environment: Environment, settings, tmp_path) -> None:
    """The sandbox's key where one click finds it."""
    settings.SANDBOX_DIR = tmp_path
    key = {"api_key_id": sandbox.key_id, "private_key": sandbox.private_key}
    (tmp_path / "credentials.json").write_text(json.dumps(key))


@pytest.fixture
def held(sandbox) -> str:
    """A market with a bid that Alice holds YES of."""
    return next(
        position.ticker
        for position in sandbox.account.portfolios[0].positions.values()
        if position.quantity > 0 and sandbox.exchange.markets[position.ticker].tape.quote.has_bid
    )


@pytest.fixture
async def product(transactional_db, one_click) -> AsyncIterator[str]:
    """Worker and web server; the address of the page."""
    listener = listening_socket("127.0.0.1", 0)
    server = DrainingServer(StreamingHandler())
    web = asyncio.create_task(server.serve(sockets=[listener]))
    worker = asyncio.create_task(Worker().run())
    await until(lambda: server.started)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    worker.cancel()
    ended = await asyncio.gather(web, worker, return_exceptions=True)
    assert [type(end) for end in ended] == [type(None), asyncio.CancelledError]


@pytest.fixture
async def complaints(page: Page) -> list[str]:
    """What the page complained of: errors of scripts, violations of the policy."""
    heard: list[str] = []
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("console", lambda line: heard.append(line.text) if line.type == "error" else None)
    return heard
