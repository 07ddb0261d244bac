"""What was measured → how it stands, and what to do. No I/O in here."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from accounts.key_check import CheckedKey
from kalshi.reach import Reached
from positions.connection import ConnectionState, Heartbeat
from positions.connection_words import TROUBLES, standing
from positions.figure_text import age
from positions.workers import WorkerSeen
from postgres.unapplied import Migrations
from streaming.doctor.findings import Finding, ok, unknown, wrong

OLDEST_POSTGRES = 15
# The exchange refuses signatures that are some 10 to 30 seconds off.
LARGEST_SKEW = timedelta(seconds=5)
# A worker reads all anew every 55 seconds.
RECONCILED_WITHIN = timedelta(minutes=5)
DATABASE, MIGRATIONS, DATABASE_CLOCK = "database", "migrations", "database's clock"
POOLER, ANNOUNCEMENTS, WORKER = "pooler", "announcements", "worker"
SET_CLOCKS = "Set the clocks of both machines right, by NTP."
NTP = "Set this machine's clock right, by NTP."


def settings_findings(
    *, file: str | None, is_open_to_others: bool, is_debug: bool, has_static_files: bool
) -> list[Finding]:
    """
    Args:
        file: the one that settings are read from; None where there is none.
        is_open_to_others: whether others on this machine may read it.
    """
    found = []
    if file and is_open_to_others:
        remedy = f"chmod 600 {file}"
        found.append(wrong("settings", "others on this machine may read the secrets.", remedy))
    if is_debug:
        what = "DEBUG shows whoever makes an error happen what was at hand."
        found.append(wrong("settings", what, "Set DEBUG=false, unless you develop."))
    if not has_static_files:
        what = "the page's files are not collected, so it can't be shown."
        found.append(wrong("settings", what, "make setup, or manage.py collectstatic."))
    return found or [ok("settings", "read, each with a value that it can have.")]


def server_finding(version: int, seconds: float) -> Finding:
    """
    Args:
        version: PostgreSQL's `server_version_num`.
        seconds: for connecting and asking.
    """
    major = version // 10_000
    if major < OLDEST_POSTGRES:
        remedy = f"Move to PostgreSQL {OLDEST_POSTGRES} or newer."
        return wrong(DATABASE, f"PostgreSQL {major} is too old.", remedy)
    return ok(DATABASE, f"PostgreSQL {major}.{version % 10_000}, answered in {_ms(seconds)}.")


def pooler_finding(seconds: float) -> Finding:
    """`seconds`: for connecting through it and asking."""
    return ok(POOLER, f"answered in {_ms(seconds)}.")


def migrations_finding(found: Migrations) -> Finding:
    if found.unknown:
        what = f"{found.unknown} of a newer version of the product are applied."
        return wrong(MIGRATIONS, what, "Run that version here too.")
    if found.missing:
        return wrong(MIGRATIONS, f"{found.missing} are not applied.", "manage.py migrate")
    return ok(MIGRATIONS, "all applied.")


def database_clock_finding(ahead: timedelta) -> Finding:
    """`ahead`: how far our clock is ahead of the database's."""
    if abs(ahead) > LARGEST_SKEW:
        return wrong(DATABASE_CLOCK, f"{_off(ahead, 'it')}.", SET_CLOCKS)
    return ok(DATABASE_CLOCK, f"{_off(ahead, 'it')}.")


def announcements_finding(
    *, seconds: float | None, is_same_server: bool, has_two_ways: bool = False
) -> Finding:
    """
    Args:
        seconds: from NOTIFY to its arrival; None if it did not arrive.
        is_same_server: whether the server's process is the one that was connected to.
        has_two_ways: whether one way was announced by, and another listened at.
    """
    if seconds is None and has_two_ways:
        what = (
            "what is announced by DATABASE_URL is not heard at DIRECT_DATABASE_URL: they lead to "
            "two databases, or the second to a pooler as well."
        )
        return wrong(ANNOUNCEMENTS, what, "Let both lead to one, the second past every pooler.")
    if seconds is None:
        what = (
            "what is announced is not heard: a pooler that shares connections by transaction "
            "stands before the database."
        )
        remedy = "Let DIRECT_DATABASE_URL lead to the server itself."
        return wrong(ANNOUNCEMENTS, what, remedy)
    through = "" if is_same_server else ", through a pooler that keeps sessions whole"
    return ok(ANNOUNCEMENTS, f"heard {_ms(seconds)} after they were made{through}.")


