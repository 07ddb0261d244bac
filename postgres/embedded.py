"""
The embedded PostgreSQL server, used when no `DATABASE_URL` is set.

Several processes use one server; the last one out stops it. What its directory holds:

    lock        held exclusively while a process starts the server or attaches to it
    attached    held shared by every attached process; exclusively by whoever stops the server
    guardian    held by the process that stops the server when nobody else can (guardian.py)
    log         the server's log; held by the server's own processes for as long as one lives
    data, run   the cluster, and its socket
    *.conf      the server's settings, written anew at each start
    programs    the copy of the programs (root only)

All locks are `flock` locks: the kernel releases them when their holder dies, however it dies, so a
crash leaves nothing behind that could be mistaken for a running server.
"""

import atexit
import fcntl
import hashlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from postgres import cluster, guardian, programs, server_user
from postgres.cluster import conninfo
from postgres.errors import EmbeddedServerError

__all__ = ["EmbeddedServerError", "conninfo", "database", "default_directory", "ensure_running"]

START_TIMEOUT_SECONDS = 60
# The guardian stops even a frozen server in about eight seconds.
LEAVE_SECONDS = 12
LARGEST_LOG_BYTES = 10_000_000


def default_directory(base_dir: Path, name: str = "postgres") -> Path:
    """
    Where the server of a checkout keeps its data when `POSTGRES_DIR` is unset.

    For root this is a directory under /var/lib, told apart by the checkout's path, because the
    server's system user may not be able to reach the checkout.
    """
    inside_checkout = base_dir / "var" / name
    if os.geteuid() != 0:
        return inside_checkout
    checkout = hashlib.sha256(os.fsencode(inside_checkout)).hexdigest()[:8]
    return Path(f"/var/lib/kalshi-live-{name}-{checkout}")


def database(directory: Path) -> dict[str, Any]:  # Any: what Django's DATABASES holds
    """The entry of Django's `DATABASES` for the server of `directory`. Starts nothing."""
    parameters = conninfo(directory)
    return {
        "ENGINE": "postgres.backend",
        "EMBEDDED_DIRECTORY": directory,
        "NAME": parameters["dbname"],
        "USER": parameters["user"],
        "HOST": parameters["host"],
        "PORT": parameters["port"],
        "OPTIONS": {"requirepeer": parameters["requirepeer"]},
    }


def ensure_running(directory: Path, deadline: float | None = None) -> None:
    """
    Start the server of `directory`, or attach to it, until this process ends.

    May be called from any thread and before every connection: on repeat it only makes sure, by two
    file locks, that the server still lives, and starts it again if it doesn't.

    Args:
        deadline: by the monotonic clock; a start that takes longer goes on in the background.

    Raises:
        EmbeddedServerError: it cannot be started; the message ends with the tail of its log. Or it
            is still starting at the deadline.
    """
    directory = directory.absolute()
    if deadline is None:
        _ensure_running(directory)
    elif not _is_running(directory, deadline):
        _starter(directory).wait(deadline)


def _ensure_running(directory: Path) -> None:
    with _told_where(directory):
        _take_possession(directory)
        with _locked(directory / "lock"):
            if _attach(directory) and _is_alive(directory):
                return
            _start_or_wait(directory)
            _appoint_guardian(directory)


def _is_running(directory: Path, deadline: float) -> bool:
    """Whether this process is attached and the server lives; starts nothing."""
    if (os.getpid(), directory) not in _attached:
        return False
    with _told_where(directory), _locked(directory / "lock", deadline):
        return _is_alive(directory)


