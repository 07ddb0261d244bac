"""The product's processes, started together, kept running, and stopped together."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from streaming.launcher.backoff import LONGEST_DELAY_SECONDS, delay_seconds

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"

# A process that ends sooner never worked: starting it again would end the same way.
NEVER_WORKED_SECONDS = 3.0
STOP_SECONDS = 10.0
LOOK_SECONDS = 0.2


class NeverStarted(Exception):
    """A process ended right after its start; it has said why."""


@dataclass(slots=True)
class _Process:
    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    popen: subprocess.Popen[bytes] = field(init=False)
    started_at: float = field(init=False)
    failures: int = 0
    has_worked: bool = False

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.started_at = time.monotonic()
        self.popen = subprocess.Popen(  # noqa: S603  # our own commands
            [sys.executable, str(MANAGE), *self.arguments],
            env={**os.environ, **self.environment},
            # Of its own session: the terminal's Ctrl-C is for us, who stop them in order.
            start_new_session=True,
        )

    @property
    def has_ended(self) -> bool:
        return self.popen.poll() is not None


class Processes:
    """
    Management commands running side by side.

    Args:
        say: told in one line what happened.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._processes: list[_Process] = []
        self.is_stopping = False

    def start(self, name: str, *arguments: str, environment: Mapping[str, str]) -> None:
        """Start `manage.py` with these arguments."""
        self._processes.append(_Process(name, arguments, environment))

    def wait_until(self, is_ready: Callable[[], bool]) -> None:
        """
        Wait until the processes started so far have done what is asked for, or are to stop.

        Raises:
            NeverStarted: one of them ended instead.
        """
        while not is_ready() and not self.is_stopping:
            self._look()
            time.sleep(LOOK_SECONDS)

    def run(self) -> None:
        """
        Keep them running until `ask_to_stop`: one that ends is started again, ever later.

        Raises:
            NeverStarted: one of them ended at once and had never worked.
        """
        while not self.is_stopping:
            self._look()
            time.sleep(LOOK_SECONDS)

    def ask_to_stop(self) -> None:
        """Let `wait_until` and `run` return; may be called from a signal's handler."""
        self.is_stopping = True

    def stop(self) -> None:
        """Stop them, the last started first; who does not go in time is killed."""
        deadline = time.monotonic() + STOP_SECONDS
        for process in reversed(self._processes):
            if process.has_ended:
                continue
            process.popen.send_signal(signal.SIGTERM)
            try:
                process.popen.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._say(f"{process.name} does not stop; killing it")
                process.popen.kill()
                process.popen.wait()

    def _look(self) -> None:
        now = time.monotonic()
        for process in self._processes:
            lived = now - process.started_at
            if not process.has_ended:
                process.has_worked |= lived > NEVER_WORKED_SECONDS
                if lived > LONGEST_DELAY_SECONDS:
                    process.failures = 0
            elif not process.has_worked:
                raise NeverStarted(process.name)
            elif lived > delay_seconds(process.failures):
                process.failures += 1
                self._say(f"{process.name} ended ({process.popen.returncode}); starting it again")
                process.start()
