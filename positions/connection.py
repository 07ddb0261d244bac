"""How an account's connection to the exchange stands, as told to people."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Status = Literal[
    "connecting", "live", "reconnecting", "disconnected", "unauthorized", "maintenance"
]


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """
    The state of the upstream connection.

    Attributes:
        attempt: attempts to connect that failed in a row.
        retry_at: when the next attempt is due, if one is.
        reason: why it is not live, one word, such as `clock_skew`.
        since: when this state began.
        live_until: the exchange's last sign of life; None while live, or when there never was one.
    """

    status: Status
    since: datetime
    attempt: int = 0
    retry_at: datetime | None = None
    reason: str | None = None
    live_until: datetime | None = None

    @property
    def holds_without_worker(self) -> bool:
        """Whether it stays true when no worker is there: a key that is refused or missing."""
        return self.status == "unauthorized" or self.reason == "no_credential"


# A worker beats once a second; after this long without, nobody vouches for what it wrote.
WORKER_DOWN_AFTER = timedelta(seconds=5)


def as_seen(
    written: ConnectionState, heartbeat_at: datetime | None, now: datetime
) -> ConnectionState:
    """
    The state as it can be believed now, given its writer's last heartbeat.

    A worker that was killed could not write that it is gone.
    """
    if heartbeat_at is not None and now - heartbeat_at <= WORKER_DOWN_AFTER:
        return written
    if written.holds_without_worker:
        return written
    return ConnectionState(
        status="reconnecting",
        reason="worker_down",
        since=heartbeat_at or written.since,
        live_until=heartbeat_at if written.status == "live" else written.live_until,
    )
