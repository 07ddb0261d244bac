"""One position all the way: from a frame of the exchange to a figure on the page."""

from decimal import Decimal

from playwright.async_api import expect

from tests.e2e.visitor import mark, sign_in


async def test_tick_of_the_exchange_moves_the_figure_on_the_page(
    page, product, sandbox, held, complaints
):
    await sign_in(page, product)
    await expect(mark(page, held)).to_be_visible()

    sandbox.set_quote(held, Decimal("0.31"), Decimal("0.33"))

    await expect(mark(page, held)).to_have_attribute("value", "0.31")
    assert complaints == []
