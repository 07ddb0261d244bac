"""Re-encrypt every stored private key with the newest encryption key."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.encryption import SecretLost
from accounts.models import Credential

NEW_KEY = (
    "To replace it put the new key in front, with a comma between, restart, and run this again. A "
    "container has what was set when it was made: `docker compose up -d` makes it anew."
)


class Command(BaseCommand):
    help = (
        "Re-encrypts every credential with the first key of ENCRYPTION_SECRET_KEY, but for those "
        "that cannot be opened, and names these. Put the new key in front of the old ones and "
        "restart the web server and the worker before, so that they can open what this seals; "
        "remove the old keys and restart again after. Sign-ins may go on meanwhile."
    )

    def handle(self, *args: Any, **options: Any) -> None:  # Any: Django's own signature
        with transaction.atomic():
            # Locked, so that a key which signs in at this moment is not overwritten with an
            # older private key.
            stored = list(Credential.objects.select_for_update().order_by("id"))
            is_only_one = len(settings.ENCRYPTION_SECRET_KEY) == 1
            if (
                stored
                and not is_only_one
                and all(each.private_key.is_sealed_newly for each in stored)
            ):
                # Who takes this for done throws the key away that all is sealed with.
                raise CommandError(
                    "All is sealed with the first key of ENCRYPTION_SECRET_KEY already, so nothing "
                    "was changed. " + NEW_KEY
                )
            lost = []
            count = 0
            for credential in stored:
                try:
                    credential.private_key = credential.private_key.resealed()
                except SecretLost:
                    lost.append(credential)
                    continue
                credential.save(update_fields=["private_key"])
                count += 1
        done = f"Re-encrypted {count} credential{'' if count == 1 else 's'}."
        if lost:
            # Not in the transaction: what none of our keys opens is no reason to keep the others
            # from the newest.
            named = ", ".join(f"{credential.pk} ({credential})" for credential in lost)
            raise CommandError(
                f"{done} No key in ENCRYPTION_SECRET_KEY opens credential {named}: put the lost "
                "key back there and run this again, or delete the credential in the admin."
            )
        self.stdout.write(done)
        if stored and is_only_one:
            self.stderr.write(
                "ENCRYPTION_SECRET_KEY holds one key, so it is still the same that opens them: "
                "keep it. " + NEW_KEY
            )
