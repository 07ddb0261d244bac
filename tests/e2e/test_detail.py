"""The charts, and the selected position in full."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from decimal import Decimal

import httpx
import pytest
from django.templatetags.static import static
from playwright.async_api import Locator, Page, Route, expect

from ledger.models import Note
from sandbox.faults import FailedAnswer
from sandbox.server import Sandbox
from tests.e2e.people import in_database
from tests.e2e.visitor import sign_in
from tests.waiting import PATIENCE_SECONDS, until

Ask = Callable[[str], Awaitable[dict]]

# For all that asks how long ago something was.
A_WHILE_LATER = """
const now = performance.now.bind(performance);
performance.now = () => now() + 60_000;
"""


@pytest.fixture
def ask(page: Page, product: str) -> Ask:
    """The REST interface with the page's own session."""

    async def answer(path: str) -> dict:
        cookies = {cookie["name"]: cookie["value"] for cookie in await page.context.cookies()}
        async with httpx.AsyncClient(
            base_url=product, cookies=cookies, timeout=PATIENCE_SECONDS
        ) as client:
            response = await client.get(f"/api/v1/account/{path}")
            return response.raise_for_status().json()

    return answer


@pytest.fixture
def held_no(sandbox: Sandbox) -> str:
    """A market with both sides quoted that Alice holds NO of."""
    return next(
        position.ticker
        for position in sandbox.account.portfolios[0].positions.values()
        if position.quantity < 0
        and sandbox.exchange.markets[position.ticker].tape.quote.has_bid
        and sandbox.exchange.markets[position.ticker].tape.quote.has_ask
    )


async def test_both_charts_are_drawn_with_nothing_to_complain_of(page, product, held, complaints):
    await sign_in(page, product)
    await choose(page, held)

    for chart in ("equity-chart", "price-chart"):
        await until(lambda: has_ink(page, chart))  # noqa: B023  # awaited in this very turn

    assert complaints == []


# Charts whose last instant has a label of its own, as each language writes it.
LABELS_CUT_OFF = """
async ([plot, locale]) => {
  const [{ Plot }, { useLocale }] = await Promise.all([import(plot), import(locale)]);
  const drawn = [];
  const { fillText } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
    const half = this.measureText(text).width / 2;
    if (this.textAlign === "center") drawn.push({ text, isCut: x + half > this.canvas.width });
    return fillText.call(this, text, x, y);
  };
  const box = document.createElement("div");
  box.style.cssText = "width: 360px; height: 200px";
  document.body.append(box);
  const at = (...moment) => new Date(...moment).getTime() / 1000;
  const spans = [
    [at(2026, 10, 23), at(2026, 10, 30)],
    [at(2025, 0, 1), at(2026, 10, 1)],
    [at(2026, 10, 30, 23, 58, 0), at(2026, 10, 30, 23, 58, 40)],
  ];
  const plan = {
    lines: () => ({ series: [{ stroke: "black" }] }),
    room: () => [0, 1],
    labels: (values) => values.map(String),
    draw: () => {},
    onRead: () => {},
  };
  const ends = [];
  for (const tag of ["en-US", "de", "es", "fr", "ja", "pt-BR", "ru"]) {
    useLocale(tag);
    for (const span of spans) {
      const chart = new Plot(box, plan);
      drawn.length = 0;
      await chart.show([span, [0, 1]], span);
      await new Promise(requestAnimationFrame);
      ends.push(drawn.at(-1));
      chart.stop();
    }
  }
  return { count: ends.length, cut: ends.filter((end) => end?.isCut !== false) };
}
"""


async def test_last_time_under_a_chart_is_not_cut_off(page, product):
    await sign_in(page, product)
    modules = [static("js/charts/plot.js"), static("js/locale.js")]

    told = await page.evaluate(LABELS_CUT_OFF, modules)

    assert told == {"count": 21, "cut": []}


async def test_a_range_is_kept_over_a_reload(page, product):
    await sign_in(page, product)
    week = page.locator("equity-chart").get_by_role("radio", name="One week")
    async with page.expect_request(lambda request: "/equity?" in request.url):
        await week.check()

    await page.reload()

    await expect(week).to_be_checked()
    await until(lambda: has_ink(page, "equity-chart"))


