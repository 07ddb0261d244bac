"""A soak that measured nothing has not passed, and one that was cut short keeps its result."""

import os
import subprocess
import sys

import pytest

from benchmarks.faults import FAULTS, socket_cut, worker_killed
from benchmarks.processes import resident_megabytes
from benchmarks.soak import Record, is_passed, named, report

CUT, KILLED = (fault for fault in FAULTS if fault.make in (socket_cut, worker_killed))


def test_faults_are_named_by_a_part_of_their_names():
    assert named(["worker k", "socket"]) == [CUT, KILLED]
    assert named([]) == FAULTS


def test_name_of_no_fault_is_refused_beside_good_ones():
    with pytest.raises(ValueError, match="no fault is called tpyo; there are socket cut, "):
        named(["socket", "tpyo"])


def test_soak_without_a_round_or_with_a_failure_has_not_passed():
    assert is_passed({"socket cut": Record(rounds=1, slowest=0.4), "worker killed": Record()})
    assert not is_passed({"socket cut": Record(), "worker killed": Record()})
    assert not is_passed({"socket cut": Record(rounds=1, failures=["not right"])})


def test_fault_that_was_never_over_has_no_seconds():
    records = {
        "socket cut": Record(rounds=2, slowest=0.44, said={"live": None, "reconnecting": None}),
        "worker killed": Record(rounds=1, failures=["not right"]),
    }

    _, cut, killed, summary, failure = report([CUT, KILLED], records, "memory: unknown")

    assert cut.endswith("| 2 | 0.4 s | reconnecting |")
    assert killed.endswith("| 1 | – |  |")
    assert summary == "3 rounds, 1 failures; memory: unknown"
    assert failure == "  worker killed: not right"


def test_memory_of_a_process_that_ended_is_an_error_before_and_after_it_is_waited_for():
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    with pytest.raises(ProcessLookupError):
        resident_megabytes(process)
    process.wait()
    with pytest.raises(FileNotFoundError):
        resident_megabytes(process)
