"""
Who may see and do what: every route, asked as everybody, about one person's account.

The table is `docs/who-may-see-what.md`. A route without an example here fails by its name. When the
answers have changed on purpose:

    RENEW=1 .venv/bin/pytest tests/integration/test_who_may.py
"""

import json
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import pytest
from asgiref.sync import sync_to_async
from django.apps import apps
from django.db import connection, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from accounts import sessions
from accounts.encryption import Secret
from accounts.models import Account, AccountKey, Credential, Passkey, Session, User
from config.api import api
from kalshi.orderbook import OrderBook
from kalshi.rows import Rows
from ledger import market_reads
from ledger.market_reads import BookRead
from ledger.models import Note, Transfer
from ledger.selling import FeeTerms
from positions.models import AccountStream, Position, Worker
from streaming.web import admission, views
from tests.integration.accounts.authenticator import Authenticator
from tests.integration.ledger.kept import one_of_each
from tests.integration.ledger.rows import fill, record, record_transfers, settlement, transfer
from tests.integration.streaming import rows
from tests.integration.visitors import (
    ACCOUNT,
    Visitor,
    key_session,
    make_account,
    make_user,
    person_session,
)

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "who-may-see-what.md"
ORIGIN = "http://testserver"
PASSWORD = "correct horse battery"
PRIVATE_KEY = "the private key of it"
CSRF = "a" * 32
NAMED = {"at": "2026-11-01T00:00:00Z", "amount": "1.25", "name": "Interest"}

VIEWERS = [
    "nobody",
    "key of A",
    "key of B",
    "password",
    "passkey",
    "password, long ago",
    "staff",
    "somebody else",
]
PERSON = ["password", "passkey", "password, long ago"]
# Those to whom A is nothing.
FOREIGN = ["nobody", "key of B", "somebody else"]

ABOUT = """\
# Who may see and do what

Every route, asked by everybody. One person owns the accounts A and B, and has a password and a
passkey. *key of A*, *key of B*: a session in which that account's key was shown. *password*,
*passkey*: a session of the person, proved just now, or *long ago*. *staff* and *somebody else* are
others, each with an account of their own, proved just now.

A cell is the status of the answer; then what the answer holds something of, and what the request
has changed: **A**, **B** the accounts, their keys and figures, **P** the person's ways in and other
sessions. What somebody does to their own is no change here. 404 is what is told of things that are
nowhere. Every unsafe request had the CSRF token.

Made by `tests/integration/test_who_may.py`, which fails where it does not fit or a route has no
example, and renewed by `RENEW=1 .venv/bin/pytest tests/integration/test_who_may.py`.
"""


@dataclass(frozen=True)
class Example:
    """
    A request for a route.

    Args:
        shown: what stands in for the route's variables and queries, with names for ids.
        body: JSON for the API; `form` is what a form of the admin sends.
    """

    method: str
    shown: str
    body: object = None
    form: dict | None = None

    @property
    def label(self) -> str:
        sent = self.form or self.body
        return f"`{self.method} /{self.shown}`" + (f" `{json.dumps(sent)}`" if sent else "")


