"""
A browser's context that outlives a test: what it fetched stays cached, all else is forgotten.

A page names a hundred modules. Fetched anew for every test they were half of what a test took.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from playwright.async_api import Browser, BrowserContext, CDPSession, Page

from tests.waiting import until

# Playwright itself waits for ever for the answer to most of what is asked for here.
ANSWER_SECONDS = 30

_ALL_BUT_THE_CACHE = "cookies,file_systems,indexeddb,local_storage,websql,cache_storage"


@dataclass(frozen=True, slots=True)
class _Opened:
    """A context; the page of nothing by which it is spoken to while it has no other."""

    context: BrowserContext
    keeper: Page
    cdp: CDPSession
    id: str

    @classmethod
    async def of(cls, browser: Browser) -> "_Opened":
        # What a browser keeps for the day without a server has tests of its own.
        context = await browser.new_context(service_workers="block")
        keeper = await context.new_page()
        cdp = await context.new_cdp_session(keeper)
        told = await cdp.send("Target.getTargetInfo")
        return cls(context, keeper, cdp, told["targetInfo"]["browserContextId"])

    @property
    def is_reached(self) -> bool:
        browser = self.context.browser
        return browser is not None and browser.is_connected()

    async def close_pages(self) -> None:
        for page in self.context.pages:
            if page != self.keeper:
                await page.close()

    async def has_workers(self) -> bool:
        # Of all contexts of the browser.
        told = await self.cdp.send("Target.getTargets")
        return any(
            (each["type"], each.get("browserContextId")) == ("shared_worker", self.id)
            for each in told["targetInfos"]
        )

    async def is_rid_of_workers(self) -> bool:
        return not await self.has_workers()


class WarmContext:
    """
    One context for many tests, one after the other.

    A test in which it fails, or does not answer, leaves the next one a new context.

    Args:
        browser: the one that runs.
    """

    def __init__(self, browser: Callable[[], Awaitable[Browser]]) -> None:
        self._browser = browser
        self._opened: _Opened | None = None

    async def new_page(self) -> Page:
        """One that nobody has used."""
        async with self._in_time() as opened:
            return await opened.context.new_page()

    async def close_pages(self) -> None:
        """Let no page ask anything any more."""
        if self._opened:
            async with self._in_time() as opened:
                await opened.close_pages()

    async def forget(self, *origins: str) -> None:
        """Close all pages, and keep nothing of these servers but what is cached."""
        if not self._opened:
            return
        async with self._in_time() as opened:
            await opened.close_pages()
            await opened.context.clear_cookies()
            for origin in origins:
                await opened.cdp.send(
                    "Storage.clearDataForOrigin",
                    {"origin": origin, "storageTypes": _ALL_BUT_THE_CACHE},
                )
            # The worker that tabs share ends soon after the last of them; the next test's first tab
            # must not find it.
            await until(opened.is_rid_of_workers)

    async def has_workers(self) -> bool:
        """Whether one that tabs share is there."""
        async with self._in_time() as opened:
            return await opened.has_workers()

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[_Opened]:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if not (self._opened and self._opened.is_reached):
                    self._opened = await _Opened.of(await self._browser())
                yield self._opened
        except BaseException:
            await self._give_up()
            raise

    async def _give_up(self) -> None:
        given_up, self._opened = self._opened, None
        if given_up:
            with suppress(Exception):
                async with asyncio.timeout(5):
                    await given_up.context.close()
