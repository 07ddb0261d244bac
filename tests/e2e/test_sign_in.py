"""
Signing in with a key, a password or a link, and what is refused; a market's title is text,
whatever it holds.
"""

import asyncio
import json
import re
from dataclasses import replace
from datetime import timedelta

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from playwright.async_api import Page, Route, expect

from accounts import one_time_links
from accounts.models import Account, Credential, User
from sandbox.commands import perform
from sandbox.keys import new_ed25519
from tests.e2e.people import in_database, log_in, open_sandbox_settings, settled, sign_out
from tests.e2e.visitor import click_in, sign_in
from tests.waiting import PATIENCE_SECONDS


def another_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


async def fill_in(page: Page, product: str, *, key_id: str, private_key: str) -> None:
    await page.goto(product)
    await page.get_by_label("Environment").select_option("sandbox")
    await page.get_by_label("API key ID").fill(key_id)
    await page.get_by_label("Private key").fill(private_key)
    await page.get_by_role("button", name="Sign in").click()


async def stored_credentials() -> int:
    return await in_database(Credential.objects.count)


async def recovery_token() -> str:
    """Of the one user there is."""
    issued = await in_database(lambda: one_time_links.recovery(User.objects.get()))
    return issued.url.partition("#recover=")[2]


async def test_right_key_opens_the_dashboard(page, product, sandbox, complaints):
    await fill_in(page, product, key_id=sandbox.key_id, private_key=sandbox.private_key)

    await expect(page.locator("position-card")).to_have_count(10)
    assert sandbox.private_key not in await page.content()
    assert complaints == []


async def test_key_that_does_not_belong_to_the_id_is_refused_and_not_stored(page, product, sandbox):
    await fill_in(page, product, key_id=sandbox.key_id, private_key=another_key())

    alert = page.get_by_role("alert")
    await expect(alert).to_contain_text("does not belong to this API key ID")
    assert await stored_credentials() == 0
    # Which of the two is wrong nobody can tell: both are marked, until they are changed.
    key_id, key = page.get_by_label("API key ID"), page.get_by_label("Private key", exact=True)
    await expect(key_id).to_be_focused()
    for field in (key_id, key):
        await expect(field).to_have_attribute("aria-invalid", "true")
        described_by = await field.get_attribute("aria-describedby") or ""
        assert await alert.get_attribute("id") in described_by.split()
    await key_id.press("End")
    await key_id.type("0")
    await expect(key_id).not_to_have_attribute("aria-invalid", "true")
    await expect(key).to_have_attribute("aria-describedby", re.compile("key-advice"))


async def test_text_that_is_no_key_is_blamed_on_its_field(page, product, sandbox):
    await fill_in(page, product, key_id=sandbox.key_id, private_key="not a key at all")

    await expect(page.get_by_label("Private key", exact=True)).to_be_focused()
    await expect(page.get_by_label("API key ID")).not_to_have_attribute("aria-invalid", "true")


async def test_field_keeps_its_advice_after_two_failures(page, product, sandbox):
    key = page.get_by_label("Private key", exact=True)
    await fill_in(page, product, key_id=sandbox.key_id, private_key="not a key at all")
    await expect(key).to_be_focused()
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.locator("#sign-in")).to_be_enabled()
    await expect(key).to_have_attribute("aria-invalid", "true")

    await key.press("End")
    await key.type("!")

    await expect(key).not_to_have_attribute("aria-invalid", "true")
    await expect(key).to_have_attribute("aria-describedby", "key-advice")


async def test_key_that_can_trade_asks_for_the_tick(page, product, sandbox):
    key = new_ed25519()
    sandbox.add_key(key, scopes=("read", "write"))

    await fill_in(page, product, key_id=key.api_key_id, private_key=key.private_key)

    tick = page.get_by_label("Accept a key that can also trade")
    await expect(tick).to_be_focused()
    await expect(tick).to_have_attribute("aria-invalid", "true")
    await tick.press("Space")
    await expect(tick).not_to_have_attribute("aria-invalid", "true")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.locator("position-card")).to_have_count(10)


