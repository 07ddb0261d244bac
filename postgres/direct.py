"""
The way past a pooler.

A pooler such as PgBouncer gives each transaction whichever session of the server is free. What
belongs to a session (LISTEN, its locks, its settings) then meets nobody, or the wrong one. Where
the settings name a second way to the same database, whoever needs a session of their own takes it.
"""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql import base


def is_pooled(connection: BaseDatabaseWrapper) -> bool:
    """Whether the settings' usual way leads through a pooler: they name another way past it."""
    return connection.settings_dict.get("DIRECT") is not None


# Any: psycopg's own parameters.
def direct_parameters(connection: BaseDatabaseWrapper) -> dict[str, Any]:
    """The parameters of a session of one's own: past the pooler, where there is one."""
    if not is_pooled(connection):
        return connection.get_connection_params()
    entry = {**connection.settings_dict, **connection.settings_dict["DIRECT"]}
    # Django's own: ours would ask who wants to know, and may come here again.
    return base.DatabaseWrapper(entry, connection.alias).get_connection_params()
