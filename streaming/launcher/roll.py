"""The launcher's living processes, noted down where a guardian reads it."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

from streaming.launcher import guardian

# A process notes itself down, in the pipe that is its input, and only then becomes what it is to
# be. If we noted it, SIGKILL between its start and the note would leave a process nobody knows of.
# So the pipe stays open until the note is in it.
ENTER = 'echo "+$$" >&0; exec "$@" </dev/null'

NOT_FOR_THE_GUARDIAN = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# The guardian ends by itself once the roll is closed.
GUARDIAN_END_SECONDS = 2.0


class Roll:
    """
    Starts processes, each in a session of its own, and knows when they have ended.

    If we are killed, the guardian ends those that live.

    Args:
        stop_seconds: how long the guardian then gives them from SIGTERM to SIGKILL.
    """

    def __init__(self, stop_seconds: float) -> None:
        self._stop_seconds = stop_seconds
        self._living: set[int] = set()
        # We keep the reader's end as well: without it, a process that starts while the guardian is
        # dead would end on its own note.
        self._reader, self._writer = os.pipe()
        self._guardian = self._appoint()

    def start(
        self, command: Sequence[str], environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """
        Start a process, whose pid is also its process group.

        Args:
            environment: what is added to ours.
        """
        process = subprocess.Popen(  # noqa: S603  # our own commands
            ["/bin/sh", "-c", ENTER, "sh", *command],
            env={**os.environ, **environment},
            stdin=self._writer,
            # Of its own session: the terminal's Ctrl-C is for us, who stop them in order.
            start_new_session=True,
        )
        self._living.add(process.pid)
        return process

    def has_ended(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether a process of `start` has ended; the one way to ask, for it strikes it off."""
        if process.returncode is not None:
            return True
        if hasattr(os, "waitid"):
            if not _is_to_be_reaped(process.pid):
                return False
            # First strike it off: once reaped, its pid may become somebody else's.
            self._strike(process.pid)
            process.wait()
            return True
        # macOS before Python 3.13 cannot tell without reaping.
        if process.poll() is None:
            return False
        self._strike(process.pid)
        return True

    def ensure_guarded(self) -> None:
        """Appoint another guardian if ours was killed."""
        if self._guardian.poll() is None:
            return
        self._guardian = self._appoint()
        for pid in self._living:
            self._note(f"+{pid}")

    def close(self) -> None:
        """Let the guardian go, who ends what is left on the roll."""
        os.close(self._writer)
        os.close(self._reader)
        with suppress(subprocess.TimeoutExpired):
            self._guardian.wait(GUARDIAN_END_SECONDS)

    def _strike(self, pid: int) -> None:
        self._living.discard(pid)
        self._note(f"-{pid}")

    def _note(self, note: str) -> None:
        os.write(self._writer, f"{note}\n".encode())

    def _appoint(self) -> subprocess.Popen[bytes]:
        # Whoever asks us to stop may ask all of our family, but it has to outlive us. What is
        # blocked here is blocked in it from its first instant.
        ours = signal.pthread_sigmask(signal.SIG_BLOCK, NOT_FOR_THE_GUARDIAN)
        try:
            return subprocess.Popen(  # noqa: S603  # our own script
                [sys.executable, "-I", "-S", guardian.__file__, str(self._stop_seconds)],
                cwd="/",
                env={},  # ours holds the secrets
                stdin=self._reader,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, ours)


def _is_to_be_reaped(pid: int) -> bool:
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:  # reaped by the kernel, where we inherited that SIGCHLD is ignored
        return True