async def test_what_no_field_is_at_fault_of_is_said_once_and_leads_to_the_button(
    page, product, sandbox
):
    sandbox.begin_maintenance(timedelta(hours=1))

    await fill_in(page, product, key_id=sandbox.key_id, private_key=sandbox.private_key)

    await expect(page.get_by_role("alert")).to_contain_text("in maintenance")
    await expect(page.get_by_role("button", name="Sign in")).to_be_focused()
    await expect(page.locator("[aria-invalid]")).to_have_count(0)
    await expect(page.get_by_text("in maintenance")).to_have_count(1)
    await expect(page.locator("[role=status]")).to_be_empty()


async def test_newcomer_is_told_how_a_key_is_made_where_it_is_chosen(
    page, product, sandbox_environment, settings
):
    # Only named here: nobody asks them.
    settings.KALSHI_ENVIRONMENTS = dict.fromkeys(
        ("production", "demo", "sandbox"), sandbox_environment
    )
    await page.goto(product)
    guide = page.locator(".key-guide")

    await expect(guide.get_by_text("Make a key with the scope “read” alone.")).to_be_visible()
    await expect(guide.get_by_text("deletes it here")).to_be_visible()
    at_kalshi = guide.get_by_role("link", name="kalshi.com")
    await expect(at_kalshi).to_have_attribute("href", "https://kalshi.com/account/profile")
    await expect(at_kalshi).to_have_attribute("rel", "noopener")
    await page.get_by_label("Environment").select_option("demo")
    await expect(guide.get_by_role("link")).to_have_text(["demo.kalshi.co (new tab)"])
    await page.get_by_label("Environment").select_option("sandbox")
    await expect(guide.get_by_role("link")).to_have_count(0)
    await expect(guide.get_by_text("The sandbox has a key of its own")).to_be_visible()


async def test_who_has_been_in_is_not_told_again_unless_they_ask(page, product):
    await click_in(page, product)
    await page.get_by_role("button", name="Account").click()
    await page.get_by_role("button", name="Sign out", exact=True).click()

    told = page.get_by_text("deletes it here")
    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    await expect(told).to_be_hidden()
    await page.get_by_text("How to make a key, and what is kept of it").click()
    await expect(told).to_be_visible()


async def test_no_click_is_taken_before_a_script_answers_it(page, product):
    may_come = asyncio.Event()

    async def come_late(route: Route) -> None:
        await may_come.wait()
        await route.continue_()

    await page.route("**/js/sign_in*.js", come_late)
    await page.goto(product, wait_until="commit")
    await expect(page.locator("main[inert]")).to_be_visible()

    clicking = asyncio.create_task(page.get_by_role("button", name="Open the sandbox").click())
    may_come.set()

    await clicking
    await expect(page.locator("[data-connection=live]")).to_be_visible()


async def test_text_that_is_no_key_is_refused_without_being_repeated(page, product, sandbox):
    await fill_in(page, product, key_id=sandbox.key_id, private_key="not a key at all")

    alert = page.get_by_role("alert")
    await expect(alert).to_contain_text("key")
    await expect(alert).not_to_contain_text("not a key at all")
    assert await stored_credentials() == 0


async def test_without_session_or_csrf_token_nothing_is_told_or_done(product):
    async with httpx.AsyncClient(base_url=product, timeout=PATIENCE_SECONDS) as stranger:
        stream = await stranger.get("/sse/positions")
        positions = await stranger.get("/api/v1/account/positions")
        sign_in_without_token = await stranger.post(
            "/api/v1/account/authenticate", json={"environment": "sandbox"}
        )

    assert (stream.status_code, positions.status_code) == (401, 401)
    assert sign_in_without_token.status_code == 403
    assert await stored_credentials() == 0


async def test_title_with_markup_is_shown_as_text(page, product, sandbox, held, complaints):
    markup = '<img src=x onerror="document.title=1"><b>bold</b>'
    events = sandbox.exchange.events
    event_ticker = sandbox.exchange.markets[held].event_ticker
    events[event_ticker] = replace(events[event_ticker], title=markup)

    await sign_in(page, product)

    card = page.locator(f"position-card[data-ticker='{held}']")
    await expect(card).to_contain_text(markup)
    await expect(card.locator("img, b")).to_have_count(0)
    assert complaints == []


async def test_signing_out_ends_the_stream_and_shows_the_sign_in(page, product):
    await sign_in(page, product)

    await page.get_by_role("button", name="Account").click()
    await page.get_by_role("button", name="Sign out", exact=True).click()

    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()


