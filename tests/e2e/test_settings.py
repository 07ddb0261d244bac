"""The settings: ways in, accounts and keys, sessions, invitations, forgetting."""

import re

import pytest
from playwright.async_api import expect

from accounts import one_time_links
from accounts.models import Account, Credential, OneTimeLink, Session, User
from sandbox.keys import new_ed25519
from tests.e2e.people import (
    PASSWORD,
    account,
    in_database,
    let_time_pass_since_proved,
    log_in,
    open_sandbox_settings,
    set_password,
    settled,
    show_key,
    sign_out,
)


@pytest.fixture
async def owner(page, product):
    """In the settings, in by the sandbox's click."""
    await open_sandbox_settings(page, product)
    return page


@pytest.fixture
async def person(owner):
    """With a password, and in by it."""
    await set_password(owner)
    await sign_out(owner)
    await owner.goto(f"{owner.url}&next=%2Fsettings")
    await log_in(owner)
    await settled(owner)
    return owner


@pytest.fixture
def second_key(sandbox):
    """Of another account on the exchange."""
    key = new_ed25519()
    sandbox.add_key(key, account=sandbox.open_account())
    return key


async def sessions_alive() -> int:
    return await in_database(Session.objects.filter(ended_at=None).count)


# Ways in


async def test_password_lets_its_owner_back_in(owner, product, complaints):
    await expect(owner.get_by_text("You have no password and no passkey yet")).to_be_visible()
    await set_password(owner)
    await expect(owner.get_by_text("You have no password and no passkey yet")).to_be_hidden()
    await sign_out(owner)

    await log_in(owner)

    await expect(owner.locator("[data-connection=live]")).to_be_visible()
    assert complaints == []


async def test_password_that_is_too_easy_is_refused_with_each_reason(owner):
    form = owner.locator("#password-form")
    await form.get_by_label("Username").fill("alice")
    await form.get_by_label("New password").fill("123")
    await form.get_by_role("button", name="Set the password").click()

    alert = owner.get_by_role("alert")
    await expect(alert).to_contain_text("too short")
    await expect(alert).to_contain_text("too common")
    await expect(alert).to_contain_text("entirely numeric")
    await expect(form.get_by_label("New password")).to_be_focused()
    await expect(form.get_by_label("New password")).to_have_attribute("aria-invalid", "true")
    # So that it can be mended rather than typed anew.
    await expect(form.get_by_label("New password")).to_have_value("123")


async def test_name_of_somebody_else_is_refused(owner):
    await in_database(lambda: User.objects.create(username="alice"))

    form = owner.locator("#password-form")
    await form.get_by_label("Username").fill("Alice")
    await form.get_by_label("New password").fill(PASSWORD)
    await form.get_by_role("button", name="Set the password").click()

    await expect(owner.get_by_role("alert")).to_contain_text("Somebody else has this name")
    await expect(form.get_by_label("Username")).to_be_focused()
    await expect(form.get_by_label("Username")).to_have_attribute("aria-invalid", "true")


async def test_new_password_can_be_read_while_it_is_typed(owner):
    password = owner.get_by_label("New password")
    await expect(password).to_have_attribute("type", "password")

    await owner.get_by_label("Show it").check()

    await expect(password).to_have_attribute("type", "text")


# Confirm that it is you


async def test_who_was_proved_long_ago_confirms_by_password_and_the_deed_is_done(person):
    await let_time_pass_since_proved()

    await person.locator("#new-username").fill("alice2")
    await person.locator("#new-password").fill("another orchard in May")
    await person.get_by_role("button", name="Change name and password").click()
    dialog = person.get_by_role("dialog", name="Confirm that it is you")
    await dialog.get_by_label("Password").fill("wrong")
    await dialog.get_by_role("button", name="Confirm", exact=True).click()
    await expect(dialog.get_by_role("alert")).to_contain_text("do not belong together")
    await dialog.get_by_label("Password").fill(PASSWORD)
    await dialog.get_by_role("button", name="Confirm", exact=True).click()

    await expect(person.locator("#password-state")).to_have_text("You sign in as “alice2”.")
    await expect(dialog).to_be_hidden()


async def test_who_does_not_confirm_changes_nothing(person):
    await let_time_pass_since_proved()

    await person.get_by_role("button", name="Sign out everywhere").click()
    await person.get_by_role("dialog").get_by_role("button", name="Cancel").click()

    await expect(person.locator(".saying")).to_contain_text("Nothing is changed")
    await expect(person.get_by_role("alert")).to_have_count(0)
    assert await sessions_alive() == 1


async def test_session_of_a_key_sees_all_once_the_person_confirms(person, second_key):
    await show_key(person, second_key, "Add the account")
    await expect(person.locator("#account-list > li")).to_have_count(2)
    await sign_out(person)
    await open_sandbox_settings(person, person.url.partition("/?")[0])
    await expect(person.locator("#account-list > li")).to_have_count(1)
    await expect(person.locator("#session-list > li")).to_have_count(1)

    await person.get_by_role("button", name="Confirm that it is you").click()
    await person.get_by_role("dialog").get_by_label("Password").fill(PASSWORD)
    await person.get_by_role("button", name="Confirm", exact=True).click()

    await expect(person.locator("#account-list > li")).to_have_count(2)
    await expect(person.locator("#of-a-key")).to_be_hidden()


