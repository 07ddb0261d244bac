"""What the page says is true: small sums, dashes, results, endings, the exchange's own value."""

import re
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from playwright.async_api import Locator, Page, expect

from sandbox.commands import perform
from sandbox.server import Sandbox, running_exchange
from tests.e2e.visitor import sign_in

GAME = {
    "do": "list_event",
    "event": "KXSMALL-1",
    "series": "KXSMALL",
    "title": "Who wins the small game?",
    "outcomes": "HOME:0.55,AWAY:0.43",
    "closes_in": 7200,
}


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """Among fifty still positions there is one in a market that was never quoted."""
    async with running_exchange(positions=50, updates_per_minute=0) as exchange:
        yield exchange


def card(page: Page, ticker: str) -> Locator:
    return page.locator(f"position-card[data-ticker='{ticker}']")


def figure(root: Page | Locator, field: str) -> Locator:
    return root.locator(f"data[data-field={field}]")


async def test_loss_of_a_fraction_of_a_cent_is_a_loss_by_sign_arrow_and_colour(
    page, product, sandbox
):
    await perform(sandbox, GAME)
    await sign_in(page, product)
    ticker = "KXSMALL-1-HOME"

    sandbox.fill(ticker, "yes", Decimal("0.01"), Decimal("0.55"))
    sandbox.set_quote(ticker, Decimal("0.25"), Decimal("0.27"))
    # Of so little value it is far down the list.
    await page.get_by_label("Find positions").fill(ticker)

    pnl = figure(card(page, ticker), "unrealized_pnl")
    await expect(pnl).to_have_attribute("value", "-0.003")  # 0.01 * (0.25 - 0.55)
    await expect(pnl).to_have_text("▼ −$0.003")
    await expect(pnl).to_have_attribute("data-sign", "loss")
    await expect(card(page, ticker)).to_have_attribute("data-sign", "loss")


async def test_dash_says_why_until_there_is_a_figure(page, product, sandbox, complaints):
    await sign_in(page, product)
    unpriced = page.locator("position-card:has(data[data-field=mark][value=''])")
    ticker = await unpriced.first.get_attribute("data-ticker")
    value = figure(card(page, ticker), "market_value")

    await expect(value).to_have_text("—")
    await expect(value).to_have_attribute("title", re.compile("^There is no price: nobody bids"))
    # What is out of sight has no name that could be asked for.
    await card(page, ticker).evaluate("node => node.scrollIntoView()")
    await expect(value).to_have_accessible_name(re.compile("^Unknown. There is no price"))
    sandbox.set_quote(ticker, Decimal("0.25"), Decimal("0.27"))

    await expect(value).to_contain_text("$")
    for attribute in ("title", "role", "aria-label"):
        await expect(value).not_to_have_attribute(attribute, re.compile(".*"))
    assert complaints == []


async def test_exchanges_own_value_stands_beside_ours_with_the_difference(page, product):
    await sign_in(page, product)
    summary = page.locator("portfolio-summary-bar")
    await expect(summary.locator(".exchange-difference")).to_be_hidden()

    await summary.get_by_text("More figures").click()

    # The sandbox takes the last trade where we take the bid.
    values = []
    for field in ("positions_value", "exchange_portfolio_value"):
        shown = figure(summary, field)
        await expect(shown).to_have_attribute("value", re.compile(r"\d"))
        values.append(Decimal(await shown.get_attribute("value")))
    ours, theirs = values
    word = "more" if ours > theirs else "less"
    await expect(summary.locator(".exchange-difference")).to_contain_text(
        f"ours ${ours:,.2f}, the exchange’s ${theirs:,.2f}, "
        f"so ours is ${abs(ours - theirs):,.2f} {word}."
    )


async def test_result_that_can_still_change_is_not_called_settled(page, product, sandbox, held):
    await sign_in(page, product)

    sandbox.close(held)
    sandbox.determine(held, Decimal(1))
    await expect(card(page, held)).to_contain_text("not final")
    sandbox.dispute(held)
    # Nothing tells of it but the next reading.
    await page.locator("position-panel").get_by_role("button", name="Refresh").click()
    await expect(card(page, held)).to_contain_text("disputed")
    sandbox.amend(held, Decimal(0))
    await expect(card(page, held)).to_contain_text("amended")

    await expect(figure(card(page, held), "mark")).to_have_attribute("value", "0")


async def test_what_was_sold_is_said_as_sold(page, product, sandbox, held):
    await sign_in(page, product)
    position = sandbox.account.portfolios[0].positions[held]
    quote = sandbox.exchange.markets[held].tape.quote

    sandbox.fill(held, "no", position.quantity, quote.yes_bid)

    told = re.compile(r"^Sold: .+ Realized .*\$[\d.,]+ before fees\.$")
    await expect(page.locator("closing-notices p")).to_have_text(told)


async def test_numbers_and_dates_follow_the_browsers_language_and_name_the_zone(
    product, new_context
):
    page = await (await new_context(locale="de-DE", timezone_id="Europe/Berlin")).new_page()
    await sign_in(page, product)
    summary = page.locator("portfolio-summary-bar")

    await expect(figure(summary, "total_value")).to_have_text(re.compile(r"^\$[\d.]+,\d\d$"))
    await expect(figure(summary, "reconciled_at")).to_have_text(
        re.compile(r"^\d+\. \S+ \d{4}, \d\d:\d\d:\d\d (MEZ|MESZ|GMT\+[12])$")
    )