async def test_wrong_password_is_told_with_what_else_to_do(page, product):
    await page.goto(product)

    await log_in(page, password="not this one")

    alert = page.get_by_role("alert")
    await expect(alert).to_contain_text("do not belong together")
    await expect(alert).to_contain_text("sign in another way")
    await expect(page.get_by_label("Password")).to_be_focused()


async def test_after_ten_wrong_passwords_the_page_says_how_long_to_wait(page, product):
    await page.goto(product)
    for _ in range(10):
        await log_in(page, password="not this one")
        await expect(page.get_by_role("button", name="Continue with password")).to_be_enabled()
        await expect(page.get_by_role("alert")).to_be_visible()

    await log_in(page, password="not this one")

    await expect(page.get_by_role("alert")).to_contain_text("Too many failed tries")
    await expect(page.get_by_role("alert")).to_contain_text("10 min")
    await expect(page.get_by_role("button", name="Continue with password")).to_be_focused()


async def test_recovery_link_serves_once_and_asks_for_a_new_way_in(page, product, complaints):
    await open_sandbox_settings(page, product)
    await sign_out(page)
    token = await recovery_token()

    await page.goto(f"{product}/#recover={token}")

    await expect(page.get_by_text("You are in by a link that serves once.")).to_be_visible()
    await settled(page)
    assert page.url == f"{product}/settings#ways-in"
    await sign_out(page)
    assert complaints == []
    await page.goto("about:blank")
    await page.goto(f"{product}/#recover={token}")
    await expect(page.get_by_role("alert")).to_contain_text("This link was used already")
    assert token not in page.url


async def test_recovery_link_serves_who_is_signed_in_by_a_key(page, product):
    await open_sandbox_settings(page, product)
    token = await recovery_token()

    await page.goto(f"{product}/#recover={token}")

    await expect(page.get_by_text("You are in by a link that serves once.")).to_be_visible()
    await settled(page)
    assert page.url == f"{product}/settings#ways-in"
    await expect(page.locator("#session-list")).to_contain_text("By password, passkey or link")


async def test_recovery_link_of_somebody_else_ends_the_dashboards_of_who_was_in(page, product):
    await sign_in(page, product)
    other = await in_database(lambda: User.objects.create(username="bob"))
    issued = await in_database(lambda: one_time_links.recovery(other))
    settings = await page.context.new_page()

    await settings.goto(f"{product}/settings#recover={issued.url.partition('#recover=')[2]}")

    await expect(settings.get_by_text("You are in by a link that serves once.")).to_be_visible()
    # From the server anew, and not by and by with the figures of the one among the other's.
    await page.wait_for_url(f"{product}/?reason=signed_out")
    await expect(page.get_by_text("You have no account here yet")).to_be_visible()


async def test_place_to_go_on_to_is_one_of_ours(page, product):
    await page.goto(f"{product}/?reason=sign_in_again&next=%2F%2Fexample.com%2Fsettings")
    await expect(page.get_by_text("Confirm that it is you.")).to_be_visible()

    await page.get_by_role("button", name="Open the sandbox").click()

    await expect(page.locator("[data-connection=live]")).to_be_visible()
    assert page.url == f"{product}/"


async def test_sandbox_opens_again_after_its_key_was_revoked(page, product, sandbox, tmp_path):
    def write_down():
        key = {"api_key_id": sandbox.key_id, "private_key": sandbox.private_key}
        (tmp_path / "credentials.json").write_text(json.dumps(key))

    sandbox.key_keeper = write_down
    await click_in(page, product)

    await perform(sandbox, {"do": "revoke_key"})
    await expect(page.locator("[data-connection=unauthorized]")).to_be_visible()
    await page.get_by_role("button", name="Account").click()
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await page.get_by_role("button", name="Open the sandbox").click()

    await expect(page.locator("[data-connection=live]")).to_be_visible()
    await expect(page.locator("position-card")).to_have_count(10)
    assert await in_database(Account.objects.count) == 1


async def test_sandbox_that_does_not_open_says_what_to_do_at_its_button(page, product, sandbox):
    sandbox.begin_maintenance(timedelta(hours=1))
    await page.goto(product)
    button = page.get_by_role("button", name="Open the sandbox")

    await button.click()

    await expect(page.get_by_role("alert")).to_have_id("sandbox-failure")
    await expect(page.get_by_role("alert")).to_contain_text("start the sandbox anew")
    await expect(button).to_be_focused()
