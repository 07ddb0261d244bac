"""
How long to wait for the database, by what the wait is for.

Two sides keep the time. The server ends a statement, a wait for a lock and an abandoned
transaction, and stays in step with us. A server that is frozen or out of reach ends nothing, so
the client also hangs up by itself (`connections.PatientConnection`). A little later, that is: what
the server says itself is the better error.
"""

import os
import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """
    The longest waits over one connection, in seconds; None waits for as long as it takes.

    Attributes:
        connect: for the connection, its server's start included.
        answer: for the answer to one statement; then the connection is given up.
        statement, lock, idle_in_transaction: what the server ends by itself.
        may_share: whether a pooler may give each transaction another session, where there is one.
            Who keeps a lock or a setting for longer, or takes its time, goes past the pooler.
    """

    connect: float | None = None
    answer: float | None = None
    statement: float | None = None
    lock: float | None = None
    idle_in_transaction: float | None = None
    may_share: bool = False

    def options(self, configured: str | None) -> str:
        """
        libpq's `options` that tell the server its part, without a round trip.

        Args:
            configured: those of the settings, which win; None: libpq's own default.
        """
        limits = {
            "statement_timeout": self.statement,
            "lock_timeout": self.lock,
            "idle_in_transaction_session_timeout": self.idle_in_transaction,
        }
        ours = [
            f"-c {name}={round(seconds * 1000)}"
            for name, seconds in limits.items()
            if seconds is not None
        ]
        theirs = os.environ.get("PGOPTIONS", "") if configured is None else configured
        return " ".join([*ours, theirs]).strip()


# A person waits for the page.
WEB = Patience(connect=2, answer=2, statement=1.8, lock=1, idle_in_transaction=2, may_share=True)
# The worker's writes: its figures are old by then, and another worker may be about to take over.
WORKER = Patience(connect=2, answer=3, statement=2.5, lock=1, idle_in_transaction=2, may_share=True)
# Waits for what others announce; who needs an answer hangs up by `connections.hung_up_after`.
LISTEN_CONNECT_SECONDS = 2.5
LISTEN = Patience(connect=LISTEN_CONNECT_SECONDS, idle_in_transaction=2)
# A migration takes as long as it takes, but doesn't hold up everybody behind it for a lock. One
# that was suspended in the middle, and forgotten, must not keep what it has locked for good.
COMMAND = Patience(lock=60, idle_in_transaction=600)


class _OfThread(threading.local):
    patience: Patience | None = None


_of_thread = _OfThread()
_of_process = COMMAND


def adopt(patience: Patience) -> None:
    """Give this process's connections from now on so much patience."""
    global _of_process  # a process has one, as it has one set of settings
    _of_process = patience


def adopt_in_thread(patience: Patience | None) -> None:
    """Give this thread a patience of its own; None takes it back."""
    _of_thread.patience = patience


def current() -> Patience:
    """What a connection that this thread opens now has."""
    return _of_thread.patience or _of_process