@contextmanager
def _told_where(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EmbeddedServerError(
            f"The embedded PostgreSQL server cannot use {directory}: {error}. "
            "Name another directory in POSTGRES_DIR, or another server in DATABASE_URL."
        ) from error


class _Start:
    """A start in a thread of its own, for those who can't wait until its end."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._outcome: Future[None] = Future()
        # A daemon: the interpreter's own end would wait for any other.
        threading.Thread(target=self._run, name="embedded-start", daemon=True).start()

    def _run(self) -> None:
        try:
            _ensure_running(self._directory)
        except Exception as error:
            self._outcome.set_exception(error)
        else:
            self._outcome.set_result(None)

    @property
    def is_over(self) -> bool:
        return self._outcome.done()

    def wait(self, deadline: float) -> None:
        """Return at the start's end, or raise what it raised."""
        try:
            self._outcome.result(max(0.0, deadline - time.monotonic()))
        except TimeoutError:
            raise _is_starting(self._directory) from None


_starts: dict[tuple[int, Path], _Start] = {}
_starts_lock = threading.Lock()


def _starter(directory: Path) -> _Start:
    """The start of this process that is under way, or a new one."""
    key = (os.getpid(), directory)  # a thread is not forked
    with _starts_lock:
        if key not in _starts or _starts[key].is_over:
            _starts[key] = _Start(directory)
        return _starts[key]


def _is_starting(directory: Path) -> EmbeddedServerError:
    return EmbeddedServerError(f"The embedded PostgreSQL server in {directory} is starting.")


def _take_possession(directory: Path) -> None:
    """Create `directory`, or see that it is ours and made for this."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = directory.stat().st_uid
    if owner != os.geteuid():
        raise EmbeddedServerError(
            f"{directory} belongs to the user with id {owner}, not to {os.geteuid()}. Run as that "
            "user, or name another directory in POSTGRES_DIR."
        )
    # In this order: whoever prepares it at this moment creates `lock` first.
    if any(directory.iterdir()) and not (directory / "lock").exists():
        raise EmbeddedServerError(
            f"{directory} holds something else than an embedded PostgreSQL server. Name a "
            "directory of its own in POSTGRES_DIR."
        )


# Attaching

# The lock on `attached` of each process and directory. A forked child needs one of its own: the
# inherited descriptor is its parent's, and so is the lock.
_attached: dict[tuple[int, Path], int] = {}


def _attach(directory: Path) -> bool:
    """Whether this process was attached already; it is afterwards."""
    key = (os.getpid(), directory)
    if key in _attached:
        return True
    descriptor = _open(directory / "attached")
    # Waits while the last one out stops the server.
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    _attached[key] = descriptor
    atexit.register(_release, directory)
    return False


def _release(directory: Path) -> None:
    descriptor = _attached.pop((os.getpid(), directory), None)
    if descriptor is None:
        return  # a forked child runs its parent's exit handlers
    deadline = time.monotonic() + LEAVE_SECONDS
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        # Others are attached; or the guardian was quicker, and then this waits for it: who sees us
        # gone may rely on the server being gone too.
        _lock_before(deadline, descriptor, fcntl.LOCK_SH)
    else:
        guardian.stop_server(directory / "data", programs.folder(directory) / "pg_ctl")
    os.close(descriptor)


def _appoint_guardian(directory: Path) -> None:
    pg_ctl = programs.folder(directory) / "pg_ctl"
    lock = _open(directory / "guardian")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        programs.spawn(
            *(sys.executable, "-I", "-S", guardian.__file__),
            *(directory / "attached", directory / "data", pg_ctl, lock),
            inherited=(lock,),
        )
    except BlockingIOError:
        return  # there is one
    finally:
        os.close(lock)


# Starting


def _start_or_wait(directory: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    was_started = False
    while True:
        if not _is_alive(directory):
            if was_started:
                raise EmbeddedServerError(_failure(directory, "ended right after its start"))
            _start(directory)
            was_started = True
        try:
            cluster.create_database(directory)
        except psycopg.OperationalError as error:
            # Not accepting yet, or the orphans of a killed server that are about to end.
            if time.monotonic() > deadline:
                reason = f"does not accept connections: {error}"
                raise EmbeddedServerError(_failure(directory, reason)) from error
        else:
            return
        time.sleep(0.02)


def _start(directory: Path) -> None:
    owner = server_user.account(create=True)
    server_user.make_reachable(directory, owner)
    if os.geteuid() == 0:
        programs.copy(directory)
    if not (directory / "data").exists():
        cluster.create(directory, owner)
    socket_directory = cluster.own_socket_directory(directory, owner)
    cluster.write_settings(directory, owner)
    # No process of the server lives, so these are stale. PostgreSQL itself would ask whether their
    # pid is in use, which after a crash of the machine may well be so, by another program.
    (directory / "data" / "postmaster.pid").unlink(missing_ok=True)
    (socket_directory / f".s.PGSQL.{cluster.PORT}.lock").unlink(missing_ok=True)
    with (directory / "log").open("ab") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        if log.tell() > LARGEST_LOG_BYTES:
            log.truncate(0)
        # The lock belongs to the open file, which the server's processes inherit as their output.
        programs.spawn(
            *(programs.folder(directory) / "postgres", "-D", directory / "data"),
            *("-c", f"config_file={directory / 'postgresql.conf'}"),
            output=log.fileno(),
            identity=guardian.owner_of(directory / "data"),
        )


def _is_alive(directory: Path) -> bool:
    descriptor = _open(directory / "log")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _failure(directory: Path, what: str) -> str:
    tail = (directory / "log").read_text(errors="replace").splitlines()[-10:]
    return "\n".join(
        [
            f"The embedded PostgreSQL server in {directory} {what}. Its log is "
            f"{directory / 'log'}; another server can be named in DATABASE_URL. The log's end:",
            *tail,
        ]
    )


# Locks


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


@contextmanager
def _locked(path: Path, deadline: float | None = None) -> Iterator[None]:
    descriptor = _open(path)
    try:
        if deadline is None:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        elif not _lock_before(deadline, descriptor, fcntl.LOCK_EX):
            # Who holds it for so long starts the server.
            raise _is_starting(path.parent)
        yield
    finally:
        os.close(descriptor)


def _lock_before(deadline: float, descriptor: int, operation: int) -> bool:
    """Whether the lock was had by then; the kernel itself waits without a limit only."""
    delay = 0.001
    while True:
        try:
            fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
        else:
            return True
        time.sleep(delay)
        delay = min(2 * delay, 0.05)
