"""Who comes to the product over HTTP, and the accounts that are theirs."""

import json

from django.test import Client, RequestFactory

from accounts import sessions
from accounts.devices import Device
from accounts.models import Account, Session, User
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

    def put(self, path: str, body: object):
        return self._send(self.browser.put, path, body)

    def patch(self, path: str, body: object):
        return self._send(self.browser.patch, path, body)

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


def make_user(username: str | None = None, password: str | None = None, **fields) -> User:
    """Somebody; who has no password has no name either."""
    user = User(username=username, **fields)
    user.set_password(password)
    user.save()
    return user


def make_account(owner: User | None = None, **fields) -> Account:
    """An account of somebody else than all others, unless whose it is is said."""
    environment = fields.get("environment", "demo")
    return Account.objects.create(
        owner=owner or make_user(),
        **{"environment": environment, "name": environment, "subaccount": 0} | fields,
    )


def key_session(account: Account, session: Session | None = None) -> tuple[Session, str]:
    """A session in which the account's newest key was shown, if one is stored, and its token."""
    credential = account.credentials.newest_first().first()
    return sessions.show_key(account, credential=credential, session=session, device=Device())


def person_session(user: User) -> tuple[Session, str]:
    """A session of the person, just proved, and its token."""
    return sessions.prove(user, Device())


def visitor_with(token: str) -> Visitor:
    """Somebody whose browser has this session's cookie."""
    visitor = Visitor()
    visitor.browser.cookies[sessions.COOKIE] = token
    return visitor


def session_of(token: str) -> Session | None:
    """The session that a browser with this cookie has."""
    request = RequestFactory().get("/")
    request.COOKIES[sessions.COOKIE] = token
    return sessions.of_request(request)
