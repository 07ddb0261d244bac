"""`DATABASE_URL` as an entry of Django's `DATABASES`."""

from typing import Any

import environ
import psycopg
from psycopg.conninfo import make_conninfo

from config.errors import WrongSetting

SCHEMES = ("postgres", "postgresql", "psql", "pgsql")
# The options that Django takes itself instead of giving them to libpq.
_DJANGOS_OWN = {"assume_role", "isolation_level", "pool", "server_side_binding"}


def database(name: str, text: str) -> dict[str, Any] | None:  # Any: what DATABASES holds
    """
    The entry; None when the text is empty.

    Raises:
        WrongSetting: it names no database of a PostgreSQL server. Never with the text or a cause,
            which may hold the password.
    """
    if not text:
        return None
    if text.partition("://")[0].lower() not in SCHEMES:
        raise WrongSetting(f"{name} must begin with postgres://.")
    try:
        entry: dict[str, Any] = environ.Env.db_url_config(text)
        options = entry.get("OPTIONS", {})
        make_conninfo(**{key: options[key] for key in options.keys() - _DJANGOS_OWN})
    except (ValueError, psycopg.ProgrammingError):
        entry = {}
    if not entry.get("NAME"):
        raise WrongSetting(
            f"{name} cannot be read: write postgres://user:password@host:5432/name, and signs "
            "such as @ : / ? # in the password as %40 %3A %2F %3F %23."
        )
    return entry | {"ENGINE": "postgres.backend"}


def with_way_past_pooler(
    name: str, pooled: dict[str, Any] | None, direct: dict[str, Any] | None
) -> dict[str, Any] | None:
    """
    The entry of `DATABASE_URL` with that of `DIRECT_DATABASE_URL`, where there is one, in it.

    Its server-side cursors are off then: the next statement may go to another server process.

    Args:
        name: of the second variable, for the error.

    Raises:
        WrongSetting: there is a way past a pooler, but none through it.
    """
    if direct is None or direct == pooled:
        return pooled
    if pooled is None:
        raise WrongSetting(f"{name} is set without DATABASE_URL, which it goes with.")
    return pooled | {"DIRECT": direct, "DISABLE_SERVER_SIDE_CURSORS": True}
