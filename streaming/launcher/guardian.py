"""
Ends the launcher's processes should the launcher be killed.

They are in sessions of their own, so nothing else would: SIGKILL leaves the launcher no time for
it. The guardian is a process of its own that reads from a pipe which of them live. The pipe ends
with the launcher, however it ends, and whoever is left is asked to stop, and then killed.

Run as a script by `streaming.launcher.roll`, which blocks the signals that are not for it. Without
Django and without third-party packages, to stay small for as long as it waits.
"""

import os
import signal
import sys
import time
from collections.abc import Iterable

LOOK_SECONDS = 0.05


def living(notes: Iterable[str]) -> set[int]:
    """
    The process groups that are left at the end of the notes.

    Args:
        notes: in their order, "+12" when group 12 came to be, and "-12" when it ended.
    """
    groups = set()
    for note in notes:
        group = int(note[1:])
        if note.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    return groups


def end(groups: set[int], stop_seconds: float) -> None:
    """Ask the groups to stop; who is not gone in time is killed."""
    deadline = time.monotonic() + stop_seconds
    left = {group for group in groups if _is_reached(group, signal.SIGTERM)}
    while left and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
        left = {group for group in left if _is_reached(group, 0)}
    for group in left:
        _is_reached(group, signal.SIGKILL)


def _is_reached(group: int, number: int) -> bool:
    """Send the signal; whether there was anybody to get it."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS refuses where all have ended
        return False
    return True


def main(stop_seconds: float) -> None:
    """
    Wait for the end of the launcher, then end its processes.

    Args:
        stop_seconds: how long they have from SIGTERM to SIGKILL.
    """
    end(living(sys.stdin), stop_seconds)


if __name__ == "__main__":
    main(float(sys.argv[1]))
