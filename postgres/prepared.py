"""Statements that the server reads once for a connection, not at each call."""

from typing import Any, Self

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from postgres.connections import PatientConnection

# Calls of a statement after which it is prepared; some more, and the server keeps a plan as well.
PREPARED_AFTER = 3


class _Cursor(psycopg.RawCursor[Any]):
    # Any: psycopg's own parameters.
    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        connection = self.connection
        if isinstance(connection, PatientConnection) and connection.may_prepare:
            connection.prepare_threshold = PREPARED_AFTER
        try:
            return super().execute(query, params, **options)
        except psycopg.errors.FeatureNotSupported as error:
            # A migration gave a column another type: in this session the statement is of no use any
            # more. Whoever asks again, as of one that was lost, has a new one.
            connection.close()
            raise psycopg.OperationalError(str(error)) from error
        finally:
            # Else psycopg would keep the last hundred statements of all cursors, to count them:
            # those of an import are as long as what they bring.
            connection.prepare_threshold = None


def prepared_cursor(connection: BaseDatabaseWrapper) -> CursorWrapper:
    """
    A cursor for what is asked again and again with the same text.

    Django's own write the parameters into the statement, which is another one each time then. Here
    they stand in it as `$1`, `$2` …, with a cast where the type is open, and go beside it, so that
    it can be prepared where the session is one's own. Nor is it searched for `%s`, which would take
    longer than to send it.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor = _Cursor(connection.connection)
    wrapped: CursorWrapper = connection._prepare_cursor(cursor)  # type: ignore[attr-defined]
    return wrapped
