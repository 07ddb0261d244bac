"""What a person does at the page."""

from playwright.async_api import Locator, Page, expect


async def sign_in(page: Page, product: str) -> None:
    """Open the sandbox with one click, and wait until its figures are live."""
    await page.goto(product)
    await page.get_by_role("button", name="Open the sandbox").click()
    await expect(page.locator("[data-connection=live]")).to_be_visible()


def mark(page: Page, ticker: str) -> Locator:
    """The mark on a position's card."""
    return page.locator(f"position-card[data-ticker='{ticker}'] data[data-field=mark]")
