from dataclasses import replace

import pytest

from positions.connection import ConnectionState, Heartbeat, as_seen, as_taken_over
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


def beat(age: float, silent: float | None = None) -> Heartbeat:
    """A beat so many seconds before noon, which is now."""
    return Heartbeat(at(-age), age, silent)


@pytest.mark.parametrize("age", [0, 5, -1], ids=["now", "5 s ago", "a moment ahead"])
@pytest.mark.parametrize(
    "written",
    [LIVE, RECONNECTING, NO_CREDENTIAL, UNAUTHORIZED, DISCONNECTED, MAINTENANCE],
    ids=lambda written: written.status,
)
def test_worker_that_is_alive_is_believed(written, age):
    assert as_seen(written, beat(age)) == written


@pytest.mark.parametrize(
    "heartbeat",
    [beat(5.001), None, beat(-1.001), beat(0, silent=4)],
    ids=["silent", "unknown", "of the future", "does not vouch"],
)
@pytest.mark.parametrize("written", [NO_CREDENTIAL, UNAUTHORIZED], ids=lambda it: it.status)
def test_what_no_worker_could_change_stays_true_without_one(written, heartbeat):
    assert as_seen(written, heartbeat) == written


def test_no_attempt_is_promised_where_no_worker_makes_it():
    refused = replace(UNAUTHORIZED, retry_at=at(200))

    assert as_seen(refused, beat(1)) == refused
    assert as_seen(refused, beat(6)) == UNAUTHORIZED


@pytest.mark.parametrize(
    ("written", "found"),
    [
        # Its heart beat until then.
        (LIVE, ConnectionState("connecting", since=at(-6), live_until=at(-6))),
        (RECONNECTING, ConnectionState("connecting", since=NOON, live_until=at(-61))),
        (replace(DISCONNECTED, retry_at=at(37)), ConnectionState("connecting", since=NOON)),
        (MAINTENANCE, ConnectionState("connecting", since=NOON, live_until=at(-601))),
        (replace(UNAUTHORIZED, retry_at=at(200)), UNAUTHORIZED),
        (NO_CREDENTIAL, NO_CREDENTIAL),
    ],
    ids=lambda it: it.status,
)
def test_new_worker_says_nothing_of_an_exchange_that_it_has_not_tried(written, found):
    assert as_taken_over(written, at(-6), NOON) == found


def test_state_that_was_live_without_any_worker_is_live_no_more():
    assert as_taken_over(LIVE, None, NOON) == ConnectionState("connecting", since=NOON)


@pytest.mark.parametrize(
    ("written", "heartbeat", "since", "live_until"),
    [
        (LIVE, beat(5.001), at(-5.001), at(-5.001)),
        (LIVE, None, LIVE.since, None),
        (RECONNECTING, beat(6), at(-6), RECONNECTING.live_until),
        (RECONNECTING, None, RECONNECTING.since, RECONNECTING.live_until),
        (DISCONNECTED, beat(6), at(-6), None),
        (MAINTENANCE, beat(6), at(-6), MAINTENANCE.live_until),
        # Its clock, or the database's, was put back: nobody can tell how long ago that was.
        (LIVE, beat(-60), NOON, NOON),
        (LIVE, beat(6, silent=4), at(-10), at(-10)),
    ],
    ids=[
        "live until its last heartbeat",
        "live, its worker unknown",
        "reconnecting",
        "reconnecting, its worker unknown",
        "disconnected",
        "maintenance",
        "beat from the future",
        "not vouched for even when it lived",
    ],
)
def test_silent_worker_is_told_as_down(written, heartbeat, since, live_until):
    seen = as_seen(written, heartbeat)

    assert seen == ConnectionState(
        "reconnecting", since=since, reason="worker_down", live_until=live_until
    )


def test_account_that_its_worker_does_not_vouch_for_is_told_by_itself():
    seen = as_seen(LIVE, beat(1, silent=4))

    assert seen == ConnectionState(
        "reconnecting", since=at(-5), reason="write_stuck", live_until=at(-5)
    )


def test_beat_grows_old():
    assert beat(4).is_fresh
    assert not beat(4).aged(1.5).is_fresh
    assert beat(4).aged(1.5).vouched_until == at(-4)
