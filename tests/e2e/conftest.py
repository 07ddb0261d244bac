"""
The whole product in one event loop: sandbox, worker, web server, and a browser to look at it.

Where one of them must die, it is a process of its own (`tests/processes.py`).
"""

import asyncio
import json
import logging
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    async_playwright,
    expect,
)

from benchmarks.ports import free_port
from kalshi.environments import Environment
from sandbox.server import Sandbox
from streaming.web.server import listening_socket
from streaming.worker.worker import Worker
from tests.e2e.warm_context import ANSWER_SECONDS, WarmContext
from tests.serving import END_SECONDS, serving
from tests.waiting import START_SECONDS

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


logger = logging.getLogger(__name__)

# More than anybody should wait, as other tests run beside these.
expect.set_options(timeout=15_000)


class Chromium:
    """Runs one browser for all tests, and another when that has crashed."""

    def __init__(self, playwright: Playwright) -> None:
        self._playwright = playwright
        self._browser: Browser | None = None

    async def browser(self) -> Browser:
        """The one that runs."""
        if not (self._browser and self._browser.is_connected()):
            self._browser = await self._playwright.chromium.launch(
                executable_path=shutil.which("chromium"),
                args=CHROMIUM_ARGUMENTS,
                timeout=START_SECONDS * 1000,
            )
        return self._browser

    async def give_up(self) -> None:
        """Leave to itself the one that runs, as it does not answer; the next test has another."""
        given_up, self._browser = self._browser, None
        if given_up:
            with suppress(Exception):
                async with asyncio.timeout(5):
                    await given_up.close()


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Chromium]:
    async with async_playwright() as playwright:
        chromium = Chromium(playwright)
        yield chromium
        await (await chromium.browser()).close()


@pytest.fixture
async def browser(chromium: Chromium) -> Browser:
    return await chromium.browser()


@pytest.fixture
async def new_context(
    chromium: Chromium, browser: Browser
) -> AsyncIterator[Callable[..., Awaitable[BrowserContext]]]:
    """Open contexts of other people; they are closed at the end."""
    contexts: list[BrowserContext] = []

    async def open_context(**options: str) -> BrowserContext:
        contexts.append(await browser.new_context(**options))
        return contexts[-1]

    yield open_context
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            for context in contexts:
                # First, as one that is closed with its pages was seen to wait for ever for them.
                for page in context.pages:
                    await page.close()
                await context.close()
    except TimeoutError:
        # Chromium's own: the test has said all that it had to say of the product.
        logger.warning("a context did not close")
        await chromium.give_up()


@pytest.fixture(scope="session")
async def warm_context(chromium: Chromium) -> WarmContext:
    return WarmContext(chromium.browser)


@pytest.fixture(scope="session")
def port() -> int:
    """Of every test's web server in this process: what a browser has cached is of one address."""
    return free_port()


@pytest.fixture
async def page(warm_context: WarmContext, port: int) -> AsyncIterator[Page]:
    yield await warm_context.new_page()
    await warm_context.forget(f"http://127.0.0.1:{port}", f"http://localhost:{port}")


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
async def product(transactional_db, one_click, port, warm_context) -> AsyncIterator[str]:
    """Worker and web server; the address of the page."""
    async with serving(listening_socket("127.0.0.1", port)):
        worker = asyncio.create_task(Worker().run())
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            worker.cancel()
            await asyncio.wait([worker], timeout=END_SECONDS)
            # The server would wait for what open pages have asked for.
            await warm_context.close_pages()
        assert worker.cancelled(), worker


@pytest.fixture
async def complaints(page: Page) -> list[str]:
    """
    What the page complained of: errors of scripts, violations of the policy.

    Not that the server was busy, which a slow machine may make true: the page asks again.
    """
    heard: list[str] = []

    def hear(line: ConsoleMessage) -> None:
        if line.type == "error" and "status of 503" not in line.text:
            heard.append(line.text)

    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("console", hear)
    return heard
