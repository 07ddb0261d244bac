"""Whether the database's tables are those that this code expects."""

from dataclasses import dataclass

from django.db import connection
from django.db.migrations.executor import MigrationExecutor


@dataclass(frozen=True, slots=True)
class Migrations:
    """
    How many are missing in the database, and how many it has that this code does not know.

    The latter are of a newer version of the product.
    """

    missing: int
    unknown: int


def migrations() -> Migrations:
    """
    Compare the two.

    Raises:
        django.db.Error: the database can't be asked.
    """
    executor = MigrationExecutor(connection)
    loader = executor.loader
    missing = executor.migration_plan(loader.graph.leaf_nodes())
    ours = {app for app, _ in loader.disk_migrations}
    unknown = [
        each
        for each in loader.applied_migrations
        if each[0] in ours and each not in loader.disk_migrations
    ]
    return Migrations(len(missing), len(unknown))
