"""The list: a window of rows, found, sorted, grouped and kept by pointer and by keys."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from playwright.async_api import Locator, Page, expect

from ledger.models import Fill
from sandbox.server import Sandbox, running_exchange
from tests.e2e.people import in_database
from tests.e2e.visitor import sign_in
from tests.waiting import until

WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 1000, "height": 800}
LOW = {"width": 1366, "height": 500}
SMALL = {"width": 320, "height": 640}
MANY = 120

# Its observers see what has been laid out anew only in the next frame.
TWO_FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
# As high as a notice of three lines.
NOTICE = f"""
  async () => {{
    const notice = document.createElement("div");
    notice.style.height = "90px";
    document.querySelector(".notices").append(notice);
    await {TWO_FRAMES};
  }}
"""
# How large the pin is, and which texts of a row that is decided soon are under it.
COVERED = """
  row => {
    const closes = row.querySelector(".cell-closes");
    closes.toggleAttribute("data-soon", true);
    closes.textContent = "in 23 h 59 min";
    const pin = row.querySelector(".card-pin").getBoundingClientRect();
    const isUnder = node => {
      const range = document.createRange();
      range.selectNodeContents(node);
      const {left, right, top, bottom} = range.getBoundingClientRect();
      const end = Math.min(right, node.getBoundingClientRect().right);
      const isLevel = top < pin.bottom && bottom > pin.top;
      return end > left && isLevel && left < pin.right && end > pin.left;
    };
    const texts = [...row.querySelectorAll("a > *, a > .card-line > *")];
    return {
      pin: [pin.width, pin.height],
      covers: texts.filter(isUnder).map(text => text.className),
    };
  }
"""
# Sooner than the page follows the address.
ESCAPE_TWICE = """
  () => {
    for (let times = 0; times < 2; times += 1) {
      const key = new KeyboardEvent("keydown", { key: "Escape", bubbles: true });
      document.activeElement.dispatchEvent(key);
    }
  }
"""
# Where a row can be seen, between what lies over the page's edges.
IS_CLEAR = """
  row => row.getBoundingClientRect().top >= document.querySelector(".bar").offsetHeight
    && row.getBoundingClientRect().bottom <= innerHeight - 90
