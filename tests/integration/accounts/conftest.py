import json
import logging
from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.encryption import Secret
from accounts.models import Account, Credential
from tests.integration.accounts.exchange import Exchange, Key

ACCOUNT = "/api/v1/account/"


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


class Visitor:
    """Someone at a browser of their own, whose page sends the CSRF token as it must."""

    def __init__(self) -> None:
        self.browser = Client(enforce_csrf_checks=True)

    def get(self, path: str):
        return self.browser.get(ACCOUNT + path)

    def post(self, path: str, body: object = None, **request):
        return self._send(self.browser.post, path, body, **request)

    def delete(self, path: str):
        return self._send(self.browser.delete, path, None)

    def sign_in(self, key: Key, *, environment: str = "demo", **fields):
        body = {
            "environment": environment,
            "api_key_id": key.api_key_id,
            "private_key": key.private_key,
        }
        return self.post("authenticate", body | fields)

    @property
    def token(self) -> str:
        return self.browser.cookies["session"].value

    def _send(self, method, path: str, body: object, **request):
        self.get("session")
        headers = {"X-CSRFToken": self.browser.cookies["csrftoken"].value}
        content = "" if body is None else json.dumps(body)
        return method(
            ACCOUNT + path, content, content_type="application/json", headers=headers, **request
        )


@pytest.fixture
def alice() -> Visitor:
    return Visitor()


@pytest.fixture
def charlie() -> Visitor:
    return Visitor()


@pytest.fixture
def own_connection() -> Iterator[psycopg.Connection]:
    """A session of the database beside Django's, in autocommit."""
    parameters = connection.get_connection_params()
    del parameters["cursor_factory"]  # Django's is for its own connections
    with psycopg.connect(**parameters, autocommit=True) as own_connection:
        yield own_connection


@pytest.fixture
def announced(own_connection) -> Callable[[], list[tuple[str, str]]]:
    """What was announced on the accounts' channels since the last call, in order."""
    for channel in ("credentials_changed", "session_ended", "marker"):
        own_connection.execute(f"LISTEN {channel}")

    def heard() -> list[tuple[str, str]]:
        # Announcements arrive in the order of their commits, so the marker comes last.
        own_connection.execute("NOTIFY marker")
        heard = []
        for announcement in own_connection.notifies(timeout=5):
            if announcement.channel == "marker":
                break
            heard.append((announcement.channel, announcement.payload))
        return heard

    return heard


def make_account(**fields) -> Account:
    return Account.objects.create(**{"environment": "demo", "subaccount": 0} | fields)


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
