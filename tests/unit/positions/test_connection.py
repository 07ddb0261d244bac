import pytest

from positions.connection import ConnectionState, as_seen
from tests.told import NOON, at

LIVE = ConnectionState("live", since=at(-600))
RECONNECTING = ConnectionState(
    "reconnecting",
    since=at(-60),
    attempt=2,
    retry_at=at(1),
    reason="connection_lost",
    live_until=at(-61),
)
NO_CREDENTIAL = ConnectionState("disconnected", since=at(-600), reason="no_credential")
UNAUTHORIZED = ConnectionState("unauthorized", since=at(-600), reason="key_refused")
DISCONNECTED = ConnectionState("disconnected", since=at(-600), attempt=5, reason="unreachable")
MAINTENANCE = ConnectionState("maintenance", since=at(-600), live_until=at(-601))


@pytest.mark.parametrize("heartbeat_at", [NOON, at(-5), at(1)], ids=["now", "5 s ago", "ahead"])
@pytest.mark.parametrize(
    "written",
    [LIVE, RECONNECTING, NO_CREDENTIAL, UNAUTHORIZED, DISCONNECTED, MAINTENANCE],
    ids=lambda written: written.status,
)
def test_worker_that_is_alive_is_believed(written, heartbeat_at):
    assert as_seen(written, heartbeat_at, NOON) == written


@pytest.mark.parametrize("heartbeat_at", [at(-5.001), None], ids=["silent", "unknown"])
@pytest.mark.parametrize("written", [NO_CREDENTIAL, UNAUTHORIZED], ids=lambda it: it.status)
def test_what_no_worker_could_change_stays_true_without_one(written, heartbeat_at):
    assert as_seen(written, heartbeat_at, NOON) == written


@pytest.mark.parametrize(
    ("written", "heartbeat_at", "since", "live_until"),
    [
        (LIVE, at(-5.001), at(-5.001), at(-5.001)),
        (LIVE, None, LIVE.since, None),
        (RECONNECTING, at(-6), at(-6), RECONNECTING.live_until),
        (RECONNECTING, None, RECONNECTING.since, RECONNECTING.live_until),
        (DISCONNECTED, at(-6), at(-6), None),
        (MAINTENANCE, at(-6), at(-6), MAINTENANCE.live_until),
    ],
    ids=[
        "live until its last heartbeat",
        "live, its worker unknown",
        "reconnecting",
        "reconnecting, its worker unknown",
        "disconnected",
        "maintenance",
    ],
)
def test_silent_worker_is_told_as_down(written, heartbeat_at, since, live_until):
    seen = as_seen(written, heartbeat_at, NOON)

    assert seen == ConnectionState(
        "reconnecting", since=since, reason="worker_down", live_until=live_until
    )
