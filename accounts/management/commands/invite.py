"""Let one more person in."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import one_time_links, registration
from accounts.errors import RegistrationClosed


class Command(BaseCommand):
    help = (
        "Prints a link with which one more person can become a user: once, within seven days, by "
        "signing in with a key of their own."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--staff", action="store_true", help="who uses it becomes one of the staff"
        )

    def handle(self, *args: Any, staff: bool, **options: Any) -> None:  # Any: Django's own
        try:
            registration.require_that_invitations_count()
        except RegistrationClosed as error:
            raise CommandError(str(error)) from None
        issued = one_time_links.invite(is_staff=staff)
        self.stdout.write(issued.url)
        self.stderr.write(f"Good once, until {issued.expires_at:%Y-%m-%d %H:%M} UTC.")
