"""The page while its server can't be reached."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import Http404
from playwright.async_api import BrowserContext, Page, expect

from streaming.web import offline
from tests.e2e.visitor import mark, sign_in
from tests.waiting import PATIENCE_SECONDS, until

# What browsers say of each request that comes to nothing.
NETWORK = re.compile(r"Failed to load resource: net::ERR_")

# Everything that this browser keeps for the page, as text.
KEPT = """
async () => {
  const texts = [JSON.stringify(localStorage), JSON.stringify(sessionStorage)];
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      texts.push(request.url, await (await cache.match(request)).text());
    }
  }
  for (const { name } of await indexedDB.databases()) {
    const database = await new Promise((resolve, reject) => {
      const request = indexedDB.open(name);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    for (const store of database.objectStoreNames) {
      const rows = await new Promise((resolve) => {
        const request = database.transaction(store).objectStore(store).getAll();
        request.onsuccess = () => resolve(request.result);
      });
      texts.push(...rows.map((row) => JSON.stringify(row)));
    }
    database.close();
  }
  return texts.join("\\n");
}
"""

IS_WAITING = "async () => (await navigator.serviceWorker.getRegistration()).waiting !== null"

# As the page does every few seconds.
SAVE = """
async (module) => {
  const { save, load } = await import(module);
  const ask = async (path) => (await fetch(`/api/v1/account/${path}`)).json();
  const { accounts, sums } = await ask("accounts");
  const snapshots = [];
  for (const { id, portfolio, connection } of accounts) {
    const { positions, version } = await ask(`positions?account=${id}`);
    snapshots.push({ type: "snapshot", account_id: id, version, positions, portfolio, connection,
                     server_time: new Date().toISOString() });
  }
  const user = document.body.dataset.user;
  await save(user, { accounts, snapshots, sums });
  return (await load())?.userId;
}
"""

GROW_OLD = """
async ([module, seconds]) => {
  const { load, save } = await import(module);
  const picture = await load();
  await save(picture.userId, picture, picture.savedAt - seconds * 1000);
}
"""


@pytest.fixture
async def page(product, new_context: Callable[..., Awaitable[BrowserContext]]) -> Page:
    """It is closed before the server ends, which would wait for it."""
    return await (await new_context()).new_page()


@pytest.fixture
def update(settings) -> Iterator[Callable[[], None]]:
    """Puts another version of the page in place of the one that is served."""

    def serve_another() -> None:
        settings.MARK_PRICE = "last"
        offline._once.cache_clear()

    yield serve_another
    offline._once.cache_clear()


async def installed(page: Page) -> None:
    """The browser has kept the shell."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        await page.evaluate("async () => { await navigator.serviceWorker.ready; }")


async def save(page: Page) -> str:
    """What the page shows; whose it then is, as the page saves it by itself now and then."""
    return await page.evaluate(SAVE, staticfiles_storage.url("js/link/saved_picture.js"))


async def let_time_pass_since_saved(page: Page, *, seconds: int) -> None:
    """And look again."""
    module = staticfiles_storage.url("js/link/saved_picture.js")
    await page.evaluate(GROW_OLD, [module, seconds])
    await page.reload()


async def kept(page: Page) -> str:
    return await page.evaluate(KEPT)


async def owner(page: Page) -> str | None:
    """Whose figures are kept."""
    return await page.evaluate(
        "async (module) => (await (await import(module)).load())?.userId",
        staticfiles_storage.url("js/link/saved_picture.js"),
    )


async def is_not_of(page: Page, user: str) -> bool:
    return await owner(page) != user


async def go_offline_with_figures(page: Page, product: str, held: str) -> None:
    await sign_in(page, product)
    await expect(mark(page, held)).to_be_visible()
    await installed(page)
    await save(page)
    await page.context.set_offline(True)
    await page.reload()
    await expect(page.locator("body[data-shell]")).to_be_visible()


def faults(complaints: list[str]) -> list[str]:
    """Without those of a network that is away."""
    return [complaint for complaint in complaints if not NETWORK.match(complaint)]


async def test_reload_without_a_server_shows_the_saved_figures_with_their_age(
    page, product, held, complaints
):
    await go_offline_with_figures(page, product, held)
    await let_time_pass_since_saved(page, seconds=180)

    await expect(page.locator(".notice-text")).to_have_text(
        re.compile(r"^Offline\. Figures saved 3\s*min ago, at \d")
    )
    await expect(page.locator("connection-state")).to_have_text(re.compile("Offline"))
    await expect(mark(page, held)).to_have_attribute("value", re.compile(r"^0\.\d+$"))
    await expect(page.locator("html")).to_have_attribute("data-stale", "")
    await expect(page.locator("[data-connection=live]")).to_have_count(0)
    await expect(page.locator("[role=status]")).to_contain_text("Offline.")
    assert faults(complaints) == []


async def test_page_goes_live_by_itself_when_the_server_is_back(page, product, held, complaints):
    await go_offline_with_figures(page, product, held)

    await page.context.set_offline(False)

    await expect(page.locator("[data-connection=live]")).to_be_visible()
    await expect(page.locator("body[data-user]")).to_be_visible()
    await expect(mark(page, held)).to_be_visible()
    assert faults(complaints) == []


async def test_figures_that_outlive_any_session_are_not_shown(page, product, held):
    await go_offline_with_figures(page, product, held)
    await expect(mark(page, held)).to_be_visible()

    await let_time_pass_since_saved(page, seconds=24 * 3600)

    await expect(page.get_by_text("No figures are saved")).to_be_visible()
    await expect(page.locator("main")).to_be_hidden()
    assert held not in await kept(page)


async def test_saved_figures_can_be_erased_without_the_server(page, product, held):
    await go_offline_with_figures(page, product, held)
    await expect(mark(page, held)).to_be_visible()

    await page.get_by_role("button", name="Account").click()
    await page.get_by_role("button", name="Erase the figures").click()

    await expect(page.get_by_text("No figures are saved")).to_be_visible()
    assert held not in await kept(page)


@pytest.mark.parametrize("button", ["Sign out", "Sign out and forget"])
async def test_signing_out_leaves_no_figure_in_the_browser(page, product, held, button, complaints):
    await sign_in(page, product)
    await expect(mark(page, held)).to_be_visible()
    await installed(page)
    await save(page)
    assert held in await kept(page)

    await page.get_by_role("button", name="Account").click()
    await page.get_by_role("button", name=button, exact=True).click()
    if button != "Sign out":
        await page.locator("#forget").get_by_role("button", name="Sign out and forget").click()
    await expect(page.get_by_role("button", name="Open the sandbox")).to_be_visible()
    await page.context.set_offline(True)
    await page.goto(product)

    await expect(page.get_by_text("No figures are saved")).to_be_visible()
    await expect(page.locator("position-card")).to_have_count(0)
    assert held not in await kept(page)
    # What was asked for just before is refused by the time it is answered.
    assert [each for each in faults(complaints) if "status of 401" not in each] == []


async def test_session_that_ended_meanwhile_leaves_none_either(page, product, held):
    await go_offline_with_figures(page, product, held)
    await expect(mark(page, held)).to_be_visible()

    await page.context.clear_cookies(name="session")
    await page.context.set_offline(False)

    await expect(page.get_by_role("button", name="Open the sandbox")).to_be_visible()
    assert held not in await kept(page)


async def test_figures_of_somebody_else_go_when_a_page_opens(page, product, held):
    await sign_in(page, product)
    await page.evaluate("document.body.dataset.user = 'charlie'")
    assert await save(page) == "charlie"

    await page.reload()

    await until(lambda: is_not_of(page, "charlie"))


async def test_shell_that_could_not_be_fetched_is_fetched_again(page, product, held, monkeypatch):
    known = offline._known
    answers = iter([Http404])

    def busy_at_first(make: Callable[[], str]) -> str:
        for error in answers:
            raise error
        return known(make)

    monkeypatch.setattr(offline, "_known", busy_at_first)
    await sign_in(page, product)

    await installed(page)

    assert next(answers, None) is None


async def test_shell_is_all_that_the_browser_keeps(page, product, held):
    await sign_in(page, product)
    await installed(page)

    paths = await page.evaluate(
        """async () => (await Promise.all((await caches.keys()).map(async (name) =>
             (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname)
        ))).flat()"""
    )

    assert "/shell" in paths
    assert all(path.startswith("/static/") for path in paths if path != "/shell")


async def test_new_version_takes_the_place_of_the_old(page, product, held, update):
    await go_offline_with_figures(page, product, held)
    await expect(page.locator("position-panel[mark-price=bid]")).to_be_visible()
    [old] = await page.evaluate("() => caches.keys()")
    update()
    await page.context.set_offline(False)
    await expect(page.locator("[data-connection=live]")).to_be_visible()

    cdp = await page.context.new_cdp_session(page)
    await cdp.send("ServiceWorker.enable")

    async def is_gone() -> bool:
        if await page.evaluate(IS_WAITING):
            # A browser ends the old program when it has been idle for long; one that is driven by
            # a test does not, and was seen to keep the new one waiting for it.
            await cdp.send("ServiceWorker.stopAllWorkers")
        return await page.evaluate(f"async () => !(await caches.has('{old}'))")

    await until(is_gone)

    await page.context.set_offline(True)
    await page.reload()
    await expect(page.locator("body[data-shell] position-panel[mark-price=last]")).to_be_visible()
    await expect(mark(page, held)).to_be_visible()
