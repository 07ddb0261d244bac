"""What was measured and what is said of it: the cases that no test can make happen for real."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.key_check import CheckedKey
from kalshi.reach import Reached
from kalshi.resources import ExchangeStatus
from positions.connection import ConnectionState, Heartbeat
from positions.workers import WorkerSeen
from streaming.doctor import verdicts
from streaming.doctor.findings import Finding, ok, summary, unknown, wrong

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
OPEN = ExchangeStatus(exchange_active=True, trading_active=True, estimated_resume_time=None)


def reached(skew_seconds: float | None) -> list[Finding]:
    skew = None if skew_seconds is None else timedelta(seconds=skew_seconds)
    return verdicts.rest_findings("demo", Reached(OPEN, 0.12, skew))


def stream(state: ConnectionState | None, *, minutes: float | None = 0.2, left_out: int = 0):
    reconciled_at = None if minutes is None else NOW - timedelta(minutes=minutes)
    return verdicts.stream_finding(
        7, state, reconciled_at=reconciled_at, left_out=left_out, now=NOW
    )


def worker(age_seconds: float, accounts: int) -> WorkerSeen:
    return WorkerSeen(Heartbeat(NOW - timedelta(seconds=age_seconds), age_seconds), accounts)


@pytest.mark.parametrize(
    ("version", "verdict"), [(140_011, "wrong"), (150_000, "ok"), (160_002, "ok")]
)
def test_server_must_be_new_enough(version, verdict):
    assert verdicts.server_finding(version, 0.01).verdict == verdict


@pytest.mark.parametrize(
    ("seconds", "verdict"),
    [(None, "unknown"), (-5.1, "wrong"), (-4.9, "ok"), (0, "ok"), (5.1, "wrong")],
)
def test_clock_is_judged_before_the_exchange_refuses_what_it_signs(seconds, verdict):
    assert reached(seconds)[1].verdict == verdict


@pytest.mark.parametrize(("seconds", "verdict"), [(-6, "wrong"), (1, "ok"), (6, "wrong")])
def test_databases_clock_is_judged_too(seconds, verdict):
    found = verdicts.database_clock_finding(timedelta(seconds=seconds))

    assert found.verdict == verdict


def test_pooler_that_keeps_sessions_whole_is_well():
    found = verdicts.announcements_finding(seconds=0.002, is_same_server=False)

    assert found == ok(
        "announcements",
        "heard 2 ms after they were made, through a pooler that keeps sessions whole.",
    )


def test_page_without_its_files_and_debug_are_told_one_by_one():
    found = verdicts.settings_findings(
        file=None, is_open_to_others=True, is_debug=True, has_static_files=False
    )

    assert [each.remedy for each in found] == [
        "Set DEBUG=false, unless you develop.",
        "make setup, or manage.py collectstatic.",
    ]


def test_key_whose_scopes_are_not_told_is_taken_for_one_that_trades():
    key = CheckedKey(0, listed_key_ids=None, scopes=())

    found = verdicts.key_finding("key 1", key, was_refused=False, account_id=7)

    assert "scopes not told; it may trade" in found.what


def test_only_living_workers_hold_accounts():
    workers = [worker(0.4, 2), worker(1, 1), worker(90, 5)]

    found = verdicts.workers_finding(workers, 4, NOW)

    assert found == ok("worker", "2 alive, last heartbeat 0\u00a0s ago, holds 3 of 4 accounts.")


@pytest.mark.parametrize(
    ("state", "rest", "verdict"),
    [
        (None, {}, "unknown"),
        (ConnectionState("connecting", NOW), {}, "unknown"),
        (ConnectionState("maintenance", NOW, reason="maintenance"), {}, "unknown"),
        (ConnectionState("reconnecting", NOW, reason="unreachable"), {}, "wrong"),
        (ConnectionState("live", NOW), {}, "ok"),
        (ConnectionState("live", NOW), {"minutes": 6}, "wrong"),
        (ConnectionState("live", NOW), {"minutes": None}, "wrong"),
        (ConnectionState("live", NOW), {"left_out": 2}, "wrong"),
    ],
    ids=[
        "nobody took it up",
        "connecting",
        "maintenance",
        "unreachable",
        "live",
        "long not reconciled",
        "never reconciled",
        "rows left out",
    ],
)
def test_account_is_well_only_if_it_is_live_reconciled_and_whole(state, rest, verdict):
    assert stream(state, **rest).verdict == verdict


def test_what_is_not_well_always_says_what_to_do():
    assert stream(ConnectionState("reconnecting", NOW, reason="unreachable")).remedy


def test_sum_of_the_findings():
    well, bad, open_ = ok("a", "b"), wrong("a", "b", "c"), unknown("a", "b")

    assert summary([well]) == "All is well."
    assert summary([well, bad, open_, bad]) == "Not all is well: 2 wrong, 1 unknown."


def test_what_others_say_does_nothing_to_the_terminal():
    assert "\x1b" not in wrong("key", "\x1b[2J", "\x1b[2J").text