"""


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """More still positions than are ever in the document."""
    async with running_exchange(positions=MANY, updates_per_minute=0) as exchange:
        yield exchange


@pytest.fixture
async def listed(page: Page, product: str, complaints: list[str]) -> AsyncIterator[Page]:
    """The dashboard, wide; nothing was complained of in the end."""
    await page.set_viewport_size(WIDE)
    await sign_in(page, product)
    await expect(page.locator(".panel-count")).to_have_text(str(MANY))
    yield page
    assert complaints == []


def cards(page: Page) -> Locator:
    return page.locator("position-card")


async def tickers(page: Page) -> list[str]:
    """Those in the document, from top to bottom."""
    return await cards(page).evaluate_all("cards => cards.map(card => card.dataset.ticker)")


async def focused(page: Page) -> str | None:
    return await page.evaluate(
        "document.activeElement.closest('position-card')?.getAttribute('aria-posinset') ?? null"
    )


async def value_of(card: Locator) -> Decimal:
    value = await card.locator("data[data-field=market_value]").get_attribute("value")
    return Decimal(value or "-1")


async def test_only_rows_in_sight_are_in_the_document_and_say_their_place(listed):
    assert 0 < await cards(listed).count() <= 80
    first = cards(listed).first
    await expect(first).to_have_attribute("aria-setsize", str(MANY))
    await expect(first).to_have_attribute("aria-posinset", "1")

    await listed.locator(".panel-list").evaluate("list => list.scrollTo(0, list.scrollHeight)")

    last = cards(listed).last
    await expect(last).to_have_attribute("aria-posinset", str(MANY))
    await expect(last).to_be_in_viewport()
    assert await cards(listed).count() <= 80


async def test_every_position_is_reached_by_keys_and_the_detail_moves_along(listed):
    await cards(listed).first.locator("a").focus()

    await listed.keyboard.press("End")
    assert await focused(listed) == str(MANY)
    await listed.keyboard.press("ArrowUp")
    assert await focused(listed) == str(MANY - 1)

    ticker = await listed.evaluate("document.activeElement.closest('position-card').dataset.ticker")
    detail = listed.locator("position-detail")
    await expect(detail.locator("[data-text=ticker]").first).to_have_text(ticker)
    await expect(cards(listed).locator("a[aria-current=true]")).to_have_count(1)

    await listed.keyboard.press("Home")
    assert await focused(listed) == "1"


async def test_focused_row_stays_however_far_the_list_is_scrolled(listed):
    await cards(listed).first.locator("a").focus()

    await listed.locator(".panel-list").evaluate("list => list.scrollTo(0, list.scrollHeight)")
    await expect(cards(listed).last).to_have_attribute("aria-posinset", str(MANY))

    assert await focused(listed) == "1"
    await listed.keyboard.press("ArrowDown")
    assert await focused(listed) == "2"
    await expect(cards(listed).nth(1)).to_be_in_viewport()


async def test_right_one_is_found_in_three_keys(listed):
    wanted = (await tickers(listed))[-1]
    await listed.keyboard.press("/")
    await expect(listed.get_by_label("Find positions")).to_be_focused()

    await listed.keyboard.insert_text(wanted)
    await expect(cards(listed)).to_have_count(1)
    await listed.keyboard.press("Enter")
    await expect(cards(listed).locator("a")).to_be_focused()
    await expect(listed.locator("position-detail [data-text=ticker]")).to_have_text(wanted)
    # Its address is the row's already.
    await listed.keyboard.press("Enter")
    await expect(listed.locator("#detail-title")).to_be_focused()

    await listed.keyboard.press("/")
    await listed.keyboard.press("Escape")
    await expect(cards(listed).first).to_have_attribute("aria-setsize", str(MANY))


async def choose_the_last_by_keys(page: Page) -> None:
    await page.keyboard.press("/")
    await page.keyboard.insert_text((await tickers(page))[-1])
    await page.keyboard.press("Enter")
    await expect(cards(page).locator("a")).to_be_focused()


async def test_escape_leads_from_what_was_found_to_all(listed):
    await choose_the_last_by_keys(listed)

    await listed.keyboard.press("Escape")
    await expect(listed.locator(":root[data-chosen]")).to_have_count(0)
    await expect(cards(listed)).to_have_count(1)
    await listed.keyboard.press("Escape")
    await expect(cards(listed).first).to_have_attribute("aria-setsize", str(MANY))


async def test_escape_twice_at_once_leads_as_far(listed):
    await choose_the_last_by_keys(listed)

    await listed.evaluate(ESCAPE_TWICE)

    await expect(cards(listed).first).to_have_attribute("aria-setsize", str(MANY))


async def test_search_without_a_match_says_so_and_leads_back(listed):
    await listed.get_by_label("Find positions").fill("no such thing")
    await expect(listed.get_by_text("No position matches.")).to_be_visible()

    await listed.get_by_role("button", name="Show all").click()

    await expect(cards(listed).first).to_have_attribute("aria-setsize", str(MANY))
    # The button is gone; the focus must not be.
    await expect(listed.get_by_label("Find positions")).to_be_focused()


async def test_table_is_sorted_by_its_heads_both_ways_and_after_a_reload(listed):
    value = listed.locator(".panel-heads [data-order=value]")
    await expect(value).to_have_attribute("aria-pressed", "true")
    largest = await value_of(cards(listed).first)

    await value.click()
    await expect(value).to_have_attribute("data-way", "reversed")
    assert await value_of(cards(listed).first) < largest

    await listed.reload()
    await expect(value).to_have_attribute("data-way", "reversed")


async def test_columns_are_chosen_and_remembered(listed):
    await listed.get_by_role("button", name="View").click()
    await listed.get_by_role("checkbox", name="Average price").uncheck()
    await expect(cards(listed).first.locator(".cell-average")).to_be_hidden()
    await expect(cards(listed).first.locator(".cell-quantity")).to_be_visible()

    await listed.reload()

    await expect(cards(listed).first).to_be_visible()
    await expect(cards(listed).first.locator(".cell-average")).to_be_hidden()


async def test_grouped_by_event_each_says_its_sum_and_what_it_pays(listed, sandbox):
    await listed.get_by_role("button", name="View").click()
    await listed.get_by_label("Group by event").check()
    await listed.keyboard.press("Escape")
    head = listed.locator("event-head").first
    count = int(await head.locator(".head-count").text_content() or "0")

    values = [await value_of(cards(listed).nth(index)) for index in range(count)]
    shown = await head.locator("data[data-field=market_value]").get_attribute("value")
    assert Decimal(shown or "-1") == sum(values)

    await head.get_by_role("button", name="Payouts").click()
    await expect(listed.locator("#payouts tbody tr").first).to_be_visible()
    # What is decided leaves fewer outcomes.
    async with listed.expect_response("**/account/positions/**"):
        sandbox.determine((await tickers(listed))[0], Decimal(0))
    await listed.keyboard.press("Escape")
    await listed.get_by_role("button", name="Privacy mode").click()
    async with listed.expect_response("**/account/positions/**"):
        await head.get_by_role("button", name="Payouts").click()
    await expect(listed.locator("#payouts tbody")).to_contain_text("•••")
    await listed.keyboard.press("Escape")
    await head.locator(".head-folds").click()
    await expect(head.locator(".head-folds")).to_have_attribute("aria-expanded", "false")


async def test_pinned_one_stays_at_the_top_after_a_reload(listed):
    await cards(listed).nth(4).locator("a").focus()
    pinned = (await tickers(listed))[4]

    await listed.keyboard.press("p")
    await expect(cards(listed).first).to_have_attribute("data-ticker", pinned)

    await listed.reload()
    await expect(cards(listed).first).to_have_attribute("data-ticker", pinned)


async def test_settled_one_stays_where_it_was_until_it_is_dismissed(listed, sandbox):
    ticker = (await tickers(listed))[2]
    settled = listed.locator(f"position-card[data-ticker='{ticker}']")

    held = sandbox.account.portfolios[0].positions[ticker].quantity
    # Its executions are from before, and read when the account is.
    executions = Fill.objects.filter(market__ticker=ticker)
    await until(lambda: in_database(executions.exists))
    sandbox.close(ticker)
    sandbox.determine(ticker, Decimal(held > 0))
    sandbox.settle(ticker)

    await expect(settled).to_have_attribute("data-closed", "")
    await expect(settled).to_have_attribute("aria-posinset", "3")
    await expect(listed.locator(".panel-count")).to_have_text(str(MANY - 1))
    await expect(settled.locator(".card-badge")).to_have_text("Won", use_inner_text=True)
    await expect(listed.get_by_role("status")).to_contain_text("Won:")

    await settled.get_by_role("link").click()
    detail = listed.locator("position-detail")
    await expect(detail).to_have_attribute("data-state", "ended")
    await expect(detail.locator(".detail-end")).to_contain_text("Won:")
    await expect(detail.locator(".fills tbody tr").first).to_be_visible()
    await expect(detail.locator("sell-now")).to_be_hidden()

    await settled.get_by_role("button", name="Take off the list").click()
    await expect(settled).to_have_count(0)

    # All at once, by a button that goes with them and leaves the focus to the list.
    lost = (await tickers(listed))[2]
    sandbox.close(lost)
    sandbox.determine(lost, Decimal(sandbox.account.portfolios[0].positions[lost].quantity < 0))
    sandbox.settle(lost)
    await listed.get_by_role("button", name="Dismiss closed").click()
    await expect(listed.locator(f"position-card[data-ticker='{lost}']")).to_have_count(0)
    assert await focused(listed) is not None


async def test_all_are_on_paper_whatever_is_in_sight(listed):
    await listed.evaluate("dispatchEvent(new Event('beforeprint'))")
    await expect(listed.locator(".printed tbody tr")).to_have_count(MANY)

    await listed.evaluate("dispatchEvent(new Event('afterprint'))")
    await expect(listed.locator(".printed")).to_have_count(0)


async def test_paper_is_light_and_has_no_chart_whatever_is_chosen(listed):
    await listed.evaluate("document.documentElement.dataset.theme = 'dark'")
    await listed.evaluate("location.hash = document.querySelector('position-card a').hash")

    await listed.emulate_media(media="print")
    await listed.set_viewport_size({"width": 717, "height": 1000})

    await expect(listed.locator("body")).to_have_css("background-color", "rgb(246, 248, 250)")
    await expect(listed.locator("equity-chart")).to_be_hidden()
    await expect(listed.locator(".sums data[data-field=cash]")).to_be_visible()
    await listed.emulate_media(media="null")


async def test_keys_are_listed_and_left_by_escape(listed):
    await listed.keyboard.press("?")
    await expect(listed.get_by_role("dialog", name="Keys")).to_be_visible()

    await listed.keyboard.press("Escape")

    await expect(listed.get_by_role("dialog", name="Keys")).to_be_hidden()


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["table", "phone"])
async def test_pin_covers_nothing_that_is_read_and_is_large_for_a_finger(listed, size):
    await listed.set_viewport_size(size)
    assert await cards(listed).first.evaluate(COVERED) == {"pin": [24, 24], "covers": []}

    session = await listed.context.new_cdp_session(listed)
    touched = {**size, "deviceScaleFactor": 1, "mobile": True}
    await session.send("Emulation.setDeviceMetricsOverride", touched)
    await session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    assert await listed.evaluate("matchMedia('(hover: none)').matches")

    assert await cards(listed).first.evaluate(COVERED) == {"pin": [44, 44], "covers": []}

    await session.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
    await session.send("Emulation.clearDeviceMetricsOverride")
    await session.detach()


async def test_the_profit_is_said_aloud_where_that_is_wanted(listed):
    status = listed.get_by_role("status")
    await listed.get_by_role("button", name="Display").click()

    await listed.get_by_label("Screen reader says the P&L").check()

    await expect(status).to_contain_text("Unrealized P&L ")
    await listed.keyboard.press("Escape")
    await listed.get_by_role("button", name="Privacy mode").click()
    await expect(status).to_be_empty()


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["table", "phone"])
async def test_wall_view_is_left_by_a_click_where_there_is_no_full_screen(listed, size):
    await listed.set_viewport_size(size)
    await listed.evaluate("Element.prototype.requestFullscreen = undefined")
    await listed.evaluate("location.hash = document.querySelector('position-card a').hash")

    await listed.get_by_role("button", name="Display").click()
    await listed.get_by_role("button", name="Wall view").click()
    await expect(cards(listed).first).to_be_visible()
    await expect(listed.get_by_role("button", name="Account")).to_be_hidden()
    assert await listed.evaluate("document.documentElement.scrollWidth <= innerWidth")

    await listed.get_by_role("button", name="Exit the wall view").click()
    await expect(listed.get_by_role("button", name="Display")).to_be_focused()


@pytest.mark.parametrize("width", [1200, 1280, 1440])
async def test_no_column_of_the_table_is_cut_however_narrow_it_is(listed, width):
    await listed.set_viewport_size({"width": width, "height": 800})
    await listed.locator(".panel-heads").evaluate("() => new Promise(requestAnimationFrame)")

    for row in (listed.locator(".panel-heads"), cards(listed).first.locator("a")):
        assert await row.evaluate("row => row.scrollWidth <= row.clientWidth")
    await expect(cards(listed).first.locator(".cell-closes")).to_be_in_viewport(ratio=1)


async def test_list_keeps_four_rows_where_the_window_is_too_low(listed):
    await listed.set_viewport_size(LOW)
    foot = listed.locator(".panel-age")
    await expect(foot).not_to_be_in_viewport()

    await listed.evaluate("scrollTo(0, document.documentElement.scrollHeight)")

    await expect(foot).to_be_in_viewport(ratio=1)
    assert await listed.locator(".panel-list").evaluate("list => list.clientHeight") >= 4 * 48
    bottom = "document.querySelector('position-panel').getBoundingClientRect().bottom"
    assert await listed.evaluate(f"{bottom} >= innerHeight"), "nothing is below it"


@pytest.mark.parametrize("size", [WIDE, NARROW, SMALL], ids=["table", "cards", "phone"])
async def test_no_row_is_under_a_notice_or_the_bar_when_it_gets_the_focus(listed, size):
    await listed.set_viewport_size(size)
    await listed.evaluate(NOTICE)
    await cards(listed).first.locator("a").focus()

    await listed.keyboard.press("End")
    assert await cards(listed).last.evaluate(IS_CLEAR)
    await listed.keyboard.press("Home")
    assert await cards(listed).first.evaluate(IS_CLEAR)

    await listed.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    assert await listed.locator(".panel-age").evaluate(IS_CLEAR)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["table", "cards"])
async def test_rows_are_of_one_height_and_nothing_is_wider_than_the_page(listed, size):
    await listed.set_viewport_size(size)
    await listed.evaluate(TWO_FRAMES)
    heights = "rows => new Set(rows.map(row => row.getBoundingClientRect().height)).size"
    await expect(cards(listed).first).to_be_visible()

    assert await cards(listed).evaluate_all(heights) == 1
    assert await listed.evaluate("document.documentElement.scrollWidth <= innerWidth")