async def test_a_chart_is_read_by_arrow_keys_and_hides_its_figures(page, product, ask):
    await sign_in(page, product)
    chart = page.locator("equity-chart")
    await until(lambda: has_ink(page, "equity-chart"))
    total = (await ask("portfolio"))["total_value"]

    await chart.get_by_role("slider").focus()
    await page.keyboard.press("End")
    shown = chart.locator(".chart-reading")

    await expect(shown).to_contain_text(f"${Decimal(total):,.2f}")
    # By a script, which leaves the focus in the chart.
    await page.evaluate("() => document.querySelector('.bar-privacy').click()")
    await expect(shown).to_contain_text("•••")
    await expect(chart.get_by_role("slider")).to_have_attribute("aria-valuetext", re.compile("•••"))
    await page.keyboard.press("Escape")
    await expect(chart.get_by_role("slider")).to_have_attribute(
        "aria-valuetext", "Read it with the arrow keys"
    )


async def test_without_the_library_the_page_says_so_and_works(page, product, held):
    await page.route("**/uplot/*", lambda route: route.abort())
    await sign_in(page, product)
    await choose(page, held)

    note = page.locator("equity-chart .chart-note")

    await expect(note).to_contain_text("Charts can't be drawn")
    await page.locator("sell-now").scroll_into_view_if_needed()
    await expect(page.locator("sell-now dl")).to_be_visible()


async def test_selling_now_is_what_the_server_walked(page, product, held_no, ask):
    await sign_in(page, product)
    await choose(page, held_no)
    # Nobody asks for the book of what nobody sees.
    await page.locator("sell-now").scroll_into_view_if_needed()

    sale = (await ask(f"positions/{held_no}/orderbook"))["sell_now"]

    for field in ("cash_flow", "count", "average_price", "worst_price", "fee", "left"):
        figure = page.locator(f"data[data-field='sell_now.{field}']")
        await expect(figure).to_have_attribute("value", sale[field])


async def test_who_holds_no_reads_the_quote_of_no(page, product, held_no, sandbox):
    await sign_in(page, product)
    await choose(page, held_no)

    quote = sandbox.exchange.markets[held_no].tape.quote
    bid = page.locator("data[data-field='held.bid']")

    await expect(bid).to_have_attribute("value", re.compile(r"\d"))
    shown = Decimal(await bid.get_attribute("value"))
    size = await page.locator("data[data-field='held.bid_size']").get_attribute("value")
    assert (shown, Decimal(size)) == (1 - quote.yes_ask, quote.yes_ask_size)


async def test_what_it_pays_at_each_end_is_what_the_server_says(page, product, held_no, ask):
    await sign_in(page, product)
    await choose(page, held_no)

    matrix = (await ask(f"positions/{held_no}"))["settlement_matrix"]

    for shown, said in (("if_wins", matrix["if_no"]), ("if_loses", matrix["if_yes"])):
        for field in ("payout", "net_pnl"):
            figure = page.locator(f"data[data-field='{shown}.{field}']")
            await expect(figure).to_have_attribute("value", said[field])
    ends = page.locator("event-outcomes .outcome")
    await expect(ends).to_have_count(len(matrix["event"]["outcomes"]))


async def test_executions_that_are_read_later_come_into_the_detail(page, product, sandbox, held):
    sandbox.faults.answers.append(FailedAnswer(500, "json", "/portfolio/fills", times=None))
    await sign_in(page, product)
    await choose(page, held)
    detail = page.locator("position-detail")
    await expect(detail.locator(".fills-note")).to_have_text("No execution is recorded.")

    sandbox.clear_faults()

    await expect(detail.locator(".fills tbody tr").first).to_be_visible(timeout=90_000)


async def test_a_figure_is_explained_by_keyboard(page, product, held):
    await sign_in(page, product)
    await choose(page, held)
    value = await page.locator("position-detail [data-field=exposure]").get_attribute("value")
    button = page.get_by_role("button", name="How “Exposure” comes about")

    await button.focus()
    await page.keyboard.press("Enter")

    text = page.locator(".how-text")
    await expect(text.locator(".how-value")).to_have_text(value)
    await expect(button).to_have_attribute("aria-expanded", "true")
    await page.keyboard.press("Escape")
    await expect(text).to_have_count(0)
    await expect(button).to_be_focused()


async def test_a_note_survives_another_position_and_a_reload(page, product, held, held_no):
    await sign_in(page, product)
    await choose(page, held)
    await write_note(page, "Sell above 70¢.")
    # Not saved yet: it must be, whatever is looked at.
    await choose(page, held_no)
    await expect(note(page)).to_have_value("")
    await choose(page, held)
    await expect(note(page)).to_have_value("Sell above 70¢.")
    await expect(page.locator(".note-state")).to_have_text("Saved.")

    await page.reload()

    await expect(note(page)).to_have_value("Sell above 70¢.")