def api_examples() -> dict[str, list[Example]]:
    """By method and route."""
    bad_key = {"environment": "demo", "api_key_id": "some-id", "private_key": "no key"}
    wrong = {"username": "olga", "password": "wrong"}
    new = {"username": "mine", "new_password": "a thief's own password"}
    table: dict[tuple[str, str], list[tuple[str, object]]] = {
        ("POST", "authenticate"): [("", bad_key)],
        ("POST", "login"): [("", wrong)],
        ("POST", "login/passkey/options"): [("", None)],
        ("POST", "login/passkey"): [("", {"id": "x"})],
        ("POST", "recover"): [("", {"token": "guess"})],
        ("POST", "logout"): [
            ("", None),
            ("", {"forget": True}),
            ("", {"everywhere": True}),
        ],
        ("GET", "session"): [("", None)],
        ("GET", "sessions"): [("", None)],
        ("DELETE", "sessions/{uuid:session_id}"): [("sessions/SESSION_OF_THE_PERSON", None)],
        ("GET", "passkeys"): [("", None)],
        ("POST", "passkeys/options"): [("", None)],
        ("POST", "passkeys"): [("", {"name": "Mine", "credential": {}})],
        ("DELETE", "passkeys/{int:passkey_id}"): [("passkeys/PASSKEY", None)],
        ("POST", "password"): [("", new)],
        ("PATCH", "accounts/{int:account_id}"): [
            ("accounts/A", {"name": "Mine"}),
            ("accounts/A", {"is_default": True}),
        ],
        ("DELETE", "accounts/{int:account_id}"): [("accounts/A", None)],
        ("DELETE", "credentials/{int:credential_id}"): [("credentials/KEY_OF_A", None)],
        ("POST", "invitations"): [("", {"staff": True})],
        ("GET", "trades"): _of_each("trades"),
        ("GET", "statistics"): _of_each("statistics"),
        ("GET", "accounts"): [("", None)],
        ("GET", "positions"): _of_each("positions"),
        ("GET", "portfolio"): _of_each("portfolio", several=False),
        ("GET", "positions/{ticker}/candles"): _of_each(
            "positions/TICKER_OF_A/candles", several=False
        ),
        ("GET", "positions/{ticker}/orderbook"): _of_each(
            "positions/TICKER_OF_A/orderbook", several=False
        ),
        ("POST", "refresh"): _of_each("refresh"),
        ("GET", "positions/{ticker}"): [
            ("positions/TICKER_OF_A", None),
            ("positions/TICKER_OF_A?account=A", None),
        ],
        ("PUT", "positions/{ticker}/note"): [
            ("positions/TICKER_OF_A/note", {"text": "Mine"}),
            ("positions/TICKER_OF_A/note?account=A", {"text": "Mine"}),
        ],
        ("GET", "portfolio/explanation"): _of_each("portfolio/explanation", several=False),
        ("GET", "fills"): _of_each("fills"),
        ("GET", "settlements"): _of_each("settlements"),
        ("GET", "transfers"): _of_each("transfers"),
        ("POST", "transfers"): [(f"transfers{query}", NAMED) for query in ("", "?account=A")],
        ("GET", "activity"): [*_of_each("activity"), ("activity?account=A&format=csv", None)],
        ("GET", "equity"): [*_of_each("equity"), ("equity?account=A&format=csv", None)],
        ("GET", "day"): [
            (f"{path}{'&' if '?' in path else '?'}date=2025-06-02", None)
            for path, _ in _of_each("day")
        ],
        ("GET", "days"): [*_of_each("days"), ("days?account=A&format=csv", None)],
        ("GET", "proof"): _of_each("proof"),
    }
    return {
        f"{method} {ACCOUNT.removeprefix('/')}{route}": [
            Example(method, f"{ACCOUNT.removeprefix('/')}{shown or route}", body)
            for shown, body in examples
        ]
        for (method, route), examples in table.items()
    }


def _of_each(route: str, *, several: bool = True) -> list[tuple[str, object]]:
    asked = ["", "?account=A", *(["?account=all"] if several else [])]
    return [(f"{route}{query}", None) for query in asked]


# What the ledger keeps and the admin shows.
KEPT = (
    "balance",
    "connectionchange",
    "equitypoint",
    "fill",
    "hole",
    "marketchange",
    "reconciliation",
    "recordedposition",
    "settlement",
    "transfer",
    "unexplained",
)
# What the admin's pages of one row are about.
OBJECTS = {
    "accounts/user": "OWNER",
    "accounts/account": "A",
    "accounts/credential": "KEY_OF_A",
    "accounts/session": "SESSION_OF_THE_PERSON",
    "positions/market": "MARKET_OF_A",
    "positions/position": "POSITION_OF_A",
    "positions/accountstream": "A",
    "positions/worker": "WORKER_OF_A",
    **{f"ledger/{model}": f"{model.upper()}_OF_A" for model in KEPT},
}
PAGES_OF_A_ROW = ("", "history/", "delete/", "change/")


