"""Many tabs of one browser: one stream, and one mind about the session and the preferences."""

from decimal import Decimal

import pytest
from playwright.async_api import Page, expect

from tests.e2e.visitor import mark, sign_in

# More than the six connections that a browser has to a server of HTTP/1.1.
MANY = 20


@pytest.fixture(autouse=True)
def one_stream(settings) -> None:
    """The server lets a session have one stream, and refuses the second."""
    settings.STREAMS_PER_SESSION = 1


async def live_tabs(page: Page, count: int) -> list[Page]:
    """More tabs beside this one: opened by it, as twenty programs are slow to start."""
    tabs = []
    for _ in range(count):
        async with page.expect_popup() as opened:
            await page.evaluate("() => { open('/'); }")
        tabs.append(await opened.value)
    for tab in tabs:
        # They share one thread for their scripts.
        await expect(tab.locator("[data-connection=live]")).to_be_visible(timeout=60_000)
    return tabs


async def hide(page: Page, state: str) -> None:
    """Tell the page that its tab is in sight, or not; a driven browser shows all of them."""
    await page.evaluate(
        """state => {
          Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        state,
    )


# How many pictures this browser keeps.
KEPT = """() => new Promise((resolve, reject) => {
  const opening = indexedDB.open("kalshi-live", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("picture");
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const count = opening.result.transaction("picture").objectStore("picture").count();
    count.onsuccess = () => { opening.result.close(); resolve(count.result); };
  };
})"""


async def test_twenty_tabs_are_live_by_one_stream_and_can_refresh(
    page, product, sandbox, held, complaints
):
    await sign_in(page, product)
    tabs = [page, *await live_tabs(page, MANY - 1)]

    sandbox.set_quote(held, Decimal("0.31"), Decimal("0.33"))

    for tab in tabs:
        await expect(mark(tab, held)).to_have_attribute("value", "0.31")
    async with tabs[-1].expect_response("**/refresh?account=*") as refreshed:
        await tabs[-1].locator("position-panel").get_by_role("button", name="Refresh").click()
    assert (await refreshed.value).status == 202
    assert complaints == []


async def test_signing_out_in_one_tab_signs_out_all_and_keeps_nothing(page, product):
    await sign_in(page, product)
    tabs = await live_tabs(page, 2)
    await tabs[0].close()

    await tabs[1].get_by_role("button", name="Account").click()
    await tabs[1].get_by_role("button", name="Sign out", exact=True).click()

    for tab in (page, tabs[1]):
        await expect(tab.get_by_text("You are signed out.")).to_be_visible()
    assert await page.evaluate(KEPT) == 0


async def test_what_is_pinned_in_one_tab_is_not_let_go_by_a_key_in_another(page, product):
    await sign_in(page, product)
    (other,) = await live_tabs(page, 1)
    last = page.locator("position-card").last
    pinned = await last.get_attribute("data-ticker")

    await last.locator("a").focus()
    await page.keyboard.press("p")
    await expect(other.locator("position-card").first).to_have_attribute("data-ticker", pinned)
    await other.locator("#filter").press_sequentially("kx")

    kept = await other.evaluate("() => JSON.parse(localStorage.preferences).pinned")
    assert [key.partition("/")[2] for key in kept] == [pinned]


async def test_session_that_another_page_ends_ends_the_tabs_and_keeps_nothing(page, product):
    await sign_in(page, product)
    (other,) = await live_tabs(page, 1)
    await other.goto(f"{product}/settings")

    await other.get_by_role("button", name="Sign out", exact=True).click()

    await expect(other.get_by_text("You are signed out.")).to_be_visible()
    await expect(page.get_by_role("button", name="Open the sandbox")).to_be_visible()
    assert await page.evaluate(KEPT) == 0


async def test_figures_are_kept_when_the_last_tab_goes_until_the_session_is_over(page, product):
    await sign_in(page, product)
    saved_picture = await page.evaluate(
        """() => performance.getEntriesByType("resource").map(({ name }) => name)
          .find((name) => name.includes("/link/saved_picture."))"""
    )

    await page.evaluate("() => dispatchEvent(new Event('pagehide'))")

    await page.wait_for_function(
        """async address => {
          const { load } = await import(address);
          const picture = await load();
          return picture?.snapshots[0].positions.length === 10 && picture.accounts.length === 1;
        }""",
        arg=saved_picture,
    )
    await page.context.clear_cookies()
    await page.goto(product)
    await page.wait_for_function(f"async () => await ({KEPT})() === 0")


async def test_hidden_tab_is_right_at_once_when_it_is_seen_again(page, product, sandbox, held):
    await sign_in(page, product)
    (other,) = await live_tabs(page, 1)
    await hide(other, "hidden")
    sandbox.set_quote(held, Decimal("0.31"), Decimal("0.33"))
    await expect(mark(page, held)).to_have_attribute("value", "0.31")
    assert await mark(other, held).get_attribute("value") != "0.31"

    await hide(other, "visible")

    await expect(mark(other, held)).to_have_attribute("value", "0.31")


async def test_theme_and_privacy_follow_and_do_not_undo_each_other(page, product):
    await sign_in(page, product)
    (other,) = await live_tabs(page, 1)

    await page.get_by_role("button", name="Display").click()
    await page.get_by_label("Theme").select_option("dark")
    await other.locator(".bar-privacy").click()

    for tab in (page, other):
        await expect(tab.locator("html[data-theme=dark][data-privacy=true]")).to_be_visible()
        await expect(tab.locator(".bar-privacy")).to_have_attribute("aria-pressed", "true")
    await page.reload()
    await expect(page.locator("html[data-theme=dark][data-privacy=true]")).to_be_visible()


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param("delete globalThis.SharedWorker", id="none"),
        pytest.param(
            "SharedWorker = class extends EventTarget { port = new MessageChannel().port1 }",
            id="mute",
        ),
    ],
)
async def test_without_a_worker_the_page_has_a_stream_of_its_own(
    page, product, sandbox, held, complaints, broken
):
    await page.add_init_script(broken)
    await sign_in(page, product)

    sandbox.set_quote(held, Decimal("0.31"), Decimal("0.33"))

    await expect(mark(page, held)).to_have_attribute("value", "0.31")
    assert complaints == []
