"""What a browser asks for at first: every module once, all at once, and compressed."""

import asyncio
import functools
import re
from decimal import Decimal
from urllib.parse import urlsplit

from playwright.async_api import Response, expect

from tests.e2e.visitor import mark, sign_in
from tests.waiting import PATIENCE_SECONDS, until


def path_of(response: Response) -> str:
    return urlsplit(response.url).path


def is_module(path: str) -> bool:
    # The chart's library comes when a chart is to be drawn, and not before.
    return path.endswith(".js") and "/theme." not in path and "/uplot/" not in path


async def test_every_module_is_named_ahead_and_comes_once_and_compressed(
    page, product, held, complaints
):
    await sign_in(page, product)
    # Until the first load is over, what comes is of that one.
    async with asyncio.timeout(PATIENCE_SECONDS):
        await page.evaluate("() => customElements.whenDefined('position-detail').then(() => true)")
    came: list[Response] = []
    page.on("response", lambda each: came.append(each))

    await page.reload()
    await expect(mark(page, held)).to_be_visible()

    # The saved theme's script is none: it must run before the first paint.
    modules = [path_of(each) for each in came if is_module(path_of(each))]
    # The worker's is one more, which asks for itself.
    links = page.locator("link[rel=modulepreload]:not([id])")
    named = await links.evaluate_all("links => links.map((link) => new URL(link.href).pathname)")
    entry = await page.locator("#entry").get_attribute("src")
    worker = await page.locator("#stream-worker").get_attribute("href")
    early = await page.locator("script[async]").get_attribute("src")
    later = set(modules) - {*named, entry, worker, early}
    assert {*named, entry} <= set(modules)
    # What shows one position comes after the first figures, and nothing else does.
    assert all(re.search(r"/(elements|charts|detail)/", each) for each in later)
    assert len(modules) == len({*modules})
    scripts = [each for each in came if path_of(each) in modules]
    assert {await each.header_value("content-encoding") for each in scripts} == {"gzip"}
    assert complaints == []


async def test_detail_that_could_not_be_loaded_is_said_and_loaded_again(page, product):
    parts = "**/elements/detail_elements*"
    await page.route(parts, lambda route: route.abort())
    await sign_in(page, product)
    failure = page.get_by_text("The detail and the charts could not be loaded.")
    await expect(failure).to_be_visible()

    await page.unroute(parts)

    await page.evaluate("() => customElements.whenDefined('position-detail').then(() => true)")
    await expect(failure).to_be_hidden()


READ_STREAM = """async () => {
  const response = await fetch("/sse/positions?account=all");
  window.told = "";
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const read = ({ value, done }) => {
    if (done) return;
    window.told += value;
    reader.read().then(read, () => {});
  };
  reader.read().then(read);
  return response.headers.get("content-encoding");
}"""


async def test_each_event_of_a_compressed_stream_is_seen_as_it_comes(page, product, sandbox, held):
    await sign_in(page, product)
    await expect(mark(page, held)).to_be_visible()

    encoding = await page.evaluate(READ_STREAM)
    # By questions: what waits within the page makes programs of text, which its policy forbids.
    await until(lambda: page.evaluate("() => window.told.includes('event: snapshot')"))
    # Each waits for the one before: none is held back until the next pushes it out.
    for cents in range(31, 36):
        bid = Decimal(cents) / 100
        sandbox.set_quote(held, bid, bid + Decimal("0.02"))
        wanted = f'"yes_bid":"{bid}"'
        await until(functools.partial(page.evaluate, "bid => window.told.includes(bid)", wanted))

    assert encoding == "gzip"