def _chosen(action: str, name: str) -> dict:
    return {"action": action, "_selected_action": name, "post": "yes"}


def other_examples() -> dict[str, list[Example]]:
    """By method and route: pages, the stream, the probes, the admin."""
    pages = {
        "": ["", "?account=A", "?account=all"],
        "settings": ["settings"],
        "shell": ["shell"],
        "service-worker.js": ["service-worker.js"],
        "manifest.webmanifest": ["manifest.webmanifest"],
        "sse/positions": [f"sse/positions{query}" for query in ("", "?account=A", "?account=all")],
        "api/v1/": ["api/v1/"],
        "api/v1/docs": ["api/v1/docs"],
        "api/v1/openapi.json": ["api/v1/openapi.json"],
        "healthz": ["healthz"],
        "readyz": ["readyz"],
        "metrics": ["metrics"],
        "admin/": ["admin/"],
        "admin/login/": ["admin/login/"],
        "admin/logout/": ["admin/logout/"],
        "admin/password_change/": ["admin/password_change/"],
        "admin/password_change/done/": ["admin/password_change/done/"],
        "admin/autocomplete/": [
            "admin/autocomplete/?app_label=accounts&model_name=account&field_name=owner&term=o"
        ],
        "admin/jsi18n/": ["admin/jsi18n/"],
        "admin/tables/": ["admin/tables/"],
        "admin/r/<path:content_type_id>/<path:object_id>/": ["admin/r/1/A/"],
        "admin/^(?P<app_label>accounts|positions|ledger)/$": ["admin/accounts/"],
        "admin/(?P<url>.*)$": ["admin/nothing/"],
    }
    for model, name in OBJECTS.items():
        pages[f"admin/{model}/"] = [f"admin/{model}/"]
        pages[f"admin/{model}/add/"] = [f"admin/{model}/add/"]
        for page in PAGES_OF_A_ROW:
            pages[f"admin/{model}/<path:object_id>/{page}"] = [f"admin/{model}/{name}/{page}"]
    examples = {
        f"GET {route}": [Example("GET", shown) for shown in shown_all]
        for route, shown_all in pages.items()
    }
    forms = [
        ("admin/logout/", {}),
        ("admin/accounts/user/", _chosen("sign_out", "OWNER")),
        ("admin/accounts/user/", _chosen("deactivate", "OWNER")),
        ("admin/accounts/user/OWNER/delete/", {"post": "yes"}),
        ("admin/accounts/user/OWNER/change/", {"username": "mine", "is_staff": "on"}),
        ("admin/accounts/account/", _chosen("delete_selected", "A")),
        ("admin/accounts/account/A/delete/", {"post": "yes"}),
        ("admin/accounts/credential/", _chosen("delete_selected", "KEY_OF_A")),
        ("admin/accounts/credential/KEY_OF_A/delete/", {"post": "yes"}),
        ("admin/accounts/session/", _chosen("end_sessions", "SESSION_OF_THE_PERSON")),
        ("admin/accounts/session/SESSION_OF_THE_PERSON/delete/", {"post": "yes"}),
        ("admin/positions/accountstream/", _chosen("reconcile_now", "A")),
        ("admin/positions/accountstream/", _chosen("set_aside", "A")),
        ("admin/positions/accountstream/", _chosen("take_back", "A")),
        ("admin/positions/accountstream/", {"action": "forget", "_selected_action": "A"}),
        ("admin/positions/accountstream/", _chosen("forget", "A")),
        ("admin/positions/position/POSITION_OF_A/delete/", {"post": "yes"}),
        ("admin/ledger/fill/FILL_OF_A/delete/", {"post": "yes"}),
    ]
    examples["POST"] = [Example("POST", path, form=form) for path, form in forms]
    return examples


