"""What can be wrong with the database, and is no mistake of ours."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import InterfaceError, InternalError, OperationalError

logger = logging.getLogger(__name__)

# A database that is away, restarting or read-only for a while. Its other errors are mistakes of
# ours, and repeating them would hide that nothing is written any more.
DATABASE_TROUBLE = (OperationalError, InterfaceError, InternalError)

# How the server words SQLSTATE 53300; libpq drops the code of a connection that was refused.
_OUT_OF_CONNECTIONS = (
    "too many clients",
    "too many connections",
    "remaining connection slots are reserved",
)


class EmbeddedServerError(OperationalError):
    """The embedded server cannot be used; the message says why and what to do."""


@contextmanager
def note_lack_of_connections() -> Iterator[None]:
    """Say so in the log when connecting fails because the server has no connection left."""
    try:
        yield
    except psycopg.OperationalError as error:
        if is_out_of_connections(error):
            logger.error(
                "The database server is out of connections: raise its max_connections, or run"
                " fewer processes."
            )
        raise


def is_out_of_connections(error: psycopg.OperationalError) -> bool:
    """Whether the server refused a connection because it has none left."""
    return isinstance(error, psycopg.errors.TooManyConnections) or any(
        words in str(error) for words in _OUT_OF_CONNECTIONS
    )
