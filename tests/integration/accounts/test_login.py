"""Signing in with a name and a password over HTTP: alike for all who fail, and ten tries in all."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, closing
from datetime import timedelta

import httpx
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import sign_in_load
from accounts.models import Passkey, Session, SignInTry, User
from accounts.turns import Turns
from tests.hashers import CountingHasher
from tests.integration.accounts.conftest import error_of
from tests.integration.visitors import (
    ACCOUNT,
    Visitor,
    key_session,
    make_account,
    make_user,
    person_session,
    session_of,
    visitor_with,
)
from tests.processes import Process, listens
from tests.waiting import START_SECONDS, until

pytestmark = pytest.mark.django_db

RIGHT = "correct horse battery"
AT_ONCE = 40


@pytest.fixture
def ada(db) -> User:
    return make_user("ada", RIGHT)


def login(visitor: Visitor, username="ada", password=RIGHT, **request):
    return visitor.post("login", {"username": username, "password": password}, **request)


# Good


def test_name_and_password_sign_the_person_in(alice, ada):
    response = login(alice)

    session = session_of(alice.token)
    assert response.status_code == 200
    assert response.json() == {
        "user_id": ada.pk,
        "expires_at": session.expires_at.isoformat().replace("+00:00", "Z"),
    }
    assert (session.user, session.of) == (ada, "person")
    assert (timezone.now() - session.proved_at).total_seconds() < 60
    assert not SignInTry.objects.exists()


def test_cookie_is_out_of_reach_of_scripts_and_other_sites(alice, ada):
    cookie = login(alice).cookies["session"]

    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert cookie["max-age"] == 24 * 60 * 60


def test_login_replaces_the_csrf_token(alice, ada):
    alice.get("session")
    planted = alice.browser.cookies["csrftoken"].value

    login(alice)

    with_planted = alice.browser.post(f"{ACCOUNT}logout", headers={"X-CSRFToken": planted})
    assert error_of(with_planted) == (403, "csrf_failed")


@pytest.mark.parametrize("whose", ["one's own", "somebody else's"])
@pytest.mark.parametrize("of", ["key", "person"])
def test_login_ends_the_session_that_was_there(ada, whose, of):
    account = make_account(ada if whose == "one's own" else make_user())
    _, before = key_session(account) if of == "key" else person_session(account.owner)
    visitor = visitor_with(before)

    login(visitor)

    assert session_of(before) is None
    assert visitor.token != before
    assert visitor.get("session").json()["user_id"] == ada.pk


def test_login_that_fails_leaves_the_session_as_it_was(ada):
    visitor = visitor_with(key_session(make_account(ada))[1])
    before = visitor.token

    login(visitor, password="wrong")

    assert visitor.token == before
    assert visitor.get("session").json()["of"] == "key"


def test_login_again_proves_the_person_anew(ada):
    visitor = visitor_with(person_session(ada)[1])
    Session.objects.update(proved_at=timezone.now() - timedelta(hours=1))
    refused = visitor.post("passkeys/options")

    login(visitor)

    assert error_of(refused) == (403, "sign_in_again")
    assert visitor.post("passkeys/options").status_code == 200


# Bad, and all alike


@pytest.fixture
def names(ada) -> dict[str, str]:
    """Names that a guesser may try, by what is behind them."""
    make_user("deactivated", RIGHT, is_active=False)
    passkey_only = make_user("passkey-only")
    Passkey.objects.create(
        user=passkey_only,
        name="Phone",
        credential_id=b"id",
        public_key=b"key",
        relying_party="localhost",
    )
    return {
        "known": "ada",
        "unknown": "nobody",
        "deactivated": "deactivated",
        "passkey only": "passkey-only",
    }


def work_of(name: str, password: str) -> tuple[int, list[str], bytes, int]:
    """What answering takes, and the answer."""
    visitor = Visitor()
    visitor.get("session")
    before = CountingHasher.hashed
    with CaptureQueriesContext(connection) as queries:
        response = login(visitor, name, password)
    # Without their values, and the names of savepoints.
    values = r"""WHERE.*|'[^']*'|"s[0-9]+_x[0-9]+"| *-?[0-9]+"""
    statements = [re.sub(values, "", query["sql"]) for query in queries]
    return CountingHasher.hashed - before, statements, response.content, response.status_code


@pytest.mark.parametrize("other", ["unknown", "deactivated", "passkey only"])
def test_names_that_fail_take_the_same_work_and_get_the_same_answer(names, other):
    known = work_of(names["known"], "wrong")
    failing = work_of(names[other], "wrong")

    assert failing == known
    assert (known[0], known[3]) == (1, 401)


def test_right_password_of_who_was_deactivated_takes_the_work_of_a_wrong_one(names):
    assert work_of("deactivated", RIGHT) == work_of("ada", "wrong")


@pytest.mark.parametrize("name", ["", " ", "None", "null", "0", "1", "ada ", "ada\0", "a%", "a_a"])
def test_other_names_are_nobodys(ada, alice, name):
    make_account()  # whose owner has no name

    assert error_of(login(alice, name, RIGHT)) == (401, "wrong_password")
    assert error_of(login(alice, name, "")) == (401, "wrong_password")


