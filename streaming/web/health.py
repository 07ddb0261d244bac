"""Whether the product is fit to be used."""

from datetime import timedelta

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from positions import workers

WORKER_MISSED_AFTER = timedelta(seconds=15)


def unreadiness() -> list[str]:
    """The reasons why this process can't serve live figures now; empty when it can."""
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return ["migrations are not applied: run manage.py migrate"]
        beat_at = workers.last_heartbeat()
    except Error:
        return ["the database cannot be reached"]
    if beat_at is None or timezone.now() - beat_at > WORKER_MISSED_AFTER:
        return ["no worker is alive: start manage.py run_kalshi_stream"]
    return []
