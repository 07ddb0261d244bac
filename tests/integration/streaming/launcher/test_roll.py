"""Who stands on the roll, and what becomes of them when it is closed, as a kill of ours does."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from streaming.launcher.roll import Roll
from tests.integration.streaming.launcher.conftest import Child
from tests.waiting import until


@pytest.fixture
def roll():
    return Roll(stop_seconds=20)


def start(roll: Roll, child: Child) -> subprocess.Popen[bytes]:
    return roll.start([sys.executable, "-c", child.program], environment={})


async def exit_code_once_closed(roll: Roll, process: subprocess.Popen[bytes]) -> int:
    """How the process ends when the roll is closed while it lives."""
    # At the same time, for until it is reaped here the guardian takes it for alive.
    code, _ = await asyncio.gather(
        asyncio.to_thread(process.wait, timeout=30), asyncio.to_thread(roll.close)
    )
    return code


async def test_child_keeps_its_pid_and_leads_a_session_of_its_own(roll, make_child):
    child = make_child("child")

    process = start(roll, child)

    pid = await child.pid()
    assert process.pid == pid
    assert os.getsid(pid) == os.getpgid(pid) == pid
    await exit_code_once_closed(roll, process)


async def test_child_has_our_environment_and_more(roll, tmp_path, monkeypatch):
    monkeypatch.setenv("OURS", "as it was")
    path = tmp_path / "environment"
    tell = ["/bin/sh", "-c", 'echo "$OURS, $MORE" > "$0"', str(path)]

    process = roll.start(tell, environment={"MORE": "and more"})

    await until(lambda: roll.has_ended(process))
    assert path.read_text() == "as it was, and more\n"
    assert process.returncode == 0
    roll.close()


async def test_child_that_starts_as_we_are_killed_ends_too(roll, make_child):
    child = make_child("child")

    process = start(roll, child)

    assert await exit_code_once_closed(roll, process) == -signal.SIGTERM
    assert not child.lives


async def test_group_whose_leader_ended_is_left_alone(roll, make_child):
    # After that its number may be anybody's.
    survivor = make_child("survivor")
    leader = roll.start(
        ["/bin/sh", "-c", '"$@" &', "sh", sys.executable, "-c", survivor.program], environment={}
    )
    await survivor.pid()
    await until(lambda: roll.has_ended(leader))

    roll.close()

    await until(lambda: roll._guardian.poll() is not None)
    assert roll._guardian.returncode == 0
    assert survivor.lives


async def test_guardian_that_was_killed_has_a_successor(roll, make_child):
    child = make_child("child")
    process = start(roll, child)
    await child.pid()
    roll._guardian.kill()
    roll._guardian.wait()

    roll.ensure_guarded()

    assert await exit_code_once_closed(roll, process) == -signal.SIGTERM


async def test_child_starts_even_while_there_is_no_guardian(roll, make_child):
    child = make_child("child")
    roll._guardian.kill()
    roll._guardian.wait()

    process = start(roll, child)

    assert await child.pid() == process.pid
    roll.ensure_guarded()
    assert await exit_code_once_closed(roll, process) == -signal.SIGTERM


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_guardian_outlives_signals_meant_for_the_launcher(roll, make_child, number):
    child = make_child("child")
    process = start(roll, child)
    await child.pid()

    os.kill(roll._guardian.pid, number)

    assert await exit_code_once_closed(roll, process) == -signal.SIGTERM
    await until(lambda: roll._guardian.poll() is not None)
    assert roll._guardian.returncode == 0
