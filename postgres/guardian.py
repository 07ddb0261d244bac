"""
Stops the embedded server once no process is attached to it any more.

Every attached process holds a shared lock on one file; the kernel releases it however the process
ends, so who gets the exclusive lock knows that nobody is left. The guardian is a process of its
own that waits for just that: a web server or worker killed with SIGKILL cannot stop anything.

Run as a script by `postgres.embedded`, without Django and without third-party packages, to stay
small for as long as it waits.
"""

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TypedDict

STOP_TIMEOUT_SECONDS = 30


class Identity(TypedDict, total=False):
    """Whom `subprocess` is to run a program as; empty: ourselves."""

    user: int
    group: int
    extra_groups: list[int]


def owner_of(path: Path) -> Identity:
    """The owner of `path` when we are root, for PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    owner = path.stat()
    return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}


def stop_server(data: Path, pg_ctl: Path) -> None:
    """Stop the server of `data` and wait for its end; nothing happens when none runs."""
    if not data.exists():
        return
    subprocess.run(  # noqa: S603  # our own program with our own directory
        [
            *(pg_ctl, "stop", "-D", data, "-m", "fast", "-w"),
            *("-t", str(STOP_TIMEOUT_SECONDS), "-s"),
        ],
        **owner_of(data),
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,  # no server is what was wanted
    )


def main(attached: Path, data: Path, pg_ctl: Path, own_lock: int) -> None:
    """
    Wait until `attached` is held by nobody, then stop the server.

    Args:
        attached: the file that every attached process holds a shared lock on.
        data: the server's data directory.
        pg_ctl: PostgreSQL's program to stop it with.
        own_lock: inherited descriptor of the lock that keeps this the server's only guardian.
    """
    # A terminal's Ctrl-C and a service manager's SIGTERM reach the whole group, but the attached
    # processes may still need the database to end in good order.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with attached.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        # Whoever removed the directory has nothing left to stop; its successor is not ours.
        if attached.exists() and attached.stat().st_ino == os.fstat(file.fileno()).st_ino:
            stop_server(data, pg_ctl)
        # First our own lock: a process that waits for `attached` must find no guardian afterwards.
        os.close(own_lock)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
