"""Whether each account's cash is what all that is known to have happened makes of it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import Account
from ledger import proving
from ledger.proof import Proof
from positions.decimal_text import plain
from positions.documents import instant


class Command(BaseCommand):
    help = (
        "Proves the cash of each account: opening, what moved it, and closing as the exchange told "
        "them. Ends with status 1 if any interval has something unexplained, however small, and "
        "even if another has its opposite. Looks at every balance, so it may take seconds."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", type=int, metavar="N", help="only this one, by its id")

    def handle(self, *args: Any, account: int | None, **options: Any) -> None:  # Any: Django's own
        accounts = Account.objects.order_by("pk")
        if account is not None:
            accounts = accounts.filter(pk=account)
            if not accounts:
                raise CommandError(f"There is no account {account}.")
        is_explained = True
        for each in accounts:
            # First, as its balances may take a while.
            self.stdout.write(f"Account {each.pk}, {each.name} ({each.environment})")
            self.stdout.flush()
            proof = proving.keep(each.pk, timezone.now())
            if proving.is_reading_past(each.pk):
                self.stdout.write("  not yet: older records are still being read\n\n")
                is_explained = False
                continue
            self._show(each.pk, proof)
            is_explained = is_explained and not (proof and proof.unexplained)
        if not is_explained:
            # Not as an error of the command: it did what it is for.
            raise SystemExit(1)

    def _show(self, account_id: int, proof: Proof | None) -> None:
        if proof is None:
            self.stdout.write("  nothing to prove yet: no balance is known well enough\n\n")
            return
        reach = proving.reach(account_id)
        lines = [
            (f"opening {instant(proof.opening.until)}", proof.opening.amount),
            *(
                (f"{step.kind.replace('_', ' ')} ({step.count:,})", step.amount)
                for step in proof.steps
                if step.count
            ),
            ("unexplained", proof.residual),
            (f"closing {instant(proof.closing.until)}", proof.closing.amount),
        ]
        texts = [(name, plain(amount) or "") for name, amount in lines]
        width = max(len(name) for name, _ in texts)
        before_point = max(len(text.split(".")[0]) for _, text in texts)
        for name, text in texts:
            self.stdout.write(f"  {name:{width}}  {_aligned(text, before_point)}")
        if reach.is_whole:
            self.stdout.write(f"  held before all records: {plain(proof.implied_opening)}")
        else:
            self.stdout.write(f"  records are complete from {instant(reach.complete_from)}")
        for each in proof.unexplained:
            self.stdout.write(
                f"  UNEXPLAINED {plain(each.amount)} between {instant(each.since)} and "
                f"{instant(each.until)}"
            )
        for _, ticker, text in proving.disagreements(account_id):
            self.stdout.write(f"  the exchange shows {ticker} otherwise: {text}")
        self.stdout.write("")


def _aligned(text: str, before_point: int) -> str:
    return " " * (before_point - len(text.split(".")[0])) + text
