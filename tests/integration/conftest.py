from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.db import connection

from postgres import channels
from tests.integration.visitors import Visitor

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
        for announcement in own_connection.notifies(timeout=5):
            if announcement.channel == "marker":
                break
            heard.append((announcement.channel, announcement.payload))
        return heard

    return heard