async def test_who_has_no_way_in_reads_what_to_do(owner, second_key, product, browser):
    await show_key(owner, second_key, "Add the account")
    await expect(owner.locator("#account-list > li")).to_have_count(2)
    await sign_out(owner)

    await open_sandbox_settings(owner, product)
    await owner.locator("#new-username").fill("alice")
    await owner.locator("#new-password").fill(PASSWORD)
    await owner.get_by_role("button", name="Set the password").click()

    await expect(owner.get_by_role("alert")).to_contain_text("Show a key of each of your accounts")


# Accounts and keys


async def test_account_is_added_named_made_the_default_and_forgotten(owner, second_key, complaints):
    await show_key(owner, second_key, "Add the account")
    rows = owner.locator("#account-list > li")
    await expect(rows).to_have_count(2)
    await expect(owner.get_by_label("Private key")).to_have_value("")

    # The newest is the last; it is where the focus is.
    await expect(rows.nth(1).get_by_role("button", name="Rename")).to_be_focused()
    await owner.keyboard.press("Enter")
    await owner.keyboard.type("Savings")
    await owner.keyboard.press("Enter")
    await expect(account(owner, "Savings")).to_have_count(1)
    await expect(owner.get_by_role("button", name="Rename “Savings”")).to_be_focused()

    await account(owner, "Savings").get_by_role("button", name="Make default").click()
    await expect(account(owner, "Savings").get_by_text("Default", exact=True)).to_be_visible()
    await expect(account(owner, "Sandbox").get_by_text("Default", exact=True)).to_be_hidden()

    await account(owner, "Sandbox").get_by_role("button", name="Forget").click()
    question = owner.get_by_role("dialog", name="Forget “Sandbox”?")
    await expect(question).to_contain_text("all figures kept for it are deleted")
    await question.get_by_role("button", name="Forget the account").click()
    await expect(rows).to_have_count(1)
    names = await in_database(lambda: list(Account.objects.values_list("name", flat=True)))
    assert names == ["Savings"]
    assert complaints == []


async def test_name_is_kept_by_escape(owner):
    await owner.get_by_role("button", name="Rename “Sandbox”").click()
    await owner.keyboard.type("something else")

    await owner.keyboard.press("Escape")

    await expect(owner.get_by_role("heading", name="Sandbox", exact=True)).to_be_visible()
    await expect(owner.get_by_role("button", name="Rename “Sandbox”")).to_be_focused()


async def test_second_key_of_an_account_stands_beside_the_first(owner, sandbox):
    trading = new_ed25519()
    sandbox.add_key(trading, scopes=("read", "write"))

    await show_key(owner, trading, "Add the account")
    await expect(owner.get_by_role("alert")).to_contain_text("tick the box below the key")
    await owner.get_by_label("Accept a key that can also trade").check()
    await owner.get_by_role("button", name="Add the account").click()

    row = account(owner, "Sandbox")
    await expect(row.locator(".keys li")).to_have_count(2)
    await expect(row).to_contain_text("can only read")
    await expect(row).to_contain_text("can also trade")


async def test_deleted_key_leaves_the_account_which_says_so(owner):
    await owner.get_by_role("button", name="Delete… the key").click()
    await owner.get_by_role("button", name="Delete the key", exact=True).click()

    await expect(account(owner, "Sandbox")).to_contain_text("No key is stored")
    assert await in_database(Credential.objects.count) == 0
    assert await in_database(Account.objects.count) == 1


async def test_key_that_is_refused_is_told_where_it_was_typed(owner, second_key):
    stranger = new_ed25519()

    await show_key(owner, stranger, "Add the account")

    await expect(owner.locator("#key-form").get_by_role("alert")).to_be_visible()
    await expect(owner.get_by_label("API key ID")).to_be_focused()
    await expect(owner.locator("#account-list > li")).to_have_count(1)


# Sessions


async def test_session_that_is_ended_leaves_its_page(person, new_context, product):
    context = await new_context()
    other = await context.new_page()
    await other.goto(product)
    await log_in(other)
    await expect(other.locator("[data-connection=live]")).to_be_visible()
    await person.reload()
    await expect(person.locator("#session-list > li")).to_have_count(2)

    await person.get_by_role("button", name="End the session of Chrome").click()

    await expect(other.get_by_text("Your session has ended.")).to_be_visible()
    await expect(person.locator("#session-list > li")).to_have_count(1)


