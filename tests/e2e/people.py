"""What people do about themselves: sign in at the settings, passkeys, passwords."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from django.utils import timezone
from playwright.async_api import CDPSession, Locator, Page, expect

from accounts.models import Session
from postgres.threads import DatabaseThread
from sandbox.keys import Credentials
from tests.e2e.visitor import let_in

NAME = "alice"
PASSWORD = "an orchard in late October"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Chromium's virtual one, plugged into a page: it does what it is asked without a touch."""

    session: CDPSession
    id: str

    async def stop_verifying(self) -> None:
        """As if the person were not the one it knows, or walked away."""
        await self.session.send(
            "WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": False}
        )


async def plug_in_authenticator(page: Page) -> Authenticator:
    session = await page.context.new_cdp_session(page)
    await session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    added = await session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return Authenticator(session, added["authenticatorId"])


def at_localhost(product: str) -> str:
    """The same server by its name: browsers have no passkeys for addresses."""
    return product.replace("127.0.0.1", "localhost")


async def open_sandbox_settings(page: Page, home: str) -> None:
    """Be let in, and land in the settings."""
    await let_in(page, home)
    await page.goto(f"{home}/settings")
    await settled(page)


async def settled(page: Page) -> None:
    """The settings know all that they show."""
    await expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    await expect(page.locator("main[aria-busy]")).to_have_count(0)


async def set_password(page: Page, *, name: str = NAME, password: str = PASSWORD) -> None:
    form = page.locator("#password-form")
    await form.get_by_label("Username").fill(name)
    await form.get_by_label("New password").fill(password)
    await form.locator("[type=submit]").click()
    await expect(page.locator(".saying")).to_contain_text("Saved")


async def log_in(page: Page, *, name: str = NAME, password: str = PASSWORD) -> None:
    """At the sign-in page, with a name and a password."""
    await takes_input(page)
    await page.get_by_label("Username").fill(name)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Continue with password").click()


async def show_key(page: Page, key: Credentials, button: str) -> None:
    """Fill in the form for a key, on either page."""
    await page.get_by_label("Environment").select_option("sandbox")
    await page.get_by_label("API key ID").fill(key.api_key_id)
    await page.get_by_label("Private key").fill(key.private_key)
    await page.get_by_role("button", name=button, exact=True).click()


async def takes_input(page: Page) -> None:
    """Wait for the scripts of a page that another one led to: what is typed before is lost."""
    await expect(page.locator("main:not([inert])")).to_be_visible()


async def sign_out(page: Page) -> None:
    """From the settings."""
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await expect(page.get_by_text("You are signed out.")).to_be_visible()
    await takes_input(page)


def account(page: Page, name: str) -> Locator:
    """An account's row in the settings."""
    heading = page.get_by_role("heading", name=name, exact=True)
    return page.locator("#account-list > li").filter(has=heading)


async def in_database(function: Callable[[], T]) -> T:
    thread = DatabaseThread()
    try:
        return await thread.run(function)
    finally:
        await thread.close()


async def let_time_pass_since_proved() -> None:
    """An hour, for every session of a person."""
    proved = Session.objects.filter(of=Session.Of.PERSON)
    await in_database(lambda: proved.update(proved_at=timezone.now() - timedelta(hours=1)))
