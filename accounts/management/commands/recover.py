"""Let somebody back in who lost every way in."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import one_time_links
from accounts.models import User


class Command(BaseCommand):
    help = (
        "Prints a link that signs one user in once, within an hour: whoever opens it is taken for "
        "that person. For those who have no name yet give the id, as the admin and the API tell it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="their name, or their id")

    def handle(self, *args: Any, user: str, **options: Any) -> None:  # Any: Django's own signature
        named, numbered = _named(user), _numbered(user)
        if named and numbered and named != numbered:
            raise CommandError(
                f"{user!r} is the name of user {named.pk} and the id of {numbered}. Give the other "
                "of the two that you know."
            )
        found = named or numbered
        if found is None:
            raise CommandError(f"Nobody here has the name or the id {user!r}. {_who_there_is()}")
        if not found.is_active:
            raise CommandError(f"{found} is deactivated; activate them in the admin first.")
        issued = one_time_links.recovery(found)
        self.stdout.write(issued.url)
        self.stderr.write(f"Signs {found} in, once, until {issued.expires_at:%Y-%m-%d %H:%M} UTC.")


def _named(name: str) -> User | None:
    try:
        return User.objects.get_by_natural_key(name)
    except User.DoesNotExist:
        return None


def _numbered(text: str) -> User | None:
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        return None
    return User.objects.filter(pk=int(text)).first()


def _who_there_is() -> str:
    users = [
        f"{user.pk} ({user.username or 'no name'})" for user in User.objects.order_by("pk")[:20]
    ]
    return f"There are: {', '.join(users)}." if users else "There is nobody yet."
