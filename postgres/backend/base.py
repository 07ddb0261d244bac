"""Django's PostgreSQL backend with bounded waits; it starts the embedded server when needed."""

from time import monotonic
from typing import Any

import psycopg
from django.db.backends.postgresql import base, operations

from postgres import embedded, patience
from postgres.backend.instants import reading_instants
from postgres.connections import PatientConnection
from postgres.direct import direct_parameters, is_pooled
from postgres.errors import note_lack_of_connections


class _Driver:
    """psycopg as Django's backend uses it, but its connections hang up on a silent server."""

    connect = staticmethod(PatientConnection.opened)

    def __getattr__(self, name: str) -> Any:
        return getattr(psycopg, name)


class _Operations(operations.DatabaseOperations):
    def last_executed_query(self, cursor: Any, sql: Any, params: Any) -> Any:
        """As Django's; the parameters of a prepared statement go beside it."""
        if isinstance(cursor, psycopg.RawCursor):
            return sql
        return super().last_executed_query(cursor, sql, params)


class DatabaseWrapper(base.DatabaseWrapper):
    """
    Gives each connection the patience of who opens it.

    Before that it makes sure that the server of `EMBEDDED_DIRECTORY` runs, where that is set. Where
    the settings name a way past a pooler (`DIRECT`), it is taken by all who may not share.
    """

    ops_class = _Operations
    Database = _Driver()  # type: ignore[assignment]  # all that is asked of the module

    def set_autocommit(
        self, autocommit: bool, force_begin_transaction_with_broken_autocommit: bool = False
    ) -> None:
        """As Django's, but the end of a transaction whose connection was lost makes no new one."""
        # That would be one more wait, with which nothing is done. A new connection has autocommit.
        if autocommit and self.connection is None:
            self.autocommit = True
        else:
            super().set_autocommit(autocommit, force_begin_transaction_with_broken_autocommit)

    # Any: as the base class has it.
    def get_connection_params(self) -> dict[str, Any]:
        """As Django's, of the way that this thread's connections take."""
        if is_pooled(self) and not patience.current().may_share:
            return direct_parameters(self)
        return super().get_connection_params()

    # Any: as the base class has it, whose connection is psycopg's.
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        limits = patience.current()
        deadline = None if limits.connect is None else monotonic() + limits.connect
        directory = self.settings_dict.get("EMBEDDED_DIRECTORY")
        if directory is not None:
            embedded.ensure_running(directory, deadline)
        options = conn_params.get("options")
        is_own = not (limits.may_share and is_pooled(self))
        if is_own:
            # A pooler takes none: its sessions are shared, and have limits of its own.
            options = limits.options(options)
        with note_lack_of_connections():
            return super().get_new_connection(
                conn_params
                | {
                    "context": reading_instants(conn_params["context"]),
                    "options": options,
                    "answer_seconds": limits.answer,
                    # Nor does it keep what was prepared in a session.
                    "may_prepare": is_own,
                    "deadline": deadline,
                }
            )
