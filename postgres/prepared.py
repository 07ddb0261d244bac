"""Statements that the server parses and plans once for a connection, not at each call."""

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper


def prepared_cursor(connection: BaseDatabaseWrapper) -> CursorWrapper:
    """
    A cursor for what is asked again and again with the same text.

    Django's own write the parameters into the statement, which is another one each time then. Here
    they stand in it as `$1`, `$2` …, with a cast where the type is open, and go beside it, so that
    the server can keep its plan (`postgres.backend` says from when on); nor is the statement
    searched for `%s`, which would take longer than to send it.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor = psycopg.RawCursor(connection.connection)
    wrapped: CursorWrapper = connection._prepare_cursor(cursor)  # type: ignore[attr-defined]
    return wrapped