async def test_signed_out_everywhere_nobody_is_left(person, new_context, product):
    context = await new_context()
    other = await context.new_page()
    await other.goto(product)
    await log_in(other)
    await expect(other.locator("[data-connection=live]")).to_be_visible()

    await person.get_by_role("button", name="Sign out everywhere").click()

    await expect(person.get_by_text("You are signed out.")).to_be_visible()
    assert await sessions_alive() == 0


async def test_signing_out_in_the_settings_takes_the_dashboards_along(person, product):
    dashboard = await person.context.new_page()
    await dashboard.goto(product)
    await expect(dashboard.locator("[data-connection=live]")).to_be_visible()
    await person.bring_to_front()

    await sign_out(person)

    # Not by being refused, which would say that a session has ended.
    await expect(dashboard.get_by_text("You are signed out.")).to_be_visible()


async def test_a_link_to_a_part_moves_the_focus_there(owner, product):
    await owner.goto(f"{product}/settings#sessions")
    await owner.reload()

    await expect(owner.locator("#sessions")).to_be_focused()


async def test_session_that_ran_out_leads_to_the_sign_in_and_back(person):
    await in_database(Session.objects.all().delete)

    await person.get_by_role("button", name="Sign out everywhere").click()
    await expect(person.get_by_text("Your session has ended.")).to_be_visible()
    await log_in(person)

    await settled(person)


async def test_without_a_session_the_settings_are_reached_by_the_sign_in(page, product):
    await page.goto(f"{product}/settings")
    await expect(page.get_by_text("Your session has ended.")).to_be_visible()

    await page.get_by_role("button", name="Open the sandbox").click()

    await settled(page)
    assert page.url == f"{product}/settings"


# Invitations and links


async def test_staff_invite_somebody_who_then_signs_in_with_a_key(
    owner, new_context, second_key, complaints
):
    await owner.get_by_role("button", name="Make an invitation link").click()
    link = owner.get_by_label("The link, which is shown this once")
    await expect(link).to_have_value(re.compile(r"/\?invitation=\S+$"))
    url = await link.input_value()
    await owner.get_by_role("button", name="Copy the link").click()
    await expect(owner.locator(".saying")).to_have_text("Copied.")

    context = await new_context()
    invited = await context.new_page()
    await invited.goto(url)
    await expect(invited.get_by_text("You are invited: sign in with your key")).to_be_visible()
    assert "invitation" not in invited.url
    await show_key(invited, second_key, "Sign in")

    await expect(invited.locator("[data-connection=live]")).to_be_visible()
    unused = OneTimeLink.objects.filter(used_at=None)
    assert await in_database(unused.count) == 0
    assert await in_database(User.objects.filter(is_guest=False).count) == 1
    assert complaints == []


async def test_guest_of_the_sandbox_finds_the_invitation_in_the_form(owner, product):
    issued = await in_database(lambda: one_time_links.invite(is_staff=False, origin=product))

    await owner.goto(issued.url)

    token = issued.url.partition("=")[2]
    await expect(owner.get_by_label("Invitation link")).to_have_value(token)
    assert owner.url == f"{product}/settings#add-account"


async def test_who_is_not_of_the_staff_is_offered_no_invitations(owner, product):
    await in_database(lambda: User.objects.update(is_staff=False))

    await owner.reload()

    await settled(owner)
    await expect(owner.get_by_role("heading", name="People")).to_have_count(0)


# Forgetting


async def test_everything_is_forgotten_after_a_question(person):
    await person.get_by_role("button", name="Forget everything…").click()
    question = person.get_by_role("dialog", name="Forget everything?")
    await expect(question).to_contain_text("name, password and passkeys")
    await question.get_by_role("button", name="Forget everything").click()

    await expect(person.get_by_text("It is deleted here, and you are signed out.")).to_be_visible()
    assert await in_database(User.objects.count) == 0
    assert await in_database(Account.objects.count) == 0


async def test_question_answered_with_escape_forgets_nothing(person):
    await person.get_by_role("button", name="Forget everything…").click()

    await person.keyboard.press("Escape")

    await expect(person.get_by_role("dialog")).to_have_count(0)
    assert await in_database(Account.objects.count) == 1


# For everybody


@pytest.mark.parametrize("path", ["/?next=%2Fsettings", "/settings"])
async def test_everything_on_the_page_has_a_name_and_one_id(owner, product, path):
    if path.startswith("/?"):
        await sign_out(owner)
    await owner.goto(product + path)
    await expect(owner.get_by_label("API key ID")).to_be_visible()

    nameless = await owner.evaluate(
        """() => [...document.querySelectorAll("input, select, textarea, button")]
            .filter((each) => !each.labels?.length && !each.ariaLabel && !each.textContent.trim())
            .map((each) => each.outerHTML)"""
    )
    repeated = await owner.evaluate(
        """() => [...document.querySelectorAll("[id]")].map((each) => each.id)
            .filter((id, index, ids) => ids.indexOf(id) !== index)"""
    )

    # The dialog's button gets its words with its question, the template's with its row.
    assert [html for html in nameless if 'value="yes"' not in html] == []
    assert repeated == []
