"""
Which process runs which file: one at a time those with a browser, and no test twice.

A browser has work for a machine's every core. With several of them a process waited seconds for its
turn, and what the product does within seconds it did not do.

A test that ended its process is not run again, and all others are. pytest-xdist gives it to the
next process, and to the one after that, until so many have ended that it gives up all other tests
too. And where of all files a single test is left for the process that
takes the place of the one that ended, it waits for ever.
"""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import PurePosixPath

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController


def next_file(waiting: Iterable[str], elsewhere: Iterable[str]) -> str:
    """
    The file that a process begins next.

    Args:
        waiting: all that are left, in their order.
        elsewhere: those that other processes have begun.
    """
    is_browser_busy = any(map(_has_browser, elsewhere))
    # The process that has the browser goes on with it, as those files take longest.
    return min(waiting, key=lambda file: _has_browser(file) is is_browser_busy)


def _has_browser(file: str) -> bool:
    return "e2e" in PurePosixPath(file).parts


class OnceScheduling(LoadFileScheduling):
    """Files to processes; what is left of a file whose process ended goes to another."""

    def remove_node(self, node: WorkerController) -> str | None:
        """As the parent's; the test that ended the process counts as run."""
        workload = self.assigned_work.pop(node)
        pending = (
            (unit, test)
            for unit in workload.values()
            for test, is_completed in unit.items()
            if not is_completed
        )
        unit, ended_by = next(pending, (None, None))
        if unit is None:
            return None
        unit[ended_by] = True
        self.workqueue.update(
            (file, unit) for file, unit in workload.items() if not all(unit.values())
        )
        for other in self.assigned_work:
            self._reschedule(other)
        return ended_by

    def _assign_work_unit(self, node: WorkerController) -> None:
        elsewhere = (
            file
            for other, workload in self.assigned_work.items()
            if other is not node
            for file, unit in workload.items()
            if not all(unit.values())
        )
        self.workqueue.move_to_end(next_file(self.workqueue, elsewhere), last=False)
        # A process may have ended a moment ago; what it was to do comes back by `remove_node`.
        with suppress(OSError):
            super()._assign_work_unit(node)

    def _reschedule(self, node: WorkerController) -> None:
        super()._reschedule(node)
        # A process begins a test once it knows the next, or that there is none.
        while not node.shutting_down and self._pending_of(self.assigned_work[node]) < 2:
            super()._reschedule(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OnceScheduling | None:
    return OnceScheduling(config, log) if config.getvalue("dist") == "loadfile" else None
