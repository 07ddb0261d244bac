"""Who comes to the product over HTTP, and the accounts that are theirs."""

import json

from django.test import Client, RequestFactory

from accounts import sessions
from accounts.models import Account, Session
from tests.integration.accounts.exchange import Key

ACCOUNT = "/api/v1/account/"


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


def make_account(**fields) -> Account:
    return Account.objects.create(**{"environment": "demo", "subaccount": 0} | fields)


def session_of(token: str) -> Session | None:
    """The session that a browser with this cookie has."""
    request = RequestFactory().get("/")
    request.COOKIES[sessions.COOKIE] = token
    return sessions.of_request(request)
