"""`manage.py migrate`: Django's, by one process at a time."""

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connections
from django.db.migrations.exceptions import InconsistentMigrationHistory

from postgres.migration_lock import only_migration


class Command(migrate.Command):
    """As Django's, but safe to be started by several at once, such as two first starts."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """As Django's; a database that is away is told without a traceback."""
        try:
            # Before Django's checks, which ask the database too.
            connections[options["database"]].ensure_connection()
        except OperationalError as error:
            raise CommandError(f"The database cannot be reached: {error}") from error
        return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate, when nobody else does."""
        connection = connections[options["database"]]
        with only_migration(connection, self._tell_that_it_waits):
            try:
                super().handle(*args, **options)
            except InconsistentMigrationHistory as error:
                raise CommandError(_too_old(connection.settings_dict)) from error

    def _tell_that_it_waits(self) -> None:
        self.stderr.write("Another process migrates this database; waiting until it is done.")


def _too_old(database: dict[str, Any]) -> str:  # Any: Django's settings
    directory = database.get("EMBEDDED_DIRECTORY")
    place = f"the directory {directory}" if directory else f"the database {database['NAME']!r}"
    return (
        "This database was made by an earlier version, before there were users, and can't be "
        f"brought up to date. Stop everything, delete {place}, and start again. You sign in with "
        "your keys anew; figures come from the exchange."
    )
