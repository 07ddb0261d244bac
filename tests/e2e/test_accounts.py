"""Several accounts of one person in one page."""

import asyncio
from decimal import Decimal

import pytest
from playwright.async_api import Page, expect

from accounts import forgetting
from accounts.models import Account
from kalshi.environments import Environment
from sandbox import keys
from sandbox.account import Account as Member
from sandbox.keys import Credentials
from sandbox.server import Sandbox
from tests.e2e.people import (
    in_database,
    log_in,
    open_sandbox_settings,
    set_password,
    settled,
    show_key,
    sign_out,
)
from tests.e2e.visitor import sign_in


@pytest.fixture
def second_member(sandbox: Sandbox) -> tuple[Member, Credentials]:
    """Somebody's second account on the exchange, which holds one market of the first's too."""
    member = sandbox.open_account({0: Decimal(500)})
    shared = min(sandbox.account.portfolios[0].positions)
    now = sandbox.market_clock.now()
    sandbox.exchange.hold(member, shared, "yes", Decimal(7), Decimal("0.30"), now)
    key = keys.new_ed25519()
    sandbox.add_key(key, account=member)
    return member, key


@pytest.fixture
async def both(page: Page, product: str, second_member) -> Page:
    """The dashboard of a person with two accounts, all of them looked at."""
    await open_sandbox_settings(page, product)
    await show_key(page, second_member[1], "Add the account")
    await expect(page.locator("#account-list > li")).to_have_count(2)
    await page.goto(product)
    await page.get_by_label("Account", exact=True).select_option("All accounts")
    await expect(page.locator("position-card")).to_have_count(11)
    return page


@pytest.fixture
def demo_too(sandbox_environment: Environment, settings) -> None:
    """The same exchange under a second environment's name."""
    demo = Environment("demo", sandbox_environment.api_base, sandbox_environment.ws_url)
    settings.KALSHI_ENVIRONMENTS = {"sandbox": sandbox_environment, "demo": demo}


def cards_of(page: Page, account_id: int):
    return page.locator(f"position-card[data-account='{account_id}']")


async def ids() -> list[int]:
    return await in_database(
        lambda: list(Account.objects.order_by("pk").values_list("pk", flat=True))
    )


async def test_one_account_alone_has_nothing_to_choose(page, product):
    await sign_in(page, product)

    await expect(page.locator("account-switcher")).to_be_hidden()
    await expect(page.locator("portfolio-summary-bar")).to_have_count(1)
    await expect(page.locator(".summary-of")).to_be_hidden()


async def test_both_are_seen_at_once_with_the_sum_that_the_server_made(both, sandbox, complaints):
    first, second = await ids()

    await expect(cards_of(both, first)).to_have_count(10)
    await expect(cards_of(both, second)).to_have_count(1)
    await expect(cards_of(both, second)).to_contain_text("Sandbox 2")
    await expect(both.locator(".summary-of")).to_have_text("Sandbox · 2 accounts")
    cash = (
        sandbox.account.portfolios[0].cash
        + sandbox.exchange.accounts[
            next(each for each in sandbox.exchange.accounts if each != sandbox.account.user_id)
        ]
        .portfolios[0]
        .cash
    )
    await expect(both.locator(".sums data[data-field=cash]")).to_have_attribute(
        "value", f"{cash.normalize():f}"
    )
    assert complaints == []


async def test_position_of_each_is_shown_in_full_although_the_market_is_one(both):
    _, second = await ids()

    await cards_of(both, second).get_by_role("link").click()

    detail = both.locator("position-detail")
    await expect(detail.locator("[data-field=quantity]")).to_have_attribute("value", "7")
    await expect(detail.locator("[data-text=account]")).to_have_text("Sandbox 2")


async def test_who_looks_at_another_account_leaves_the_position_that_was_chosen(both, sandbox):
    _, second = await ids()
    await cards_of(both, second).get_by_role("link").click()

    await both.get_by_label("Account", exact=True).select_option("Sandbox 1")

    await expect(both.locator("position-card")).to_have_count(10)
    await expect(both.get_by_text("This position is no longer open")).to_be_hidden()
    await expect(both.locator("position-detail [data-text=account]")).to_be_hidden()


async def test_who_looks_at_another_account_leaves_what_was_sold_of_the_first(
    both, sandbox, second_member
):
    first, second = await ids()
    await cards_of(both, second).get_by_role("link").click()
    member, _ = second_member
    (ticker,) = member.portfolios[0].positions
    sandbox.fill(ticker, "no", Decimal(7), Decimal("0.50"), account=member)
    await expect(both.locator("position-detail[data-state=ended]")).to_be_visible()

    await both.get_by_label("Account", exact=True).select_option("Sandbox 1")

    await expect(cards_of(both, first)).to_have_count(10)
    await expect(both.locator("position-detail[data-state=ended]")).to_have_count(0)


