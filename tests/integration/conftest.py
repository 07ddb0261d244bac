from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import psycopg
import pytest
from django.db import connection, connections
from django.test import Client

from accounts.models import User
from postgres import channels
from tests.integration.visitors import Visitor, make_user, person_session

CHANNELS = (
    channels.ACCOUNT_CHANGED,
    channels.CREDENTIALS_CHANGED,
    channels.REFRESH_REQUESTED,
    channels.SESSION_ENDED,
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
    """What the product announced since the last call, in order."""
    for channel in (*CHANNELS, "marker"):
        own_connection.execute(f"LISTEN {channel}")

    def heard() -> list[tuple[str, str]]:
        # Announcements arrive in the order of their commits, so the marker comes last.
        own_connection.execute("NOTIFY marker")
        heard = []
        for announcement in own_connection.notifies(timeout=30):
            if announcement.channel == "marker":
                return heard
            heard.append((announcement.channel, announcement.payload))
        pytest.fail("the marker did not come")

    return heard


@pytest.fixture
def admin_user(db) -> User:
    """One of the staff, who has just been proved."""
    return make_user("ada", "a long password", is_staff=True)


@pytest.fixture
def admin_client(admin_user: User) -> Client:
    """Their browser, in the place of pytest-django's, which knows Django's sessions only."""
    client = Client()
    client.cookies["session"] = person_session(admin_user)[1]
    return client


@pytest.fixture
def in_thread() -> Iterator[Callable[..., Future]]:
    """Call a function in a thread of its own, over a connection of its own."""
    with ThreadPoolExecutor() as executor:

        def call(function, *args):
            try:
                return function(*args)
            finally:
                connections.close_all()

        yield lambda function, *args: executor.submit(call, function, *args)
