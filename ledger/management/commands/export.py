"""`manage.py export`: a list of what happened, whole, to standard output."""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.errors import InvalidRequest
from accounts.models import Account
from ledger.asked import Asked, period_of
from ledger.csv_stream import csv_header, csv_text
from ledger.exports import EXPORTS
from positions.documents import Document

_TOLD_EVERY = 20_000


class Command(BaseCommand):
    """Write one list, a page at a time."""

    help = "Writes a list to standard output, newest first, with the fields that the API gives it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which, whose, of when, and how written."""
        parser.add_argument("list", choices=sorted(EXPORTS))
        parser.add_argument("--account", type=int, metavar="N", help="default: all accounts")
        parser.add_argument(
            "--from", dest="since", metavar="D", help="a day or an instant, included"
        )
        parser.add_argument("--to", dest="until", metavar="D", help="as --from, not included")
        parser.add_argument("--format", choices=["csv", "json"], default="csv")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it."""
        exported = EXPORTS[options["list"]]
        try:
            period = period_of(options["since"], options["until"])
        except InvalidRequest as error:
            raise CommandError(str(error).replace("“", "--").replace("”", "")) from None
        if not exported.has_period and (period.since or period.until):
            raise CommandError(f"{exported.name} are of now: --from and --to say nothing of them.")
        pages = self._told(exported.pages(Asked(_account_ids(options["account"]), period)))
        texts = _json(pages) if options["format"] == "json" else _csv(pages, exported.columns)
        try:
            for text in texts:
                self.stdout.write(text, ending="")
            self.stdout.flush()
        except BrokenPipeError:
            # Whoever reads has enough. Python would complain of the same once more at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _told(self, pages: Iterable[Iterable[Document]]) -> Iterator[list[Document]]:
        # Of a large list; a smaller one is done before anybody wonders.
        written = 0
        for page in pages:
            rows = list(page)
            yield rows
            before, written = written, written + len(rows)
            if written // _TOLD_EVERY > before // _TOLD_EVERY:
                self.stderr.write(f"{written:,} rows written …")


def _account_ids(account: int | None) -> tuple[int, ...]:
    if account is None:
        return tuple(Account.objects.order_by("pk").values_list("pk", flat=True))
    if not Account.objects.filter(pk=account).exists():
        raise CommandError(f"There is no account {account}.")
    return (account,)


def _csv(pages: Iterable[Iterable[Document]], columns: tuple[str, ...]) -> Iterator[str]:
    yield csv_header(columns)
    for page in pages:
        yield csv_text(page, columns)


def _json(pages: Iterable[Iterable[Document]]) -> Iterator[str]:
    before = "[\n"
    for page in pages:
        for row in page:
            yield before + json.dumps(row, ensure_ascii=False)
            before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"
