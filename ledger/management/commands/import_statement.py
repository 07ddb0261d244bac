"""Import trades that are older than the exchange still tells, from its own statement."""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Account
from ledger.importing import Imported, ImportRefused, import_file
from positions.documents import instant

_TOLD_EVERY = 10_000
_STANDARD_INPUT = Path("-")


class Command(BaseCommand):
    help = (
        "Imports closed trades from a statement of the exchange's, a CSV file, into one account. "
        "A file is imported whole or not at all; one that was imported already changes nothing. "
        "Trades that reach into what is recorded here are refused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the CSV file; - for the standard input")
        parser.add_argument(
            "--account", type=int, metavar="N", help="whose; needed where there are several"
        )

    def handle(  # Any: Django's own signature
        self, *args: Any, file: Path, account: int | None, **options: Any
    ) -> None:
        whose = _account(account)
        try:
            with _received() if file == _STANDARD_INPUT else file.open("rb") as source:
                imported = import_file(whose, source, on_progress=self._tell)
        except ImportRefused as refused:
            raise CommandError(f"Nothing was imported.\n{refused}") from None
        except OSError as error:
            raise CommandError(f"The file can't be read: {error.strerror}.") from None
        self.stdout.write(f"Account {whose.pk}, {whose.name}: {_told(imported)}.")

    def _tell(self, trades: int) -> None:
        # Of a large file; a smaller one is done before anybody wonders.
        if trades % _TOLD_EVERY == 0:
            self.stderr.write(f"{trades} trades read …")


def _received() -> BinaryIO:
    """The standard input, to its end: while a statement is imported nobody is to wait for more."""
    copy = TemporaryFile()  # noqa: SIM115  # the caller's
    shutil.copyfileobj(sys.stdin.buffer, copy)
    copy.seek(0)
    return copy


def _account(asked: int | None) -> Account:
    accounts = Account.objects.order_by("pk")
    if asked is not None:
        found = accounts.filter(pk=asked).first()
    else:
        first = list(accounts[:2])
        if len(first) > 1:
            raise CommandError(f"Say whose it is, by --account. {_who_there_is()}")
        found = first[0] if first else None
    if found is None:
        raise CommandError(f"There is no such account. {_who_there_is()}")
    return found


def _who_there_is() -> str:
    accounts = [
        f"{each.pk} ({each.name}, {each.environment})"
        for each in Account.objects.order_by("pk")[:20]
    ]
    return f"There are: {', '.join(accounts)}." if accounts else "There is none yet."


def _told(imported: Imported) -> str:
    parts = [f"{imported.new} trades imported"]
    if imported.new:
        parts[0] += (
            f", closed from {instant(imported.first_closed_at)} to "
            f"{instant(imported.last_closed_at)}"
        )
    if imported.known:
        parts.append(f"{imported.known} were there already")
    if imported.left_out:
        parts.append(f"{imported.left_out} lines are no trades")
    return "; ".join(parts)
