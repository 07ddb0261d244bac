"""The launcher keeps its processes running, and leaves none of them behind."""

import os
import signal

import pytest

from streaming.launcher.processes import Processes
from tests.integration.streaming.launcher.conftest import SLOW, STUBBORN

# What a shell does for the first process in a terminal.
IN_A_TERMINAL = """
import fcntl, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
"""

UNDER_NOHUP = """
import signal
signal.signal(signal.SIGHUP, signal.SIG_IGN)
"""


# When the third process is started.
SHORT_OF_MEMORY = """
from streaming.launcher.roll import Roll
start, started = Roll.start, []
def start_or_not(*args):
    started.append(args)
    if len(started) == 3:
        raise OSError(12, "Cannot allocate memory")
    return start(*args)
Roll.start = start_or_not
"""


class TestRunning:
    async def test_child_that_ended_is_started_again(self, launch, make_child):
        child, other = make_child("child"), make_child("other")
        launcher = launch(child, other)
        first, others = await child.pid(), await other.pid()

        os.kill(first, signal.SIGKILL)

        assert await child.pid(other_than=first)
        assert await other.pid() == others
        launcher.signal(signal.SIGTERM)
        assert launcher.ends() == (0, "child ended (-9); starting it again\n")

    async def test_start_that_fails_is_tried_again_and_ends_no_other(self, launch, make_child):
        child, other = make_child("child"), make_child("other")
        launcher = launch(child, other, prelude=SHORT_OF_MEMORY)
        first, others = await child.pid(), await other.pid()

        os.kill(first, signal.SIGKILL)

        assert await child.pid(other_than=first)
        assert await other.pid() == others
        launcher.signal(signal.SIGTERM)
        ended = "child ended (-9); starting it again\n"
        failed = "child can't be started now: Cannot allocate memory\n"
        assert launcher.ends() == (0, f"{ended}{failed}{ended}")


class TestStopping:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    async def test_signal_ends_launcher_and_children(self, launch, make_child, number):
        children = [make_child("first"), make_child("second")]
        launcher = launch(*children)
        for child in children:
            await child.pid()

        launcher.signal(number)

        assert launcher.ends() == (0, "")
        assert not any(child.lives for child in children)

    async def test_closed_terminal_ends_even_a_child_that_does_not_stop(self, launch, make_child):
        ours, its = os.openpty()
        child, stubborn = make_child("child"), make_child("stubborn", STUBBORN)
        launcher = launch(
            *(child, stubborn),
            stop_seconds=0.2,
            prelude=IN_A_TERMINAL,
            **{"stdin": its, "stdout": its, "stderr": its},
        )
        os.close(its)
        await child.pid()
        await stubborn.pid()

        os.close(ours)

        assert launcher.ends() == (0, None)
        assert not child.lives
        assert not stubborn.lives

    async def test_closed_terminal_changes_nothing_under_nohup(self, launch, make_child):
        child = make_child("child")
        launcher = launch(child, prelude=UNDER_NOHUP)
        first = await child.pid()

        launcher.signal(signal.SIGHUP)
        os.kill(first, signal.SIGKILL)

        assert await child.pid(other_than=first)

    async def test_children_stop_one_after_the_other_the_last_started_first(
        self, launch, make_child
    ):
        first, last = make_child("first"), make_child("last", SLOW)
        launcher = launch(first, last)
        await first.pid()
        await last.pid()

        launcher.signal(signal.SIGTERM)
        await last.was_asked_to_stop()
        first_lived = first.lives
        await last.let_go()

        assert first_lived
        assert launcher.ends() == (0, "")
        assert not first.lives

    async def test_more_signals_during_the_stop_do_not_cut_it_short(self, launch, make_child):
        first, last = make_child("first"), make_child("last", SLOW)
        launcher = launch(first, last)
        await first.pid()
        await last.pid()
        launcher.signal(signal.SIGTERM)
        await last.was_asked_to_stop()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            launcher.signal(number)
        await last.let_go()

        assert launcher.ends() == (0, "")
        assert not first.lives
        assert not last.lives

    async def test_child_that_ignores_sigterm_is_killed(self, launch, make_child):
        child, stubborn = make_child("child"), make_child("stubborn", STUBBORN)
        launcher = launch(child, stubborn, stop_seconds=0.2)
        await child.pid()
        await stubborn.pid()

        launcher.signal(signal.SIGTERM)

        code, said = launcher.ends()
        assert code == 0
        # The other one has so little time after that, that a busy machine may not see it stop.
        assert "stubborn does not stop; killing it\n" in said
        assert not child.lives
        assert not stubborn.lives

    def test_nothing_is_started_once_all_are_to_stop(self, tmp_path):
        said = []
        processes = Processes(said.append)

        processes.ask_to_stop()
        processes.start("toucher", ["touch", str(tmp_path / "started")], environment={})
        processes.stop()

        assert list(tmp_path.iterdir()) == []
        assert said == []


class TestKilledLauncher:
    async def test_children_end_by_themselves(self, launch, make_child):
        children = [make_child("first"), make_child("second")]
        launcher = launch(*children)
        for child in children:
            await child.pid()

        launcher.signal(signal.SIGKILL)

        for child in children:
            assert await child.has_ended()

    async def test_children_get_time_to_stop_in_order(self, launch, make_child):
        child = make_child("child", SLOW)
        launcher = launch(child)
        await child.pid()

        launcher.signal(signal.SIGKILL)

        assert await child.was_asked_to_stop()
        await child.let_go()
        assert await child.has_ended()

    async def test_child_that_ignores_sigterm_is_killed(self, launch, make_child):
        stubborn = make_child("stubborn", STUBBORN)
        launcher = launch(stubborn, stop_seconds=0.2)
        await stubborn.pid()

        launcher.signal(signal.SIGKILL)

        assert await stubborn.has_ended()

    async def test_child_that_is_frozen_is_killed(self, launch, make_child):
        child = make_child("child")
        launcher = launch(child, stop_seconds=0.2)
        os.kill(await child.pid(), signal.SIGSTOP)

        launcher.signal(signal.SIGKILL)

        assert await child.has_ended()

    async def test_child_that_was_started_again_ends_too(self, launch, make_child):
        child = make_child("child")
        launcher = launch(child)
        first = await child.pid()
        os.kill(first, signal.SIGKILL)
        await child.pid(other_than=first)

        launcher.signal(signal.SIGKILL)

        assert await child.has_ended()
