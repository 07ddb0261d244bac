"""How a connection stands, and what can be done about it, for whoever runs the server."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from positions.connection import ConnectionState, Reason, Status
from positions.figure_text import age

# Figures older than this are said to be stale, as on the page.
STALE_AFTER = timedelta(seconds=15)

WORDS: dict[Status, str] = {
    "connecting": "Connecting",
    "live": "Live",
    "reconnecting": "Reconnecting",
    "disconnected": "Disconnected",
    "unauthorized": "Key refused",
    "maintenance": "Maintenance",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """
    Why a connection isn't live.

    Attributes:
        what: happened, in a few words.
        remedy: a sentence on what to do about it; None where it passes by itself.
    """

    what: str
    remedy: str | None = None


TROUBLES: dict[Reason, Trouble] = {
    "connection_lost": Trouble("the connection to the exchange ended"),
    "unreachable": Trouble("the exchange can't be reached"),
    "exchange_failing": Trouble("the exchange answers with errors of its own"),
    "not_understood": Trouble(
        "the exchange's answers can't be understood",
        "If it lasts, look for a newer version; the worker's log names what was not understood.",
    ),
    "rate_limited": Trouble("the exchange says that the account asks too often"),
    "clock_skew": Trouble(
        "this machine's clock differs from the exchange's", "Set the clock right, by NTP."
    ),
    "maintenance": Trouble("the exchange is in maintenance"),
    "key_refused": Trouble(
        "the exchange refuses the stored key", "Sign in to the page with a good one."
    ),
    "key_scope": Trouble(
        "the stored key may not read the portfolio", "Sign in to the page with one that may."
    ),
    "no_credential": Trouble("no key is stored", "Sign in to the page with one."),
    "credential_unreadable": Trouble(
        "no encryption key opens the stored key",
        "Put the lost key back into ENCRYPTION_SECRET_KEY, or sign in to the page again.",
    ),
    "environment_missing": Trouble(
        "the settings don't say where its exchange is",
        "Set the environment's addresses again, as in .env.example.",
    ),
    "set_aside": Trouble(
        "something of ours went wrong with it alone", "The worker's log has the traceback."
    ),
    "set_aside_by_staff": Trouble(
        "the staff have set it aside, or deactivated its owner",
        "Take it back under “Account streams” in the admin, or activate its owner.",
    ),
    "write_stuck": Trouble(
        "its rows can't be written", "See in pg_stat_activity who holds them locked."
    ),
    "worker_down": Trouble("no worker feeds it", "Start one: manage.py run_kalshi_stream."),
}


def is_stale(state: ConnectionState, now: datetime) -> bool:
    """Whether the figures must not pass for live ones."""
    if state.status == "live":
        return False
    return state.live_until is None or now - state.live_until >= STALE_AFTER


def standing(state: ConnectionState, now: datetime) -> str:
    """How it stands, in a line: `Live for 5 min.`, or why not, and how old the prices are."""
    if state.status == "live":
        return f"Live for {age(state.since, now)}."
    why = f": {TROUBLES[state.reason].what}" if state.reason else ""
    stale = ", STALE" if is_stale(state, now) else ""
    parts = [f"{WORDS[state.status]}{stale}{why}."]
    if state.live_until is not None:
        of = f"{state.live_until.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        parts.append(f"Prices as of {of}, {age(state.live_until, now)} ago.")
    return " ".join(parts)
