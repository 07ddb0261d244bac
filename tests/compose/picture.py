"""
A picture of the dashboard, after a click on the sandbox.

    python picture.py CHROMIUM ADDRESS FILE
"""

import asyncio
import sys

from playwright.async_api import async_playwright, expect


async def main(chromium: str, address: str, path: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
        await page.goto(address)
        await page.get_by_role("button", name="Open the sandbox").click()
        await expect(page.locator("[data-connection=live]")).to_be_visible()
        await page.screenshot(path=path)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
