"""Passkeys in a real Chromium, with its virtual authenticator."""

import pytest
from playwright.async_api import expect

from accounts.models import Passkey
from tests.e2e.people import (
    NAME,
    PASSWORD,
    at_localhost,
    in_database,
    let_time_pass_since_proved,
    open_sandbox_settings,
    plug_in_authenticator,
    set_password,
    sign_out,
)


@pytest.fixture
async def authenticator(page):
    return await plug_in_authenticator(page)


@pytest.fixture
async def owner(page, product, authenticator):
    """In the settings by the sandbox's click, with a passkey just made."""
    await open_sandbox_settings(page, at_localhost(product))
    await page.get_by_role("button", name="Make a passkey").click()
    await expect(page.locator(".saying")).to_contain_text("is made")
    return page


@pytest.fixture
async def person(owner):
    """The same, in by the passkey."""
    # From now on a session of a key is told no more of it than that it is there.
    await expect(owner.locator("#passkey-state")).to_contain_text("You have 1.")
    await owner.get_by_role("button", name="Confirm that it is you").click()
    await owner.get_by_role("button", name="Use a passkey").click()
    await expect(owner.locator(".saying")).to_have_text("Confirmed.")
    await expect(owner.locator("#passkeys li")).to_have_count(1)
    return owner


async def test_passkey_lets_its_owner_back_in(owner, complaints):
    await sign_out(owner)

    await owner.get_by_role("button", name="Continue with a passkey").click()

    await expect(owner.locator("[data-connection=live]")).to_be_visible()
    await owner.goto(owner.url + "settings")
    await expect(owner.locator("#passkeys")).to_contain_text("used just now")
    assert complaints == []


async def test_passkey_is_named_after_the_browser_unless_named_otherwise(page, product):
    await plug_in_authenticator(page)
    await open_sandbox_settings(page, at_localhost(product))
    name = page.get_by_label("Name of a new passkey")
    await expect(name).to_have_value("Chrome on Linux")

    await name.fill("the red one")
    await page.get_by_role("button", name="Make a passkey").click()

    await expect(page.locator(".saying")).to_contain_text("“the red one” is made")
    assert (await in_database(Passkey.objects.get)).name == "the red one"


async def test_one_device_keeps_one_passkey(person):
    await person.get_by_role("button", name="Make a passkey").click()

    await expect(person.get_by_role("alert")).to_contain_text("already keeps a passkey")
    await expect(person.locator("#passkeys li")).to_have_count(1)


async def test_who_does_not_go_through_with_it_is_told_quietly(page, product, authenticator):
    await open_sandbox_settings(page, at_localhost(product))
    await authenticator.stop_verifying()

    await page.get_by_role("button", name="Make a passkey").click()

    await expect(page.locator(".saying")).to_contain_text("No passkey was used")
    await expect(page.get_by_role("alert")).to_have_count(0)
    assert await in_database(Passkey.objects.count) == 0


async def test_passkey_that_was_deleted_opens_nothing_and_the_page_says_so(owner):
    await sign_out(owner)
    await in_database(Passkey.objects.all().delete)

    await owner.get_by_role("button", name="Continue with a passkey").click()

    await expect(owner.get_by_role("alert")).to_contain_text("This passkey opens nothing here")
    await expect(owner.get_by_role("button", name="Sign in", exact=True)).to_be_enabled()


async def test_who_was_proved_long_ago_confirms_by_passkey_and_the_deed_is_done(person):
    await let_time_pass_since_proved()

    await person.get_by_role("button", name="Delete the passkey").click()
    await person.get_by_role("button", name="Delete the passkey", exact=True).click()
    confirmation = person.get_by_role("dialog", name="Confirm that it is you")
    await expect(confirmation.get_by_label("Password")).to_be_hidden()
    await confirmation.get_by_role("button", name="Use a passkey").click()

    await expect(person.locator(".saying")).to_contain_text("is deleted")
    await expect(person.locator("#passkeys li")).to_have_count(0)
    assert await in_database(Passkey.objects.count) == 0


async def test_password_is_set_beside_a_passkey(owner):
    form = owner.locator("#password-form")
    await form.get_by_label("Username").fill(NAME)
    await form.get_by_label("New password").fill(PASSWORD)

    # In a session of a key: there is a way in now, so a key is not enough any more.
    await form.get_by_role("button", name="Set the password").click()
    await owner.get_by_role("button", name="Use a passkey").click()

    await expect(owner.locator("#password-state")).to_have_text(f"You sign in as “{NAME}”.")


async def test_passkey_of_another_host_is_marked_here_and_at_the_sign_in(person):
    await in_database(lambda: Passkey.objects.update(relying_party="old.example"))

    await person.reload()

    await expect(person.locator("#passkeys")).to_contain_text("Doesn’t work at this address")
    await sign_out(person)
    await expect(person.get_by_text("Passkeys made when this server had another")).to_be_visible()


async def test_at_an_address_the_page_names_the_place_where_passkeys_work(page, product):
    home = at_localhost(product)
    await page.goto(product)
    await expect(page.get_by_role("link", name=home)).to_have_attribute("href", home)
    await expect(page.get_by_role("button", name="Continue with a passkey")).to_have_count(0)

    await open_sandbox_settings(page, product)

    link = page.locator("#ways-in").get_by_role("link", name=home)
    await expect(link).to_have_attribute("href", f"{home}/settings#ways-in")
    await expect(page.get_by_role("button", name="Make a passkey")).to_have_count(0)
    await set_password(page)


async def test_browser_without_passkeys_is_told_so(page, product):
    await page.add_init_script("delete globalThis.PublicKeyCredential")

    await page.goto(at_localhost(product))

    await expect(page.get_by_text("too old for passkeys")).to_be_visible()
    await open_sandbox_settings(page, at_localhost(product))
    await expect(page.get_by_text("too old for passkeys")).to_be_visible()
