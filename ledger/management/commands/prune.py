"""Thin what may be thinned."""

from itertools import groupby
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from ledger import pruning
from ledger.pruning import Pruned


class Command(BaseCommand):
    help = (
        "Thins equity points older than 7 days to one a minute and those older than 30 to one a "
        "quarter hour, and deletes changes of connections and markets, and reconciliations, older "
        "than a year. What a day begins or ends with stays, and so does where points are missing; "
        "fills, settlements and transfers are not touched. Can be broken off, and run while "
        "everything else runs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would go")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:  # Any: Django's own
        now = timezone.now()
        total = 0
        for (account, _, _), days in groupby(
            pruning.prune_points(now, is_dry_run=dry_run), key=_account_and_month
        ):
            # Told with each month, as the first run after long may take a while.
            of_month = list(days)
            count = sum(each.points for each in of_month)
            total += count
            self.stdout.write(
                f"account {account}, {of_month[0].day:%B %Y}: {count:,} points", ending="\n"
            )
            self.stdout.flush()
        changes = pruning.prune_changes(now, is_dry_run=dry_run)
        done = "Would delete" if dry_run else "Deleted"
        self.stdout.write(f"{done} {total:,} points and {changes:,} changes.")


def _account_and_month(pruned: Pruned) -> tuple[int, int, int]:
    return pruned.account.pk, pruned.day.year, pruned.day.month
