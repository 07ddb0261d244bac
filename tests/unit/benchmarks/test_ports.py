"""Ports that are found free stay free until they are listened on."""

import socket
import subprocess
import sys
from pathlib import Path

from benchmarks.ports import free_port


def test_no_port_is_found_twice():
    ports = [free_port() for _ in range(40)]

    assert len({*ports}) == 40


def test_system_gives_none_of_them_to_others_by_itself():
    told = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text()
    first, last = map(int, told.split())

    assert not first <= free_port() <= last


def test_port_that_is_listened_on_is_passed_over(monkeypatch):
    taken = free_port()
    another = free_port()
    monkeypatch.setattr("benchmarks.ports._NUMBERS", iter([taken, another]))

    with socket.create_server(("127.0.0.1", taken)):
        assert free_port() == another


def test_processes_that_look_at_once_find_different_ones():
    program = "from benchmarks.ports import free_port; print(*(free_port() for _ in range(8)))"
    looking = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]

    found = [port for each in looking for port in each.communicate()[0].split()]

    assert len({*found}) == len(found) == 32
