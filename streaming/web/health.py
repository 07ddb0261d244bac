"""Whether the product is fit to be used."""

from django.db import Error

from positions import workers
from postgres.unapplied import migrations

WORKER_MISSED_AFTER_SECONDS = 15.0


def unreadiness() -> list[str]:
    """The reasons why this process can't serve live figures now; empty when it can."""
    try:
        if migrations().missing:
            return ["migrations are not applied: run manage.py migrate"]
        heartbeat = workers.last_heartbeat()
    except Error:
        return ["the database cannot be reached"]
    if heartbeat is None or heartbeat.age_seconds > WORKER_MISSED_AFTER_SECONDS:
        return ["no worker is alive: start manage.py run_kalshi_stream"]
    return []
