"""Launchers of a test's own, as processes, and the tiny processes they keep running."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.waiting import until

PROJECT = Path(__file__).resolve().parents[4]

# Keeps the children running whose names and programs it is given.
LAUNCHER = """
import sys
from streaming.launcher.processes import Processes
stop_seconds, *children = sys.argv[1:]
processes = Processes(
    lambda line: print(line, flush=True), stop_seconds=float(stop_seconds), never_worked_seconds=0
)
processes.obey_signals()
try:
    for name, program in zip(children[::2], children[1::2]):
        processes.start(name, [sys.executable, "-c", program], environment={})
    processes.run()
finally:
    processes.stop()
"""

# Holds the lock of a file for as long as it lives, and writes its pid into it.
CHILD = """
import fcntl, os, signal
file = open({path!r}, "r+")
fcntl.flock(file, fcntl.LOCK_EX)
{how}
file.write(str(os.getpid()))
file.flush()
while True:
    signal.pause()
"""

STUBBORN = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
# Goes only when it is let go, and says that it was asked to.
SLOW = """
def go(*_):
    open({path!r} + ".asked", "w").close()
    open({path!r} + ".let_go").close()  # a pipe: waits for the writer
    os._exit(0)
signal.signal(signal.SIGTERM, go)
"""


class Child:
    """A process that a launcher is to keep running."""

    def __init__(self, path: Path, how: str = "") -> None:
        path.touch()
        self._path = path
        self.name = path.name
        self.program = CHILD.format(path=str(path), how=how.format(path=str(path)))

    async def pid(self, *, other_than: int = 0) -> int:
        """Its pid, once it runs."""

        def pid() -> int | None:
            text = self._path.read_text()
            return int(text) if self.lives and text and int(text) != other_than else None

        return await until(pid)

    @property
    def lives(self) -> bool:
        with self._path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    async def has_ended(self) -> bool:
        """True, once it has."""
        return await until(lambda: not self.lives)

    async def was_asked_to_stop(self) -> bool:
        """True, once a slow one was."""
        return await until(Path(f"{self._path}.asked").exists)

    async def let_go(self) -> None:
        """Let a slow one end, who was asked to stop."""
        await until(self._is_let_go)

    def _is_let_go(self) -> bool:
        try:
            # Without waiting: one that was killed never comes to read.
            os.close(os.open(f"{self._path}.let_go", os.O_WRONLY | os.O_NONBLOCK))
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            return False
        return True

    def kill(self) -> None:
        if self.lives:
            os.kill(int(self._path.read_text()), signal.SIGKILL)


class Launcher:
    """A launcher of some children, as a process."""

    def __init__(
        self, children: list[Child], *, stop_seconds: float, prelude: str = "", **options: object
    ) -> None:
        told = [text for child in children for text in (child.name, child.program)]
        self._popen = subprocess.Popen(
            [sys.executable, "-c", prelude + LAUNCHER, str(stop_seconds), *told],
            cwd=PROJECT,
            **{"stdout": subprocess.PIPE, "text": True, "start_new_session": True} | options,
        )

    def signal(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    def ends(self) -> tuple[int, str]:
        """Its exit code and what it said, once it has ended."""
        said, _ = self._popen.communicate(timeout=30)
        return self._popen.returncode, said

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self._popen.kill()
        self._popen.communicate(timeout=30)


@pytest.fixture(autouse=True)
def no_nohup() -> Iterator[None]:
    """Let what a test starts obey SIGHUP, also where the tests themselves run under `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def make_child(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    """Describe children; those that still live at the end are killed."""
    with ExitStack() as children:

        def make(name: str, how: str = "") -> Child:
            if how == SLOW:
                os.mkfifo(tmp_path / f"{name}.let_go")
            child = Child(tmp_path / name, how)
            children.callback(child.kill)
            return child

        yield make


@pytest.fixture
def launch(make_child) -> Iterator[Callable[..., Launcher]]:
    """Start launchers; they are killed before their children are."""
    with ExitStack() as launchers:

        def launch(*children: Child, stop_seconds: float = 20, **options: object) -> Launcher:
            launcher = Launcher(list(children), stop_seconds=stop_seconds, **options)
            launchers.callback(launcher.kill)
            return launcher

        yield launch