def rest_findings(name: str, reached: Reached) -> list[Finding]:
    """How the environment's REST answered, and what its clock says."""
    if reached.status.exchange_active:
        found = [ok(f"{name}, REST", f"answered in {_ms(reached.seconds)}.")]
    else:
        found = [unknown(f"{name}, REST", "answers that the exchange is in maintenance.")]
    clock, skew = f"{name}, clock", reached.clock_skew
    if skew is None:
        return [*found, unknown(clock, "the answer has no date.")]
    if abs(skew) > LARGEST_SKEW:
        what = f"{_off(skew, 'the exchange')}; it refuses what is some 10 to 30 off."
        return [*found, wrong(clock, what, NTP)]
    return [*found, ok(clock, f"{_off(skew, 'the exchange')}, as near as can be told.")]


def key_finding(subject: str, key: CheckedKey, *, was_refused: bool, account_id: int) -> Finding:
    """Of one that the exchange accepts."""
    if was_refused:
        what = "the exchange accepts it, but it is noted as refused."
        remedy = f"Choose “Reconcile now” for account {account_id} in the admin, or wait 5 minutes."
        return wrong(subject, what, remedy)
    scopes = f"scopes {', '.join(key.scopes)}" if key.scopes else "scopes not told"
    trades = "; it may trade, where one that only reads would do" if key.may_trade else ""
    return ok(subject, f"the exchange accepts it, {scopes}{trades}.")


def workers_finding(workers: Sequence[WorkerSeen], account_count: int, now: datetime) -> Finding:
    """How the workers do, by their heartbeats; newest first."""
    living = [each for each in workers if each.heartbeat.is_fresh]
    start = "Start one: manage.py run_kalshi_stream, or manage.py start."
    if not living:
        last = f"; the last one lived {_ago(workers[0].heartbeat)} ago" if workers else ""
        return wrong(WORKER, f"none is alive{last}.", start)
    held = sum(each.account_count for each in living)
    count = f"{len(living)} alive" if len(living) > 1 else "alive"
    what = f"{count}, last heartbeat {_ago(living[0].heartbeat)} ago, "
    return ok(WORKER, f"{what}holds {held} of {account_count} accounts.")


def stream_finding(
    account_id: int,
    state: ConnectionState | None,
    *,
    reconciled_at: datetime | None,
    left_out: int,
    now: datetime,
) -> Finding:
    """
    How one account is fed.

    Args:
        state: as it can be believed; None when no worker ever took the account up.
        left_out: rows of the exchange that can't be read.
    """
    subject = f"account {account_id}"
    if state is None:
        return unknown(subject, "no worker has taken it up yet.", "Look again in a few seconds.")
    how = standing(state, now)
    if state.status in ("connecting", "maintenance"):
        return unknown(subject, how, "Wait: it is tried again by itself.")
    if state.status != "live":
        trouble = TROUBLES[state.reason] if state.reason else None
        remedy = trouble.remedy if trouble else None
        return wrong(subject, how, remedy or "Wait: it is tried again by itself.")
    if reconciled_at is None or now - reconciled_at > RECONCILED_WITHIN:
        ago = "never" if reconciled_at is None else f"{age(reconciled_at, now)} ago"
        remedy = "See the worker's log, and choose “Reconcile now” in the admin."
        return wrong(subject, f"{how} Last reconciled {ago}.", remedy)
    if left_out:
        what = f"{how} {left_out} rows of the exchange can't be read."
        return wrong(subject, what, "See them under “Account streams” in the admin.")
    return ok(subject, f"{how} Reconciled {age(reconciled_at, now)} ago.")


def _ago(heartbeat: Heartbeat) -> str:
    return age(heartbeat.at, heartbeat.at + timedelta(seconds=heartbeat.age_seconds))


def _off(ahead: timedelta, of: str) -> str:
    seconds = ahead.total_seconds()
    where = "ahead of" if seconds > 0 else "behind"
    return f"this machine is {abs(seconds):,.1f} seconds {where} {of}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"
