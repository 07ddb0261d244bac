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
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypedDict

# How long a server may take to end, the whole some 8 seconds. What is cut short is done again from
# the write-ahead log at the next start.
FAST_SECONDS = 5
IMMEDIATE_SECONDS = 2
KILLED_SECONDS = 1
# pg_ctl keeps its own time; this is for one that is itself held up.
PG_CTL_GRACE_SECONDS = 1


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


class Process(NamedTuple):
    """A process of this machine; its command is its arguments, joined by spaces."""

    pid: int
    parent: int
    command: str


def stop_server(
    data: Path,
    pg_ctl: Path,
    *,
    fast_seconds: int = FAST_SECONDS,
    immediate_seconds: int = IMMEDIATE_SECONDS,
) -> None:
    """
    Stop the server of `data` and wait for its end; nothing happens when none runs.

    Args:
        fast_seconds: for an orderly end. Then it is to end at once.
        immediate_seconds: for that. Then, as it does not even answer, it is killed.
    """
    if not data.exists():
        return
    for mode, seconds in (("fast", fast_seconds), ("immediate", immediate_seconds)):
        if _is_stopped(data, pg_ctl, mode, seconds) or not _family_of(data):
            return
    _kill_server(data)


def _is_stopped(data: Path, pg_ctl: Path, mode: str, seconds: int) -> bool:
    with suppress(subprocess.TimeoutExpired):
        stopping = subprocess.run(  # noqa: S603  # our own program with our own directory
            [pg_ctl, "stop", "-D", data, "-m", mode, "-w", "-t", str(seconds), "-s"],
            **owner_of(data),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Of its own session: a second Ctrl-C is to leave the server no less stopped.
            start_new_session=True,
            timeout=seconds + PG_CTL_GRACE_SECONDS,
            check=False,  # no server is what was wanted
        )
        return stopping.returncode == 0
    return False


def _kill_server(data: Path) -> None:
    # First it is held, so that it starts no more children after we have looked for them.
    _signal(signal.SIGSTOP, _family_of(data)[:1], data)
    # The children too: one that is busy would notice only later that its postmaster is gone.
    _signal(signal.SIGKILL, _family_of(data), data)
    _wait_for_end(data.parent / "log")


def _wait_for_end(log: Path) -> None:
    """Wait until no process of the server holds its log's lock any more, or for a second."""
    deadline = time.monotonic() + KILLED_SECONDS
    with log.open("rb") as file:
        while time.monotonic() < deadline:
            with suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            time.sleep(0.02)


def _signal(number: signal.Signals, pids: list[int], data: Path) -> None:
    """Signal processes of the server's user; the kernel keeps us from signalling anybody else's."""
    if not pids:
        return
    subprocess.run(  # noqa: S603  # a fixed command, and numbers
        ["/bin/sh", "-c", 'kill "$@"', "sh", f"-{number.value}", *map(str, pids)],
        **owner_of(data),
        cwd="/",
        stderr=subprocess.DEVNULL,
        check=False,  # one that has ended is what was wanted
    )


def _family_of(data: Path) -> list[int]:
    try:
        pid = int((data / "postmaster.pid").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return []
    return family(data, pid, _processes())


def family(data: Path, pid: int, processes: Iterable[Process]) -> list[int]:
    """
    The pids of a server's processes, the postmaster's first; none if it does not run.

    Args:
        data: the server's data directory.
        pid: what its file says; after a crash it may be the pid of another program.
        processes: all that run on this machine.
    """
    children = []
    is_its_postmaster = False
    for process in processes:
        if process.pid == pid:
            is_its_postmaster = f" -D {data} " in f"{process.command} "
        elif process.parent == pid:
            children.append(process.pid)
    return [pid, *children] if is_its_postmaster else []


def _processes() -> Iterable[Process]:
    # Where there is /proc, ps may be missing, as in slim containers; macOS has ps only.
    if Path("/proc/self/stat").exists():
        return _processes_of_proc()
    listing = subprocess.run(
        ["/bin/ps", "-A", "-ww", "-o", "pid=,ppid=,args="], capture_output=True, check=False
    )
    return listed(os.fsdecode(listing.stdout))


def listed(listing: str) -> list[Process]:
    """The processes of a listing by `ps -o pid=,ppid=,args=`."""
    rows = [line.split(maxsplit=2) for line in listing.splitlines()]
    return [Process(int(row[0]), int(row[1]), row[2]) for row in rows if len(row) == 3]


def _processes_of_proc() -> Iterator[Process]:
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended in the meantime
            # "7 (name) S 1 ...", where the name may hold anything; state and parent follow it.
            status = os.fsdecode((folder / "stat").read_bytes()).rpartition(")")[2].split()
            arguments = os.fsdecode((folder / "cmdline").read_bytes()).rstrip("\0").split("\0")
            yield Process(int(folder.name), int(status[1]), " ".join(arguments))


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
