"""Connections of one's own to Django's default database, for what the ORM's cannot do: wait."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import psycopg
from django.db import connection as django_connection

from postgres import embedded


@asynccontextmanager
async def own_connection() -> AsyncIterator[psycopg.AsyncConnection]:
    """
    An autocommit connection to Django's default database, closed at the end.

    psycopg's errors leave the context as Django's, so that a lost connection is told as the ORM
    tells it.

    Raises:
        one of DATABASE_TROUBLE: the database cannot be reached, or the connection was lost.
    """
    directory = django_connection.settings_dict.get("EMBEDDED_DIRECTORY")
    if directory is not None:
        await asyncio.to_thread(embedded.ensure_running, directory)
    parameters = django_connection.get_connection_params()
    del parameters["cursor_factory"]  # Django's is for synchronous connections
    with django_connection.wrap_database_errors:
        connection = await psycopg.AsyncConnection.connect(**parameters, autocommit=True)
        try:
            yield connection
        finally:
            await connection.close()


@contextmanager
def hung_up_after(seconds: float, connection: psycopg.AsyncConnection) -> Iterator[None]:
    """
    Hang up if the server has not answered in time; who waits for it gets an OperationalError.

    `asyncio.timeout` would not do: psycopg meets a cancellation by asking the server to cancel the
    query, and waits five seconds more for a server that is frozen.
    """
    timer = asyncio.get_running_loop().call_later(seconds, _hang_up, connection)
    try:
        yield
    finally:
        timer.cancel()


def _hang_up(connection: psycopg.AsyncConnection) -> None:
    if not connection.closed:
        with socket.socket(fileno=os.dup(connection.fileno())) as same_socket:
            same_socket.shutdown(socket.SHUT_RDWR)
