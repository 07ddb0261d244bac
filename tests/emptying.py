"""
The database emptied after a test that wrote to it, as Django does, for a tenth of the time.

Django's `flush` makes new files for every table and index, and then all content types and
permissions anew: most of such a test's time.
"""

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected

# The same as after the migrations, whatever a test does.
_KEPT = {ContentType._meta.db_table, Permission._meta.db_table}
# What has grown is made anew after all: rows that are no more are still read through.
_GROWN_BYTES = 512 * 1024


def empty_database() -> None:
    """
    Delete all rows, once whoever writes any has ended.

    Those of content types and permissions stay.
    """
    try:
        _empty_database()
    except OperationalError as error:
        if not isinstance(error.__cause__, DeadlockDetected):
            raise
        # Who it was with has its lock now, and is waited for.
        _empty_database()


def _empty_database() -> None:
    models = apps.get_models(include_auto_created=True)
    tables = sorted({each._meta.db_table for each in models if each._meta.managed} - _KEPT)
    quoted = [connection.ops.quote_name(table) for table in tables]
    with transaction.atomic(), connection.cursor() as cursor:
        # Of a killed process the server may still commit what was under way.
        cursor.execute(f"LOCK TABLE {', '.join(quoted)} IN ACCESS EXCLUSIVE MODE")
        cursor.execute(
            "SELECT name FROM unnest(%s::text[]) AS name WHERE pg_relation_size(name) > %s",
            [quoted, _GROWN_BYTES],
        )
        grown = {name for (name,) in cursor.fetchall()}
        if grown:
            cursor.execute(f"TRUNCATE {', '.join(sorted(grown))} CASCADE")
        # In any order: foreign keys are looked at when all is done.
        emptied = [f"DELETE FROM {table}" for table in quoted if table not in grown]  # noqa: S608  # our own
        cursor.execute(";".join(emptied))
