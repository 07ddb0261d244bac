"""The product's processes, started together, kept running, and stopped together."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from streaming.launcher.backoff import LONGEST_DELAY_SECONDS, delay_seconds
from streaming.launcher.roll import Roll

# A process that ends sooner never worked: starting it again would end the same way.
NEVER_WORKED_SECONDS = 3.0
STOP_SECONDS = 10.0
# However late it is, each is asked to stop before it is killed.
LEAST_STOP_SECONDS = 0.1
# After SIGKILL; a process that a broken disk holds up is then left to the kernel.
END_SECONDS = 2.0
LOOK_SECONDS = 0.2
STOPPING_LOOK_SECONDS = 0.02


class NeverStarted(Exception):
    """A process ended right after its start; it has said why."""


@dataclass(slots=True)
class _Process:
    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    roll: Roll
    popen: subprocess.Popen[bytes] = field(init=False)
    started_at: float = field(init=False)
    failures: int = 0
    has_worked: bool = False

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.started_at = time.monotonic()
        self.popen = self.roll.start(self.command, self.environment)

    def signal(self, number: signal.Signals) -> None:
        """To be called only while it has not `ended`."""
        with suppress(PermissionError):  # macOS, where it ended just now
            os.killpg(self.popen.pid, number)

    def has_ended(self) -> bool:
        return self.roll.has_ended(self.popen)

    def ends_by(self, deadline: float) -> bool:
        while not self.has_ended():
            if time.monotonic() > deadline:
                return False
            time.sleep(STOPPING_LOOK_SECONDS)
        return True


class Processes:
    """
    Commands running side by side. They end with us, even if we are killed.

    Args:
        say: told in one line what happened.
        stop_seconds: how long they have to stop before they are killed, all together.
        never_worked_seconds: a process that ends sooner after its first start never worked.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        *,
        stop_seconds: float = STOP_SECONDS,
        never_worked_seconds: float = NEVER_WORKED_SECONDS,
    ) -> None:
        self._say_aloud = say
        self._stop_seconds = stop_seconds
        self._never_worked_seconds = never_worked_seconds
        self._roll = Roll(stop_seconds)
        self._processes: list[_Process] = []
        self.is_stopping = False

    def obey_signals(self) -> None:
        """Stop at SIGINT, SIGTERM and SIGHUP, however often they come."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # Under nohup the end of the terminal is to change nothing.
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda *_: self.ask_to_stop())

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """
        Start a command, unless all are to stop.

        Args:
            name: what `say` calls it.
            environment: what is added to ours.
        """
        if not self.is_stopping:
            self._processes.append(_Process(name, command, environment, self._roll))

    def wait_until(self, is_ready: Callable[[], bool]) -> None:
        """
        Wait until the processes started so far have done what is asked for, or are to stop.

        Raises:
            NeverStarted: one of them ended instead.
        """
        while not self.is_stopping and not is_ready():
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
        """Stop them for good, the last started first; who does not go in time is killed."""
        deadline = time.monotonic() + self._stop_seconds
        for process in reversed(self._processes):
            if process.has_ended():
                continue
            process.signal(signal.SIGTERM)
            if process.ends_by(max(deadline, time.monotonic() + LEAST_STOP_SECONDS)):
                continue
            self._say(f"{process.name} does not stop; killing it")
            process.signal(signal.SIGKILL)
            process.ends_by(time.monotonic() + END_SECONDS)
        self._roll.close()

    def _look(self) -> None:
        # Memory may be short: the next look tries again, and what runs goes on.
        with suppress(OSError):
            self._roll.ensure_guarded()
        now = time.monotonic()
        for process in self._processes:
            lived = now - process.started_at
            if not process.has_ended():
                process.has_worked |= lived > self._never_worked_seconds
                if lived > LONGEST_DELAY_SECONDS:
                    process.failures = 0
            elif not process.has_worked:
                raise NeverStarted(process.name)
            elif lived > delay_seconds(process.failures):
                process.failures += 1
                self._say(f"{process.name} ended ({process.popen.returncode}); starting it again")
                try:
                    process.start()
                except OSError as error:
                    self._say(f"{process.name} can't be started now: {error.strerror}")

    def _say(self, line: str) -> None:
        # The terminal may be closed, which is no reason to leave the others running.
        with suppress(OSError):
            self._say_aloud(line)
