"""Ports for programs that are started, and perhaps started again."""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from itertools import count

# Who asks for any port, or connects somewhere, gets one above by itself: what was looked up as free
# is not free for long there.
_FIRST, _ALL = 20_000, 12_000
# Processes that look at the same instant have ids near each other, and must not find the same one.
_OF_A_PROCESS = 64


def _numbers() -> Iterator[int]:
    begin = os.getpid() * _OF_A_PROCESS
    for step in count():
        yield _FIRST + (begin + step) % _ALL


_NUMBERS = _numbers()


def free_port() -> int:
    """
    A port of this machine that nobody listens on, nor will until its finder does.

    Raises:
        OSError: all are taken.
    """
    for _ in range(_ALL):
        port = next(_NUMBERS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("No port is free.")
