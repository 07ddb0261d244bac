"""What a person does at the page."""

from playwright.async_api import Locator, Page, expect


async def sign_in(page: Page, product: str) -> None:
    """Be let in, open the page, and wait until its figures are live."""
    await let_in(page, product)
    await page.goto(product)
    await expect(page.locator("[data-connection=live]")).to_be_visible()


async def let_in(page: Page, product: str) -> None:
    """The session that “Open the sandbox” gives, without the page that it is on."""
    api = page.context.request
    await (await api.get(product)).dispose()
    cookies = {each["name"]: each["value"] for each in await page.context.cookies(product)}
    answer = await api.post(
        f"{product}/api/v1/account/authenticate",
        data={"environment": "sandbox"},
        headers={"X-CSRFToken": cookies["csrftoken"]},
    )
    assert answer.ok, await answer.text()


async def click_in(page: Page, product: str) -> None:
    """Open the sandbox with one click, and wait until its figures are live."""
    await page.goto(product)
    await page.get_by_role("button", name="Open the sandbox").click()
    await expect(page.locator("[data-connection=live]")).to_be_visible()


def mark(page: Page, ticker: str) -> Locator:
    """The mark on a position's card."""
    return page.locator(f"position-card[data-ticker='{ticker}'] data[data-field=mark]")
