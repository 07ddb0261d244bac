"""How an account's connection to the exchange stands, as told to people."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

Status = Literal[
    "connecting", "live", "reconnecting", "disconnected", "unauthorized", "maintenance"
]

# Why an account is not live. The page has a sentence for each (static/js/reasons.js).
Reason = Literal[
    "connection_lost",  # the WebSocket ended, and no attempt to connect has failed since
    "unreachable",  # no answer, or one that is not the exchange's own
    "exchange_failing",  # it answers that it can't
    "not_understood",  # it answers what it does not document, or rejects what it should not
    "rate_limited",  # the exchange says that the account asks too much
    "clock_skew",  # our clock and the exchange's differ
    "maintenance",
    "key_refused",
    "key_scope",  # the key may not read the portfolio
    "no_credential",
    "credential_unreadable",  # no encryption key opens it, or it is no key
    "environment_missing",  # this server is not configured for the key's environment
    "set_aside",  # something of ours went wrong with this account alone
    "set_aside_by_staff",  # nothing is asked of the exchange until they take it back
    "write_stuck",  # its rows can't be written at the moment
    "worker_down",
]


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """
    The state of the upstream connection.

    Attributes:
        attempt: attempts to connect that failed in a row.
        retry_at: when the next attempt is due, if one is.
        reason: why it is not live.
        since: when this state began.
        live_until: the exchange's last sign of life; None while live, or when there never was one.
    """

    status: Status
    since: datetime
    attempt: int = 0
    retry_at: datetime | None = None
    reason: Reason | None = None
    live_until: datetime | None = None

    @property
    def holds_without_worker(self) -> bool:
        """Whether it stays true when no worker is there: no key is there, or may be used."""
        return self.status == "unauthorized" or self.reason in (
            "no_credential",
            "set_aside_by_staff",
        )


# A worker beats once a second; after this long without, nobody vouches for what it wrote.
WORKER_DOWN_AFTER_SECONDS = 5.0
# A beat is dated by the database, so that one from the future is of a clock that was put back.
FUTURE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """
    A worker's last sign of life, as far as one account is concerned.

    The database's clock dates it and tells its age: those of workers and readers may differ.

    Attributes:
        at: when it beat.
        age_seconds: how long ago that is.
        silent_seconds: for how long, when it beat, the worker had not been able to vouch for this
            account, though it lived; None if it could.
    """

    at: datetime
    age_seconds: float
    silent_seconds: float | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether the worker lives, as far as anybody can tell."""
        return -FUTURE_SECONDS <= self.age_seconds <= WORKER_DOWN_AFTER_SECONDS

    @property
    def vouched_until(self) -> datetime:
        """Until when the worker vouched for the account."""
        # Never later than now.
        beat_at = self.at + timedelta(seconds=min(0.0, self.age_seconds))
        return beat_at - timedelta(seconds=self.silent_seconds or 0.0)

    def aged(self, seconds: float) -> "Heartbeat":
        """The same, so much later."""
        return replace(self, age_seconds=self.age_seconds + seconds)


def as_seen(written: ConnectionState, heartbeat: Heartbeat | None) -> ConnectionState:
    """
    The state as it can be believed now, given its writer's last heartbeat.

    A worker that was killed could not write that it is gone, nor can one that gets nothing written.
    """
    if heartbeat and heartbeat.is_fresh and heartbeat.silent_seconds is None:
        return written
    if written.holds_without_worker:
        # It stays true, but nobody is there to try again.
        return replace(written, retry_at=None)
    vouched_until = heartbeat.vouched_until if heartbeat else None
    return ConnectionState(
        status="reconnecting",
        reason="write_stuck" if heartbeat and heartbeat.is_fresh else "worker_down",
        since=vouched_until or written.since,
        live_until=vouched_until if written.status == "live" else written.live_until,
    )


def as_taken_over(
    written: ConnectionState, vouched_until: datetime | None, now: datetime
) -> ConnectionState:
    """
    The state as a new worker finds it, which has tried nothing yet.

    What the one before could not reach, and when it would have tried again, is not its to say.

    Args:
        vouched_until: when the one before last gave a sign of life, if there was one.
    """
    if written.holds_without_worker:
        return replace(written, retry_at=None)
    if written.status == "live" and vouched_until:
        # It was killed: its heart beat as long as what it wrote was current. The new one's must not
        # make it seem so again before it is connected.
        return ConnectionState("connecting", since=vouched_until, live_until=vouched_until)
    return ConnectionState("connecting", since=now, live_until=written.live_until)