async def test_link_to_a_position_leads_to_it_whatever_was_looked_at(both, product, second_member):
    first, second = await ids()
    member, _ = second_member
    (ticker,) = member.portfolios[0].positions
    await both.get_by_label("Account", exact=True).select_option("Sandbox 1")
    await expect(both.locator("position-card")).to_have_count(10)

    await both.evaluate("address => { location.hash = address; }", f"#/position/{ticker}/{second}")

    detail = both.locator("position-detail")
    await expect(detail.locator("[data-text=account]")).to_have_text("Sandbox 2")
    await expect(detail.locator("[data-field=quantity]")).to_have_attribute("value", "7")
    await expect(cards_of(both, first)).to_have_count(10)


async def test_link_to_a_position_that_comes_later_leads_to_it_then(
    both, product, sandbox, second_member
):
    _, second = await ids()
    member, _ = second_member
    ticker = max(sandbox.account.portfolios[0].positions)
    await both.get_by_label("Account", exact=True).select_option("Sandbox 1")
    await expect(both.locator("position-card")).to_have_count(10)
    await both.evaluate("address => { location.hash = address; }", f"#/position/{ticker}/{second}")
    await expect(both.get_by_text("This position is no longer open")).to_be_visible()

    sandbox.fill(ticker, "yes", Decimal(3), Decimal("0.5"), account=member)

    detail = both.locator("position-detail")
    await expect(detail.locator("[data-text=account]")).to_have_text("Sandbox 2")
    await expect(detail.locator("[data-field=quantity]")).to_have_attribute("value", "3")


async def test_closing_leads_to_no_other_account_that_holds_the_market(
    both, sandbox, second_member
):
    member, _ = second_member
    (ticker,) = member.portfolios[0].positions
    chosen = both.get_by_label("Account", exact=True)
    await chosen.select_option("Sandbox 2")
    await expect(both.locator("position-card")).to_have_count(1)
    await both.evaluate("address => { location.hash = address; }", f"#/position/{ticker}")
    detail = both.locator("position-detail")
    await expect(detail).to_have_attribute("data-state", "position")

    sandbox.fill(ticker, "no", Decimal(7), Decimal("0.5"), account=member)

    await expect(detail).to_have_attribute("data-state", "ended")
    await both.get_by_role("button", name="Dismiss").first.click()
    await expect(both.locator("position-card")).to_have_count(0)
    await expect(detail).to_have_attribute("data-state", "closed")
    await expect(chosen.locator("option:checked")).to_have_text("Sandbox 2")


async def test_environments_are_never_added_up(page, demo_too, product, second_member):
    await open_sandbox_settings(page, product)
    await page.get_by_label("Environment").select_option("demo")
    await page.get_by_label("API key ID").fill(second_member[1].api_key_id)
    await page.get_by_label("Private key").fill(second_member[1].private_key)
    await page.get_by_role("button", name="Add the account", exact=True).click()
    await expect(page.locator("#account-list > li")).to_have_count(2)
    await page.goto(product)

    await page.get_by_label("Account", exact=True).select_option("All accounts")

    await expect(page.locator(".summary-of")).to_have_text(["Sandbox", "Demo"])
    await expect(page.locator(".badge")).to_have_text(["SANDBOX", "DEMO"])
    cash = page.locator(".sums data[data-field=cash]")
    await expect(cash.nth(1)).to_have_attribute(
        "value", f"{second_member[0].portfolios[0].cash.normalize():f}"
    )
    await expect(page.locator("connection-state")).to_have_text("Live")


async def test_one_is_chosen_and_stays_chosen(both, product):
    _, second = await ids()

    await both.get_by_label("Account", exact=True).select_option("Sandbox 2")
    await expect(both.locator("position-card")).to_have_count(1)
    await expect(both.locator(".summary-of")).to_be_hidden()
    await both.reload()

    await expect(both.locator("position-card")).to_have_count(1)
    await expect(cards_of(both, second)).not_to_contain_text("Sandbox 2")