EXAMPLES = api_examples() | other_examples()


# All routes there are


def routes_of_the_api() -> Iterator[str]:
    for prefix, router in api._routers:
        for path, view in router.path_operations.items():
            for operation in view.operations:
                for method in operation.methods:
                    whole = f"api/v1/{prefix.strip('/')}/{path}"
                    yield f"{method} {whole.replace('{uuidstr:', '{uuid:')}"


def other_routes() -> Iterator[str]:
    for route, pattern in _walk(get_resolver().url_patterns):
        if not re.search("PathView", getattr(pattern.callback, "__qualname__", "")):
            yield f"GET {route}"


def _walk(
    patterns: list[URLPattern | URLResolver], before: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        route = f"{before}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        else:
            yield route, pattern


def test_every_route_has_an_example():
    routes = {*routes_of_the_api(), *other_routes()}

    assert routes - EXAMPLES.keys() == set()
    assert EXAMPLES.keys() - routes == {"POST"}


def test_no_operation_of_the_api_is_missed():
    told = {
        (method.upper(), path) for path, calls in api.document["paths"].items() for method in calls
    }
    walked = {tuple(route.split(" ", 1)) for route in routes_of_the_api()}

    assert len(told) == len(walked) >= 22


# The world


@dataclass(frozen=True)
class World:
    """Who is there, and what the names in the examples stand for."""

    # One for all, who are told apart by its cookies: each new one takes 40 ms to load middleware.
    browser: Client
    owner: User
    a: Account
    b: Account
    ids: dict[str, str]
    tokens: dict[str, str | None]
    # What shows that an answer holds something of it.
    signs: dict[str, list[str]]
    secrets: list[str]


@pytest.fixture
def no_log() -> Iterator[None]:
    """A thousand refusals are logged otherwise, many with their tracebacks."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def world(no_log, db, settings, monkeypatch) -> World:
    settings.REGISTRATION = "first"
    monkeypatch.setattr(views, "streaming_of", streaming_of)
    monkeypatch.setattr(market_reads, "READS", EmptyExchange())
    owner = make_user("olga", PASSWORD)
    phone = Authenticator()
    by_password = _by_password()
    _add_passkey(by_password, phone)
    by_passkey = _by_passkey(phone)
    a, b = (_account(owner, name, number) for name, number in (("A", 990001), ("B", 990002)))
    staff = make_account(make_user("ada", PASSWORD, is_staff=True)).owner
    other = make_account(make_user("bob", PASSWORD)).owner
    long_ago, token_of_long_ago = person_session(owner)
    Session.objects.filter(pk=long_ago.pk).update(proved_at=timezone.now() - timedelta(hours=1))
    elsewhere, _ = person_session(owner)
    tokens: dict[str, str | None] = {
        "nobody": None,
        "key of A": key_session(a)[1],
        "key of B": key_session(b)[1],
        "password": by_password.token,
        "passkey": by_passkey.token,
        "password, long ago": token_of_long_ago,
        "staff": person_session(staff)[1],
        "somebody else": person_session(other)[1],
    }
    # Gone for good, so that however long this takes the probe says the same.
    Worker.objects.update(heartbeat_at=timezone.now() - timedelta(hours=1))
    position = Position.objects.get(account=a)
    passkey = Passkey.objects.get()
    ids = {
        "SESSION_OF_THE_PERSON": str(elsewhere.pk),
        "POSITION_OF_A": str(position.pk),
        "MARKET_OF_A": str(position.market_id),
        "WORKER_OF_A": str(AccountStream.objects.get(account=a).worker_id),
        "TICKER_OF_A": "TICKER-OF-A",
        "KEY_OF_A": str(a.credentials.get().pk),
        "PASSKEY": str(passkey.pk),
        **{
            f"{model.upper()}_OF_A": str(
                apps.get_model("ledger", model).objects.filter(account=a).latest("pk").pk
            )
            for model in KEPT
        },
        "OWNER": str(owner.pk),
        "A": str(a.pk),
    }
    return World(
        Client(enforce_csrf_checks=True, raise_request_exception=False),
        owner,
        a,
        b,
        ids,
        tokens,
        signs={
            "A": ["990001", "NAME-OF-A", "TICKER-OF-A", "…-IDA"],
            "B": ["990002", "NAME-OF-B", "TICKER-OF-B", "…-IDB"],
            "P": [str(elsewhere.pk), "PASSKEY-OF-OLGA"],
        },
        secrets=[
            PRIVATE_KEY,
            a.credentials.get().private_key.sealed.decode(),
            User.objects.get(pk=owner.pk).password,
            "key-IDA",
        ],
    )


def _account(owner: User, name: str, number: int) -> Account:
    account = make_account(owner, pk=number, name=f"NAME-OF-{name}")
    key = {"environment": "demo", "api_key_id": f"some-key-ID{name}"}
    Credential.objects.create(
        account=account,
        private_key=Secret.seal(PRIVATE_KEY),
        scopes=["read"],
        checked_at=timezone.now(),
        **key,
    )
    AccountKey.objects.create(account=account, subaccount=0, **key)
    rows.Worker(account.pk).write({f"TICKER-OF-{name}": "0.40"})
    ticker = f"TICKER-OF-{name}"
    happened = [fill(f"fill of {name}", ticker=ticker), settlement(ticker)]
    record(account, happened)
    record_transfers(account, [transfer(f"TRANSFER-TICKER-OF-{name}", "100")])
    one_of_each(account, f"TICKER-OF-{name}")
    return account


def _by_password() -> Visitor:
    visitor = Visitor()
    visitor.post("login", {"username": "olga", "password": PASSWORD})
    return visitor


def _add_passkey(visitor: Visitor, phone: Authenticator) -> None:
    credential = phone.create(visitor.post("passkeys/options").json(), ORIGIN)
    made = visitor.post("passkeys", {"name": "PASSKEY-OF-OLGA", "credential": credential})
    assert made.status_code == 201


def _by_passkey(phone: Authenticator) -> Visitor:
    visitor = Visitor()
    visitor.post("login/passkey", phone.get(visitor.post("login/passkey/options").json(), ORIGIN))
    return visitor


class LookedAtHere:
    """The stream's own admission, in the thread and the transaction of the test."""

    async def look(self, request: HttpRequest, gone: None):
        (looked,) = await sync_to_async(admission._look)([request])
        return looked


class TellsWhatItWouldBring:
    """In the place of the hub: the accounts whose events a stream would have."""

    def stream(self, session, wanted, *, takes_gzip) -> SimpleNamespace:
        return SimpleNamespace(wanted=wanted)

    def events(self, stream, seen) -> list[bytes]:
        shown = [each.pk for each in seen.accounts if stream.wanted in (None, each.pk)]
        return [json.dumps(shown).encode()]


class EmptyExchange:
    """In the place of what is read of the exchange: nobody bids for anything."""

    def book(self, environment, market, by) -> BookRead:
        return BookRead(OrderBook((), ()), timezone.now(), FeeTerms())

    def candles(self, environment, market, **span) -> Rows:
        return Rows([], [])


def streaming_of(request: HttpRequest) -> SimpleNamespace:
    return SimpleNamespace(
        admission=LookedAtHere(),
        hub=TellsWhatItWouldBring(),
        seat=SimpleNamespace(take=lambda session_id: None),
        gone=None,
    )


# Asking


@dataclass(frozen=True)
class Cell:
    status: int
    holds: tuple[str, ...]
    changed: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        said = [str(self.status), *self.holds]
        return " ".join(said) + (f", changes {' '.join(self.changed)}" if self.changed else "")


class Look:
    """
    All that a request may change of A, of B, and of the person, as one query.

    Asked after each of some two thousand requests; query by query it would take longer than they.
    """

    def __init__(self, world: World, viewer: str) -> None:
        selects = {
            "A": _of_account(world.a.pk),
            "B": _of_account(world.b.pk),
            "P": _of_person(world.owner.pk, world.tokens[viewer]),
        }
        # In one order, whatever plan the database finds best by then.
        compiled = [
            each.order_by("pk").query.sql_with_params() for of in selects.values() for each in of
        ]
        rows = ", ".join(f"(SELECT json_agg(r) FROM ({sql}) r)" for sql, _ in compiled)  # noqa: S608  # Django's
        self._query = f"SELECT json_build_array({rows})"
        self._parameters = [value for _, parameters in compiled for value in parameters]
        self._sizes = {name: len(of) for name, of in selects.items()}

    def __call__(self) -> dict[str, list[object]]:
        with connection.cursor() as cursor:
            cursor.execute(self._query, self._parameters)
            seen = iter(cursor.fetchone()[0])
        return {name: list(islice(seen, size)) for name, size in self._sizes.items()}


def _of_account(account_id: int) -> list[QuerySet]:
    return [
        Account.objects.filter(pk=account_id).values("name", "is_chosen", "is_set_aside"),
        Credential.objects.filter(account=account_id).values("pk", "status"),
        Position.objects.filter(account=account_id).values("pk", "quantity"),
        AccountStream.objects.filter(account=account_id).values("pk"),
        Transfer.objects.filter(account=account_id).values("pk"),
        Note.objects.filter(account=account_id).values("ticker", "text"),
        Worker.objects.values("pk"),
    ]


def _of_person(user_id: int, own: str | None) -> list[QuerySet]:
    others = Session.objects.filter(user=user_id, ended_at=None, of="person")
    if own:
        others = others.exclude(pk=_session_id(own))
    return [
        User.objects.filter(pk=user_id).values("username", "password", "is_active", "is_staff"),
        Passkey.objects.filter(user=user_id).values("pk", "name"),
        others.values("pk"),
    ]


def _session_id(token: str) -> str:
    claims = sessions._claims(token)
    assert claims
    return str(claims.session_id)


@contextmanager
def undone() -> Iterator[None]:
    """Whatever happens inside has not happened."""
    point = transaction.savepoint()
    try:
        yield
    finally:
        transaction.set_rollback(False)
        transaction.savepoint_rollback(point)


def ask(
    world: World, viewer: str, example: Example, look: Look, before: dict[str, list[object]]
) -> Cell:
    browser = world.browser
    browser.cookies.clear()
    browser.cookies["csrftoken"] = CSRF
    if token := world.tokens[viewer]:
        browser.cookies[sessions.COOKIE] = token
    path = f"/{_with_ids(example.shown, world.ids)}"
    headers = {"X-CSRFToken": CSRF}
    with undone():
        if example.form is not None:
            form = {
                name: _with_ids(value, world.ids) if name == "_selected_action" else value
                for name, value in example.form.items()
            }
            response = browser.post(path, form, headers=headers)
        elif example.method == "GET":
            response = browser.get(path)
        else:
            body = "" if example.body is None else json.dumps(example.body)
            response = browser.generic(
                example.method, path, body, content_type="application/json", headers=headers
            )
        text = b"".join(response).decode()
        after = look()
    return Cell(
        response.status_code,
        tuple(name for name, signs in world.signs.items() if any(sign in text for sign in signs)),
        tuple(name for name in before if before[name] != after[name]),
        text,
    )


def _with_ids(text: str, ids: dict[str, str]) -> str:
    return re.sub(r"\b(?:[A-Z]+_)*[A-Z]+\b", lambda found: ids.get(found[0], found[0]), text)


def asked(world: World) -> dict[str, dict[str, Cell]]:
    """Each example's answers, by its label and the viewer."""
    looks = {viewer: Look(world, viewer) for viewer in VIEWERS}
    before = {viewer: look() for viewer, look in looks.items()}
    return {
        example.label: {
            viewer: ask(world, viewer, example, looks[viewer], before[viewer]) for viewer in VIEWERS
        }
        for examples in EXAMPLES.values()
        for example in examples
    }


def document_of(table: dict[str, dict[str, Cell]]) -> str:
    lines = [f"| request | {' | '.join(VIEWERS)} |", "|---" * (len(VIEWERS) + 1) + "|"]
    lines += [
        f"| {label} | {' | '.join(str(cells[viewer]) for viewer in VIEWERS)} |"
        for label, cells in table.items()
    ]
    return f"{ABOUT}\n" + "\n".join(lines) + "\n"


OPEN_TO_ALL = {
    "/": 200,
    "/shell": 200,
    "/service-worker.js": 200,
    "/manifest.webmanifest": 200,
    "/api/v1/docs": 200,
    "/api/v1/openapi.json": 200,
    "/healthz": 200,
    "/readyz": 503,  # no worker lives here
    "/metrics": 200,  # all of them ask from this machine
    "/api/v1/account/login/passkey/options": 200,
}


def test_who_may_see_what(world):
    table = asked(world)

    complaints = [
        complaint
        for label, cells in table.items()
        for viewer, cell in cells.items()
        for complaint in against(world, label, viewer, cell)
    ]
    assert complaints == []
    document = document_of(table)
    if os.environ.get("RENEW"):
        DOCUMENT.write_text(document)
    assert DOCUMENT.read_text() == document


def against(world: World, label: str, viewer: str, cell: Cell) -> Iterator[str]:
    """What must never be, whatever the table says."""
    where = f"{label} as {viewer}: {cell}"
    path = re.match(r"`[A-Z]+ ([^?`]*)", label)[1]
    if cell.status >= 500 and path != "/readyz":
        yield f"{where}: a failure of ours"
    if any(secret in cell.text for secret in world.secrets):
        yield f"{where}: tells a secret"
    if viewer in FOREIGN and ("A" in cell.holds or "A" in cell.changed):
        yield f"{where}: of A"
    if viewer in ("nobody", "key of A", "somebody else") and "B" in (*cell.holds, *cell.changed):
        yield f"{where}: of B"
    if viewer not in (*PERSON, "staff") and "P" in (*cell.holds, *cell.changed):
        yield f"{where}: of the person"
    # One of their other sessions they may end, and forget themselves, whenever they are there.
    if (
        viewer == "password, long ago"
        and "P" in cell.changed
        and not re.search("/sessions/|forget", label)
    ):
        yield f"{where}: not proved lately"
    if viewer == "staff" and not path.startswith("/admin/") and (cell.holds or cell.changed):
        yield f"{where}: more than the admin is for"
    if path.startswith("/admin/"):
        yield from against_in_the_admin(where, path, viewer, cell)
    elif viewer == "nobody" and cell.status not in _refused_to_strangers(path):
        yield f"{where}: to a stranger"
    names_it = path != "/" and re.search(r"=A`|/A`|_OF|PASSKEY`", label)
    if viewer == "somebody else" and names_it and cell.status != 404:
        yield f"{where}: as if it were there"


def _refused_to_strangers(path: str) -> set[int]:
    if path in OPEN_TO_ALL:
        return {OPEN_TO_ALL[path]}
    if path == "/settings":
        return {302}
    if path == "/api/v1/":
        return {404}
    if path in ("/api/v1/account/authenticate",):
        return {422}
    return {401}


def against_in_the_admin(where: str, path: str, viewer: str, cell: Cell) -> Iterator[str]:
    if viewer == "nobody":
        if cell.status != (200 if path == "/admin/login/" else 302):
            yield f"{where}: not led to the sign-in"
    elif viewer != "staff" and cell.status != 404:
        yield f"{where}: the admin is there"
    elif "/add/" in path and cell.status == 200:
        yield f"{where}: something can be added"
