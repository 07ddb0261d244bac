import json
import logging
from collections.abc import Iterator

import pytest
from django.utils import timezone

from accounts import sign_in_log
from accounts.encryption import Secret
from accounts.models import Account, Credential
from tests.integration.accounts.exchange import Exchange
from tests.integration.visitors import ACCOUNT, make_account


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    exchange = Exchange()
    yield exchange
    exchange.close()


@pytest.fixture(autouse=True)
def product(settings, exchange):
    settings.KALSHI_ENVIRONMENTS = {
        name: exchange.environment(name) for name in ("production", "demo")
    }
    # Who may register is a question of its own: tests/integration/accounts/test_registration.py.
    settings.REGISTRATION = "open"


@pytest.fixture(autouse=True)
def log_that_has_told_nothing(monkeypatch):
    monkeypatch.setattr(sign_in_log, "_repeatable", sign_in_log.FirstOfItsKind(600, 1000))


def make_credential(account: Account | None = None, **fields) -> Credential:
    account = account or make_account()
    return Credential.objects.create(
        account=account,
        **{
            "environment": account.environment,
            "api_key_id": "00000000-0000-0000-0000-00000000aaaa",
            "private_key": Secret.seal("a private key"),
            "scopes": ["read"],
            "checked_at": timezone.now(),
        }
        | fields,
    )


@pytest.fixture
def everything_logged(caplog) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


def told(caplog) -> list[tuple[str, str, str, str]]:
    """What the log says of sign-ins that failed: message, address, by, code."""
    return [
        (record.message, record.address, record.by, record.code)
        for record in caplog.records
        if record.name == "accounts.sign_in_log"
    ]


def error_of(response):
    return response.status_code, response.json()["error"]["code"]


async def sign_in_async(browser, key):
    await browser.get(f"{ACCOUNT}session")
    return await browser.post(
        f"{ACCOUNT}authenticate",
        json.dumps({"environment": "demo", **vars(key)}),
        content_type="application/json",
        headers={"X-CSRFToken": browser.cookies["csrftoken"].value},
    )
