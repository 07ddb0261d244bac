"""The workers that write the cache, known by their heartbeats."""

from datetime import datetime, timedelta
from uuid import UUID

from positions.models import Worker

_FORGOTTEN_AFTER = timedelta(days=1)


def beat(worker_id: UUID, now: datetime) -> None:
    """Say that a worker is alive; its first beat makes it known."""
    if Worker.objects.filter(pk=worker_id).update(heartbeat_at=now):
        return
    Worker.objects.create(pk=worker_id, started_at=now, heartbeat_at=now)
    # The last writer of an account is kept: its heartbeat dates what it wrote.
    Worker.objects.filter(heartbeat_at__lt=now - _FORGOTTEN_AFTER, streams__isnull=True).delete()


def last_heartbeat() -> datetime | None:
    """The newest heartbeat of any worker."""
    return Worker.objects.order_by("-heartbeat_at").values_list("heartbeat_at", flat=True).first()
