"""
A browser's context that outlives a test: what it fetched stays cached, all else is forgotten.

A page names a hundred modules. Fetched anew for every test they were half of what a test took.
"""

from playwright.async_api import Browser, BrowserContext, CDPSession, Page

from tests.waiting import until

_ALL_BUT_THE_CACHE = "cookies,file_systems,indexeddb,local_storage,websql,cache_storage"


class WarmContext:
    """One context for many tests, one after the other."""

    def __init__(self, context: BrowserContext, keeper: Page, cdp: CDPSession) -> None:
        self._context = context
        self._keeper = keeper
        self._cdp = cdp

    @classmethod
    async def of(cls, browser: Browser) -> "WarmContext":
        # What a browser keeps for the day without a server has tests of its own.
        context = await browser.new_context(service_workers="block")
        # A page of nothing, by which the context is spoken to while it has no other.
        keeper = await context.new_page()
        return cls(context, keeper, await context.new_cdp_session(keeper))

    async def new_page(self) -> Page:
        """One that nobody has used."""
        return await self._context.new_page()

    async def forget(self, *origins: str) -> None:
        """Close all pages, and keep nothing of these servers but what is cached."""
        for page in self._context.pages:
            if page != self._keeper:
                await page.close()
        await self._context.clear_cookies()
        for origin in origins:
            await self._cdp.send(
                "Storage.clearDataForOrigin",
                {"origin": origin, "storageTypes": _ALL_BUT_THE_CACHE},
            )
        # The worker that tabs share ends soon after the last of them; the next test's first tab
        # must not find it.
        await until(self._is_rid_of_workers)

    async def has_workers(self) -> bool:
        """Whether one that tabs share is there."""
        told = await self._cdp.send("Target.getTargets")
        return any(each["type"] == "shared_worker" for each in told["targetInfos"])

    async def _is_rid_of_workers(self) -> bool:
        return not await self.has_workers()
