"""Embedded servers of a test's own, and processes that attach to them."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.db import connections

import postgres
from postgres import embedded, server_user

PROJECT = Path(postgres.__file__).resolve().parents[1]

# Attaches, says so with the postmaster's pid, and stays until its input ends.
ATTACHED_PROCESS = """
import sys
from pathlib import Path
from postgres import embedded
directory = Path(sys.argv[1])
embedded.ensure_running(directory)
print((directory / "data" / "postmaster.pid").read_text().split()[0], flush=True)
sys.stdin.read()
"""

# Waits in the kernel for a lock, and so for whoever holds it.
WAITING_PROCESS = """
import fcntl, sys
with open(sys.argv[1]) as file:
    fcntl.flock(file, fcntl.LOCK_EX)
"""


class AttachedProcess:
    """A process that uses the server of one directory."""

    def __init__(self, directory: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", ATTACHED_PROCESS, directory],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def postmaster_pid(self) -> int:
        """The server's pid, once this process is attached; to be asked for once."""
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def leave(self) -> None:
        self._process.communicate(timeout=30)

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.communicate(timeout=30)


def is_free(path: Path) -> bool:
    """Whether nobody holds the lock of `path`."""
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def wait_for_lock(path: Path) -> None:
    """Return once nobody holds the lock of `path`."""
    subprocess.run([sys.executable, "-c", WAITING_PROCESS, path], timeout=60, check=True)


def leave_servers(base: Path) -> None:
    """Leave the servers below `base` that this process itself is attached to, to their end."""
    for _, directory in list(embedded._attached):
        if directory.is_relative_to(base):
            embedded._release(directory)
            if (directory / "guardian").exists():
                wait_for_lock(directory / "guardian")


@pytest.fixture
def base() -> Iterator[Path]:
    """A directory that every user can pass through, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="kalshi-live-test-", dir="/tmp"))
    path.chmod(0o711)
    yield path
    leave_servers(path)
    shutil.rmtree(path)


@pytest.fixture
def directory(base: Path) -> Path:
    return base / "postgres"


@pytest.fixture
def attach(base: Path) -> Iterator[Callable[[Path], AttachedProcess]]:
    """Start processes that attach to the server of a directory; they leave at the end."""
    with ExitStack() as processes:
        used = set()

        def _attach(directory: Path) -> AttachedProcess:
            process = AttachedProcess(directory)
            processes.callback(process.leave)
            used.add(directory)
            return process

        yield _attach
    leave_servers(base)
    for directory in used:
        wait_for_lock(directory / "guardian")
        socket_directory = Path(embedded.conninfo(directory)["host"])
        if not socket_directory.is_relative_to(base):
            socket_directory.rmdir()


@pytest.fixture
def server_account() -> tuple[int, int]:
    """User and group id that the server runs as."""
    account = server_user.account(create=True)
    return account.pw_uid, account.pw_gid


@pytest.fixture
async def orm_thread() -> AsyncIterator[None]:
    """Closes the connection of the thread that runs the ORM for asynchronous tests."""
    yield
    await sync_to_async(connections.close_all)()


requires_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can become another user; the modes are asserted always"
)