async def test_trouble_of_one_is_said_on_it_and_the_other_stays_live(both, sandbox, second_member):
    _, key = second_member
    _, second = await ids()

    sandbox.revoke_key(key.api_key_id)

    notice = both.locator(f"connection-notice[data-account='{second}']")
    await expect(notice).to_contain_text("Sandbox 2")
    await expect(notice).to_contain_text("refuses the stored key")
    # On a machine that stands still for seconds the other has one too, for a moment.
    await expect(both.locator("connection-notice:visible")).to_have_count(1)
    await expect(both.locator("connection-state")).to_contain_text("1 of 2 live")
    ticker = max(sandbox.account.portfolios[0].positions)
    sandbox.set_quote(ticker, Decimal("0.31"), Decimal("0.32"))
    await expect(
        both.locator(f"position-card[data-ticker='{ticker}'] data[data-field=mark]")
    ).to_have_attribute("value", "0.31" if await is_yes(sandbox, ticker) else "0.68")
    await notice.get_by_role("button", name="Sign in again").click()
    await expect(both.get_by_role("heading", name="Add an account")).to_be_visible()


async def is_yes(sandbox: Sandbox, ticker: str) -> bool:
    return sandbox.account.portfolios[0].positions[ticker].quantity > 0


async def test_account_that_comes_and_goes_needs_no_reload(both, sandbox):
    first, second = await ids()

    await in_database(
        lambda: forgetting.forget_accounts(Account.objects.get(pk=first).owner, [second])
    )

    await expect(both.locator("position-card")).to_have_count(10)
    await expect(both.locator("account-switcher")).to_be_hidden()
    await expect(both.locator(".summary-of")).to_be_hidden()


async def test_account_that_goes_while_the_page_is_away_is_gone_when_it_is_back(both):
    first, second = await ids()
    # As when the page is kept for the back button.
    await both.evaluate("() => dispatchEvent(new Event('pagehide'))")
    await in_database(
        lambda: forgetting.forget_accounts(Account.objects.get(pk=first).owner, [second])
    )

    await both.evaluate(
        "() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"
    )

    await expect(both.locator("position-card")).to_have_count(10)
    await expect(both.locator("account-switcher")).to_be_hidden()


async def test_without_any_account_the_page_says_so_and_none_is_disconnected(page, product):
    await open_sandbox_settings(page, product)
    await set_password(page)
    await sign_out(page)
    await page.goto(product)
    await log_in(page)
    await expect(page.locator("position-card")).to_have_count(10)
    (only,) = await ids()

    await in_database(
        lambda: forgetting.forget_accounts(Account.objects.get(pk=only).owner, [only])
    )

    await expect(page.get_by_text("You have no account here yet")).to_be_visible()
    await expect(page.locator("portfolio-summary-bar")).to_be_hidden()
    await expect(page.locator("connection-state")).to_be_hidden()
    await page.get_by_role("link", name="Add one").click()
    await settled(page)


async def test_account_added_in_another_tab_is_offered(page, product, second_member):
    await sign_in(page, product)
    other = await page.context.new_page()
    await other.goto(f"{product}/settings")

    await show_key(other, second_member[1], "Add the account")

    choice = page.get_by_label("Account", exact=True)
    await expect(choice).to_be_visible()
    await choice.select_option("All accounts")
    await expect(page.locator("position-card")).to_have_count(11)


async def test_forgetting_names_the_accounts_that_the_session_sees_by_now(both):
    await both.get_by_role("button", name="Account").click()

    await both.get_by_role("button", name="Sign out and forget").click()

    dialog = both.get_by_role("dialog", name="Sign out and forget?")
    await expect(dialog).to_contain_text("Sandbox 1, Sandbox 2: the keys and the figures kept here")
    await dialog.get_by_role("button", name="Cancel").click()
    await expect(both.locator("position-card")).to_have_count(11)


async def test_forgetting_says_that_it_takes_a_while(page, product):
    await sign_in(page, product)
    is_done = asyncio.Event()

    async def hold(route):
        await is_done.wait()
        await route.continue_()

    await page.route("**/api/v1/account/logout", hold)
    await page.get_by_role("button", name="Account").click()
    await page.get_by_role("button", name="Sign out and forget").click()
    dialog = page.get_by_role("dialog", name="Sign out and forget?")
    await dialog.get_by_role("button", name="Sign out and forget").click()

    await expect(dialog.get_by_role("button", name="Deleting…")).to_be_disabled()
    is_done.set()

    await expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    assert not await in_database(Account.objects.exists)


async def test_who_has_no_way_in_is_told_once(page, product):
    await sign_in(page, product)
    hint = page.get_by_text("Without a password or passkey")
    await expect(hint).to_be_visible()

    await page.get_by_role("button", name="No, thanks").click()
    await expect(hint).to_be_hidden()
    await page.reload()

    await expect(page.locator("[data-connection=live]")).to_be_visible()
    await expect(hint).to_be_hidden()