def test_person_without_a_password_does_not_get_in_by_what_stands_for_none(alice):
    user = make_user("ada")

    for password in ("", "!", user.password, "None"):
        assert error_of(login(alice, "ada", password)) == (401, "wrong_password")


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        None,
        "ada",
        {"username": "ada"},
        {"password": RIGHT},
        {"username": None, "password": RIGHT},
        {"username": ["ada"], "password": RIGHT},
        {"username": "ada", "password": {"$ne": ""}},
        {"username": "ada", "password": True},
        {"username": "x" * 1001, "password": RIGHT},
        {"username": "ada", "password": "x" * 1001},
    ],
    ids=repr,
)
def test_what_is_no_name_and_password_is_told_so_and_is_no_try(ada, alice, body):
    response = alice.post("login", body)

    assert error_of(response) == (422, "invalid_request")
    assert RIGHT not in response.content.decode()
    assert not SignInTry.objects.exists()


def test_login_needs_the_csrf_token(ada, alice):
    alice.get("session")

    response = alice.browser.post(
        f"{ACCOUNT}login",
        json.dumps({"username": "ada", "password": RIGHT}),
        content_type="application/json",
    )

    assert error_of(response) == (403, "csrf_failed")
    assert "session" not in alice.browser.cookies


def test_password_is_asked_for_in_no_address(alice):
    assert alice.get(f"login?username=ada&password={RIGHT}").status_code == 405


def test_nothing_that_was_typed_is_repeated_or_logged(ada, alice, everything_logged):
    answers = [
        login(alice, "typed name", "typed password"),
        login(alice, "ada", "typed password"),
        alice.post("login", {"username": "typed name", "password": 7}),
    ]

    told = "".join(answer.content.decode() for answer in answers)
    assert "typed" not in told + everything_logged.text


# Ten tries


def test_ten_wrong_passwords_close_the_door_to_the_right_one(ada, alice):
    for _ in range(10):
        login(alice, password="wrong")

    response = login(alice)

    assert error_of(response) == (429, "too_many_tries")
    assert 540 <= int(response.headers["Retry-After"]) <= 600


def in_threads(addresses: list[str], monkeypatch, names: list[str]) -> list[int]:
    """The statuses of so many wrong passwords, all at once."""
    # However many are hashed at once: what is counted here is who may try at all.
    monkeypatch.setattr(
        sign_in_load, "PASSWORDS", Turns(at_once=AT_ONCE, waiting=0, wait_seconds=1)
    )
    visitors = [Visitor() for _ in addresses]
    for visitor in visitors:
        visitor.get("session")

    def guess(visitor, address, name):
        with closing(connection):
            return login(visitor, name, "wrong", REMOTE_ADDR=address).status_code

    with ThreadPoolExecutor(16) as threads:
        return list(threads.map(guess, visitors, addresses, names))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["ada", "nobody"])
def test_of_many_guesses_at_once_from_one_address_ten_are_looked_at(ada, monkeypatch, name):
    before = CountingHasher.hashed

    statuses = in_threads(["192.0.2.7"] * AT_ONCE, monkeypatch, [name] * AT_ONCE)

    assert (statuses.count(401), statuses.count(429)) == (10, AT_ONCE - 10)
    assert CountingHasher.hashed - before == 10


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["ada", "nobody"])
def test_of_many_guesses_at_once_from_everywhere_ten_are_looked_at_for_one_name(
    ada, monkeypatch, name
):
    before = CountingHasher.hashed
    addresses = [f"10.0.0.{host}" for host in range(AT_ONCE)]
    # In whatever letters.
    names = [name.upper() if host % 2 else name for host in range(AT_ONCE)]

    statuses = in_threads(addresses, monkeypatch, names)

    assert (statuses.count(401), statuses.count(429)) == (10, AT_ONCE - 10)
    assert CountingHasher.hashed - before == 10


# Two web processes


@pytest.fixture
async def two_servers(
    start_process: Callable[..., Process], ada, transactional_db
) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Two web servers as processes, on one database."""
    processes = [start_process("serve", "--port", "0") for _ in range(2)]
    async with AsyncExitStack() as clients:
        browsers = []
        for process in processes:
            port = int((await until(lambda: served_at(process), seconds=START_SECONDS))[1])  # noqa: B023
            await until(lambda: listens(port))  # noqa: B023
            client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60)
            browsers.append(await clients.enter_async_context(client))
        yield browsers


def served_at(process: Process) -> re.Match[str] | None:
    return re.search(r"Serving http://localhost:(\d+)", process.said)


async def guess(browser: httpx.AsyncClient) -> int:
    """The status of a wrong password; asked again where the server was too busy to look."""
    while True:
        response = await browser.post(
            f"{ACCOUNT}login",
            json={"username": "ada", "password": "wrong"},
            headers={"X-CSRFToken": browser.cookies["csrftoken"]},
        )
        if response.status_code != 503:
            return response.status_code


@pytest.mark.django_db(transaction=True)
async def test_of_forty_guesses_at_once_at_two_servers_ten_are_looked_at(two_servers):
    for browser in two_servers:
        await browser.get(f"{ACCOUNT}session")

    async with asyncio.timeout(START_SECONDS):
        statuses = await asyncio.gather(
            *(guess(two_servers[number % 2]) for number in range(AT_ONCE))
        )

    right = [
        await browser.post(
            f"{ACCOUNT}login",
            json={"username": "ada", "password": RIGHT},
            headers={"X-CSRFToken": browser.cookies["csrftoken"]},
        )
        for browser in two_servers
    ]
    assert (statuses.count(401), statuses.count(429)) == (10, AT_ONCE - 10)
    assert [response.status_code for response in right] == [429, 429]
