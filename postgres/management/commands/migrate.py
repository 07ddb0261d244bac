"""`manage.py migrate`: Django's, by one process at a time."""

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connections

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
        with only_migration(connections[options["database"]], self._tell_that_it_waits):
            super().handle(*args, **options)

    def _tell_that_it_waits(self) -> None:
        self.stderr.write("Another process migrates this database; waiting until it is done.")
