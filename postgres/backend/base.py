"""Django's PostgreSQL backend, with the embedded server started when it is first needed."""

from typing import Any

from django.db.backends.postgresql import base

from postgres import embedded


class DatabaseWrapper(base.DatabaseWrapper):
    """Makes sure before each connection that the server of `EMBEDDED_DIRECTORY` runs."""

    # Any: as the base class has it, whose connection is psycopg's.
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        embedded.ensure_running(self.settings_dict["EMBEDDED_DIRECTORY"])
        return super().get_new_connection(conn_params)