async def test_a_saved_note_stays_whatever_is_chosen_on_the_page(page, product, held):
    await sign_in(page, product)
    await choose(page, held)
    await write_note(page, "Sell above 70¢.")
    await expect(page.locator(".note-state")).to_have_text("Saved.")

    await page.get_by_role("button", name="Privacy mode").click()
    await expect(page.locator("position-detail [data-field=exposure]")).to_contain_text("•••")

    await expect(note(page)).to_have_value("Sell above 70¢.")


async def test_a_note_written_elsewhere_is_read_before_one_goes_on_writing(page, product, held):
    await sign_in(page, product)
    await choose(page, held)
    await write_note(page, "Sell above 70¢.")
    await expect(page.locator(".note-state")).to_have_text("Saved.")
    await page.get_by_role("button", name="Privacy mode").focus()
    await in_database(lambda: Note.objects.update(text="Sell above 80¢."))
    await page.evaluate(A_WHILE_LATER)
    is_told = asyncio.Event()

    async def hold(route: Route) -> None:
        await is_told.wait()
        await route.continue_()

    await page.route("**/positions/*?account=*", hold)

    await note(page).focus()

    await expect(page.locator(".note-state")).to_have_text("Reading what is saved…")
    await expect(note(page)).not_to_be_editable()
    is_told.set()
    await expect(note(page)).to_have_value("Sell above 80¢.")
    await expect(note(page)).to_be_editable()
    await expect(page.locator(".note-state")).to_have_text("Saved.")


async def test_a_note_written_elsewhere_is_there_when_somebody_comes_back(page, product, held):
    await sign_in(page, product)
    await choose(page, held)
    await write_note(page, "Sell above 70¢.")
    await expect(page.locator(".note-state")).to_have_text("Saved.")
    await in_database(lambda: Note.objects.update(text="Sell above 80¢."))

    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    await expect(note(page)).to_have_value("Sell above 80¢.")


async def test_a_note_that_is_not_saved_stays_and_says_so(page, product, held):
    await sign_in(page, product)
    await choose(page, held)
    refusal = {"error": {"code": "unavailable", "message": "The database rests."}}
    await page.route("**/note?*", lambda route: route.fulfill(status=503, body=json.dumps(refusal)))
    await write_note(page, "Mind the date.")

    state = page.locator(".note-state")
    await expect(state).to_have_text("Not saved: The database rests.")
    await page.unroute("**/note?*")
    await page.locator("position-note").get_by_role("button", name="Try again").click()

    await expect(state).to_have_text("Saved.")
    await expect(note(page)).to_have_value("Mind the date.")


async def test_an_execution_appears_with_its_file(page, product, sandbox, held):
    await sign_in(page, product)
    await choose(page, held)
    # Loaded, so that the new one comes by the stream's word of it.
    await expect(note(page)).to_be_enabled()

    sandbox.fill(held, "yes", Decimal("3.07"), sandbox.exchange.markets[held].tape.quote.yes_ask)

    newest = page.locator("market-records .fills tbody tr").first
    await expect(newest).to_contain_text("Bought 3.07 YES")
    href = await page.locator(".fills-csv").get_attribute("href")
    assert f"ticker={held}" in href
    assert "format=csv" in href


async def choose(page: Page, ticker: str) -> None:
    await page.evaluate("ticker => { location.hash = `#/position/${ticker}`; }", ticker)
    await page.locator("position-detail .code", has_text=ticker).wait_for()


def note(page: Page) -> Locator:
    return page.get_by_label("Your note on this market")


async def write_note(page: Page, text: str) -> None:
    """As a person does: what may be old is read once more before it can be written to."""
    await expect(note(page)).to_be_enabled()
    await note(page).focus()
    await expect(note(page)).to_be_editable()
    await note(page).fill(text)


async def has_ink(page: Page, chart: str) -> bool:
    """Whether the chart's canvas has pixels of more than one colour."""
    return await page.evaluate(
        """chart => {
            const canvas = document.querySelector(`${chart} canvas`);
            if (!canvas || !canvas.width) return false;
            const { width, height } = canvas;
            const pixels = new Uint32Array(
                canvas.getContext("2d").getImageData(0, 0, width, height).data.buffer);
            return new Set(pixels).size > 2;
        }""",
        chart,
    )
