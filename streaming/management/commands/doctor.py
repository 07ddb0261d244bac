"""`manage.py doctor`: what is wrong, and what to do."""

import asyncio
from typing import Any

from django.core.management.base import BaseCommand

from streaming.doctor.examination import examine
from streaming.doctor.findings import Finding, summary
from streaming.doctor.probes import all_checks


class Command(BaseCommand):
    """Look at everything, side by side, and tell it line by line."""

    help = (
        "Looks at settings, database, clocks, the way to each environment of the exchange, every "
        "stored key, and the worker; tells what is wrong and what to do. Changes nothing and shows "
        "no secret. Ends with status 0 only if all is well."
    )
    # The database may be away, which is for this command to tell.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:  # Any: Django's own
        """Tell what is found as it is found."""
        found = asyncio.run(self._examine())
        self.stdout.write(summary(found))
        if any(each.verdict != "ok" for each in found):
            # Not as an error of the command: it did what it is for.
            raise SystemExit(1)

    async def _examine(self) -> list[Finding]:
        found = []
        async for finding in examine(all_checks()):
            self.stdout.write(finding.text)
            self.stdout.flush()
            found.append(finding)
        return found
