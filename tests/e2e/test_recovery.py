"""Whatever dies and comes back, the open page is right again by itself."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from playwright.async_api import Page, expect

from tests.e2e.visitor import mark, sign_in
from tests.processes import Process, listens
from tests.waiting import START_SECONDS, until

# Five seconds are promised once the part is back; the rest is for the tests beside this one.
RECOVERY_MS = 20_000


@pytest.fixture
def worker(one_click, start_process) -> Iterator[Process]:
    process = start_process("run_kalshi_stream")
    yield process
    assert process.stop() == 0


@pytest.fixture
def web(one_click, start_process, port) -> Iterator[Process]:
    process = start_process("serve", "--port", str(port))
    yield process
    assert process.stop() == 0


@pytest.fixture
async def live_page(page: Page, worker, web, port) -> Page:
    await until(lambda: "worker started" in worker.said, seconds=START_SECONDS)
    await until(lambda: listens(port), seconds=START_SECONDS)
    await sign_in(page, f"http://127.0.0.1:{port}")
    return page


async def test_page_is_right_again_after_the_worker_was_killed(live_page, sandbox, held, worker):
    worker.kill()
    await expect(live_page.locator("[data-connection=reconnecting]")).to_be_visible(
        timeout=RECOVERY_MS
    )
    sandbox.set_quote(held, Decimal("0.21"), Decimal("0.24"))
    await expect(live_page.locator("equity-chart:not([data-state=loading])")).to_be_visible()

    # The past that was drawn may be another by now.
    asks_for_its_past = live_page.expect_request(
        lambda request: "/equity?" in request.url, timeout=START_SECONDS * 1000
    )
    async with asks_for_its_past:
        worker.start()
        await until(lambda: worker.said.count("worker started") == 2, seconds=START_SECONDS)

    await expect(mark(live_page, held)).to_have_attribute("value", "0.21", timeout=RECOVERY_MS)
    await expect(live_page.locator("[data-connection=live]")).to_be_visible(timeout=RECOVERY_MS)


async def test_page_is_right_again_after_the_web_server_was_killed(
    live_page, sandbox, held, web, port
):
    web.kill()
    sandbox.set_quote(held, Decimal("0.22"), Decimal("0.24"))

    web.start()
    await until(lambda: listens(port), seconds=START_SECONDS)

    await expect(mark(live_page, held)).to_have_attribute("value", "0.22", timeout=RECOVERY_MS)
    await expect(live_page.locator("[data-connection=live]")).to_be_visible(timeout=RECOVERY_MS)


async def test_page_is_right_again_after_the_exchange_cut_the_socket(live_page, sandbox, held):
    sandbox.drop_connections()
    sandbox.set_quote(held, Decimal("0.23"), Decimal("0.24"))

    await expect(mark(live_page, held)).to_have_attribute("value", "0.23", timeout=RECOVERY_MS)
    await expect(live_page.locator("[data-connection=live]")).to_be_visible(timeout=RECOVERY_MS)
